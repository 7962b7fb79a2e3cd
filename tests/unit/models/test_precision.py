"""Binary points are where the mean squared error on the data is smallest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.networks import small_architecture

from trigger_ad.config import QuantizationConfig
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding, Values
from trigger_ad.models.floating import DenseWeights, accumulators
from trigger_ad.models.precision import INTEGER_BITS, best_type, calibrate


def squared_error(values: Values, kind: FixedPoint) -> float:
    """The mean squared error of a type, by the plain definition of rounding to nearest and saturating."""
    codes = np.clip(np.rint(values / kind.lsb), kind.code_min, kind.code_max)
    return float(np.mean((codes * kind.lsb - values) ** 2))


samples = st.lists(st.floats(-5000, 5000, allow_nan=False), min_size=1, max_size=30)


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
    assert errors[candidates.index(chosen)] == min(errors)
    # of equal ones the finest
    assert chosen == candidates[errors.index(min(errors))]


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


def test_every_word_of_every_layer_is_calibrated_on_its_own_values() -> None:
    random = np.random.default_rng(1)
    architecture = small_architecture()
    weights = {
        layer.name: DenseWeights(random.normal(0, 4, (layer.inputs, layer.units)), random.normal(0, 9, layer.units))
        for layer in architecture.layers
    }
    inputs = random.normal(size=(50, 4))
    config = QuantizationConfig(weights=7, biases=6, activations=5, latent=4, output=3)
    precisions = calibrate(weights, architecture, config, inputs)
    values = accumulators(weights, architecture, inputs)
    assert list(precisions) == ["encoder_1", "latent", "reconstruction"]
    for name, precision in precisions.items():
        assert precision.kernel == best_type(weights[name].kernel, 7, signed=True)
        assert precision.bias == best_type(weights[name].bias, 6, signed=True)
    assert precisions["encoder_1"].output == best_type(np.maximum(values["encoder_1"], 0), 5, signed=False)
    assert precisions["latent"].output == best_type(values["latent"], 4, signed=True)
    assert precisions["reconstruction"].output == best_type(values["reconstruction"], 3, signed=True)
