"""Freezes a quantized Keras model into the integer network: constants as its quantizers give them."""

from __future__ import annotations

from typing import Any

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import MAX_WIDTH, FixedPoint, Values
from trigger_ad.models.canonical import TRAINING_ONLY, ordered_layers, require_supported
from trigger_ad.models.keras import quiet_serialization
from trigger_ad.models.quantizers import quantized_weights, quantizer_type, significant_bits
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    NO_PADDING,
    Bounds,
    Constant,
    Convolution,
    Dense,
    Elementwise,
    Input,
    Node,
    Padding,
    Pooling,
    Quantize,
    Reshape,
    Upsampling,
    ZeroPadding,
    same_padding,
)


def freeze(model: Any, input_type: FixedPoint, bounds: Bounds = ()) -> Network:
    """The exact integer network of a QKeras model.

    Args:
        model: A functional model with one input vector or image and one output.
        input_type: The type of its input words.
        bounds: The smallest and the largest code of each feature of an object, or nothing for every code of the type.

    Returns:
        The network; nodes have the layers' names, in the model's order.

    Raises:
        UserError: If a layer or quantizer does not convert exactly; names it.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"the model has {len(model.inputs)} input(s) and {len(model.outputs)} output(s)",
            "Give a model from one input to one score",
        )
    require_supported(model)
    first, *layers = ordered_layers(model)
    inputs = Input(first.name, _shape(first, first.output_shape[0]), input_type, bounds)
    return Network((inputs, *(_node(layer) for layer in layers if type(layer).__name__ not in TRAINING_ONLY)))


def _node(layer: Any) -> Node:
    kind = type(layer).__name__
    inputs = layer.input if isinstance(layer.input, list) else [layer.input]
    sources = [_source_name(tensor) for tensor in inputs]
    match kind:
        case "Subtract" | "Multiply":
            if len(sources) != 2:
                raise UserError(
                    f"layer '{layer.name}' takes {len(sources)} inputs", f"Give {kind} two, in a chain of its own"
                )
            left, right = sources
            return Elementwise(layer.name, left, right, "subtract" if kind == "Subtract" else "multiply")
        case "QDense":
            return Dense(layer.name, sources[0], *_weights(layer))
        case "QActivation":
            word = quantizer_type(layer.quantizer, layer.name)
            return Quantize(layer.name, sources[0], word, "linear" if word.signed else "relu")
        case "Reshape":
            return Reshape(layer.name, sources[0], _shape(layer, layer.output_shape))
        case _:
            return _image_node(layer, kind, sources[0])


def _image_node(layer: Any, kind: str, source: str) -> Node:
    """The node of a layer that tells rows, columns and channels apart."""
    _require(layer, data_format="channels_last")
    match kind:
        case "QConv2D":
            _require(layer, dilation_rate=(1, 1), groups=1)
            return Convolution(layer.name, source, *_weights(layer), _pair(layer.strides), _convolution_padding(layer))
        case "MaxPooling2D":
            return Pooling(layer.name, source, _window(layer), "max_pooling")
        case "AveragePooling2D":
            return Pooling(layer.name, source, _window(layer), "average_pooling")
        case "UpSampling2D":
            _require(layer, interpolation="nearest")
            return Upsampling(layer.name, source, _pair(layer.size))
        case "ZeroPadding2D":
            rows, columns = layer.padding
            return ZeroPadding(layer.name, source, (_pair(rows), _pair(columns)))
        case _:
            # Flatten: every other layer that is supported has had its turn
            return Reshape(layer.name, source, _shape(layer, layer.output_shape))


def _shape(layer: Any, shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """The shape of one event's words."""
    known = tuple(int(size) for size in shape[1:] if size is not None)
    if len(known) != len(shape) - 1 or len(known) not in (1, 3):
        raise UserError(
            f"layer '{layer.name}' gives values of shape {shape[1:]}",
            "Give a vector, or an image of rows, columns and channels",
        )
    return known


def _require(layer: Any, **settings: Any) -> None:
    """Checks that a layer, if it has these settings, has them as they convert."""
    for name, needed in settings.items():
        given = getattr(layer, name, needed)
        if given != needed:
            raise UserError(
                f"layer '{layer.name}' has the {name} {given}, which does not convert", f"Set its {name} to {needed}"
            )


def _pair(values: Any) -> tuple[int, int]:
    first, second = values
    return (int(first), int(second))


def _convolution_padding(layer: Any) -> Padding:
    if layer.padding == "valid":
        return NO_PADDING
    return same_padding(_pair(layer.input_shape[1:3]), _pair(layer.kernel_size), _pair(layer.strides))


def _window(layer: Any) -> tuple[int, int]:
    """The window of a pooling layer, whose windows cover an image without overlap or padding."""
    window = _pair(layer.pool_size)
    _require(layer, strides=window)
    if layer.padding != "valid" and any(size % part for size, part in zip(layer.input_shape[1:3], window, strict=True)):
        raise UserError(
            f"layer '{layer.name}' pads an image of {_pair(layer.input_shape[1:3])} to windows of {window}",
            "Set its padding to valid, or a pool_size that divides the image",
        )
    return window


def _weights(layer: Any) -> tuple[Constant, Constant | None]:
    """Kernel and bias, if there is one."""
    with quiet_serialization():
        activation = layer.get_config()["activation"]
    if activation not in (None, "linear"):
        raise UserError(
            f"layer '{layer.name}' has an activation of its own", "Put it into a QActivation layer after it"
        )
    constants = {word: _constant(values, layer.name, word) for word, values in quantized_weights(layer).items()}
    return constants["kernel"], constants.get("bias")


def _constant(values: Values, layer: str, word: str) -> Constant:
    """Values as they are, in the narrowest type that holds all of them."""
    nonzero = values[values != 0]
    if not nonzero.size:
        return Constant.narrowest(np.zeros(values.shape, dtype=np.int64), 0)
    _, exponents = np.frexp(nonzero)
    fraction = int((significant_bits(nonzero) - exponents).max())
    width = int(exponents.max()) + fraction + int((nonzero < 0).any())
    if width > MAX_WIDTH:
        raise UserError(
            f"layer '{layer}' has a {word} whose values are so far apart that a word for all of them has {width} bits, "
            f"more than {MAX_WIDTH}",
            "Use scales that are closer",
        )
    return Constant.narrowest(np.ldexp(values, fraction).astype(np.int64), fraction)


def _source_name(tensor: Any) -> str:
    """The name of the layer whose values a tensor holds, also outside of training."""
    layer = tensor._keras_history.layer
    while type(layer).__name__ in TRAINING_ONLY:
        layer = layer.input._keras_history.layer
    return str(layer.name)
