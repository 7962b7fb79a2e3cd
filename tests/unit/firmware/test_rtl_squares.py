"""Squares in a traced program: of every word, without a multiplier."""

from __future__ import annotations

import numpy as np
import pytest
from support.fixed_points import constant
from support.native import encoding_for

from trigger_ad.firmware.rtl import traced
from trigger_ad.firmware.rtl_pipeline import pipelined, sources
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Dense, Elementwise, Input


def squares_of(kind: FixedPoint, weight: int = 1, bias: int = 0) -> Network:
    """Squares a multiple of a word, plus a constant."""
    linear = Dense("linear", "inputs", constant([[weight]]), constant([bias]))
    return Network((Input("inputs", (1,), kind), linear, Elementwise("square", "linear", "linear", "multiply")))


@pytest.mark.parametrize(
    "network",
    [
        *(squares_of(FixedPoint(signed, width, width)) for signed in (True, False) for width in (2, 7, 8, 9, 12)),
        squares_of(FixedPoint(True, 9, 3)),
        squares_of(FixedPoint(True, 10, 14)),
        squares_of(FixedPoint(True, 8, 8), weight=-3),
        squares_of(FixedPoint(True, 8, 8), bias=300),
        squares_of(FixedPoint(True, 8, 8), bias=-1000),
        squares_of(FixedPoint(False, 8, 8), weight=0, bias=-5),
    ],
)
def test_every_word_is_squared(network: Network) -> None:
    encoding = encoding_for(network.input.type, 1)
    word = encoding.features[0].word
    words = np.arange(word.code_min, word.code_max + 1)[:, None]
    expected = evaluate(network, encoding.codes_of_words(words))["square"]
    assert np.array_equal(traced(network, encoding).run(words)["square"], expected)


def test_no_multiplier_is_written() -> None:
    network = squares_of(FixedPoint(True, 12, 12))
    pipeline = pipelined(traced(network, encoding_for(network.input.type, 1)), 5.0)
    texts = sources(pipeline, "squares", "verilog")
    # where operations are defined, all of them are
    assert "module squares_multiplier #(" in texts.pop("squares_operations.v")
    assert not [name for name, text in texts.items() if "multiplier" in text]
