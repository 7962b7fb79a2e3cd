"""Which nodes are layers of their own in HLS, and what the words in a layer must hold to be exact."""

from __future__ import annotations

import numpy as np
import pytest
from support.images import LINEAR, ImageNetwork, autoencoder, every_operation
from support.runs import small_network

from trigger_ad.errors import UserError
from trigger_ad.firmware.hls_types import (
    ap_type,
    hls_layer_name,
    merged_quantizer,
    parse_ap_type,
    precisions,
    shown_nodes,
    traced_layers,
)
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Elementwise, Input, Pooling, Quantize, Reshape, Upsampling


def _precisions(network: Network, name: str) -> dict[str, str]:
    (node,) = [node for node in network.nodes if node.name == name]
    return {key: str(kind) for key, kind in precisions(node, network).items()}


def test_a_layer_that_a_quantizer_alone_reads_is_cast_to_its_type() -> None:
    network = small_network()
    nodes = {node.name: node for node in network.nodes}
    assert merged_quantizer(nodes["latent"], network) == nodes["latent_output"]
    assert hls_layer_name(nodes["latent_output"], network) == "latent"
    # a ReLU is a layer of its own
    assert merged_quantizer(nodes["encoder_1"], network) is None
    assert hls_layer_name(nodes["encoder_1_output"], network) == "encoder_1_output"


def test_a_layer_that_something_else_reads_too_keeps_its_accumulator() -> None:
    network = small_network()
    reader = Elementwise("other", "latent", "latent", "multiply")
    both = Network((*network.nodes[:5], reader))
    assert both.nodes[4].name == "latent_output"
    assert merged_quantizer(both.nodes[3], both) is None


def _averaged(
    kind: str, activation: str = "relu", words: str = "fixed<6,2>", window: tuple[int, int] = (3, 1)
) -> Network:
    net = ImageNetwork((3, 4, 1), words)
    net.nodes.append(Pooling("average", "inputs", window, "average_pooling"))
    net.quantize("rounded", kind, "relu" if activation == "relu" else "linear")
    return net.score()


@pytest.mark.parametrize(
    ("kind", "activation", "merged"),
    [
        ("fixed<5,2,RND_CONV,SAT>", "linear", True),
        ("ufixed<5,2,RND_CONV,SAT>", "linear", True),
        # what saturates at 0 needs no ReLU
        ("ufixed<5,2,RND_CONV,SAT>", "relu", True),
        # what wraps, or has negative codes, does
        ("ufixed<5,2,RND_CONV,WRAP>", "relu", False),
        ("fixed<5,2,RND_CONV,SAT>", "relu", False),
    ],
)
def test_a_quotient_is_cast_to_a_type_that_does_what_the_quantizer_does(
    kind: str, activation: str, merged: bool
) -> None:
    network = _averaged(kind, activation)
    assert (merged_quantizer(network.nodes[1], network) is not None) is merged
    assert hls_layer_name(network.nodes[2], network) == ("average" if merged else "rounded")


def test_a_sum_is_divided_with_bits_enough_to_be_rounded_once() -> None:
    # sums of fixed<8,4>: 4 fraction bits; rounding to 3 decides at multiples of 2**-4; a third needs 2 bits more
    assert _precisions(_averaged("fixed<5,2,RND_CONV,SAT>", "linear"), "average") == {
        "accum": "fixed<10,4>",
        "result": "fixed<5,2,RND_CONV,SAT>",
    }
    # to 6 fraction bits: 7 and 2 more
    assert _precisions(_averaged("fixed<8,2,RND_CONV,SAT>", "linear"), "average")["accum"] == "fixed<13,4>"
    # what is not merged leaves its layer with these bits
    assert _precisions(_averaged("fixed<8,2,RND_CONV,SAT>"), "average") == {
        "accum": "fixed<13,4>",
        "result": "fixed<13,4>",
    }


def test_an_average_of_a_power_of_two_has_room_for_the_sum() -> None:
    assert _precisions(_averaged("fixed<5,2,RND_CONV,SAT>", window=(1, 4)), "average") == {
        "accum": "fixed<10,4>",
        "result": "fixed<8,2>",
    }


