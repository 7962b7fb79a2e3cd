"""The layers that make an anomaly score of what the quantized network computes: all of them convert exactly.

hls4ml has no converter for a dot product: sums are dense layers of ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import LayerBitsConfig, QuantizationConfig, ScoreName
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding, Values
from trigger_ad.models.architectures import Architecture
from trigger_ad.models.bits import layer_bits
from trigger_ad.models.keras import Predictor, tf_keras
from trigger_ad.models.names import (
    DIFFERENCE,
    MASKED,
    OBJECT_PT,
    PRESENT,
    SCORE,
    SCORE_WORD,
    SQUARE,
    WHITENING,
    quantized_name,
)
from trigger_ad.models.precision import Calibration, LayerPrecision, covering_type, signed_errors
from trigger_ad.models.quantized import fixed_dense, quantize
from trigger_ad.models.scores import Whitening, whitening

_ONE: Final = FixedPoint(True, 2, 2, Rounding.NEAREST_EVEN, Overflow.SATURATE)
_FLAG: Final = FixedPoint(False, 1, 1, Rounding.NEAREST_EVEN, Overflow.SATURATE)


@dataclass(frozen=True)
class Scored:
    """A quantized network with its score.

    Args:
        model: From the inputs to the score word: what is frozen and ships.
        calibration: The types of the words that the score added, and how much of them saturates.
        whitening: Of the quantized latent space, where the score is the Mahalanobis distance; times a power of two,
            where its largest weight would be less than a half: words have no leading zeros then.
    """

    model: Any
    calibration: Calibration = field(default_factory=Calibration)
    whitening: Whitening | None = None


def with_score(
    part: Any,
    architecture: Architecture,
    score: ScoreName,
    config: QuantizationConfig,
    inputs: NDArray[Any],
    input_type: FixedPoint,
    features: int,
) -> Scored:
    """The network that ships: a trained part with the layers of its score.

    The two share their weights: save or freeze it before the part is trained further, and call this again then.

    Args:
        part: A model of `build_quantized`.
        architecture: The whole architecture.
        score: The score, the same that the part was built for.
        config: The bits of the words of whitening and score.
        inputs: Encoded training background, shape (events, inputs): what whitening and score word are calibrated on.
        input_type: The type of the inputs.
        features: Inputs of each object, pT first.

    Raises:
        UserError: A dimension of the quantized latent space is dead, where the score needs its inverse covariance.
    """
    calibration, found = Calibration(), None
    if score == "network_output":
        exact = part.output
    elif score == "mu_squared":
        exact = _sum_of_squares(part.output)
    elif score == "mahalanobis":
        latents = _outputs(part, inputs)
        found = _filling_words(whitening(latents))
        bits = layer_bits(architecture, score, config)[WHITENING]
        exact = _sum_of_squares(_whitened(part.output, found, bits, latents, calibration))
    else:
        exact = _squared_error(part, architecture, input_type, features, present=score == "squared_error_present")
    if config.score is not None:
        scores = _outputs(tf_keras.Model(part.input, exact), inputs)
        kind = covering_type(scores, config.score, signed=score == "network_output")
        exact = quantize(exact, kind, SCORE_WORD)
        calibration.precisions[SCORE_WORD] = LayerPrecision(None, None, kind)
        # by its choice
        calibration.saturated[SCORE_WORD] = {"output": 0.0}
    return Scored(tf_keras.Model(part.input, exact, name="quantized_network"), calibration, found)


def _outputs(model: Any, inputs: NDArray[Any]) -> Values:
    """The only output of a model, in float64, a row for each event."""
    (outputs,) = Predictor(model)(inputs)
    return np.asarray(outputs, dtype=np.float64).reshape(len(inputs), -1)


def _squared_error(
    part: Any, architecture: Architecture, input_type: FixedPoint, features: int, *, present: bool
) -> Any:
    difference = tf_keras.layers.Subtract(name=DIFFERENCE)([part.input, part.output])
    values = part.input
    if len(architecture.input_shape) > 1:
        difference = tf_keras.layers.Flatten(name=f"{DIFFERENCE}_flat")(difference)
    if present:
        if len(architecture.input_shape) > 1:
            values = tf_keras.layers.Flatten(name="inputs_flat")(values)
        mask = _presence(values, architecture.inputs, input_type, features)
        difference = tf_keras.layers.Multiply(name=MASKED)([difference, mask])
    return _sum_of_squares(difference)


def _presence(values: Any, inputs: int, input_type: FixedPoint, features: int) -> Any:
    """1 for every input of an object whose pT is positive: the smallest positive one is brought to 1, and saturates."""
    exponent = max(input_type.fraction, 0)
    kernel = np.zeros((inputs, inputs))
    objects = np.arange(inputs) // features
    kernel[objects * features, np.arange(inputs)] = 2.0**exponent
    # of two bits, the sign one of them, and so worth 2**exponent or nothing
    kind = FixedPoint(True, 2, exponent + 2, Rounding.NEAREST_EVEN, Overflow.SATURATE)
    return quantize(fixed_dense(values, kernel, kind, OBJECT_PT), _FLAG, PRESENT)


def _sum_of_squares(values: Any) -> Any:
    square = tf_keras.layers.Multiply(name=SQUARE)([values, values])
    return fixed_dense(square, np.ones((square.shape[-1], 1)), _ONE, SCORE)


def _filling_words(found: Whitening) -> Whitening:
    """The same times a power of two: QKeras's words have one integer bit at least, which small weights would waste.

    The score grows by the square of it, which changes no decision.
    """
    exponent = max(0, -int(np.frexp(np.abs(found.matrix).max())[1]))
    return Whitening(np.ldexp(found.matrix, exponent), found.mean)


def _whitened(latent: Any, found: Whitening, bits: LayerBitsConfig, latents: Values, calibration: Calibration) -> Any:
    """The whitened latent space, in words calibrated on the latents of training background."""
    weights = signed_errors(bits.weights, found.matrix)
    # with the weights as they are rounded, so that the mean is brought to zero all the same
    offset: Values = -found.mean @ weights.best.values(weights.best.quantize(found.matrix))
    errors = {
        "weights": weights,
        "biases": signed_errors(bits.biases, offset),
        "output": signed_errors(bits.output, found(latents)),
    }
    calibration.choose(WHITENING, errors)
    kernel, bias, output = (error.best for error in errors.values())
    return quantize(
        fixed_dense(latent, found.matrix, kernel, WHITENING, offset, bias), output, quantized_name(WHITENING)
    )
