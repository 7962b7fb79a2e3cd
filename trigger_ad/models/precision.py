"""Where the binary points sit: calibrated, for each word of a given width, on data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import LayerBitsConfig, QuantizationConfig, ScoreName
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding, Values
from trigger_ad.models.architectures import Architecture, PoolingLayer, WeightedLayer
from trigger_ad.models.bits import layer_bits, quantized_layers
from trigger_ad.models.floating import LayerWeights, build_folded
from trigger_ad.models.keras import Predictor, tf_keras

INTEGER_BITS: Final = range(13)
"""Integer bits that are tried, sign not counted. QKeras raises 2 to them as an integer: none may be negative."""

CALIBRATION_VALUES: Final = 2**24
"""About so many values of a layer's output are looked at: fewer events where a layer is large."""

WORDS: Final = ("weights", "biases", "output")
"""The kinds of words of a layer."""

_BLOCK: Final = 2**16
"""Values that fit into a processor's cache while the types are tried on them."""


@dataclass(frozen=True)
class LayerPrecision:
    """The types of one layer's words; None for words that it does not have.

    Args:
        kernel: Of its weights.
        bias: Of its biases.
        output: Of what follows it: its activation, or the quantizer of a linear layer or of an average.
    """

    kernel: FixedPoint | None
    bias: FixedPoint | None
    output: FixedPoint | None


@dataclass(frozen=True)
class Calibration:
    """Types, and how much of what they were chosen on saturates.

    Args:
        precisions: By layer name.
        saturated: By layer name, then by word (`weights`, `biases`, `output`): the share of values beyond its range.
    """

    precisions: dict[str, LayerPrecision] = field(default_factory=dict)
    saturated: dict[str, dict[str, float]] = field(default_factory=dict)

    def choose(self, layer: str, errors: Mapping[str, TypeErrors]) -> LayerPrecision:
        """Takes the best type of each word of a layer.

        Args:
            layer: Its name.
            errors: By word; of those that the layer has.
        """
        types = (errors[word].best if word in errors else None for word in WORDS)
        self.precisions[layer] = LayerPrecision(*types)
        self.saturated[layer] = {word: found.saturated for word, found in errors.items()}
        return self.precisions[layer]


def calibrate(
    weights: Mapping[str, LayerWeights],
    architecture: Architecture,
    config: QuantizationConfig,
    inputs: Values,
    score: ScoreName = "squared_error",
) -> Calibration:
    """Chooses every binary point by the smallest mean squared rounding and saturation error.

    Whitening and score words are left to `models.score_layers.with_score`: they depend on what the quantized network
    makes of the data.

    Args:
        weights: Folded float weights.
        architecture: Which they belong to.
        config: The widths.
        inputs: Encoded training background, shape (events, inputs).
        score: The score that ships, which decides whether the decoder does.

    Raises:
        UserError: As `layer_bits` does.
    """
    bits, shipped = layer_bits(architecture, score, config), architecture.shipped(score)
    result, outputs = Calibration(), _output_errors(weights, shipped, bits, inputs)
    for layer in quantized_layers(shipped):
        errors = {}
        if isinstance(layer, WeightedLayer):
            errors["weights"] = signed_errors(bits[layer.name].weights, weights[layer.name].kernel)
            errors["biases"] = signed_errors(bits[layer.name].biases, weights[layer.name].bias)
        if layer.name in outputs:
            errors["output"] = outputs[layer.name]
        result.choose(layer.name, errors)
    return result


def _output_errors(
    weights: Mapping[str, LayerWeights],
    architecture: Architecture,
    bits: Mapping[str, LayerBitsConfig],
    inputs: Values,
) -> dict[str, TypeErrors]:
    """What every type makes of the outputs of every layer that has a quantizer, activations applied."""
    folded = build_folded(architecture, weights)
    layers = [layer for layer in quantized_layers(architecture) if bits[layer.name].output is not None]
    # a ReLU is that of `TypeErrors`: negative values are 0 in an unsigned type
    errors = {layer.name: TypeErrors(bits[layer.name].output or 0, signed=not _is_positive(layer)) for layer in layers}
    if not layers:
        return errors
    predict = Predictor(tf_keras.Model(folded.input, [folded.get_layer(name).output for name in errors]), 1024)
    largest = max(int(np.prod(shape)) for shape in architecture.shapes().values())
    some = inputs[:: -(-len(inputs) * largest // CALIBRATION_VALUES)]
    for start in range(0, len(some), 8192):
        for found, values in zip(errors.values(), predict(some[start : start + 8192]), strict=True):
            found.add(np.asarray(values, dtype=np.float64))
    return errors


def _is_positive(layer: WeightedLayer | PoolingLayer) -> bool:
    return isinstance(layer, PoolingLayer) or layer.activation == "relu"


class TypeErrors:
    """The squared errors of every saturating, rounding type of one width, gathered over values.

    Args:
        width: Bits of the types.
        signed: Whether they are; unsigned ones follow a ReLU.
    """

    def __init__(self, width: int, *, signed: bool) -> None:
        self._types = [
            FixedPoint(signed, width, bits + int(signed), Rounding.NEAREST_EVEN, Overflow.SATURATE)
            for bits in INTEGER_BITS
        ]
        self._squares = np.zeros(len(self._types))
        self._outside = np.zeros(len(self._types), dtype=np.int64)
        self._values = 0

    def add(self, values: Values) -> TypeErrors:
        """Counts values of any shape in; negative ones as 0 where the types are unsigned."""
        flat = values.reshape(-1)
        for start in range(0, len(flat), _BLOCK):
            self._add(flat[start : start + _BLOCK])
        return self

    def _add(self, values: Values) -> None:
        if not self._types[0].signed:
            values = np.maximum(values, 0)
        self._values += len(values)
        for index, kind in enumerate(self._types):
            codes = np.rint(values * 2.0**kind.fraction)
            kept = np.clip(codes, kind.code_min, kind.code_max)
            self._outside[index] += np.count_nonzero(kept != codes)
            kept *= kind.lsb
            kept -= values
            self._squares[index] += kept @ kept

    @property
    def _index(self) -> int:
        return int(np.argmin(self._squares))

    @property
    def best(self) -> FixedPoint:
        """The type with the smallest mean squared error; of equal ones the finest."""
        return self._types[self._index]

    @property
    def saturated(self) -> float:
        """The share of the values that are beyond the range of the best type."""
        return float(self._outside[self._index] / max(1, self._values))


def signed_errors(width: int | None, values: Values) -> TypeErrors:
    """What every signed type makes of a layer's values; the layer has such words."""
    if width is None:
        raise ValueError("these words have no width")
    return TypeErrors(width, signed=True).add(values)


def covering_type(values: NDArray[np.floating], width: int, *, signed: bool) -> FixedPoint:
    """The finest type of this width that saturates at none of the values.

    Args:
        values: Such as scores, of any shape.
        width: Bits.
        signed: Whether it is.

    Raises:
        ValueError: A value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("no type holds a value that is not finite")
    integer = 0
    while True:
        kind = FixedPoint(signed, width, integer + int(signed), Rounding.NEAREST_EVEN, Overflow.SATURATE)
        codes = np.rint(values * 2.0**kind.fraction)
        if not codes.size or kind.code_min <= codes.min() <= codes.max() <= kind.code_max:
            return kind
        integer += 1
