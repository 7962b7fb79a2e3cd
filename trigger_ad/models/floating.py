"""The float models in tf_keras, and folding of their batch normalisation into plain weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Values
from trigger_ad.models.architectures import (
    Architecture,
    ConvolutionLayer,
    DenseLayer,
    Layer,
    PaddingLayer,
    PoolingLayer,
    ReshapeLayer,
    UpsamplingLayer,
    WeightedLayer,
)
from trigger_ad.models.keras import Predictor, tf_keras
from trigger_ad.models.names import relu_name
from trigger_ad.models.scores import Outputs

INPUTS: Final = "inputs"
"""The name of the input in every model."""
LATENT: Final = "latent"
"""The layer whose accumulators are the latent space: the means of a variational one."""
LOG_VARIANCE: Final = "latent_log_variance"
"""The layer beside it that a variational model has while it is float."""
LEAKY_SLOPE: Final = 0.3
"""Of a leaky ReLU below zero, where a float model has one: the default of Keras."""


@dataclass(frozen=True)
class LayerWeights:
    """Weights of one dense layer or convolution in float64.

    Args:
        kernel: Shape (inputs, outputs), or (rows, columns, channels, filters).
        bias: Shape (outputs,) or (filters,).
    """

    kernel: Values
    bias: Values


def build_float(architecture: Architecture, *, leaky: bool = False, dtype: str = "float32") -> Any:
    """The float model as it is saved and evaluated: without dropout, the latent means standing for their Gaussians.

    It holds layers of tf_keras alone, so that `tf_keras.models.load_model` reads it. How it is trained adds
    `models.stochastic.StochasticModel`.

    Args:
        architecture: Its description.
        leaky: Hidden layers have a leaky ReLU.
        dtype: What it computes in.

    Returns:
        An uncompiled `tf_keras.Model` to the reconstruction, or to the score of a student; a variational one to
        reconstruction, means and logarithms of the variances.
    """
    inputs = values = tf_keras.Input(architecture.input_shape, name=INPUTS, dtype=dtype)
    latent: list[Any] = []
    for layer in architecture.layers:
        source = values
        for part in _float_layers(layer, leaky=leaky, dtype=dtype):
            values = part(values)
        if architecture.variational and isinstance(layer, DenseLayer) and layer.name == LATENT:
            # a variance of one to begin with
            head = tf_keras.layers.Dense(layer.units, kernel_initializer="zeros", name=LOG_VARIANCE, dtype=dtype)
            latent = [values, head(source)]
    return tf_keras.Model(inputs, [values, *latent] if latent else values, name="float_model")


def with_relu(model: Any, architecture: Architecture) -> Any:
    """A float model with the same weights, and with ReLU in place of leaky ones; no other network than the first."""
    copy = build_float(architecture)
    copy.set_weights(model.get_weights())
    return copy


def _float_layers(layer: Layer, *, leaky: bool, dtype: str) -> list[Any]:
    if not isinstance(layer, WeightedLayer):
        return [structural_layer(layer, dtype)]
    layers = [_weighted_layer(layer, dtype)]
    if layer.batch_normalization:
        layers.append(tf_keras.layers.BatchNormalization(name=normalization_name(layer.name), dtype=dtype))
    if layer.activation == "relu":
        kind = tf_keras.layers.LeakyReLU(LEAKY_SLOPE, name=relu_name(layer.name), dtype=dtype) if leaky else None
        layers.append(kind or tf_keras.layers.ReLU(name=relu_name(layer.name), dtype=dtype))
    return layers


def normalization_name(layer: str) -> str:
    """The name of the batch normalisation after a layer."""
    return f"{layer}_normalization"


def _weighted_layer(layer: WeightedLayer, dtype: str) -> Any:
    options = {"kernel_initializer": "he_normal", "name": layer.name, "dtype": dtype}
    match layer:
        case DenseLayer():
            return tf_keras.layers.Dense(layer.units, **options)
        case ConvolutionLayer():
            return tf_keras.layers.Conv2D(layer.filters, layer.kernel, padding="same", **options)


def structural_layer(layer: Layer, dtype: str = "float32") -> Any:
    """A layer without weights, which is the same in the float and in the quantized model."""
    match layer:
        case PoolingLayer(kind="average"):
            return tf_keras.layers.AveragePooling2D(layer.size, name=layer.name, dtype=dtype)
        case PoolingLayer():
            return tf_keras.layers.MaxPooling2D(layer.size, name=layer.name, dtype=dtype)
        case UpsamplingLayer():
            return tf_keras.layers.UpSampling2D(layer.factors, name=layer.name, dtype=dtype)
        case PaddingLayer():
            return tf_keras.layers.ZeroPadding2D(layer.padding, name=layer.name, dtype=dtype)
        case ReshapeLayer(shape=(_,)):
            return tf_keras.layers.Flatten(name=layer.name, dtype=dtype)
        case ReshapeLayer():
            return tf_keras.layers.Reshape(layer.shape, name=layer.name, dtype=dtype)
    raise ValueError(f"layer '{layer.name}' has weights")


def fold_batch_normalization(model: Any, architecture: Architecture) -> dict[str, LayerWeights]:
    """Weights of the same function without batch normalisation.

    `gamma * (x @ kernel + bias - mean) / sqrt(variance + epsilon) + beta` is a dense layer again, and by filter a
    convolution again (Ioffe and Szegedy, arXiv:1502.03167, in inference). A weight that is 0 stays 0.

    Args:
        model: A trained model of `build_float`, or the same read from a file.
        architecture: Its description.

    Returns:
        Weights by layer name.

    Raises:
        UserError: A normalisation does not follow the accumulators of a layer; says what it follows.
    """
    folded = {}
    for layer in architecture.weighted:
        kernel, bias = (weight.astype(np.float64) for weight in model.get_layer(layer.name).get_weights())
        if layer.batch_normalization:
            normalization = model.get_layer(normalization_name(layer.name))
            _require_foldable(normalization, model.get_layer(layer.name))
            gamma, beta, mean, variance = (weight.astype(np.float64) for weight in normalization.get_weights())
            scale = gamma / np.sqrt(variance + normalization.epsilon)
            kernel, bias = kernel * scale, (bias - mean) * scale + beta
        folded[layer.name] = LayerWeights(kernel, bias)
    return folded


def _require_foldable(normalization: Any, layer: Any) -> None:
    source = normalization.input._keras_history.layer
    activation = getattr(layer, "activation", None)
    if source is layer and activation in (None, tf_keras.activations.linear):
        return
    follows = f"the {type(source).__name__} '{source.name}'" if source is not layer else "an activation inside it"
    raise UserError(
        f"the batch normalisation '{normalization.name}' cannot be folded into layer '{layer.name}': it follows "
        f"{follows}, and what is between them is not linear",
        "Put the normalisation between the layer and its activation",
    )


def build_folded(architecture: Architecture, weights: Mapping[str, LayerWeights], dtype: str = "float64") -> Any:
    """The function that is quantized: the layers of the float model without normalisation, with ReLU, in float64.

    Args:
        architecture: Its description, or that of the part that ships.
        weights: Folded weights.
        dtype: What it computes in.

    Returns:
        A model to its last layer; `get_layer(name)` gives the accumulators of a layer with weights.
    """
    inputs = values = tf_keras.Input(architecture.input_shape, name=INPUTS, dtype=dtype)
    for layer in architecture.layers:
        if not isinstance(layer, WeightedLayer):
            values = structural_layer(layer, dtype)(values)
            continue
        values = _weighted_layer(layer, dtype)(values)
        if layer.activation == "relu":
            values = tf_keras.layers.ReLU(name=relu_name(layer.name), dtype=dtype)(values)
    model = tf_keras.Model(inputs, values, name="folded_model")
    for layer in architecture.weighted:
        model.get_layer(layer.name).set_weights([weights[layer.name].kernel, weights[layer.name].bias])
    return model


class FloatEvaluation:
    """Every output of a float model, for any number of events.

    Args:
        model: A model of `build_float`, or the same read from a file.
        architecture: Its description.
    """

    def __init__(self, model: Any, architecture: Architecture) -> None:
        self._student = not architecture.decoder
        plain = not self._student and not architecture.variational
        tensors = [model.output, model.get_layer(LATENT).output] if plain else model.output
        self._predict = Predictor(tf_keras.Model(model.input, tensors))

    def __call__(self, inputs: NDArray[Any]) -> Outputs:
        """The outputs for events.

        Args:
            inputs: Shape (events, inputs).
        """
        arrays = [
            array.reshape(len(array), math.prod(array.shape[1:])).astype(np.float64) for array in self._predict(inputs)
        ]
        if self._student:
            return Outputs(output=arrays[0][:, 0])
        return Outputs(*arrays)
