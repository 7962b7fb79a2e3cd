"""One description of each architecture, from which the float and the quantized model are both built."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

from trigger_ad.config import ModelConfig


@dataclass(frozen=True)
class DenseLayer:
    """A dense layer with what follows it.

    Args:
        name: Unique in the network; the same in every model, in the firmware and in reports.
        inputs: Number of inputs.
        units: Number of outputs.
        activation: What follows the accumulator (after the batch normalisation, if any).
        batch_normalization: Whether the float model normalises the accumulator.
        group: Which words of `quantization` this layer's output uses.
    """

    name: str
    inputs: int
    units: int
    activation: Literal["relu", "linear"]
    batch_normalization: bool
    group: Literal["activations", "latent", "output"]


@dataclass(frozen=True)
class DenseAutoencoder:
    """A feed-forward autoencoder; its anomaly score is the sum of squared reconstruction errors.

    Args:
        inputs: Number of inputs, which is also that of outputs.
        layers: From the input to the reconstruction.
    """

    inputs: int
    layers: tuple[DenseLayer, ...]


def dense_autoencoder(config: ModelConfig, inputs: int) -> DenseAutoencoder:
    """The autoencoder of a configuration, the decoder mirroring the encoder.

    The published one is 57-32-16-3-16-32-57 (arXiv:2108.03986). ReLU is used where that work has leaky ReLU, since
    a leaky slope does not convert exactly.

    Args:
        config: The `model` section of the configuration.
        inputs: Number of inputs, 57 for the ADC2021 layout.
    """
    normalize = config.batch_normalization
    widths = (inputs, *config.hidden, config.latent, *reversed(config.hidden), inputs)
    depth = len(config.hidden)
    layers = []
    for index, (fan_in, units) in enumerate(itertools.pairwise(widths)):
        if index < depth:
            layer = DenseLayer(f"encoder_{index + 1}", fan_in, units, "relu", normalize, "activations")
        elif index == depth:
            layer = DenseLayer("latent", fan_in, units, "linear", False, "latent")
        elif index == len(widths) - 2:
            layer = DenseLayer("reconstruction", fan_in, units, "linear", False, "output")
        else:
            layer = DenseLayer(f"decoder_{index - depth}", fan_in, units, "relu", normalize, "activations")
        layers.append(layer)
    return DenseAutoencoder(inputs, tuple(layers))
