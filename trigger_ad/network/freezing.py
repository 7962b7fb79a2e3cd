"""Freezes a quantized Keras model into the integer network: constants as its quantizers give them."""

from __future__ import annotations

from typing import Any

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint, Values
from trigger_ad.models.keras import quiet_serialization
from trigger_ad.models.quantized import quantized_weights, quantizer_type
from trigger_ad.network.graph import Constant, Dense, Elementwise, Input, Network, Node, Quantize

SUPPORTED = "InputLayer, QDense, QActivation, Subtract, Multiply"


def freeze(model: Any, input_type: FixedPoint) -> Network:
    """The exact integer network of a QKeras model.

    Args:
        model: A functional model with one input vector and one output.
        input_type: The type of its input words.

    Returns:
        The network; nodes have the layers' names, in the model's order.

    Raises:
        UserError: If a layer or quantizer does not convert exactly; names it.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"the model has {len(model.inputs)} input(s) and {len(model.outputs)} output(s)",
            "Give a model from one input vector to one score",
        )
    first = model.inputs[0]._keras_history.layer
    # the layers of a Sequential model leave its input out
    layers = [first, *(layer for layer in model.layers if layer is not first)]
    return Network(tuple(_node(layer, input_type) for layer in layers))


def _node(layer: Any, input_type: FixedPoint) -> Node:
    if len(layer.inbound_nodes) > 1:
        raise UserError(
            f"layer '{layer.name}' is used more than once", "Use a layer of its own, with the same weights, each time"
        )
    sources = _source_names(layer)
    match type(layer).__name__:
        case "InputLayer":
            return _input(layer, input_type)
        case "QDense":
            return _dense(layer, sources[0])
        case "QActivation":
            kind = quantizer_type(layer.quantizer, layer.name)
            return Quantize(layer.name, sources[0], kind, "linear" if kind.signed else "relu")
        case "Subtract" | "Multiply" as name:
            left, right = sources
            return Elementwise(layer.name, left, right, "subtract" if name == "Subtract" else "multiply")
        case name:
            raise UserError(f"layer '{layer.name}' is a {name}, which does not convert", f"Supported are {SUPPORTED}")


def _input(layer: Any, input_type: FixedPoint) -> Input:
    shape = layer.output_shape[0][1:]
    if len(shape) != 1:
        raise UserError(f"layer '{layer.name}' takes values of shape {shape}", "Give a model of a single input vector")
    return Input(layer.name, int(shape[0]), input_type)


def _dense(layer: Any, source: str) -> Dense:
    with quiet_serialization():
        activation = layer.get_config()["activation"]
    if activation not in (None, "linear"):
        raise UserError(
            f"layer '{layer.name}' has an activation of its own",
            "Put it into a QActivation layer after the dense layer",
        )
    constants = [_constant(values, kind, layer.name) for values, kind in quantized_weights(layer)]
    return Dense(layer.name, source, constants[0], constants[1] if len(constants) > 1 else None)


def _constant(values: Values, kind: FixedPoint, layer: str) -> Constant:
    try:
        codes = kind.exact_codes(values)
    except ValueError as error:
        raise UserError(
            f"layer '{layer}' has a weight that its quantizer left inexact ({error})", "Retrain it"
        ) from None
    return Constant.narrowest(codes, kind.fraction)


def _source_names(layer: Any) -> list[str]:
    """The names of the layers that a layer reads, in order and with repetition."""
    if type(layer).__name__ == "InputLayer":
        return []
    inputs = layer.input if isinstance(layer.input, list) else [layer.input]
    return [tensor._keras_history.layer.name for tensor in inputs]