def test_words_that_are_moved_keep_the_type_that_their_layer_has_in_hls() -> None:
    # 28 bits between the sums and what they are rounded to: the sums have bits on the left
    net = ImageNetwork((2, 3, 1), "fixed<8,0>")
    net.convolution("convolution", (1, 1, 1, 2), biased=False)
    net.nodes.append(Upsampling("upsampled", net.last, (2, 2)))
    net.quantize("coarse", "fixed<8,24,RND_CONV,SAT>", "linear")
    network = net.score()
    assert network.type("upsampled").width < 20
    widened = _precisions(network, "convolution")["result"]
    assert FixedPoint.parse(widened).width > 20
    assert _precisions(network, "upsampled") == {"result": widened}


def test_a_linear_quantizer_that_changes_nothing_is_no_layer() -> None:
    net = ImageNetwork((2, 3, 1))
    net.quantize("first", LINEAR, "linear")
    net.nodes.append(Upsampling("upsampled", net.last, (1, 2)))
    net.quantize("again", LINEAR, "linear")
    net.quantize("other", "fixed<7,4,RND_CONV,WRAP>", "linear")
    network = net.score()
    names = {node.name: hls_layer_name(node, network) for node in network.nodes}
    assert (names["first"], names["again"], names["other"]) == ("first", "upsampled", "other")


def test_a_word_too_wide_to_be_exact_names_its_layer() -> None:
    network = _averaged("fixed<49,2,RND_CONV,SAT>", "linear")
    with pytest.raises(UserError, match="layer 'average' needs a word of 54 bits in HLS to be exact, more than 53"):
        precisions(network.nodes[1], network)


def test_a_trace_shows_every_word_that_leaves_a_layer() -> None:
    network = every_operation()
    hidden = {node.name for node in network.nodes} - {node.name for node in shown_nodes(network)}
    assert hidden == {"average", "averaged", "point", "pairs", "words", "dropped_flat", "score_flat"}
    layers = traced_layers(network)
    # the layers that hold the words of the quantizers merged into them
    assert {"averaged", "point"} <= layers.keys()
    assert layers["averaged"] == network.words["averaged_output"].size
    assert traced_layers(autoencoder())["upsampled"] == 6 * 3 * 2


def test_the_type_of_a_missing_bias_holds_zero() -> None:
    net = ImageNetwork((1, 3, 1))
    net.convolution("convolution", (1, 1, 1, 2), biased=False)
    assert _precisions(net.score(), "convolution")["bias"] == "ufixed<1,1>"


@pytest.mark.parametrize("text", ["fixed<8,3>", "ufixed<6,-1,RND_CONV,SAT>", "fixed<5,9,TRN,SAT>"])
def test_hls4mls_spelling_is_read_back(text: str) -> None:
    kind = FixedPoint.parse(text)
    assert parse_ap_type(ap_type(kind)) == kind
    assert parse_ap_type("ap_int<4>") == FixedPoint(True, 4, 4)
    assert parse_ap_type("ap_ufixed<5, 2, AP_TRN, AP_WRAP, 0>") == FixedPoint(False, 5, 2)


def test_the_output_may_be_a_merged_quantizer() -> None:
    kernel = Constant(np.array([[3], [-4]]), FixedPoint.parse("fixed<4,1>"))
    network = Network(
        (
            Input("inputs", (2,), FixedPoint.parse("fixed<8,3>")),
            Dense("score", "inputs", kernel, None),
            Quantize("score_output", "score", FixedPoint.parse("fixed<6,3,RND_CONV,SAT>"), "linear"),
        )
    )
    assert hls_layer_name(network.output, network) == "score"
    assert [node.name for node in shown_nodes(network)] == ["inputs", "score_output"]


def test_reshaped_words_that_are_quantized_once_more_to_their_type_are_no_layer() -> None:
    kind = FixedPoint.parse("fixed<4,2,RND_CONV,SAT>")
    network = Network(
        (
            Input("inputs", (2,), FixedPoint.parse("fixed<6,2>")),
            Quantize("first", "inputs", kind, "linear"),
            Reshape("image", "first", (2, 1, 1)),
            Quantize("second", "image", kind, "linear"),
            Pooling("largest", "second", (2, 1), "max_pooling"),
        )
    )
    assert [node.name for node in shown_nodes(network)] == ["inputs", "first", "largest"]
