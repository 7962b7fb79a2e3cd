"""What it means for an emulator to agree: equal integer codes, for every vector, in every word that it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.fixed_point import Codes, Values
from trigger_ad.network.graph import Network
from trigger_ad.network.words import Word

ACCEPT: Final = "accept"
"""What a wrong accept bit is called where a layer is named."""

_EXAMPLES: Final = 5
"""Vectors that a difference shows."""


@dataclass(frozen=True)
class Difference:
    """How one word of an emulator differs from the reference.

    Args:
        layer: The node, or `accept` for the accept bit.
        compared: How many vectors were compared layer by layer: all, or some of those whose output differs.
        mismatches: In how many of them at least one element differs.
        max_lsb: The largest difference in units of the word's least significant bit; a fraction when the emulator's
            value is no code at all; None when it is not a number.
        first_vectors: The first few vectors that differ.
        expected: Codes of the reference for those, each a list over elements, those of a tensor in C order.
        found: What the emulator gave, in the same units.
    """

    layer: str
    compared: int
    mismatches: int
    max_lsb: float | None
    first_vectors: list[int]
    expected: list[list[int]]
    found: list[list[float | None]]


@dataclass(frozen=True)
class Alone:
    """Layers that an emulator ran one by one, each on any codes that it can be given.

    Args:
        vectors: How many each layer was given.
        layers: For each layer, how many of them differ.
        first_difference: The earliest layer that differs, with examples.
    """

    vectors: int
    layers: dict[str, int]
    first_difference: Difference | None

    def to_json(self) -> dict[str, Any]:
        """As in report.json."""
        first = self.first_difference
        return {
            "vectors": self.vectors,
            "layers": len(self.layers),
            "mismatches": sum(self.layers.values()),
            "first_layer": first.layer if first else None,
        }


@dataclass(frozen=True)
class Agreement:
    """One emulator against the reference.

    Args:
        emulator: Its name in reports.
        must_agree: Whether a mismatch is a failure; Keras in float32 is shown for information only.
        vectors: How many vectors it ran.
        mismatches: In how many its output words or its accept bit differ, or, for one that shows every layer, any word.
        max_lsb: The largest difference of the output word in its least significant bits; None if not a number.
        seconds: What running it took; None if it ran elsewhere.
        layers: For each layer it shows, in the order of the data, how many vectors differ.
        first_difference: The earliest layer that differs, with examples.
        test_bench_passed: Whether the project's own test bench, with the expected words that are shipped in it, found
            every word equal; None for an emulator that has none.
        alone: Its layers one by one; None for an emulator that cannot run them so.
        accept_mismatches: In how many vectors its accept bit differs; None for an emulator that gives none.
        test_bench_said: The first line in which the test bench says what it did not find as expected.
    """

    emulator: str
    must_agree: bool
    vectors: int
    mismatches: int
    max_lsb: float | None
    seconds: float | None
    layers: dict[str, int]
    first_difference: Difference | None
    test_bench_passed: bool | None = None
    alone: Alone | None = None
    accept_mismatches: int | None = None
    test_bench_said: str | None = None

    @property
    def exact(self) -> bool:
        """Whether every word that was compared is equal, the test bench's and those of layers alone included."""
        alone = self.alone is None or self.alone.first_difference is None
        return self.mismatches == 0 and self.test_bench_passed is not False and alone

    def located_by(self, traced: Agreement, vectors: NDArray[np.int64]) -> Agreement:
        """The same, with the first difference that a trace of some vectors shows.

        Args:
            traced: The agreement of those vectors, layer by layer.
            vectors: Their positions among all vectors.
        """
        first = traced.first_difference
        if first is None:
            return self
        positions = [int(vectors[index]) for index in first.first_vectors]
        return replace(self, layers=traced.layers, first_difference=replace(first, first_vectors=positions))

    def with_accept(
        self, unequal: NDArray[np.bool_], expected: NDArray[np.bool_], found: NDArray[np.bool_]
    ) -> Agreement:
        """The same with the accept bit, which comes after every word.

        Args:
            unequal: In which vectors an output word differs, shape (vectors,).
            expected: Whether the reference accepts each vector.
            found: Whether the emulator does.
        """
        wrong = expected != found
        examples = np.flatnonzero(wrong)[:_EXAMPLES]
        difference = Difference(
            layer=ACCEPT,
            compared=len(wrong),
            mismatches=int(wrong.sum()),
            max_lsb=1.0,
            first_vectors=examples.tolist(),
            expected=[[int(bit)] for bit in expected[examples]],
            found=[[float(bit)] for bit in found[examples]],
        )
        return replace(
            self,
            mismatches=int((unequal | wrong).sum()),
            accept_mismatches=int(wrong.sum()),
            first_difference=self.first_difference or (difference if wrong.any() else None),
        )

    def to_json(self) -> dict[str, Any]:
        """The entry of `agreement.emulators` in report.json."""
        first = self.first_difference
        return {
            "exact": self.exact,
            "must_agree": self.must_agree,
            "events": self.vectors,
            "mismatches": self.mismatches,
            "max_lsb": self.max_lsb,
            "seconds": self.seconds,
            "first_layer": first.layer if first else None,
            "accept_mismatches": self.accept_mismatches,
            "test_bench_passed": self.test_bench_passed,
            "test_bench_said": self.test_bench_said,
            "alone": self.alone.to_json() if self.alone else None,
        }


