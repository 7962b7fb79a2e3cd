"""The reference, held against slow arithmetic in rational numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.image_networks import image_networks
from support.networks import exact_evaluation, far_from_zero, input_vectors, networks, word_value

from trigger_ad.fixed_point import Codes, FixedPoint, Overflow, Rounding
from trigger_ad.network import evaluation
from trigger_ad.network.evaluation import (
    Saturation,
    block_events,
    evaluate,
    evaluate_layer,
    outputs,
    saturations,
    scores,
)
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Convolution, Dense, Elementwise, Input, Pooling, Quantize

networks_with_inputs = st.one_of(networks(), image_networks()).flatmap(
    lambda network: st.tuples(st.just(network), input_vectors(network))
)


def saturating(signed: bool, width: int) -> FixedPoint:
    """Rounding, saturating integers."""
    return FixedPoint(signed, width, width, Rounding.NEAREST_EVEN, Overflow.SATURATE)


@given(networks_with_inputs)
def test_every_node_has_its_exact_value(drawn: tuple[Network, Codes]) -> None:
    network, inputs = drawn
    codes = evaluate(network, inputs)
    assert list(codes) == [node.name for node in network.nodes]
    for event, vector in enumerate(inputs.tolist()):
        for name, expected in exact_evaluation(network, vector).items():
            word, found = network.words[name], codes[name][event]
            assert found.shape == word.shape
            assert [word_value(word, code) for code in found.ravel().tolist()] == expected


@given(networks_with_inputs)
def test_every_code_is_one_of_its_type(drawn: tuple[Network, Codes]) -> None:
    network, inputs = drawn
    for name, codes in evaluate(network, inputs).items():
        assert codes.dtype == np.int64
        assert network.type(name).code_min <= codes.min()
        assert codes.max() <= network.type(name).code_max


@given(networks_with_inputs, st.integers(1, 5))
def test_scores_in_batches_are_the_last_node(drawn: tuple[Network, Codes], batch: int) -> None:
    network, inputs = drawn
    expected = evaluate(network, inputs)["score"][:, 0]
    assert scores(network, inputs, batch).tolist() == expected.tolist()
    assert scores(network, inputs).tolist() == expected.tolist()


def test_no_events_have_no_scores() -> None:
    network = Network(
        (Input("inputs", (2,), FixedPoint(True, 4, 4)), Elementwise("square", "inputs", "inputs", "multiply"))
    )
    empty = np.zeros((0, 2), dtype=np.int64)
    assert scores(network, empty).shape == (0,)
    assert evaluate(network, empty)["square"].shape == (0, 2)


@pytest.mark.parametrize("code", [-9, 8])
def test_an_input_outside_its_type_is_refused(code: int) -> None:
    network = Network((Input("inputs", (1,), FixedPoint(True, 4, 4)),))
    with pytest.raises(ValueError, match=r"outside -8 to 7 \(fixed<4,4>\)"):
        evaluate(network, np.array([[code]]))


def test_a_word_of_53_bits_does_not_overflow() -> None:
    nodes = (
        Input("inputs", (2,), FixedPoint(True, 26, 26)),
        Elementwise("square", "inputs", "inputs", "multiply"),
        Dense("score", "square", Constant.narrowest(np.ones((2, 1), dtype=np.int64), 0), None),
    )
    network = Network(nodes)
    low = network.input.type.code_min
    assert scores(network, np.array([[low, low]])).tolist() == [2 * low**2]


@pytest.mark.parametrize("width", [8, 23, 24, 25, 51, 53])
@pytest.mark.parametrize("events", [1, 31, 32, 33, 100])
def test_products_of_any_width_are_those_of_integers(width: int, events: int) -> None:
    kind, random = FixedPoint(False, width, width), np.random.default_rng(width)
    # one sum is as large as a word, the other is of either sign and as large in magnitude
    kernel = np.array([[1, 0], [0, 1], [0, 0]] if width == 53 else [[1, 1], [1, -1], [0, 0]])
    network = Network((Input("inputs", (3,), kind), Dense("sums", "inputs", Constant.narrowest(kernel, 0), None)))
    inputs = random.integers(0, kind.code_max + 1, (events, 3)) | 1
    expected = inputs.astype(object) @ kernel.astype(object)
    assert evaluate(network, inputs)["sums"].tolist() == expected.tolist()


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_beyond_what_floats_hold_are_those_of_integers(sign: int) -> None:
    network, every = far_from_zero(sign), np.arange(256)[:, None]
    assert evaluate(network, every)["near"].tolist() == (9 * every).tolist()


@pytest.mark.parametrize("block", [1, 100, 1000])
def test_a_convolution_is_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    random, kind = np.random.default_rng(1), FixedPoint(True, 8, 8)
    kernel = Constant.narrowest(random.integers(-99, 100, (3, 2, 2, 4)), 0)
    node = Convolution("sums", "inputs", kernel, None, (2, 1), ((1, 2), (0, 1)))
    network = Network((Input("inputs", (5, 4, 2), kind), node))
    inputs = random.integers(-128, 128, (50, 40))
    whole = evaluate(network, inputs)["sums"]
    monkeypatch.setattr(evaluation, "BLOCK_WORDS", block)
    assert np.array_equal(evaluate(network, inputs)["sums"], whole)
    assert np.array_equal(outputs(network, inputs), whole.reshape(50, -1))
    assert np.array_equal(scores(network, inputs), whole[:, 0, 0, 0])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FixedPoint(True, 4, 4, Rounding.NEAREST_EVEN, Overflow.SATURATE), [0, 2, 2, 0, -2, -2, 7, -8]),
        (FixedPoint(True, 4, 4), [0, 1, 2, -1, -2, -3, -6, 5]),
    ],
)
def test_an_average_is_rounded_once(kind: FixedPoint, expected: list[int]) -> None:
    # sixths: 1, 9 (a tie), 15 (a tie), -1, -9 (a tie), -15 (a tie), and beyond the range on either side
    nodes = (
        Input("inputs", (3, 2, 1), FixedPoint(True, 9, 9)),
        Pooling("sums", "inputs", (3, 2), "average_pooling"),
        Quantize("average", "sums", kind, "linear"),
    )
    sums = np.array([1, 9, 15, -1, -9, -15, 60, -61])
    inputs = np.column_stack([sums, *[np.zeros_like(sums)] * 5])
    codes = evaluate(Network(nodes), inputs)
    assert codes["sums"].ravel().tolist() == sums.tolist()
    assert codes["average"].ravel().tolist() == expected
    assert saturations(Network(nodes), codes)["average"].saturated == 2


def test_a_block_of_events_is_smaller_for_a_larger_network() -> None:
    def network(inputs: int) -> Network:
        return Network((Input("inputs", (inputs,), FixedPoint(True, 4, 4)),))

    assert block_events(network(1)) == evaluation.BLOCK_WORDS
    assert block_events(network(10)) == evaluation.BLOCK_WORDS // 10
    assert block_events(network(2 * evaluation.BLOCK_WORDS)) == 1


def test_saturations_are_counted_after_rounding() -> None:
    # quarters into integers of 3 bits: 3.5 is the first that rounds beyond 3, and -4.5 still rounds to -4
    inputs = Input("inputs", (1,), FixedPoint(True, 8, 6))
    network = Network((inputs, Quantize("linear", "inputs", saturating(True, 3), "linear")))
    quarters = np.array([[13], [14], [100], [-18], [-19], [0]])
    codes = evaluate(network, quarters)
    assert codes["linear"].ravel().tolist() == [3, 3, 3, -4, -4, 0]
    assert saturations(network, codes) == {"linear": Saturation(values=6, saturated=3)}


@pytest.mark.parametrize("kind", [saturating(False, 2), saturating(True, 3)])
def test_what_a_relu_cuts_is_no_saturation(kind: FixedPoint) -> None:
    network = Network((Input("inputs", (3,), FixedPoint(True, 6, 6)), Quantize("relu", "inputs", kind, "relu")))
    codes = evaluate(network, np.array([[-32, -1, 0], [3, 4, 31]]))
    assert codes["relu"].tolist() == [[0, 0, 0], [3, 3, 3]]
    assert saturations(network, codes) == {"relu": Saturation(values=6, saturated=2)}


def test_only_quantizers_saturate() -> None:
    network = Network(
        (Input("inputs", (1,), FixedPoint(True, 4, 4)), Elementwise("square", "inputs", "inputs", "multiply"))
    )
    assert saturations(network, evaluate(network, np.array([[-8]]))) == {}


@given(data=st.data(), network=networks())
def test_a_layer_alone_is_what_it_is_within_the_network(data: st.DataObject, network: Network) -> None:
    codes = evaluate(network, data.draw(input_vectors(network)))
    for node in network.nodes[1:]:
        given_codes = {name: codes[name] for name in node.sources}
        np.testing.assert_array_equal(evaluate_layer(network, node.name, given_codes), codes[node.name])
    # from the input on, every layer in between is computed
    inputs = {"inputs": codes["inputs"]}
    np.testing.assert_array_equal(evaluate_layer(network, "score", inputs), codes["score"])
