"""The quantized model in QKeras: built from types, read from a file, rebuilt in float64."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from trigger_ad.config import ScoreName
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint, Values
from trigger_ad.models.architectures import Architecture, DenseLayer, PoolingLayer, WeightedLayer
from trigger_ad.models.canonical import canonical
from trigger_ad.models.floating import INPUTS, LayerWeights, structural_layer
from trigger_ad.models.keras import quiet_serialization, tensorflow, tf_keras
from trigger_ad.models.names import quantized_name, relu_name
from trigger_ad.models.precision import LayerPrecision
from trigger_ad.models.qkeras_library import qkeras


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
    """Reads a saved QKeras model; activations of its layers become layers of their own, as `canonical` says.

    Raises:
        UserError: If the file is not a Keras model, or has a layer that neither Keras nor QKeras knows, or an
            activation that does not convert.
    """
    try:
        with quiet_serialization():
            model = qkeras.utils.load_qmodel(str(path), compile=False)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        unknown = re.match(r"(?:Unknown layer:|Could not locate class) '(\w+)'", reason)
        layer = _layer_of(path, unknown[1]) if unknown else None
        if unknown and layer:
            raise UserError(
                f"{path}: {layer} is a {unknown[1]}, which does not convert",
                "Replace it by layers of Keras and QKeras that do",
            ) from None
        if called := re.search(r'calling layer "([^"]+)"', reason):
            raise UserError(
                f"{path}: layer '{called[1]}' cannot be computed as it was saved",
                "Give its quantizers settings that QKeras reads back: numbers and names, no arrays",
            ) from None
        raise UserError(
            f"{path} is not a readable QKeras model ({reason})", "Name an .h5 or .keras file that Keras 2 saved"
        ) from None
    if not model.inputs:
        raise UserError(f"{path} holds a model whose inputs have no shape yet", "Build or train it, and save it again")
    return canonical(model)


def _layer_of(path: Path, kind: str) -> str | None:
    """Which layer of a file is of a class, by what the file says of itself; None if the model itself is."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            model = json.loads(archive.read("config.json"))
    else:
        with h5py.File(path) as file:
            model = json.loads(file.attrs["model_config"])
    if model["class_name"] == kind:
        return None
    names = [layer["config"]["name"] for layer in model["config"]["layers"] if layer["class_name"] == kind]
    return f"layer '{names[0]}'" if names else "a layer within another"


@contextmanager
def _keras_in(kind: str) -> Iterator[None]:
    before = tf_keras.backend.floatx()
    tf_keras.backend.set_floatx(kind)
    try:
        yield
    finally:
        tf_keras.backend.set_floatx(before)


def float64_keras() -> AbstractContextManager[None]:
    """Keras computes in float64 inside the block, where words of up to 53 bits are exact."""
    return _keras_in("float64")


def in_float64(model: Any) -> Any:
    """The same model, rebuilt from its layers' own configurations and weights, in float64.

    QKeras's `quantized_relu` casts its input to float32 whatever Keras is set to, which would round words of more than
    24 bits before they are quantized. It is replaced by ReLU and `quantized_bits` of one more bit, which compute in
    float64; that the two are the same function is checked on every code, on ties, and beyond the range.

    Kernels and biases are the constants that the quantizers give in float32, in which the model was trained: a scale
    that a quantizer finds by itself, or a tie, could come out otherwise in float64.

    Use it within `float64_keras`.
    """

    def clone(layer: Any) -> Any:
        rebuilt = type(layer).from_config(layer.get_config() | {"dtype": "float64"})
        if isinstance(layer, qkeras.QActivation) and isinstance(layer.quantizer, qkeras.quantized_relu):
            rebuilt.quantizer = _relu_in_float64(layer.quantizer)
        if hasattr(layer, "get_quantizers"):
            for word, quantizer in zip(("kernel", "bias"), layer.get_quantizers(), strict=False):
                weight = getattr(layer, word, None)
                if quantizer is not None and weight is not None:
                    setattr(rebuilt, f"{word}_quantizer_internal", _given_in_float32(quantizer, weight))
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


def _given_in_float32(quantizer: Any, weight: Any) -> Callable[[Any], Any]:
    """A quantizer of any weight that gives what another gives of one weight in float32."""
    with _keras_in("float32"):
        constants = np.asarray(quantizer(weight), dtype=np.float64)
    return lambda _: tensorflow.constant(constants)


def _relu_in_float64(quantizer: Any) -> Callable[[Any], Any]:
    equivalent = qkeras.quantized_bits(quantizer.bits + 1, quantizer.integer, keep_negative=1, symmetric=0, alpha=1.0)

    def apply(values: Any) -> Any:
        return equivalent(tf_keras.backend.relu(values))

    codes = np.arange(-8, min(2**quantizer.bits, 2**16) + 8, 0.5)
    ends = np.ldexp(np.concatenate([codes, 2.0**quantizer.bits + codes[:64]]), quantizer.integer - quantizer.bits)
    if not np.array_equal(np.asarray(quantizer(ends.astype(np.float32))), np.asarray(apply(ends))):
        raise RuntimeError(f"quantized_bits in float64 differs from {quantizer}")
    return apply


def _bits(kind: FixedPoint) -> Any:
    return qkeras.quantized_bits(kind.width, kind.integer - 1, keep_negative=1, symmetric=0, alpha=1.0)
