"""Corner vectors: trigger words that physics events do not reach, in which a wrong width, rounding or code shows.

A vector is one event's raw trigger words: every feature of object 0, then of object 1, and so on. The first feature
says whether its object is there: an object whose first word is 0 is absent, whatever its other words say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.fixed_point import Codes, FixedPoint

RANDOM_VECTORS: Final = 3000
EXHAUSTIVE_BITS: Final = 14
"""Words of up to this many bits, and so every table of logarithms, are gone through one by one."""

DRIVEN: Final = "driven accumulators"
"""The name of the group that `network.driving` finds."""
MANY: Final = ("every word", "random", DRIVEN)
"""How the names of the large groups begin, which come last: of these, some are enough where each one costs much."""


@dataclass(frozen=True)
class _Inputs:
    """The types of an event's words, one for each input.

    Args:
        features: The word type of each feature of an object.
        objects: Number of objects.
    """

    features: Sequence[FixedPoint]
    objects: int

    @cached_property
    def size(self) -> int:
        return self.objects * len(self.features)

    @cached_property
    def first(self) -> slice:
        """The words that say whether their object is there."""
        return slice(0, None, len(self.features))

    @cached_property
    def others(self) -> NDArray[np.int64]:
        """The inputs that hold any other feature."""
        return np.flatnonzero(np.arange(self.size) % len(self.features))

    @cached_property
    def low(self) -> Codes:
        return np.array([kind.code_min for kind in self.features] * self.objects)

    @cached_property
    def high(self) -> Codes:
        return np.array([kind.code_max for kind in self.features] * self.objects)

    def with_first(self, words: Codes, first: int | Codes) -> Codes:
        """The same vectors with other first words for every object."""
        changed = words.copy()
        changed[:, self.first] = first
        return changed

    def alone(self, values: Codes, first: int | Codes) -> Codes:
        """For each input that is no first word, a vector in which it alone is set, in an object of that first word."""
        vectors = np.zeros((len(self.others), self.size), dtype=np.int64)
        rows = np.arange(len(self.others))
        vectors[rows, self.others] = values[self.others]
        vectors[rows, self.others - self.others % len(self.features)] = first
        return vectors

    def first_alone(self, word: int) -> Codes:
        """For each object, a vector in which its first word alone is not 0."""
        return np.eye(self.size, dtype=np.int64)[self.first] * word


def corner_vectors(features: Mapping[str, FixedPoint], objects: int, seed: int) -> dict[str, Codes]:
    """Groups of vectors of trigger words that every emulator is held against the reference on.

    Args:
        features: The word type of each feature of an object, by name; the first one says whether the object is there.
        objects: Number of objects.
        seed: Of the random groups.

    Returns:
        int64 words of shape (vectors, objects x features) by the group's name, in a fixed order; none is empty.
    """
    inputs = _Inputs(tuple(features.values()), objects)
    groups = _few(inputs) | _every_word(features, inputs) | _random(inputs, np.random.default_rng(seed))
    return {name: vectors for name, vectors in groups.items() if len(vectors)}


def require_words(features: Sequence[FixedPoint], objects: int, words: NDArray[np.integer[Any]]) -> None:
    """Checks that every word is one of its type.

    Args:
        features: The word type of each feature of an object.
        objects: Number of objects.
        words: Vectors of shape (vectors, objects x features).

    Raises:
        ValueError: Naming the first vector and word that is not.
    """
    inputs = _Inputs(features, objects)
    if words.ndim != 2 or words.shape[1] != inputs.size:
        raise ValueError(f"vectors of the shape {words.shape} are not (vectors, {inputs.size})")
    wrong = np.argwhere((words < inputs.low) | (words > inputs.high))
    if len(wrong):
        vector, position = map(int, wrong[0])
        kind = features[position % len(features)]
        raise ValueError(f"word {position} of vector {vector}, {words[vector, position]}, is none of {kind}")


def _few(inputs: _Inputs) -> dict[str, Codes]:
    low, high = inputs.low, inputs.high
    ends = np.stack([low, high])
    largest = inputs.high[inputs.first][0]
    odd = np.arange(inputs.size) % 2
    in_turn = np.stack([np.where(odd, low, high), np.where(odd, high, low)])
    # an object that is barely there, instead of one that is not
    there = in_turn.copy()
    there[:, inputs.first] = np.maximum(there[:, inputs.first], 1)
    steps = np.concatenate([inputs.alone(np.ones_like(low), 1), inputs.alone(np.maximum(low, -1), 1)])
    return {
        "all zero": np.zeros((1, inputs.size), dtype=np.int64),
        "all at an extreme": np.concatenate([inputs.with_first(ends, word) for word in (0, 1, largest)]),
        "extremes in turn": np.concatenate([in_turn, there]),
        "one input at its largest": np.concatenate(
            [inputs.first_alone(largest), inputs.alone(high, 1), inputs.alone(high, largest)]
        ),
        "one input at its smallest": np.concatenate(
            [inputs.first_alone(1), inputs.alone(low, 1), inputs.alone(low, largest)]
        ),
        "one input of an absent object": np.concatenate([inputs.alone(high, 0), inputs.alone(low, 0)]),
        "all but one at the largest": high - np.diag(high - low),
        "one least significant bit": steps,
        "alternating bits": np.array([_alternating(inputs, "01"), _alternating(inputs, "10")]),
    }


def _alternating(inputs: _Inputs, bits: str) -> list[int]:
    """Bit patterns without equal neighbours, read as codes."""
    patterns = ((int((bits * kind.width)[-kind.width :], 2), kind) for kind in inputs.features)
    words = [bits - (1 << kind.width) if bits > kind.code_max else bits for bits, kind in patterns]
    return words * inputs.objects


def _every_word(features: Mapping[str, FixedPoint], inputs: _Inputs) -> dict[str, Codes]:
    """For each feature, vectors in which every object sees every word of it, each object another one at a time."""
    groups = {}
    for index, (name, kind) in enumerate(features.items()):
        words = _words_of(kind)
        vectors = np.ones((len(words), inputs.size), dtype=np.int64)
        turns = np.arange(len(words))[:, None] + np.arange(inputs.objects)
        vectors[:, index :: len(features)] = words[turns % len(words)]
        groups[f"every word of {name}"] = vectors
    return groups


def _words_of(kind: FixedPoint) -> Codes:
    """Every word of a type, or, of one too wide for that, as many evenly spaced, and those at each power of two."""
    if kind.width <= EXHAUSTIVE_BITS:
        return np.arange(kind.code_min, kind.code_max + 1)
    powers = 1 << np.arange(kind.width)
    spaced = np.linspace(kind.code_min, kind.code_max, 1 << (EXHAUSTIVE_BITS - 2)).astype(np.int64)
    words = np.concatenate([spaced, *(sign * powers + step for sign in (-1, 1) for step in (-1, 0, 1))])
    return np.unique(words[(words >= kind.code_min) & (words <= kind.code_max)])


def _random(inputs: _Inputs, generator: np.random.Generator) -> dict[str, Codes]:
    shape = (RANDOM_VECTORS // 3, inputs.size)
    firsts = (RANDOM_VECTORS // 3, inputs.objects)
    extremes = generator.choice(3, shape)
    extremes = np.where(extremes == 0, inputs.low, np.where(extremes == 1, 0, inputs.high))
    first = generator.choice([0, 1, inputs.high[inputs.first][0]], firsts)
    sparse = generator.integers(inputs.low, inputs.high + 1, shape)
    return {
        "random extremes": inputs.with_first(extremes, first),
        "random bits": generator.integers(inputs.low, inputs.high + 1, shape),
        "random bits, half of the objects absent": inputs.with_first(
            sparse, sparse[:, inputs.first] * generator.integers(0, 2, firsts)
        ),
    }
