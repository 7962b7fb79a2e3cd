"""Words hold every value that can occur, from bounds that are exact, and none is wider than float64 can follow."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fixed_points import codes_of, constant, image_kernel
from support.image_networks import image_networks
from support.networks import exact_evaluation, far_from_zero, input_vectors, networks, word_value

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes, FixedPoint, Overflow, Rounding
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    NO_PADDING,
    Convolution,
    Dense,
    Elementwise,
    Input,
    Node,
    Pooling,
    Quantize,
    Reshape,
    Upsampling,
    ZeroPadding,
)

INT8 = FixedPoint(True, 8, 8)
UINT8 = FixedPoint(False, 8, 8)


any_network = st.one_of(networks(), image_networks())


@given(any_network.flatmap(lambda network: st.tuples(st.just(network), input_vectors(network))))
def test_no_input_leaves_the_bounds(drawn: tuple[Network, Codes]) -> None:
    network, inputs = drawn
    for event in inputs.tolist():
        for name, values in exact_evaluation(network, event).items():
            word = network.words[name]
            low = [word_value(word, code) for code in word.low.ravel().tolist()]
            high = [word_value(word, code) for code in word.high.ravel().tolist()]
            assert all(a <= value <= b for a, value, b in zip(low, values, high, strict=True))


@given(any_network)
def test_every_word_holds_its_bounds_in_at_most_53_bits(network: Network) -> None:
    for word in network.words.values():
        assert word.type.code_min <= word.low.min()
        assert word.high.max() <= word.type.code_max
        assert (word.low <= word.high).all()
        assert word.low.dtype == word.high.dtype == np.int64
        assert word.type.width <= 53


@given(any_network)
def test_exact_results_have_the_narrowest_words(network: Network) -> None:
    for node in network.nodes:
        if isinstance(node, Dense | Convolution | Elementwise):
            word = network.words[node.name]
            narrowest = FixedPoint.holding(int(word.low.min()), int(word.high.max()), word.type.fraction)
            assert word.type == narrowest


@st.composite
def dense_layers(draw: st.DrawFn) -> Network:
    kind = draw(st.sampled_from([FixedPoint(True, 3, 1), FixedPoint(False, 3, 5), INT8]))
    weight = st.integers(-9, 9)
    kernel = draw(st.lists(st.lists(weight, min_size=2, max_size=2), min_size=3, max_size=3))
    bias = constant(draw(st.lists(weight, min_size=2, max_size=2)), 4) if draw(st.booleans()) else None
    return Network((Input("inputs", (3,), kind), Dense("dense", "inputs", constant(kernel, 2), bias)))


@given(dense_layers())
def test_the_bounds_of_a_dense_layer_are_reached(network: Network) -> None:
    kind, word = network.input.type, network.words["dense"]
    ends = np.array(list(itertools.product([kind.code_min, kind.code_max], repeat=3)))
    reached = evaluate(network, ends)["dense"]
    assert reached.min(axis=0).tolist() == word.low.tolist()
    assert reached.max(axis=0).tolist() == word.high.tolist()


@pytest.mark.parametrize("sign", [1, -1])
def test_bounds_beyond_what_floats_hold_are_exact(sign: int) -> None:
    words = far_from_zero(sign).words
    assert words["far"].low.tolist() == [sign << 52]
    assert (words["near"].low.tolist(), words["near"].high.tolist()) == ([0], [9 * 255])
    assert words["near"].type == FixedPoint(False, 12, 12)


def test_a_square_is_not_negative() -> None:
    network = Network((Input("inputs", (1,), INT8), Elementwise("square", "inputs", "inputs", "multiply")))
    word = network.words["square"]
    assert (word.low.tolist(), word.high.tolist()) == ([0], [128**2])
    assert network.type("square") == FixedPoint(False, 15, 15)


@pytest.mark.parametrize(("bias", "low", "high"), [(1000, 872, 1127), (-1000, 873, 1128)])
def test_the_square_of_what_is_never_zero_is_bounded_from_below(bias: int, low: int, high: int) -> None:
    nodes = (
        Input("inputs", (1,), INT8),
        Dense("shifted", "inputs", constant([[1]]), constant([bias])),
        Elementwise("square", "shifted", "shifted", "multiply"),
    )
    word = Network(nodes).words["square"]
    assert (word.low.tolist(), word.high.tolist()) == ([low**2], [high**2])


def test_a_product_of_two_words_can_have_either_sign() -> None:
    nodes = (
        Input("inputs", (1,), INT8),
        Dense("negative", "inputs", constant([[-1]]), None),
        Elementwise("product", "inputs", "negative", "multiply"),
    )
    word = Network(nodes).words["product"]
    assert word.low.tolist() == [-(128**2)]
    assert word.high.tolist() == [127 * 128]


def test_a_wrapping_quantizer_reaches_its_whole_range() -> None:
    # the ends of the input, 0 and 255, wrap to 0 and -1
    signed = (Input("inputs", (1,), UINT8), Quantize("wrapped", "inputs", FixedPoint(True, 4, 4), "linear"))
    word = Network(signed).words["wrapped"]
    assert (word.low.tolist(), word.high.tolist()) == ([-8], [7])


def test_a_quantizer_narrows_the_bounds_to_what_it_can_give() -> None:
    kind = FixedPoint(True, 10, 10, Rounding.NEAREST_EVEN, Overflow.SATURATE)
    linear = Network((Input("inputs", (1,), INT8), Quantize("quantized", "inputs", kind, "linear")))
    assert (linear.words["quantized"].low.tolist(), linear.words["quantized"].high.tolist()) == ([-128], [127])
    relu = Network((Input("inputs", (1,), INT8), Quantize("quantized", "inputs", kind, "relu")))
    assert (relu.words["quantized"].low.tolist(), relu.words["quantized"].high.tolist()) == ([0], [127])


def _squares(times: int) -> tuple[Node, ...]:
    """A word of 14 bits, squared again and again."""
    nodes: list[Node] = [Input("inputs", (1,), FixedPoint(False, 14, 14))]
    for index in range(times):
        nodes.append(Elementwise(f"square_{index + 1}", nodes[-1].name, nodes[-1].name, "multiply"))
    return tuple(nodes)


def test_a_layer_that_needs_more_than_53_bits_is_named() -> None:
    assert Network(_squares(1)).type("square_1").width == 28
    with pytest.raises(UserError, match="layer 'square_2' needs a word of 56 bits to be exact, more than 53"):
        Network(_squares(2))


def test_the_limit_is_53_bits_exactly() -> None:
    widest = FixedPoint(False, 52, 52)
    assert Network((Input("inputs", (1,), widest), Dense("sum", "inputs", constant([[2]], 1), None))).nodes
    nodes = (Input("inputs", (2,), widest), Dense("sum", "inputs", constant([[1], [1]]), None))
    assert Network(nodes).type("sum").width == 53
    with pytest.raises(UserError, match="layer 'sum' needs a word of 54 bits"):
        Network((Input("inputs", (3,), widest), Dense("sum", "inputs", constant([[1], [1], [1]]), None)))


def test_zeros_around_an_image_widen_no_bound() -> None:
    ones = image_kernel([[1, 1, 1]])
    node = Convolution("sums", "inputs", ones, None, padding=((0, 0), (1, 1)))
    word = Network((Input("inputs", (1, 3, 1), UINT8), node)).words["sums"]
    assert word.shape == (1, 3, 1)
    assert word.high.ravel().tolist() == [2 * 255, 3 * 255, 2 * 255]
    assert word.low.ravel().tolist() == [0, 0, 0]


@pytest.mark.parametrize("seed", range(4))
def test_the_bounds_of_a_convolution_are_reached(seed: int) -> None:
    random = np.random.default_rng(seed)
    kernel, bias = image_kernel(random.integers(-5, 6, (2, 2)), 1), constant([int(random.integers(-99, 100))], 3)
    node = Convolution("sums", "inputs", kernel, bias, (2, 1), ((1, 0), (0, 1)))
    kind = FixedPoint(bool(seed % 2), 3, 2)
    network = Network((Input("inputs", (3, 2, 1), kind), node))
    reached = evaluate(network, np.array(list(itertools.product([kind.code_min, kind.code_max], repeat=6))))["sums"]
    assert np.array_equal(reached.min(axis=0), network.words["sums"].low)
    assert np.array_equal(reached.max(axis=0), network.words["sums"].high)


@pytest.mark.parametrize(
    ("size", "fraction", "divisor", "high"), [((2, 1), 1, 1, 510), ((2, 2), 2, 1, 1020), ((3, 2), 0, 6, 1530)]
)
def test_an_average_is_the_sum_with_another_point_or_a_divisor(
    size: tuple[int, int], fraction: int, divisor: int, high: int
) -> None:
    nodes = (
        Input("inputs", (3, 2, 1), UINT8),
        Pooling("average", "inputs", size, "average_pooling"),
        Quantize("rounded", "average", UINT8, "linear"),
    )
    word = Network(nodes).words["average"]
    assert (word.type.fraction, word.divisor, word.high.max()) == (fraction, divisor, high)


def _sums(*after: Node) -> tuple[Node, ...]:
    """Averages of three words, and what reads them."""
    return (Input("inputs", (3, 2, 1), UINT8), Pooling("sums", "inputs", (3, 1), "average_pooling"), *after)


@pytest.mark.parametrize(
    "reader",
    [
        Reshape("reader", "sums", (2,)),
        Upsampling("reader", "sums", (1, 1)),
        ZeroPadding("reader", "sums", NO_PADDING),
        Pooling("reader", "sums", (1, 2), "max_pooling"),
        Convolution("reader", "sums", image_kernel([[1]]), None),
        Elementwise("reader", "sums", "sums", "subtract"),
        Elementwise("reader", "rounded", "sums", "multiply"),
    ],
    ids=lambda node: str(node.kind),
)
def test_only_a_quantizer_reads_what_is_still_to_be_divided(reader: Node) -> None:
    rounded = Quantize("rounded", "sums", INT8, "linear")
    assert Network(_sums(rounded)).words["rounded"].divisor == 1
    with pytest.raises(UserError, match="layer 'reader' has averages of 3 words each") as refusal:
        Network(_sums(rounded, reader))
    assert "QActivation" in refusal.value.remedy


def test_a_convolution_that_needs_more_than_53_bits_is_named() -> None:
    kernel = image_kernel([[1 << 30, 1 << 30]])
    nodes = (Input("inputs", (1, 2, 1), FixedPoint(False, 30, 30)), Convolution("wide", "inputs", kernel, None))
    # all zero bits that codes end in are dropped: the kernel is ones, and the point moves
    assert Network(nodes).type("wide") == FixedPoint(False, 31, 61)
    nodes = (nodes[0], Convolution("wide", "inputs", image_kernel([[1 << 30, 3]]), None))
    with pytest.raises(UserError, match="layer 'wide' needs a word of 61 bits"):
        Network(nodes)


@given(st.data())
def test_the_type_of_the_input_is_that_of_every_code(data: st.DataObject) -> None:
    network = data.draw(any_network)
    code, word = data.draw(codes_of(network.input.type)), network.words["inputs"]
    every = Network((replace(network.input, bounds=()),)).words["inputs"]
    assert every.low.max() <= code <= every.high.min()
    for position, (low, high) in enumerate(network.input.bounds * word.size):
        # the last pairs of features that are more than there are words have no word
        if position < word.size:
            assert [int(ends.flat[position]) for ends in (word.low, word.high)] == [low, high]
