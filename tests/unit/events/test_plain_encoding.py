"""Inputs that arrive as the network's codes: nothing becomes of them, in Python, in C++ and in the top function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.native import compiled

from trigger_ad.config import CodesConfig, Config, OwnModelConfig
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.plain_encoding import PlainEncoding, input_encoding
from trigger_ad.firmware.top import ports
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.evaluation import outputs
from trigger_ad.network.graph import Network
from trigger_ad.network.inputs import require_encoding
from trigger_ad.network.nodes import Constant, Dense, Input

KINDS = [FixedPoint(True, 16, 6), FixedPoint(False, 5, 7), FixedPoint(True, 8, -2), FixedPoint(False, 1, 1)]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_words_are_codes_of_the_type(kind: FixedPoint) -> None:
    encoding = PlainEncoding(kind, 200)
    assert (encoding.inputs, encoding.network_type) == (200, kind)
    assert encoding.bounds == ((kind.code_min, kind.code_max),)
    words = np.random.default_rng(1).integers(kind.code_min, kind.code_max + 1, (10, 200)).astype(encoding.word_dtype)
    assert encoding.codes_of_words(words).tolist() == words.tolist()
    assert encoding.values_of_words(words).tolist() == kind.values(words.astype(np.int64)).tolist()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_top_function_neither_masks_nor_changes_them(kind: FixedPoint) -> None:
    (port,) = ports(PlainEncoding(kind, 3))
    assert (port.masked, port.never_zero, port.table, port.shift, port.difference) == (False, False, None, 0, "word")
    assert (port.low, port.high) == (kind.code_min, kind.code_max)


def test_the_library_gives_what_the_reference_gives_below_zero_too(tmp_path: Path) -> None:
    kind = FixedPoint(True, 6, 2)
    kernel = Constant(np.array([[1, -2], [3, 1]]), FixedPoint(True, 3, 3))
    network = Network((Input("inputs", (2,), kind), Dense("sums", "inputs", kernel, None)))
    encoding = PlainEncoding(kind, 2)
    require_encoding(network, encoding)
    words = np.array([[low, high] for low in range(-32, 32) for high in range(-32, 32)], dtype=np.int32)
    first = Network((network.nodes[0], Dense("sums", "inputs", Constant(kernel.codes[:, :1], kernel.type), None)))
    with compiled(first, encoding, tmp_path) as library:
        assert library.scores(words).tolist() == outputs(first, words.astype(np.int64))[:, 0].tolist()


def test_a_configuration_says_which_encoding_it_has() -> None:
    assert type(input_encoding(Config(name="one"))) is InputEncoding
    assert type(input_encoding(Config(name="one", own_model=OwnModelConfig(file="model.h5")))) is InputEncoding
    codes = CodesConfig(type="fixed<16,6,RND_CONV,SAT>", count=4)
    plain = input_encoding(Config(name="one", own_model=OwnModelConfig(file="model.h5", codes=codes)))
    # nothing is rounded on the way in
    assert (type(plain), plain.inputs, plain.network_type) == (PlainEncoding, 4, FixedPoint(True, 16, 6))
