"""What each layer has to compute, as the estimate is told."""

from __future__ import annotations

from support.runs import Types, small_network

from trigger_ad.network.graph import Dense
from trigger_ad.pipeline.hardware import layer_work


def test_every_layer_is_counted_once_in_the_order_of_the_data() -> None:
    network = small_network()
    work = layer_work(network)
    assert [layer.name for layer in work] == [node.name for node in network.nodes[1:]]
    assert [layer.kind for layer in work] == [
        *(["dense", "activation"] * 4),
        "subtract",
        "multiply",
        "sum",
    ]


def test_a_dense_layer_brings_its_constants_and_widths() -> None:
    network = small_network(Types(input="fixed<9,3>"))
    first, node = layer_work(network)[0], network.nodes[1]
    assert isinstance(node, Dense)
    assert first.weight_codes is node.kernel.codes
    assert (first.input_width, first.output_width, first.elements) == (9, network.type("encoder_1").width, 4)


def test_the_score_is_an_adder_tree_without_multipliers() -> None:
    network = small_network()
    score = layer_work(network)[-1]
    assert (score.weight_codes, score.elements) == (None, 6)
    assert (score.input_width, score.output_width) == (network.type("square").width, network.type("score").width)
