"""The quantized model in QKeras, and reading a QKeras model's quantizers. The only module that imports QKeras."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import MAX_WIDTH, FixedPoint, Overflow, Rounding, Values
from trigger_ad.models.architectures import DenseAutoencoder
from trigger_ad.models.floating import INPUTS, DenseWeights
from trigger_ad.models.keras import quiet_serialization, tf_keras
from trigger_ad.models.precision import LayerPrecision

with warnings.catch_warnings():
    # it warns of its own dependencies' deprecations while it is imported
    warnings.simplefilter("ignore")
    import qkeras

RECONSTRUCTION: Final = "reconstruction_quantized"
"""The layer whose output is the quantized reconstruction."""
DIFFERENCE: Final = "difference"
SQUARE: Final = "square"
SCORE: Final = "score"


def build_quantized(
    architecture: DenseAutoencoder, weights: Mapping[str, DenseWeights], precisions: Mapping[str, LayerPrecision]
) -> Any:
    """The quantized autoencoder with its anomaly score as the last layers.

    Args:
        architecture: The same description that made the float model.
        weights: Folded float weights, by layer name.
        precisions: Types, by layer name.

    Returns:
        A `tf_keras.Model` from 57 inputs to the score word; `reconstruction_model` gives the part that is trained.
    """
    inputs = values = tf_keras.Input((architecture.inputs,), name=INPUTS)
    for layer in architecture.layers:
        precision = precisions[layer.name]
        values = qkeras.QDense(
            layer.units,
            kernel_quantizer=_bits(precision.kernel),
            bias_quantizer=_bits(precision.bias),
            # replaced below; QKeras's own start values warn of themselves where a word has few bits
            kernel_initializer="zeros",
            name=layer.name,
        )(values)
        relu = layer.activation == "relu"
        activation = _relu(precision.output) if relu else _bits(precision.output)
        values = qkeras.QActivation(activation, name=f"{layer.name}_{'relu' if relu else 'quantized'}")(values)
    model = tf_keras.Model(inputs, _score(inputs, values, architecture.inputs), name="quantized_autoencoder")
    for layer in architecture.layers:
        model.get_layer(layer.name).set_weights([weights[layer.name].kernel, weights[layer.name].bias])
    return model


def reconstruction_model(model: Any) -> Any:
    """The autoencoder alone, sharing its weights with the model that has the score."""
    return tf_keras.Model(model.input, model.get_layer(RECONSTRUCTION).output, name="quantized_reconstruction")


def load_quantized(path: Path) -> Any:
    """Reads a saved QKeras model.

    Raises:
        UserError: If the file is not a Keras model.
    """
    try:
        return qkeras.utils.load_qmodel(str(path), compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{path} is not a readable QKeras model ({reason})", "Name an .h5 file that Keras saved"
        ) from None


@contextmanager
def float64_keras() -> Iterator[None]:
    """Keras computes in float64 inside the block, where words of up to 53 bits are exact."""
    before = tf_keras.backend.floatx()
    tf_keras.backend.set_floatx("float64")
    try:
        yield
    finally:
        tf_keras.backend.set_floatx(before)


def in_float64(model: Any) -> Any:
    """The same model, rebuilt from its layers' own configurations and weights, in float64.

    QKeras's `quantized_relu` casts its input to float32 whatever Keras is set to, which would round words of more than
    24 bits before they are quantized. It is replaced by ReLU and `quantized_bits` of one more bit, which compute in
    float64; that the two are the same function is checked on every code, on ties, and beyond the range.

    Use it within `float64_keras`.
    """

    def clone(layer: Any) -> Any:
        rebuilt = type(layer).from_config(layer.get_config() | {"dtype": "float64"})
        if isinstance(layer, qkeras.QActivation) and isinstance(layer.quantizer, qkeras.quantized_relu):
            rebuilt.quantizer = _relu_in_float64(layer.quantizer)
        return rebuilt

    # clone_model does not clone inputs, and would leave them in float32
    inputs = [
        tf_keras.Input(tensor.shape[1:], dtype="float64", name=name)
        for tensor, name in zip(model.inputs, model.input_names, strict=True)
    ]
    with quiet_serialization():
        double = tf_keras.models.clone_model(model, input_tensors=inputs, clone_function=clone)
    double.set_weights([weight.astype(np.float64) for weight in model.get_weights()])
    return double


def _relu_in_float64(quantizer: Any) -> Callable[[Any], Any]:
    equivalent = qkeras.quantized_bits(quantizer.bits + 1, quantizer.integer, keep_negative=1, symmetric=0, alpha=1.0)

    def apply(values: Any) -> Any:
        return equivalent(tf_keras.backend.relu(values))

    codes = np.arange(-8, min(2**quantizer.bits, 2**16) + 8, 0.5)
    ends = np.ldexp(np.concatenate([codes, 2.0**quantizer.bits + codes[:64]]), quantizer.integer - quantizer.bits)
    if not np.array_equal(np.asarray(quantizer(ends.astype(np.float32))), np.asarray(apply(ends))):
        raise RuntimeError(f"quantized_bits in float64 differs from {quantizer}")
    return apply


def quantized_weights(layer: Any) -> list[tuple[Values, FixedPoint]]:
    """Kernel and, if there is one, bias of a QDense layer as the constants that its quantizers give.

    Returns:
        Values in float64, and the quantizer's type.

    Raises:
        UserError: If a quantizer is missing or not one that converts exactly; names the layer.
    """
    results = []
    for weight, quantizer in zip(layer.weights, layer.get_quantizers(), strict=False):
        kind = quantizer_type(quantizer, layer.name)
        results.append((np.asarray(quantizer(weight), dtype=np.float64), kind))
    return results


def quantizer_type(quantizer: Any, layer: str) -> FixedPoint:
    """The fixed-point type of a QKeras quantizer.

    `quantized_bits(bits, integer, keep_negative=1, symmetric=0, alpha=1)` is
    `fixed<bits, integer + 1, RND_CONV, SAT>`, and `quantized_relu(bits, integer)` is
    `ufixed<bits, integer, RND_CONV, SAT>`.

    Args:
        quantizer: The quantizer.
        layer: For the error message.

    Raises:
        UserError: If the quantizer is missing or does not convert exactly.
    """
    remedy = "Use quantized_bits(bits, integer, alpha=1) or quantized_relu(bits, integer)"
    if quantizer is None:
        raise UserError(f"layer '{layer}' has a weight without a quantizer", remedy)
    if isinstance(quantizer, qkeras.quantized_bits):
        odd = quantizer.symmetric or not quantizer.keep_negative or not _is_one(quantizer.alpha)
        signed, integer = True, int(quantizer.integer) + 1
    elif isinstance(quantizer, qkeras.quantized_relu):
        odd = quantizer.negative_slope or quantizer.use_sigmoid or quantizer.relu_upper_bound is not None
        signed, integer = False, int(quantizer.integer)
    else:
        raise UserError(f"layer '{layer}' has the quantizer {type(quantizer).__name__}", remedy)
    # QKeras raises 2 to `integer` in integer arithmetic, which has no negative powers
    odd = odd or quantizer.use_stochastic_rounding or quantizer.integer < 0 or not _is_one(quantizer.qnoise_factor)
    # a signed word of one bit is -1 or 1 in QKeras
    if odd or not 1 + int(signed) <= quantizer.bits <= MAX_WIDTH:
        settings = ", ".join(f"{name}={' '.join(str(value).split())}" for name, value in quantizer.get_config().items())
        raise UserError(
            f"layer '{layer}' has the quantizer {type(quantizer).__name__}({settings}), which does not convert exactly",
            remedy,
        )
    return FixedPoint(signed, int(quantizer.bits), integer, Rounding.NEAREST_EVEN, Overflow.SATURATE)


def _is_one(factor: Any) -> bool:
    return not isinstance(factor, str) and factor is not None and bool(np.all(np.asarray(factor) == 1))


def _bits(kind: FixedPoint) -> Any:
    return qkeras.quantized_bits(kind.width, kind.integer - 1, keep_negative=1, symmetric=0, alpha=1.0)


def _relu(kind: FixedPoint) -> Any:
    return qkeras.quantized_relu(kind.width, kind.integer)


def _score(inputs: Any, reconstruction: Any, size: int) -> Any:
    """Sum of squared errors from layers that convert exactly: hls4ml has no converter for a dot product."""
    difference = tf_keras.layers.Subtract(name=DIFFERENCE)([inputs, reconstruction])
    square = tf_keras.layers.Multiply(name=SQUARE)([difference, difference])
    one = qkeras.quantized_bits(2, 1, keep_negative=1, symmetric=0, alpha=1.0)
    total = qkeras.QDense(
        1, use_bias=False, kernel_quantizer=one, kernel_initializer="ones", trainable=False, name=SCORE
    )
    scores = total(square)
    assert total.get_weights()[0].shape == (size, 1)
    return scores
