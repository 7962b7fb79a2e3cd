"""Where the binary points sit: calibrated, for each word of a given width, on data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trigger_ad.config import QuantizationConfig
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding, Values
from trigger_ad.models.architectures import DenseAutoencoder
from trigger_ad.models.floating import DenseWeights, accumulators

INTEGER_BITS = range(13)
"""Integer bits that are tried, sign not counted. QKeras raises 2 to them as an integer: none may be negative."""


@dataclass(frozen=True)
class LayerPrecision:
    """The types of one dense layer's words.

    Args:
        kernel: Of its weights.
        bias: Of its biases.
        output: Of what follows it: its activation, or the quantizer of a linear layer.
    """

    kernel: FixedPoint
    bias: FixedPoint
    output: FixedPoint


def calibrate(
    weights: dict[str, DenseWeights], architecture: DenseAutoencoder, config: QuantizationConfig, inputs: Values
) -> dict[str, LayerPrecision]:
    """Chooses every binary point by the smallest mean squared rounding and saturation error.

    Args:
        weights: Folded float weights.
        architecture: Which they belong to.
        config: The widths.
        inputs: Encoded training background, shape (events, inputs).

    Returns:
        Types by layer name.
    """
    values = accumulators(weights, architecture, inputs)
    widths = {"activations": config.activations, "latent": config.latent, "output": config.output}
    precisions = {}
    for layer in architecture.layers:
        relu = layer.activation == "relu"
        output = np.maximum(values[layer.name], 0) if relu else values[layer.name]
        precisions[layer.name] = LayerPrecision(
            kernel=best_type(weights[layer.name].kernel, config.weights, signed=True),
            bias=best_type(weights[layer.name].bias, config.biases, signed=True),
            output=best_type(output, widths[layer.group], signed=not relu),
        )
    return precisions


def best_type(values: Values, width: int, *, signed: bool) -> FixedPoint:
    """The saturating, rounding type of this width with the smallest mean squared error on the values."""
    types = [
        FixedPoint(signed, width, bits + int(signed), Rounding.NEAREST_EVEN, Overflow.SATURATE) for bits in INTEGER_BITS
    ]
    errors = [float(np.mean((kind.values(kind.quantize(values)) - values) ** 2)) for kind in types]
    return types[int(np.argmin(errors))]
