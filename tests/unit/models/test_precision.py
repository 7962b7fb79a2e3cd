"""Binary points are where the mean squared error on the data is smallest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.architectures import events, randomise, small

from trigger_ad.config import LayerBitsConfig, QuantizationConfig
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding, Values
from trigger_ad.models import precision as module
from trigger_ad.models.floating import LayerWeights, build_float, build_folded, fold_batch_normalization
from trigger_ad.models.keras import Predictor, tf_keras
from trigger_ad.models.precision import INTEGER_BITS, TypeErrors, calibrate, covering_type


def best_type(values: Values, width: int, *, signed: bool) -> FixedPoint:
    """What is chosen for these values alone."""
    return TypeErrors(width, signed=signed).add(np.asarray(values)).best


def squared_error(values: Values, kind: FixedPoint) -> float:
    """The squared error of a type, by the plain definition of rounding to nearest and saturating."""
    codes = np.clip(np.rint(values / kind.lsb), kind.code_min, kind.code_max)
    return float(np.sum((codes * kind.lsb - values) ** 2))


# in thousandths, so that errors that are equal or differ by next to nothing are rare
samples = st.lists(st.integers(-5_000_000, 5_000_000).map(lambda code: code / 1000), min_size=1, max_size=30)


@given(values=samples, width=st.integers(2, 12), signed=st.booleans())
@example(values=[0.0], width=8, signed=True)
@example(values=[1e9, -1e9], width=2, signed=True)
def test_no_other_binary_point_has_a_smaller_error(values: list[float], width: int, signed: bool) -> None:
    data = np.array(values) if signed else np.abs(values)
    chosen = best_type(data, width, signed=signed)
    candidates = [
        FixedPoint(signed, width, bits + int(signed), Rounding.NEAREST_EVEN, Overflow.SATURATE) for bits in INTEGER_BITS
    ]
    errors = [squared_error(data, kind) for kind in candidates]
    assert chosen in candidates
    # sums of so few terms differ by their order in the last digits at most
    assert errors[candidates.index(chosen)] <= min(errors) * (1 + 1e-12)


def test_of_equal_errors_the_finest_type_is_chosen() -> None:
    assert best_type(np.zeros(3), 8, signed=True).integer == 1
    # one type after another holds it exactly
    assert best_type(np.array([2.0]), 8, signed=False).integer == 2


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.49, -0.5], "fixed<8,1,RND_CONV,SAT>"),
        ([100.0, -100.0], "fixed<8,8,RND_CONV,SAT>"),
        # one outlier in many is left to saturate
        ([65 / 128] * 100_000 + [1.2], "fixed<8,1,RND_CONV,SAT>"),
    ],
)
def test_the_binary_point_follows_the_data(values: list[float], expected: str) -> None:
    assert str(best_type(np.array(values), 8, signed=True)) == expected


def test_unsigned_types_follow_a_relu() -> None:
    positive, both = np.array([0.3, 0.7]), np.array([0.3, -900.0, 0.7])
    assert best_type(both, 6, signed=False) == best_type(positive, 6, signed=False)


@pytest.mark.parametrize(
    ("values", "signed", "expected"),
    [
        ([0.0], False, "ufixed<8,0,RND_CONV,SAT>"),
        ([255 / 256], False, "ufixed<8,0,RND_CONV,SAT>"),
        # it would round up, out of the range
        ([255.6 / 256], False, "ufixed<8,1,RND_CONV,SAT>"),
        ([3000.0], False, "ufixed<8,12,RND_CONV,SAT>"),
        ([-1.0, 0.99], True, "fixed<8,1,RND_CONV,SAT>"),
        ([-1.0, 1.0], True, "fixed<8,2,RND_CONV,SAT>"),
        ([], True, "fixed<8,1,RND_CONV,SAT>"),
    ],
)
def test_a_score_word_covers_every_score(values: list[float], signed: bool, expected: str) -> None:
    assert str(covering_type(np.array(values), 8, signed=signed)) == expected


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_no_word_covers_what_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        covering_type(np.array([value]), 8, signed=True)


def folded(name: str) -> dict[str, LayerWeights]:
    return fold_batch_normalization(randomise(build_float(small(name))), small(name))


CONFIG = QuantizationConfig(weights=7, biases=6, activations=5, latent=4, output=3)


def accumulators(name: str, weights: dict[str, LayerWeights], layer: str, inputs: Values) -> Values:
    model = build_folded(small(name), weights)
    (values,) = Predictor(tf_keras.Model(model.input, model.get_layer(layer).output))(inputs)
    return np.asarray(values, dtype=np.float64)


@pytest.mark.parametrize("name", ["dense", "average"])
def test_every_word_of_every_layer_is_calibrated_on_its_own_values(name: str) -> None:
    weights, inputs = folded(name), events(50)
    found = calibrate(weights, small(name), CONFIG, inputs).precisions
    for layer in small(name).weighted:
        assert found[layer.name].kernel == best_type(weights[layer.name].kernel, 7, signed=True)
        assert found[layer.name].bias == best_type(weights[layer.name].bias, 6, signed=True)
    widths = {"encoder_1": 5, "latent": 4, "reconstruction": 3} | (
        {"encoder_1_pooling": 5} if name == "average" else {}
    )
    for layer_name, width in widths.items():
        signed = layer_name in ("latent", "reconstruction")
        values = accumulators(name, weights, layer_name, inputs)
        assert found[layer_name].output == best_type(values, width, signed=signed)
    if name == "average":
        assert (found["encoder_1_pooling"].kernel, found["encoder_1_pooling"].bias) == (None, None)


def test_what_saturates_is_counted() -> None:
    weights, inputs = folded("dense"), events(50)
    found = calibrate(weights, small("dense"), CONFIG, inputs)
    values = accumulators("dense", weights, "latent", inputs)
    kind = found.precisions["latent"].output
    assert kind is not None
    codes = np.rint(values / kind.lsb)
    share = float(((codes < kind.code_min) | (codes > kind.code_max)).mean())
    assert found.saturated["latent"] == {"weights": 0.0, "biases": 0.0, "output": share}
    assert list(found.saturated) == list(found.precisions)
    narrow = calibrate(weights, small("dense"), QuantizationConfig(output=2), inputs)
    assert narrow.saturated["reconstruction"]["output"] > 0


def test_exceptions_are_calibrated_in_their_own_bits() -> None:
    layers = {"encoder_1": LayerBitsConfig(weights=3, output=2)}
    found = calibrate(folded("dense"), small("dense"), CONFIG.model_copy(update={"layers": layers}), events(50))
    one, two = found.precisions["encoder_1"], found.precisions["encoder_2"]
    assert [kind and kind.width for kind in (one.kernel, one.bias, one.output)] == [3, 6, 2]
    assert [kind and kind.width for kind in (two.kernel, two.bias, two.output)] == [7, 6, 5]


def test_layers_that_do_not_ship_are_left_out_and_a_score_is_no_output() -> None:
    found = calibrate(folded("dense"), small("dense"), CONFIG, events(50), "mahalanobis")
    assert list(found.precisions) == ["encoder_1", "encoder_2", "latent"]
    student = calibrate(folded("student"), small("student"), CONFIG, events(50), "network_output")
    assert student.precisions["score"].output is None
    assert list(student.saturated["score"]) == ["weights", "biases"]


def test_few_events_do_where_a_layer_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = events(64)
    # the largest layer has 42 values
    monkeypatch.setattr(module, "CALIBRATION_VALUES", 42 * 16)
    some = calibrate(folded("average"), small("average"), CONFIG, inputs)
    monkeypatch.setattr(module, "CALIBRATION_VALUES", 2**24)
    assert some == calibrate(folded("average"), small("average"), CONFIG, inputs[::4])
