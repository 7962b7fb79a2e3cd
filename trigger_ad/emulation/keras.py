"""The quantized Keras model as an emulator: every layer's values, in float64 or float32."""

from __future__ import annotations

from typing import Any

import numpy as np

from trigger_ad.fixed_point import Codes, Values
from trigger_ad.models.keras import tf_keras
from trigger_ad.models.quantized import float64_keras, in_float64
from trigger_ad.network.graph import Network


def float64_layers(model: Any, network: Network, inputs: Codes) -> dict[str, Values]:
    """Every layer's output of the model rebuilt in float64, where words of up to 53 bits are exact.

    Args:
        model: The quantized Keras model.
        network: Frozen from it.
        inputs: Codes of shape (vectors, inputs).

    Returns:
        Values of shape (vectors, size) by layer name.
    """
    with float64_keras():
        return _layers(in_float64(model), network, network.input.type.values(inputs))


def float32_layers(model: Any, network: Network, inputs: Codes) -> dict[str, Values]:
    """The same from the model as it is, in float32: exact only while every word has at most 24 bits."""
    return _layers(model, network, network.input.type.values(inputs).astype(np.float32))


def _layers(model: Any, network: Network, values: Any) -> dict[str, Values]:
    names = [node.name for node in network.nodes[1:]]
    every_layer = tf_keras.Model(model.input, [model.get_layer(name).output for name in names])
    predicted = every_layer.predict(values, batch_size=8192, verbose=0)
    # Keras gives a single output without its list
    outputs = predicted if len(names) > 1 else [predicted]
    return {name: np.asarray(output, dtype=np.float64) for name, output in zip(names, outputs, strict=True)}
