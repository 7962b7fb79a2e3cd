"""What each layer has to compute, as the estimate is told."""

from __future__ import annotations

import numpy as np
from support.runs import Types, small_network

from trigger_ad.config import FirmwareConfig
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Convolution, Dense, Input, Pooling, Reshape, Upsampling
from trigger_ad.pipeline.hardware import layer_work

FIRMWARE = FirmwareConfig()


def test_every_layer_is_counted_once_in_the_order_of_the_data() -> None:
    network = small_network()
    work = layer_work(network, FIRMWARE)
    assert [layer.name for layer in work] == [node.name for node in network.nodes[1:]]
    assert [layer.kind for layer in work] == [
        *(["dense", "activation"] * 4),
        "subtract",
        "multiply",
        "sum",
    ]


def test_a_dense_layer_brings_its_constants_and_widths() -> None:
    network = small_network(Types(input="fixed<9,3>"))
    first, node = layer_work(network, FIRMWARE)[0], network.nodes[1]
    assert isinstance(node, Dense)
    assert first.weight_codes is node.kernel.codes
    assert (first.input_width, first.output_width, first.elements) == (9, network.type("encoder_1").width, 4)


def test_the_score_is_an_adder_tree_without_multipliers() -> None:
    network = small_network()
    score = layer_work(network, FIRMWARE)[-1]
    assert (score.weight_codes, score.elements) == (None, 6)
    assert (score.input_width, score.output_width) == (network.type("square").width, network.type("score").width)


def test_a_convolution_is_done_at_every_place_of_its_window() -> None:
    kernel = Constant(np.ones((2, 1, 3, 4), dtype=np.int64), FixedPoint(True, 3, 3))
    network = Network(
        (
            Input("image", (6, 2, 3), FixedPoint(True, 6, 3)),
            Convolution("convolution", "image", kernel, None),
            Pooling("largest", "convolution", (5, 1), "max_pooling"),
            Upsampling("repeated", "largest", (2, 1)),
            Reshape("flat", "repeated", (16,)),
        )
    )
    convolution, largest, repeated, flat = layer_work(network, FIRMWARE)
    assert (convolution.kind, convolution.places, convolution.elements) == ("dense", 10, 4)
    assert convolution.weight_codes is not None
    assert convolution.weight_codes.shape == (6, 4)
    assert (largest.kind, largest.choices, largest.elements) == ("maximum", 5, 8)
    assert (repeated.kind, flat.kind) == ("wiring", "wiring")


def test_every_layer_has_its_own_strategy_and_reuse_factor() -> None:
    firmware = FirmwareConfig.model_validate(
        {"reuse_factor": 2, "layers": {"latent": {"strategy": "resource", "reuse_factor": 4}}}
    )
    work = {layer.name: layer for layer in layer_work(small_network(), firmware)}
    assert (work["latent"].strategy, work["latent"].reuse_factor) == ("resource", 4)
    assert (work["encoder_1"].strategy, work["encoder_1"].reuse_factor) == ("latency", 2)
    # nothing in it is used again
    assert work["score"].reuse_factor == 1
