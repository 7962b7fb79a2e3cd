"""The quantized Keras model as an emulator: every layer's values, in float64 or float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes, Values
from trigger_ad.models.keras import Predictor, tf_keras
from trigger_ad.models.quantized import float64_keras, in_float64
from trigger_ad.network.evaluation import block_events
from trigger_ad.network.graph import Network

Layers = Callable[[Codes], dict[str, Values]]
"""From input codes of shape (vectors, inputs) to values of shape (vectors, *shape of the node) by layer name."""


def float64_layers(model: Any, network: Network) -> Layers:
    """Every layer's output of the model rebuilt in float64, where words of up to 53 bits are exact.

    The model is built and compiled once, however often the result is called.

    Args:
        model: The quantized Keras model.
        network: Frozen from it.

    Raises:
        UserError: If the model has not the network's layers.
    """
    with float64_keras():
        predict = _predictor(in_float64(model), network)

    def layers(inputs: Codes) -> dict[str, Values]:
        with float64_keras():
            return _by_layer(predict, network, inputs)

    return layers


def float32_layers(model: Any, network: Network) -> Layers:
    """The same from the model as it is, in float32: exact only while every word has at most 24 bits."""
    predict = _predictor(model, network)
    return lambda inputs: _by_layer(predict, network, inputs)


def float64_layers_alone(model: Any, network: Network, given: Mapping[str, Codes]) -> dict[str, Values]:
    """Every layer's output for codes of what it reads, each driven by itself.

    Args:
        model: The quantized Keras model.
        network: Frozen from it.
        given: Codes of shape (vectors, *shape of the node) by the name of the node that is read.

    Returns:
        Values of shape (vectors, *shape of the node) by node name.
    """
    with float64_keras():
        layers = {layer.name: layer for layer in in_float64(model).layers}
        found = {}
        for node in network.nodes[1:]:
            words = {name: network.words[name] for name in node.sources}
            values = [word.type.values(given[name]) / word.divisor for name, word in words.items()]
            # a layer that reads one node twice is given it twice
            inputs = [values[list(words).index(name)] for name in node.sources]
            found[node.name] = np.asarray(layers[node.name](inputs if len(inputs) > 1 else inputs[0], training=False))
        return found


def _predictor(model: Any, network: Network) -> Predictor:
    layers = {layer.name: layer for layer in model.layers}
    for node in network.nodes:
        shape = layers[node.name].output.shape[1:] if node.name in layers else None
        if shape != network.words[node.name].shape:
            found = "no layer" if shape is None else f"values of shape {shape} from the layer"
            raise UserError(f"the model has {found} '{node.name}'", "Freeze the network from this model")
    every_layer = tf_keras.Model(model.input, [layers[node.name].output for node in network.nodes[1:]])
    return Predictor(every_layer, block_events(network))


def _by_layer(predict: Predictor, network: Network, inputs: Codes) -> dict[str, Values]:
    outputs = predict(network.input.type.values(inputs))
    names = (node.name for node in network.nodes[1:])
    return {name: np.asarray(output, dtype=np.float64) for name, output in zip(names, outputs, strict=True)}
