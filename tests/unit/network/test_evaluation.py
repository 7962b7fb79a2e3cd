"""The reference, held against slow arithmetic in rational numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.networks import exact_evaluation, exact_value, input_vectors, networks

from trigger_ad.fixed_point import Codes, FixedPoint, Overflow, Rounding
from trigger_ad.network.evaluation import Saturation, evaluate, saturations, scores
from trigger_ad.network.graph import Constant, Dense, Elementwise, Input, Network, Quantize

networks_with_inputs = networks().flatmap(lambda network: st.tuples(st.just(network), input_vectors(network)))


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
            kind = network.type(name)
            assert [exact_value(kind, code) for code in codes[name][event].tolist()] == expected


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
        (Input("inputs", 2, FixedPoint(True, 4, 4)), Elementwise("square", "inputs", "inputs", "multiply"))
    )
    empty = np.zeros((0, 2), dtype=np.int64)
    assert scores(network, empty).shape == (0,)
    assert evaluate(network, empty)["square"].shape == (0, 2)


@pytest.mark.parametrize("code", [-9, 8])
def test_an_input_outside_its_type_is_refused(code: int) -> None:
    network = Network((Input("inputs", 1, FixedPoint(True, 4, 4)),))
    with pytest.raises(ValueError, match="outside fixed<4,4>"):
        evaluate(network, np.array([[code]]))


def test_a_word_of_53_bits_does_not_overflow() -> None:
    nodes = (
        Input("inputs", 2, FixedPoint(True, 26, 26)),
        Elementwise("square", "inputs", "inputs", "multiply"),
        Dense("score", "square", Constant.narrowest(np.ones((2, 1), dtype=np.int64), 0), None),
    )
    network = Network(nodes)
    low = network.input.type.code_min
    assert scores(network, np.array([[low, low]])).tolist() == [2 * low**2]


def test_saturations_are_counted_after_rounding() -> None:
    # quarters into integers of 3 bits: 3.5 is the first that rounds beyond 3, and -4.5 still rounds to -4
    inputs = Input("inputs", 1, FixedPoint(True, 8, 6))
    network = Network((inputs, Quantize("linear", "inputs", saturating(True, 3), "linear")))
    quarters = np.array([[13], [14], [100], [-18], [-19], [0]])
    codes = evaluate(network, quarters)
    assert codes["linear"].ravel().tolist() == [3, 3, 3, -4, -4, 0]
    assert saturations(network, codes) == {"linear": Saturation(values=6, saturated=3)}


@pytest.mark.parametrize("kind", [saturating(False, 2), saturating(True, 3)])
def test_what_a_relu_cuts_is_no_saturation(kind: FixedPoint) -> None:
    network = Network((Input("inputs", 3, FixedPoint(True, 6, 6)), Quantize("relu", "inputs", kind, "relu")))
    codes = evaluate(network, np.array([[-32, -1, 0], [3, 4, 31]]))
    assert codes["relu"].tolist() == [[0, 0, 0], [3, 3, 3]]
    assert saturations(network, codes) == {"relu": Saturation(values=6, saturated=2)}


def test_only_quantizers_saturate() -> None:
    network = Network(
        (Input("inputs", 1, FixedPoint(True, 4, 4)), Elementwise("square", "inputs", "inputs", "multiply"))
    )
    assert saturations(network, evaluate(network, np.array([[-8]]))) == {}
