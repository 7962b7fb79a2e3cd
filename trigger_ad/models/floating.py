"""The float autoencoder in tf_keras, and folding of its batch normalisation into plain weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trigger_ad.fixed_point import Values
from trigger_ad.models.architectures import DenseAutoencoder
from trigger_ad.models.keras import tf_keras

INPUTS = "inputs"
"""The name of the input in every model."""


@dataclass(frozen=True)
class DenseWeights:
    """Weights of one dense layer in float64.

    Args:
        kernel: Shape (inputs, outputs).
        bias: Shape (outputs,).
    """

    kernel: Values
    bias: Values


def build_float(architecture: DenseAutoencoder) -> Any:
    """The float autoencoder: 57 inputs to 57 reconstructed inputs.

    Returns:
        An uncompiled `tf_keras.Model` in float32.
    """
    inputs = values = tf_keras.Input((architecture.inputs,), name=INPUTS)
    for layer in architecture.layers:
        values = tf_keras.layers.Dense(layer.units, kernel_initializer="he_normal", name=layer.name)(values)
        if layer.batch_normalization:
            values = tf_keras.layers.BatchNormalization(name=f"{layer.name}_normalization")(values)
        if layer.activation == "relu":
            values = tf_keras.layers.ReLU(name=f"{layer.name}_relu")(values)
    return tf_keras.Model(inputs, values, name="float_autoencoder")


def fold_batch_normalization(model: Any, architecture: DenseAutoencoder) -> dict[str, DenseWeights]:
    """Weights of the same function without batch normalisation.

    `gamma * (x @ kernel + bias - mean) / sqrt(variance + epsilon) + beta` is a dense layer again
    (Ioffe and Szegedy, arXiv:1502.03167, in inference).

    Args:
        model: A trained model of `build_float`.
        architecture: Its description.

    Returns:
        Weights by layer name.
    """
    folded = {}
    for layer in architecture.layers:
        kernel, bias = (weight.astype(np.float64) for weight in model.get_layer(layer.name).get_weights())
        if layer.batch_normalization:
            normalization = model.get_layer(f"{layer.name}_normalization")
            gamma, beta, mean, variance = (weight.astype(np.float64) for weight in normalization.get_weights())
            scale = gamma / np.sqrt(variance + normalization.epsilon)
            kernel, bias = kernel * scale, (bias - mean) * scale + beta
        folded[layer.name] = DenseWeights(kernel, bias)
    return folded


def accumulators(weights: dict[str, DenseWeights], architecture: DenseAutoencoder, inputs: Values) -> dict[str, Values]:
    """Every layer's accumulator, before its activation, in float64.

    Args:
        weights: Folded weights.
        architecture: Which they belong to.
        inputs: Shape (events, inputs).

    Returns:
        Values of shape (events, units) by layer name.
    """
    results, values = {}, inputs
    for layer in architecture.layers:
        results[layer.name] = values @ weights[layer.name].kernel + weights[layer.name].bias
        values = np.maximum(results[layer.name], 0) if layer.activation == "relu" else results[layer.name]
    return results


def reconstruct(model: Any, inputs: Values, batch_size: int = 8192) -> Values:
    """The reconstruction, shape (events, inputs), as float64 values of the model's float32."""
    predicted = model.predict(inputs.astype(np.float32), batch_size=batch_size, verbose=0)
    return np.asarray(predicted, dtype=np.float64)
