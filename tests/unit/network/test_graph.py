"""The integer graph: its words hold every value that can occur, and no word is wider than float64 can follow."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.networks import codes_of, exact_evaluation, exact_value, input_vectors, networks

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes, FixedPoint, Overflow, Rounding
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Constant, Dense, Elementwise, Input, Network, Node, Quantize

INT8 = FixedPoint(True, 8, 8)
UINT8 = FixedPoint(False, 8, 8)


def constant(codes: list[list[int]] | list[int], fraction: int = 0) -> Constant:
    return Constant.narrowest(np.array(codes, dtype=np.int64), fraction)


@given(networks().flatmap(lambda network: st.tuples(st.just(network), input_vectors(network))))
def test_no_input_leaves_the_bounds(drawn: tuple[Network, Codes]) -> None:
    network, inputs = drawn
    for event in inputs.tolist():
        for name, values in exact_evaluation(network, event).items():
            word = network.words[name]
            low = [exact_value(word.type, int(code)) for code in word.low]
            high = [exact_value(word.type, int(code)) for code in word.high]
            assert all(a <= value <= b for a, value, b in zip(low, values, high, strict=True))


@given(networks())
def test_every_word_holds_its_bounds_in_at_most_53_bits(network: Network) -> None:
    for word in network.words.values():
        assert all(word.type.code_min <= int(code) <= word.type.code_max for code in (*word.low, *word.high))
        assert all(low <= high for low, high in zip(word.low, word.high, strict=True))
        assert word.type.width <= 53


@given(networks())
def test_exact_results_have_the_narrowest_words(network: Network) -> None:
    for node in network.nodes:
        if isinstance(node, Dense | Elementwise):
            word = network.words[node.name]
            narrowest = FixedPoint.holding(int(word.low.min()), int(word.high.max()), word.type.fraction)
            assert word.type == narrowest


@st.composite
def dense_layers(draw: st.DrawFn) -> Network:
    kind = draw(st.sampled_from([FixedPoint(True, 3, 1), FixedPoint(False, 3, 5), INT8]))
    weight = st.integers(-9, 9)
    kernel = draw(st.lists(st.lists(weight, min_size=2, max_size=2), min_size=3, max_size=3))
    bias = constant(draw(st.lists(weight, min_size=2, max_size=2)), 4) if draw(st.booleans()) else None
    return Network((Input("inputs", 3, kind), Dense("dense", "inputs", constant(kernel, 2), bias)))


@given(dense_layers())
def test_the_bounds_of_a_dense_layer_are_reached(network: Network) -> None:
    kind, word = network.input.type, network.words["dense"]
    ends = np.array(list(itertools.product([kind.code_min, kind.code_max], repeat=3)))
    reached = evaluate(network, ends)["dense"]
    assert reached.min(axis=0).tolist() == word.low.tolist()
    assert reached.max(axis=0).tolist() == word.high.tolist()


def test_a_square_is_not_negative() -> None:
    network = Network((Input("inputs", 1, INT8), Elementwise("square", "inputs", "inputs", "multiply")))
    word = network.words["square"]
    assert (word.low.tolist(), word.high.tolist()) == ([0], [128**2])
    assert network.type("square") == FixedPoint(False, 15, 15)


@pytest.mark.parametrize(("bias", "low", "high"), [(1000, 872, 1127), (-1000, 873, 1128)])
def test_the_square_of_what_is_never_zero_is_bounded_from_below(bias: int, low: int, high: int) -> None:
    nodes = (
        Input("inputs", 1, INT8),
        Dense("shifted", "inputs", constant([[1]]), constant([bias])),
        Elementwise("square", "shifted", "shifted", "multiply"),
    )
    word = Network(nodes).words["square"]
    assert (word.low.tolist(), word.high.tolist()) == ([low**2], [high**2])


def test_a_product_of_two_words_can_have_either_sign() -> None:
    nodes = (
        Input("inputs", 1, INT8),
        Dense("negative", "inputs", constant([[-1]]), None),
        Elementwise("product", "inputs", "negative", "multiply"),
    )
    word = Network(nodes).words["product"]
    assert word.low.tolist() == [-(128**2)]
    assert word.high.tolist() == [127 * 128]


def test_a_wrapping_quantizer_reaches_its_whole_range() -> None:
    # the ends of the input, 0 and 255, wrap to 0 and -1
    signed = (Input("inputs", 1, UINT8), Quantize("wrapped", "inputs", FixedPoint(True, 4, 4), "linear"))
    word = Network(signed).words["wrapped"]
    assert (word.low.tolist(), word.high.tolist()) == ([-8], [7])


def test_a_quantizer_narrows_the_bounds_to_what_it_can_give() -> None:
    kind = FixedPoint(True, 10, 10, Rounding.NEAREST_EVEN, Overflow.SATURATE)
    linear = Network((Input("inputs", 1, INT8), Quantize("quantized", "inputs", kind, "linear")))
    assert (linear.words["quantized"].low.tolist(), linear.words["quantized"].high.tolist()) == ([-128], [127])
    relu = Network((Input("inputs", 1, INT8), Quantize("quantized", "inputs", kind, "relu")))
    assert (relu.words["quantized"].low.tolist(), relu.words["quantized"].high.tolist()) == ([0], [127])


def _squares(times: int) -> tuple[Node, ...]:
    """A word of 14 bits, squared again and again."""
    nodes: list[Node] = [Input("inputs", 1, FixedPoint(False, 14, 14))]
    for index in range(times):
        nodes.append(Elementwise(f"square_{index + 1}", nodes[-1].name, nodes[-1].name, "multiply"))
    return tuple(nodes)


def test_a_layer_that_needs_more_than_53_bits_is_named() -> None:
    assert Network(_squares(1)).type("square_1").width == 28
    with pytest.raises(UserError, match="layer 'square_2' needs a word of 56 bits to be exact, more than 53"):
        Network(_squares(2))


def test_the_limit_is_53_bits_exactly() -> None:
    widest = FixedPoint(False, 52, 52)
    assert Network((Input("inputs", 1, widest), Dense("sum", "inputs", constant([[2]], 1), None))).nodes
    nodes = (Input("inputs", 2, widest), Dense("sum", "inputs", constant([[1], [1]]), None))
    assert Network(nodes).type("sum").width == 53
    with pytest.raises(UserError, match="layer 'sum' needs a word of 54 bits"):
        Network((Input("inputs", 3, widest), Dense("sum", "inputs", constant([[1], [1], [1]]), None)))


@given(networks())
def test_a_network_is_read_back_from_json(network: Network) -> None:
    text = json.dumps(network.to_json(), allow_nan=False)
    again = Network.from_json(json.loads(text))
    assert json.dumps(again.to_json()) == text
    assert [type(node) for node in again.nodes] == [type(node) for node in network.nodes]
    for name, word in network.words.items():
        assert again.words[name].type == word.type
        assert again.words[name].low.tolist() == word.low.tolist()
        assert again.words[name].high.tolist() == word.high.tolist()


def test_a_node_of_another_kind_is_not_read() -> None:
    with pytest.raises(ValueError, match="no node of kind 'pool'"):
        Network.from_json({"nodes": [{"name": "a", "kind": "pool", "sources": []}]})


@given(st.lists(st.integers(-(2**51), 2**51), min_size=1), st.integers(-30, 60), st.integers(0, 1))
def test_constants_keep_their_values_in_the_fewest_bits(codes: list[int], fraction: int, zeros: int) -> None:
    stored = Constant.narrowest(np.array(codes) << zeros, fraction)
    assert [exact_value(stored.type, int(code)) for code in stored.codes] == [
        exact_value(FixedPoint(True, 53, 53 - fraction), code << zeros) for code in codes
    ]
    assert stored.type.plain() == FixedPoint.holding(
        int(stored.codes.min()), int(stored.codes.max()), stored.type.fraction
    )
    # one bit fewer would lose the lowest bit of some code
    assert (stored.codes % 2 == 1).any() or not stored.codes.any()


def test_a_network_knows_its_ends_and_who_reads_what() -> None:
    network = Network(_squares(1))
    assert (network.input.name, network.output.name) == ("inputs", "square_1")
    assert [node.name for node in network.consumers("inputs")] == ["square_1"]
    assert network.consumers("square_1") == ()


@given(st.data())
def test_the_type_of_the_input_is_that_of_every_code(data: st.DataObject) -> None:
    network = data.draw(networks())
    code = data.draw(codes_of(network.input.type))
    assert network.words["inputs"].low.max() <= code <= network.words["inputs"].high.min()
