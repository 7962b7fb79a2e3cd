"""How many bits the words of each layer have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trigger_ad.config import LayerBitsConfig, QuantizationConfig, ScoreName
from trigger_ad.errors import UserError
from trigger_ad.models.architectures import Architecture, PoolingLayer, WeightedLayer
from trigger_ad.models.names import WHITENING

WHITENING_BIAS_BITS: Final = 16
"""Of its biases, at least. They bring the mean to zero, from many deviations away perhaps: in few bits they would miss
it by a deviation. A wide constant costs an adder a few bits."""


def layer_bits(architecture: Architecture, score: ScoreName, config: QuantizationConfig) -> dict[str, LayerBitsConfig]:
    """How many bits the words of each layer that ships have; None for words that it does not have.

    Args:
        architecture: The whole architecture.
        score: The score that ships.
        config: Bits by group, and exceptions by layer name.

    Returns:
        By layer name: layers with weights, averages, and `whitening` if the score needs it.

    Raises:
        UserError: An exception names no layer that ships, or a word that its layer does not have.
    """
    bits = {layer.name: _group_bits(layer, config) for layer in quantized_layers(architecture.shipped(score))}
    if score == "mahalanobis":
        bits[WHITENING] = LayerBitsConfig(
            weights=config.weights, biases=max(config.biases, WHITENING_BIAS_BITS), output=config.latent
        )
    for name, exception in config.layers.items():
        if name not in bits:
            raise UserError(
                f"quantization.layers: no layer that ships is called '{name}'", f"Its layers are {', '.join(bits)}"
            )
        given = exception.model_dump(exclude_none=True)
        missing = next((word for word in given if getattr(bits[name], word) is None), None)
        if missing:
            words = [word for word, width in bits[name] if width is not None]
            raise UserError(
                f"quantization.layers.{name}.{missing}: the layer has no such words",
                f"It has {' and '.join(words)}"
                + (", and quantization.score gives the bits of the score word" if name == "score" else ""),
            )
        bits[name] = bits[name].model_copy(update=given)
    return bits


def quantized_layers(architecture: Architecture) -> Iterator[WeightedLayer | PoolingLayer]:
    """The layers that have words of their own: those with weights, and averages."""
    for layer in architecture.layers:
        if isinstance(layer, WeightedLayer) or (isinstance(layer, PoolingLayer) and layer.kind == "average"):
            yield layer


def _group_bits(layer: WeightedLayer | PoolingLayer, config: QuantizationConfig) -> LayerBitsConfig:
    if isinstance(layer, PoolingLayer):
        return LayerBitsConfig(output=config.activations)
    outputs = {"activations": config.activations, "latent": config.latent, "output": config.output, "score": None}
    return LayerBitsConfig(weights=config.weights, biases=config.biases, output=outputs[layer.group])
