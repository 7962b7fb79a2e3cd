"""The quantized model in QKeras, and reading a QKeras model's quantizers. The only module that imports QKeras."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from trigger_ad.config import ScoreName
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import MAX_WIDTH, FixedPoint, Overflow, Rounding, Values
from trigger_ad.models.architectures import Architecture, DenseLayer, PoolingLayer, WeightedLayer
from trigger_ad.models.floating import INPUTS, LayerWeights, structural_layer
from trigger_ad.models.keras import quiet_serialization, tensorflow, tf_keras
from trigger_ad.models.names import quantized_name, relu_name
from trigger_ad.models.precision import LayerPrecision

with warnings.catch_warnings():
    # it warns of its own dependencies' deprecations while it is imported
    warnings.simplefilter("ignore")
    import qkeras


def build_quantized(
    architecture: Architecture,
    weights: Mapping[str, LayerWeights],
    precisions: Mapping[str, LayerPrecision],
    score: ScoreName = "squared_error",
) -> Any:
    """The part of the quantized network that is trained: without the layers that make a score of its output.

    `models.score_layers.with_score` adds those.

    Args:
        architecture: The same description that made the float model.
        weights: Folded float weights, by layer name.
        precisions: Types, by layer name.
        score: The score that ships, which decides whether the decoder does.

    Returns:
        A `tf_keras.Model` from the inputs to the quantized reconstruction, or for the scores that need none to the
        quantized latent space, or to the output of a student, which is exact.
    """
    shipped = architecture.shipped(score)
    inputs = values = tf_keras.Input(shipped.input_shape, name=INPUTS)
    for layer in shipped.layers:
        if not isinstance(layer, WeightedLayer):
            values = structural_layer(layer)(values)
            if isinstance(layer, PoolingLayer) and layer.kind == "average":
                values = quantize(values, _given(precisions[layer.name].output), quantized_name(layer.name))
            continue
        precision = precisions[layer.name]
        values = _weighted_layer(layer, precision)(values)
        if precision.output is not None:
            relu = layer.activation == "relu"
            name = relu_name(layer.name) if relu else quantized_name(layer.name)
            values = quantize(values, precision.output, name)
    model = tf_keras.Model(inputs, values, name="quantized_model")
    for layer in shipped.weighted:
        model.get_layer(layer.name).set_weights([weights[layer.name].kernel, weights[layer.name].bias])
    return model


def _weighted_layer(layer: WeightedLayer, precision: LayerPrecision) -> Any:
    options = {
        "kernel_quantizer": _bits(_given(precision.kernel)),
        "bias_quantizer": _bits(_given(precision.bias)),
        # replaced afterwards; QKeras's own start values warn of themselves where a word has few bits
        "kernel_initializer": "zeros",
        "name": layer.name,
    }
    if isinstance(layer, DenseLayer):
        return qkeras.QDense(layer.units, **options)
    return qkeras.QConv2D(layer.filters, layer.kernel, padding="same", **options)


def _given(kind: FixedPoint | None) -> FixedPoint:
    if kind is None:
        raise ValueError("a layer lacks the type of its words")
    return kind


def quantize(values: Any, kind: FixedPoint, name: str) -> Any:
    """A layer that rounds and saturates into a type; an unsigned one is a ReLU as well.

    Args:
        values: A tensor of Keras.
        kind: With at least as many integer bits as a sign needs.
        name: Of the layer.
    """
    layer = qkeras.QActivation(
        _bits(kind) if kind.signed else qkeras.quantized_relu(kind.width, kind.integer), name=name
    )
    if not kind.signed:
        # what is saved is `activation`, QKeras's own
        layer.quantizer = _QuickRelu(kind.width, kind.integer)
    return layer(values)


class _QuickRelu(qkeras.quantized_relu):  # type: ignore[misc]
    """The same function with the same gradient in half as many operations: images are fitted a quarter faster."""

    def __call__(self, values: Any) -> Any:
        step = 2.0 ** (self.integer - self.bits)
        largest = 2.0**self.integer - step

        @tensorflow.custom_gradient  # type: ignore[untyped-decorator]
        def rounded(unrounded: Any) -> tuple[Any, Callable[[Any], Any]]:
            def gradient(upstream: Any) -> Any:
                inside = tensorflow.logical_and(unrounded > 0, unrounded <= largest)
                return upstream * tensorflow.cast(inside, upstream.dtype)

            return tensorflow.round(tensorflow.clip_by_value(unrounded, 0, largest) / step) * step, gradient

        return rounded(tensorflow.cast(values, "float32"))


def fixed_dense(
    values: Any,
    kernel: Values,
    kernel_type: FixedPoint,
    name: str,
    bias: Values | None = None,
    bias_type: FixedPoint | None = None,
) -> Any:
    """A dense layer that is not trained.

    Args:
        values: A tensor of Keras, of vectors.
        kernel: Shape (inputs, outputs).
        kernel_type: Of its words.
        name: Of the layer.
        bias: Shape (outputs,), or None for none.
        bias_type: Of its words.
    """
    layer = qkeras.QDense(
        kernel.shape[1],
        use_bias=bias is not None,
        kernel_quantizer=_bits(kernel_type),
        bias_quantizer=None if bias_type is None else _bits(bias_type),
        kernel_initializer="zeros",
        trainable=False,
        name=name,
    )
    result = layer(values)
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return result


def load_quantized(path: Path) -> Any:
    """Reads a saved QKeras model.

    Raises:
        UserError: If the file is not a Keras model, or has a layer that neither Keras nor QKeras knows.
    """
    try:
        return qkeras.utils.load_qmodel(str(path), compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        unknown = re.match(r"Unknown layer: '(\w+)'", reason)
        if unknown:
            raise UserError(
                f"{path}: {_names_of(path, unknown[1])} is a {unknown[1]}, which does not convert",
                "Replace it by layers of Keras and QKeras that do",
            ) from None
        raise UserError(
            f"{path} is not a readable QKeras model ({reason})", "Name an .h5 file that Keras saved"
        ) from None


def _names_of(path: Path, kind: str) -> str:
    """Which layers of a file are of a class, by what the file says of itself."""
    with h5py.File(path) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    names = [layer["config"]["name"] for layer in layers if layer["class_name"] == kind]
    return f"layer '{names[0]}'" if names else "a layer within another"


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
    """Kernel and, if there is one, bias of a QDense or QConv2D layer as the constants that its quantizers give.

    Returns:
        Values in float64, and the quantizer's type.

    Raises:
        UserError: If a quantizer is missing or not one that converts exactly, or a weight is not a number; names the
            layer.
    """
    results = []
    for weight, quantizer, word in zip(layer.weights, layer.get_quantizers(), ("kernel", "bias"), strict=False):
        kind = quantizer_type(quantizer, layer.name, word)
        if not np.isfinite(weight.numpy()).all():
            raise UserError(
                f"layer '{layer.name}' has a {word} with a value that is not a finite number", "Train the model again"
            )
        results.append((np.asarray(quantizer(weight), dtype=np.float64), kind))
    return results


def quantizer_type(quantizer: Any, layer: str, word: str | None = None) -> FixedPoint:
    """The fixed-point type of a QKeras quantizer.

    `quantized_bits(bits, integer, keep_negative=1, symmetric=0, alpha=1)` is
    `fixed<bits, integer + 1, RND_CONV, SAT>`, and `quantized_relu(bits, integer)` is
    `ufixed<bits, integer, RND_CONV, SAT>`.

    Args:
        quantizer: The quantizer.
        layer: For the error message.
        word: Which of its words, such as `kernel`, for the error message; None for its output.

    Raises:
        UserError: If the quantizer is missing or does not convert exactly.
    """
    remedy = "Use quantized_bits(bits, integer, alpha=1) or quantized_relu(bits, integer)"
    if quantizer is None:
        what = f"a {word} without a quantizer" if word else "no quantizer"
        raise UserError(f"layer '{layer}' has {what}", remedy)
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
            f"layer '{layer}' has the {'' if word is None else word + ' '}quantizer "
            f"{type(quantizer).__name__}({settings}), which does not convert exactly",
            remedy,
        )
    return FixedPoint(signed, int(quantizer.bits), integer, Rounding.NEAREST_EVEN, Overflow.SATURATE)


def _is_one(factor: Any) -> bool:
    return not isinstance(factor, str) and factor is not None and bool(np.all(np.asarray(factor) == 1))


def _bits(kind: FixedPoint) -> Any:
    return qkeras.quantized_bits(kind.width, kind.integer - 1, keep_negative=1, symmetric=0, alpha=1.0)
