"""A user's model as the rest of the package knows models: what is activated is a layer, and its activation another."""

from __future__ import annotations

from typing import Any, Final

from trigger_ad.errors import UserError
from trigger_ad.models.keras import quiet_serialization, tf_keras
from trigger_ad.models.qkeras_library import qkeras
from trigger_ad.models.quantizers import quantizer_type

TRAINING_ONLY: Final = ("Dropout", "GaussianNoise")
"""Layers that give what they are given outside of training: the network is without them."""

SUPPORTED_LAYERS: Final = (
    "InputLayer",
    "QDense",
    "QConv2D",
    "QActivation",
    "MaxPooling2D",
    "AveragePooling2D",
    "UpSampling2D",
    "ZeroPadding2D",
    "Flatten",
    "Reshape",
    "Subtract",
    "Multiply",
    *TRAINING_ONLY,
)


def ordered_layers(model: Any) -> list[Any]:
    """Every layer of a model with one input, in the order of the data, its input first."""
    first = model.inputs[0]._keras_history.layer
    # the layers of a Sequential model leave its input out
    return [first, *(layer for layer in model.layers if layer is not first)]


def require_supported(model: Any) -> None:
    """Refuses a model that has a layer which does not convert, whatever its settings.

    Raises:
        UserError: Naming the layer.
    """
    for layer in ordered_layers(model):
        kind = type(layer).__name__
        if kind not in SUPPORTED_LAYERS:
            raise UserError(
                f"layer '{layer.name}' is a {kind}, which does not convert",
                f"Supported are {', '.join(SUPPORTED_LAYERS[:-2])}, and {' and '.join(TRAINING_ONLY)}, which act in "
                "training only",
            )
        if len(layer.inbound_nodes) > 1:
            raise UserError(
                f"layer '{layer.name}' is used more than once",
                "Use a layer of its own, with the same weights, each time",
            )
        if layer.compute_dtype != "float32":
            raise UserError(f"layer '{layer.name}' computes in {layer.compute_dtype}", "Save the model in float32")


def canonical(model: Any) -> Any:
    """The same function, in which the activation of a QDense or QConv2D layer is a QActivation after it.

    That of the layer NAME is called NAME_activation. A model without such layers is given back as it is.

    Raises:
        UserError: If there is such a layer, and an activation that does not convert exactly, a layer that is not
            supported, or another layer of the new one's name; names the layer.
    """
    if len(model.inputs) != 1 or not any(_has_activation(layer) for layer in model.layers):
        return model
    require_supported(model)
    names = {layer.name for layer in model.layers}
    made: dict[str, Any] = {}
    for layer in ordered_layers(model):
        if type(layer).__name__ == "InputLayer":
            made[layer.name] = tf_keras.Input(layer.output.shape[1:], name=layer.name)
            continue
        rebuilt, activation = _parts(layer, names)
        values = rebuilt(_read(layer, made))
        rebuilt.set_weights(layer.get_weights())
        made[layer.name] = values if activation is None else activation(values)
    outputs = [made[tensor._keras_history.layer.name] for tensor in model.outputs]
    return tf_keras.Model(made[model.inputs[0]._keras_history.layer.name], outputs, name=model.name)


def _has_activation(layer: Any) -> bool:
    return type(layer).__name__ in ("QDense", "QConv2D") and layer.activation not in (
        None,
        tf_keras.activations.linear,
    )


def _parts(layer: Any, names: set[str]) -> tuple[Any, Any]:
    """A layer of the same settings and without activation, and the activation as a layer, or None."""
    with quiet_serialization():
        config = layer.get_config()
        if not _has_activation(layer):
            return type(layer).from_config(config), None
        quantizer_type(layer.activation, layer.name, "activation")
        name = f"{layer.name}_activation"
        if name in names:
            raise UserError(
                f"the activation of layer '{layer.name}' becomes a layer '{name}', and there is one already",
                "Rename that one",
            )
        return type(layer).from_config(config | {"activation": None}), qkeras.QActivation(layer.activation, name=name)


def _read(layer: Any, made: dict[str, Any]) -> Any:
    """What a layer reads, among what was made."""
    if isinstance(layer.input, list):
        return [made[tensor._keras_history.layer.name] for tensor in layer.input]
    return made[layer.input._keras_history.layer.name]
