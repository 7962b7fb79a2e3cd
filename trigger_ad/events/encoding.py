"""From physical units to trigger words, and from trigger words to the integer codes that enter the network.

The first step happens before the firmware: each feature of each object becomes a trigger word, rounded to the nearest
multiple of its least significant bit (ties to even) and saturated. The second is part of the firmware: the word, pT's
after a table of logarithms if the configuration asks for one, less an offset, is read with another binary point: an
addition and a shift by a power of two, so no multiplier is needed. Absent objects (pT word 0) are zero in every
feature, and neither the pT word nor the pT code of a present object is ever zero, so that presence survives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.arrays import smallest_integer
from trigger_ad.config import FeatureConfig, InputsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.content import columns_of
from trigger_ad.events.layout import ADC2021, EventLayout
from trigger_ad.fixed_point import Codes, FixedPoint, Values


@dataclass(frozen=True)
class FeatureEncoding:
    """How one feature becomes a code.

    Args:
        name: The feature.
        column: Where it stands among the features of an object in the events.
        lsb: The physical value of one unit of the trigger word (GeV for pT, radians for phi).
        word: The type of the trigger word, an integer.
        offset: What is subtracted from the word, in its units, or from its logarithm in units of that.
        shift: The network sees `(word - offset) * 2**-shift`.
        logarithm: With k given, the word w is first replaced by `2**k log2(w)`, rounded to the nearest integer.
        can_be_absent: Whether it belongs to an object that a first word of 0 says is absent.
    """

    name: str
    column: int
    lsb: float
    word: FixedPoint
    offset: int
    shift: int
    logarithm: int | None = None
    can_be_absent: bool = True

    @property
    def table(self) -> Codes | None:
        """The table of logarithms, int64, by trigger word, or None without one; its entry for 0 is never used."""
        if self.logarithm is None:
            return None
        words = np.maximum(np.arange(self.word.code_max + 1), 1)
        return np.rint(2.0**self.logarithm * np.log2(words)).astype(np.int64)

    @property
    def smallest_word(self) -> int:
        """The smallest trigger word of a present object: 1 for pT, whose word is 0 for an absent one alone."""
        return 1 if self.name == "pt" else self.word.code_min

    @property
    def ends(self) -> tuple[int, int]:
        """The smallest and the largest code of a present object, in units of 2**-shift."""
        table = self.table
        ends = (self.smallest_word, self.word.code_max) if table is None else (int(table[1]), int(table[-1]))
        low, high = (end - self.offset for end in ends)
        if self.name == "pt" and high == 0:
            # the code of a present object that would be 0 is 1
            high = 1
        return low, high

    @property
    def network_type(self) -> FixedPoint:
        """The narrowest type of the encoded feature."""
        return FixedPoint.holding(*self.ends, self.shift)

    @property
    def gives_zero(self) -> bool:
        """Whether the word of a present object, or its logarithm, can equal the offset."""
        table = self.table
        if table is None:
            return self.smallest_word <= self.offset <= self.word.code_max
        return bool((table[self.smallest_word :] == self.offset).any())

    def words(self, physical: Values, present: NDArray[np.bool_]) -> tuple[Values, int]:
        """Trigger words of physical values, as floats, and how many were beyond their range.

        Args:
            physical: Any shape.
            present: Which of the objects are present: the word of an absent one is 0, and never beyond the range.
        """
        counts = self._counts(physical)
        low, high = self.smallest_word, self.word.code_max
        # pT's range begins at 1
        outside = int(np.count_nonzero(((counts < low) | (counts > high)) & present))
        np.clip(counts, low, high, out=counts)
        counts[~present] = 0.0
        return counts, outside

    def _counts(self, physical: Values) -> Values:
        """Whole multiples of the least significant bit; infinite where float64 ends."""
        with np.errstate(over="ignore"):
            return np.rint(physical / self.lsb)

    def codes(self, words: Codes, present: NDArray[np.bool_]) -> Codes:
        """Codes in units of 2**-shift of trigger words; 0 for an absent object."""
        table = self.table
        codes = (words if table is None else table[words]) - self.offset
        if self.name == "pt":
            codes = np.where(codes == 0, 1, codes)
        return np.where(present, codes, 0)

    def exact(self, physical: Values) -> Values:
        """What the network would see without rounding or saturation.

        Less than one unit counts as one before a logarithm, which has no lower end.
        """
        counts = physical / self.lsb
        if self.logarithm is not None:
            counts = 2.0**self.logarithm * np.log2(np.maximum(counts, 1.0))
        return np.ldexp(counts - self.offset, -self.shift)


class InputEncoding:
    """Encodes events for the network.

    Args:
        config: The `inputs` section of the configuration.
        layout: What the events consist of.
    """

    def __init__(self, config: InputsConfig, layout: EventLayout = ADC2021) -> None:
        self.config = config
        self.layout = layout
        chosen: list[tuple[str, FeatureConfig, bool]] = [("pt", config.pt, False)]
        chosen += [(name, given, True) for name in ("eta", "phi") if (given := getattr(config, name)) is not None]
        chosen += [(name, given, given.signed) for name, given in config.other.items()]
        self.features = tuple(
            FeatureEncoding(
                name,
                layout.column(name),
                given.lsb,
                FixedPoint(signed, given.width, given.width),
                given.offset,
                given.shift,
                config.pt.logarithm if name == "pt" else None,
            )
            for name, given, signed in chosen
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The features, in the order of the inputs of an object."""
        return tuple(feature.name for feature in self.features)

    @property
    def inputs(self) -> int:
        """Number of the network's inputs."""
        return self.layout.objects * len(self.features)

    @property
    def word_dtype(self) -> np.dtype[Any]:
        """The smallest signed integer type that holds every trigger word."""
        low = min(feature.word.code_min for feature in self.features)
        high = max(feature.word.code_max for feature in self.features)
        return smallest_integer(low, high)

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
            raise UserError(f"inputs: {error.what}", "Choose shifts of the features that are closer") from None

    @property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """For each feature the smallest and the largest code of `network_type`, that of an absent object included."""
        fraction = self.network_type.fraction
        ends = ((min(low, 0), max(high, 0), kind.shift) for kind in self.features for low, high in [kind.ends])
        return tuple((low << (fraction - shift), high << (fraction - shift)) for low, high, shift in ends)

    def words(self, particles: Values) -> Codes:
        """Trigger words: what arrives at the firmware.

        Args:
            particles: Events of shape (events, objects, features) in GeV and radians.

        Returns:
            int64 of shape (events, inputs): every feature of slot 0, then of slot 1, and so on.
        """
        return self.digitised(columns_of(particles))[0].astype(np.int64)

    def digitised(self, columns: Values) -> tuple[NDArray[np.integer[Any]], dict[str, int]]:
        """Trigger words, and for each feature how many present objects lie outside the range of its trigger word.

        Args:
            columns: Events as `content.columns_of` gives them, shape (objects, features, events).

        Returns:
            The words: `word_dtype`, shape (events, inputs), in the order of `words`. And the counts by feature.
        """
        objects, _, events = columns.shape
        present = columns[:, self.layout.pt] > 0
        words = np.empty((objects, len(self.features), events), dtype=self.word_dtype)
        saturated = {}
        for index, feature in enumerate(self.features):
            words[:, index], saturated[feature.name] = feature.words(columns[:, feature.column], present)
        return words.reshape(self.inputs, events).T, saturated

    def codes_of_words(self, words: NDArray[np.integer[Any]]) -> Codes:
        """What the firmware makes of trigger words: codes of `network_type`, both of shape (events, inputs)."""
        fraction = self.network_type.fraction
        by_feature = words.astype(np.int64).reshape(len(words), self.layout.objects, len(self.features))
        present = by_feature[:, :, 0] > 0
        codes = [
            feature.codes(by_feature[:, :, index], present) << (fraction - feature.shift)
            for index, feature in enumerate(self.features)
        ]
        return np.stack(codes, axis=-1).reshape(len(words), self.inputs)

    def codes(self, particles: Values) -> Codes:
        """The network's input codes.

        Args:
            particles: Events of shape (events, objects, features) in GeV and radians.

        Returns:
            Codes of `network_type`, shape (events, inputs): every feature of slot 0, then of slot 1, and so on.
        """
        return self.codes_of_words(self.words(particles))

    def values_of_words(self, words: NDArray[np.integer[Any]]) -> Values:
        """What the codes of trigger words are worth, both of shape (events, inputs)."""
        return self.network_type.values(self.codes_of_words(words))

    def values(self, particles: Values) -> Values:
        """What the codes are worth, shape (events, inputs)."""
        return self.values_of_words(self.words(particles))

    def exact_values(self, particles: Values) -> Values:
        """The same scaling without rounding or saturation, shape (events, inputs): the input of a `float` model."""
        present = particles[:, :, self.layout.pt] > 0
        scaled = [np.where(present, feature.exact(particles[:, :, feature.column]), 0.0) for feature in self.features]
        return np.stack(scaled, axis=-1).reshape(len(particles), self.inputs)

    def saturated(self, particles: Values) -> dict[str, int]:
        """For each feature, how many present objects lie outside the range of its trigger word."""
        return self.digitised(columns_of(particles))[1]