def compare(
    emulator: str,
    network: Network,
    reference: Mapping[str, Codes],
    found: Mapping[str, Values],
    seconds: float | None,
    *,
    must_agree: bool = True,
) -> Agreement:
    """Compares the words that an emulator shows with the reference's.

    Args:
        emulator: Its name.
        network: The frozen network.
        reference: Codes by node name, from `network.evaluation.evaluate`.
        found: float64 values by node name, each of as many elements as the reference has for a vector, in the same
            order, whatever their shape; the output must be among them. Averages that no word holds exactly are what
            float64 division makes of them.
        seconds: What running the emulator took; None if it ran elsewhere.
        must_agree: Whether a mismatch is a failure.
    """
    layers: dict[str, int] = {}
    first: Difference | None = None
    any_wrong = np.zeros(len(reference[network.output.name]), dtype=bool)
    for node in network.nodes:
        if node.name in found:
            pair = _Pair.of(node.name, network, reference, found)
            layers[node.name] = int(pair.wrong.sum())
            any_wrong |= pair.wrong
            if first is None and pair.wrong.any():
                first = pair.difference(node.name)
    largest = _Pair.of(network.output.name, network, reference, found).largest
    mismatches = int(any_wrong.sum())
    return Agreement(emulator, must_agree, len(any_wrong), mismatches, largest, seconds, layers, first)


def compare_alone(network: Network, expected: Mapping[str, Codes], found: Mapping[str, Values]) -> Alone:
    """Compares layers that were run one by one, all on as many vectors.

    Args:
        network: The frozen network.
        expected: The reference's codes by node name, from `network.evaluation.evaluate_layer`.
        found: float64 values of the same nodes, of as many elements each.
    """
    pairs = {node.name: _Pair.of(node.name, network, expected, found) for node in network.nodes if node.name in found}
    layers = {name: int(pair.wrong.sum()) for name, pair in pairs.items()}
    first = next((name for name, count in layers.items() if count), None)
    vectors = max((len(pair.expected) for pair in pairs.values()), default=0)
    return Alone(vectors, layers, pairs[first].difference(first) if first else None)


@dataclass(frozen=True)
class _Pair:
    """What is expected of a node and what was found, each of shape (vectors, elements)."""

    expected: Codes
    found: Values
    word: Word

    @classmethod
    def of(cls, name: str, network: Network, reference: Mapping[str, Codes], found: Mapping[str, Values]) -> _Pair:
        word, vectors = network.words[name], len(reference[name])
        return cls(reference[name].reshape(vectors, word.size), found[name].reshape(vectors, word.size), word)

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Vectors in which an element differs."""
        # codes of up to 53 bits and their values are in exact correspondence; a quotient is the one nearest to it
        values = self.word.type.values(self.expected) / self.word.divisor
        unequal: NDArray[np.bool_] = (values != self.found).any(axis=1)
        return unequal

    @property
    def largest(self) -> float | None:
        """The largest difference in least significant bits."""
        difference = np.abs(np.ldexp(self.found, self.word.type.fraction) - self.expected / self.word.divisor)
        return float(difference.max(initial=0.0)) * self.word.divisor if np.isfinite(difference).all() else None

    def difference(self, name: str) -> Difference:
        examples = [int(index) for index in np.flatnonzero(self.wrong)[:_EXAMPLES]]
        shown = np.ldexp(self.found[examples], self.word.type.fraction) * self.word.divisor
        return Difference(
            layer=name,
            compared=len(self.wrong),
            mismatches=int(self.wrong.sum()),
            max_lsb=self.largest,
            first_vectors=examples,
            expected=self.expected[examples].tolist(),
            found=[[float(value) if np.isfinite(value) else None for value in row] for row in shown],
        )


def joined(blocks: Sequence[tuple[int, Agreement]]) -> Agreement:
    """One emulator's agreement over all vectors from those of consecutive blocks, which show the same layers.

    Args:
        blocks: Position of a block's first vector, and the agreement of the block; at least one.
    """
    parts = [part for _, part in blocks]
    layers = {name: sum(part.layers[name] for part in parts) for name in parts[0].layers}
    earliest = next((name for name, count in layers.items() if count), None)
    largest = [part.max_lsb for part in parts]
    return replace(
        parts[0],
        vectors=sum(part.vectors for part in parts),
        mismatches=sum(part.mismatches for part in parts),
        max_lsb=_largest_of(largest),
        seconds=sum(part.seconds for part in parts if part.seconds is not None),
        layers=layers,
        first_difference=None if earliest is None else _joined_difference(earliest, blocks),
    )


def _joined_difference(layer: str, blocks: Sequence[tuple[int, Agreement]]) -> Difference:
    """The differences of the earliest layer that differs at all: it comes first in every block where it differs."""
    found = [
        (start, part.first_difference)
        for start, part in blocks
        if part.first_difference is not None and part.first_difference.layer == layer
    ]
    examples = [
        (start + vector, expected, given)
        for start, part in found
        for vector, expected, given in zip(part.first_vectors, part.expected, part.found, strict=True)
    ][:_EXAMPLES]
    return Difference(
        layer=layer,
        compared=sum(part.vectors for _, part in blocks),
        mismatches=sum(part.mismatches for _, part in found),
        max_lsb=_largest_of([part.max_lsb for _, part in found]),
        first_vectors=[vector for vector, _, _ in examples],
        expected=[expected for _, expected, _ in examples],
        found=[given for _, _, given in examples],
    )


def _largest_of(differences: Sequence[float | None]) -> float | None:
    known = [value for value in differences if value is not None]
    return max(known) if len(known) == len(differences) else None
