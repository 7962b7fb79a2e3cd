"""From physical units to the integer codes that enter the network.

Each feature of each object becomes a trigger word, rounded to the nearest multiple of its least significant bit (ties
to even) and saturated. The network's input is the word less an offset, read with another binary point: an addition
and a shift by a power of two, so the firmware needs no multiplier. Absent objects (pT = 0) are zero in every
feature, and a present object's pT code is never zero, so that presence survives the encoding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import FeatureConfig, InputsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.layout import KINEMATICS, OBJECTS, PT
from trigger_ad.fixed_point import Codes, FixedPoint, Values

NETWORK_INPUTS = OBJECTS * len(KINEMATICS)


@dataclass(frozen=True)
class FeatureEncoding:
    """How one feature becomes a code.

    Args:
        lsb: The physical value of one unit of the trigger word (GeV for pT, radians for phi).
        word: The type of the trigger word, an integer.
        offset: What is subtracted from the word, in its units.
        shift: The network sees `(word - offset) * 2**-shift`.
    """

    lsb: float
    word: FixedPoint
    offset: int
    shift: int

    @property
    def network_type(self) -> FixedPoint:
        """The narrowest type of the encoded feature."""
        low, high = self.word.code_min - self.offset, self.word.code_max - self.offset
        return FixedPoint.holding(min(low, 0), max(high, 0), self.shift)


class InputEncoding:
    """Encodes events for the network.

    Args:
        config: The `inputs` section of the configuration.
    """

    def __init__(self, config: InputsConfig) -> None:
        self.features = (
            _feature(config.pt, signed=False),
            _feature(config.eta, signed=True),
            _feature(config.phi, signed=True),
        )

    @property
    def network_type(self) -> FixedPoint:
        """One type that holds every encoded feature exactly: the type of the network's input.

        Raises:
            UserError: If it would need more than 53 bits.
        """
        types = [feature.network_type for feature in self.features]
        fraction = max(kind.fraction for kind in types)
        low = min(kind.code_min << (fraction - kind.fraction) for kind in types)
        high = max(kind.code_max << (fraction - kind.fraction) for kind in types)
        try:
            return FixedPoint.holding(low, high, fraction)
        except UserError as error:
            raise UserError(f"inputs: {error.what}", "Choose shifts of pt, eta and phi that are closer") from None

    def codes(self, particles: Values) -> Codes:
        """The network's input codes.

        Args:
            particles: Events of shape (events, 19, 4) in GeV and radians.

        Returns:
            Codes of `network_type`, shape (events, 57): pT, eta, phi of slot 0, then of slot 1, and so on.
        """
        fraction = self.network_type.fraction
        present = particles[:, :, PT] > 0
        encoded = np.zeros((len(particles), OBJECTS, len(self.features)), dtype=np.int64)
        for index, feature in enumerate(self.features):
            codes = _words(particles[:, :, index], feature) - feature.offset
            if index == PT:
                codes[codes == 0] = 1
            encoded[:, :, index] = np.where(present, codes << (fraction - feature.shift), 0)
        return encoded.reshape(len(particles), NETWORK_INPUTS)

    def values(self, particles: Values) -> Values:
        """What the codes are worth, shape (events, 57)."""
        return self.network_type.values(self.codes(particles))

    def exact_values(self, particles: Values) -> Values:
        """The same scaling without rounding or saturation, shape (events, 57): the input of a `float` model."""
        present = particles[:, :, PT] > 0
        scaled = [
            np.where(present, np.ldexp(particles[:, :, i] / feature.lsb - feature.offset, -feature.shift), 0.0)
            for i, feature in enumerate(self.features)
        ]
        return np.stack(scaled, axis=-1).reshape(len(particles), NETWORK_INPUTS)

    def saturated(self, particles: Values) -> dict[str, int]:
        """For each feature, how many present objects lie outside the range of its trigger word."""
        present = particles[:, :, PT] > 0
        return {
            name: int((present & _outside(particles[:, :, index], feature)).sum())
            for index, (name, feature) in enumerate(zip(KINEMATICS, self.features, strict=True))
        }


def _feature(config: FeatureConfig, *, signed: bool) -> FeatureEncoding:
    word = FixedPoint(signed, config.width, config.width)
    return FeatureEncoding(config.lsb, word, config.offset, config.shift)


def _words(physical: Values, feature: FeatureEncoding) -> Codes:
    counts = np.rint(physical / feature.lsb)
    return np.clip(counts, feature.word.code_min, feature.word.code_max).astype(np.int64)


def _outside(physical: Values, feature: FeatureEncoding) -> NDArray[np.bool_]:
    counts = np.rint(physical / feature.lsb)
    return (counts < feature.word.code_min) | (counts > feature.word.code_max)
