"""Accumulators that the user sets: the compiled firmware wraps where the reference's exact sums are out of range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.images import autoencoder, image_config, image_vectors
from support.runs import encoding_of, write_small_project

from trigger_ad.config import BackEnd
from trigger_ad.emulation.hls import compiled
from trigger_ad.emulation.layer_tally import LayerTally
from trigger_ad.firmware.hls_types import shown_nodes
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Convolution, Dense, Node, Quantize

NETWORK = autoencoder()
WORDS = image_vectors(NETWORK)
CODES = encoding_of(image_config(NETWORK)).codes_of_words(WORDS)
EXACT = evaluate(NETWORK, CODES)
RESOURCE: dict[str, dict[str, Any]] = {
    # each takes a way of its own through hls4ml's function
    "latent": {"reuse_factor": 12},
    "decoder_1": {"reuse_factor": 6},
}


def _reached(layer: str, missing: int = 0) -> FixedPoint:
    """The narrowest type of a layer's exact sums, less some bits."""
    codes = EXACT[layer]
    kind = FixedPoint.holding(int(codes.min()), int(codes.max()), NETWORK.type(layer).fraction)
    return replace(kind, width=kind.width - missing, integer=kind.integer - missing)


ACCUMULATORS = {
    "encoder_1": _reached("encoder_1", 2),
    "latent": _reached("latent", 1),
    # hardly anything is left, of any sign
    "decoder_1": FixedPoint(False, 2, 2 - NETWORK.type("decoder_1").fraction),
    # more fraction bits than the sums have
    "reconstruction": replace(_reached("reconstruction", 1), width=_reached("reconstruction").width + 2),
}


def _wrapping(accumulators: dict[str, FixedPoint]) -> Network:
    """The network whose sums are cast to types of their own before anything reads them."""
    nodes: list[Node] = []
    for node in NETWORK.nodes:
        if isinstance(node, Dense | Convolution) and node.name in accumulators:
            nodes += [
                replace(node, name=f"{node.name}_sums"),
                Quantize(node.name, f"{node.name}_sums", accumulators[node.name], "linear"),
            ]
        else:
            nodes.append(node)
    return Network(tuple(nodes))


def _firmware(accumulators: dict[str, FixedPoint], firmware: dict[str, Any]) -> dict[str, Any]:
    own = RESOURCE if firmware.get("strategy") == "resource" else {}
    layers = {name: own.get(name, {}) | {"accumulator": str(kind)} for name, kind in accumulators.items()}
    return firmware | {"layers": layers}


def _traced(
    back_end: BackEnd, accumulators: dict[str, FixedPoint], firmware: dict[str, Any], folder: Path
) -> tuple[Codes, dict[str, Any]]:
    config = image_config(NETWORK, **_firmware(accumulators, firmware))
    with compiled(write_small_project(NETWORK, folder / back_end, back_end, WORDS, config), NETWORK) as bench:
        return bench.run().words, bench.layers(NETWORK, WORDS)


@pytest.mark.parametrize(
    ("back_end", "firmware"),
    [
        pytest.param("vivado", {}, id="vivado, parallel, latency"),
        pytest.param("vitis", {"strategy": "resource"}, id="vitis, parallel, resource"),
        pytest.param("vivado", {"io_type": "io_stream", "strategy": "resource"}, id="vivado, stream, resource"),
        pytest.param("vitis", {"io_type": "io_stream"}, id="vitis, stream, latency"),
    ],
)
def test_sums_that_an_accumulator_does_not_hold_wrap_and_nothing_else_changes(
    back_end: BackEnd, firmware: dict[str, Any], tmp_path: Path
) -> None:
    network = _wrapping(ACCUMULATORS)
    expected = evaluate(network, CODES)
    words, layers = _traced(back_end, ACCUMULATORS, firmware, tmp_path)
    for node in shown_nodes(NETWORK):
        values = network.type(node.name).values(expected[node.name])
        np.testing.assert_array_equal(layers[node.name], values, node.name)
    np.testing.assert_array_equal(words, expected["score"])
    assert (words != EXACT["score"]).any()


def test_overflows_are_the_sums_that_wrap() -> None:
    for layer, kind in ACCUMULATORS.items():
        tally = LayerTally(NETWORK, {layer: kind})
        tally.add(EXACT, "events")
        rows = {row["layer"]: row for row in tally.rows(dict.fromkeys(EXACT, 0))}
        # every layer before is exact: the sums are those that the reference counts
        wrapped = evaluate(_wrapping({layer: kind}), CODES)[layer]
        differ = kind.values(wrapped) != NETWORK.type(layer).values(EXACT[layer])
        assert rows[layer]["overflows"] == differ.sum() > 0
