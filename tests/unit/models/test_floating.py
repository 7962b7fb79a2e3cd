"""The float autoencoder, and its function without batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.networks import small_architecture

from trigger_ad.fixed_point import Values
from trigger_ad.models.floating import (
    DenseWeights,
    accumulators,
    build_float,
    fold_batch_normalization,
    reconstruct,
)


@pytest.fixture(scope="module")
def model() -> Any:
    """A float model with every weight and every moment of its normalisation away from the start values."""
    random = np.random.default_rng(1)
    model = build_float(small_architecture())
    # variances must be positive
    model.set_weights([random.uniform(0.2, 2.0, weight.shape) for weight in model.get_weights()])
    return model


@pytest.fixture
def inputs() -> Values:
    return np.random.default_rng(2).normal(0, 3, (40, 4))


def normalised_by_formula(model: Any, inputs: Values) -> Values:
    """The model in float64: dense, then normalisation in inference, then ReLU."""

    def weights(name: str) -> list[Values]:
        return [weight.astype(np.float64) for weight in model.get_layer(name).get_weights()]

    values = inputs
    for layer in small_architecture().layers:
        kernel, bias = weights(layer.name)
        values = values @ kernel + bias
        if layer.batch_normalization:
            gamma, beta, mean, variance = weights(f"{layer.name}_normalization")
            epsilon = model.get_layer(f"{layer.name}_normalization").epsilon
            values = gamma * (values - mean) / np.sqrt(variance + epsilon) + beta
        if layer.activation == "relu":
            values = np.maximum(values, 0)
    return values


def test_the_layers_are_those_of_the_description(model: Any) -> None:
    assert [layer.name for layer in model.layers] == [
        "inputs",
        "encoder_1",
        "encoder_1_normalization",
        "encoder_1_relu",
        "latent",
        "reconstruction",
    ]
    assert model.input_shape == model.output_shape == (None, 4)


def test_folding_keeps_the_function(model: Any, inputs: Values) -> None:
    architecture = small_architecture()
    weights = fold_batch_normalization(model, architecture)
    assert {value.dtype for layer in weights.values() for value in (layer.kernel, layer.bias)} == {np.dtype(np.float64)}
    folded = accumulators(weights, architecture, inputs)["reconstruction"]
    expected = normalised_by_formula(model, inputs)
    # the two differ by the order of a few float64 operations
    np.testing.assert_allclose(folded, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_the_keras_model_is_this_function_in_float32(model: Any, inputs: Values) -> None:
    expected = normalised_by_formula(model, inputs)
    found = reconstruct(model, inputs)
    assert found.dtype == np.float64
    # a few tens of float32 operations, each exact to 2**-24
    np.testing.assert_allclose(found, expected, rtol=0, atol=64 * 2.0**-24 * np.abs(expected).max())


def test_layers_without_normalisation_keep_their_weights(model: Any) -> None:
    weights = fold_batch_normalization(model, small_architecture())
    for name in ("latent", "reconstruction"):
        kernel, bias = model.get_layer(name).get_weights()
        assert weights[name].kernel.tolist() == kernel.tolist()
        assert weights[name].bias.tolist() == bias.tolist()


def test_accumulators_are_what_stands_before_the_activation() -> None:
    weights = {
        "encoder_1": DenseWeights(np.eye(4, 3), np.array([0.0, -1.0, 0.0])),
        "latent": DenseWeights(np.ones((3, 2)), np.zeros(2)),
        "reconstruction": DenseWeights(np.ones((2, 4)), np.ones(4)),
    }
    found = accumulators(weights, small_architecture(), np.array([[1.0, -2.0, 3.0, 9.0]]))
    assert found["encoder_1"].tolist() == [[1.0, -3.0, 3.0]]
    assert found["latent"].tolist() == [[4.0, 4.0]]
    assert found["reconstruction"].tolist() == [[9.0] * 4]
