"""What the reference's codes did in each layer, counted block by block."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.evaluation import saturations
from trigger_ad.network.graph import Network

NONE_SET: Final[Mapping[str, FixedPoint]] = MappingProxyType({})
"""The user sets no accumulator type."""


class LayerTally:
    """How far the vectors reached in each layer, what saturated, and what an accumulator does not hold.

    Args:
        network: The frozen network.
        accumulators: Accumulator types that the user sets, by layer name; any other layer's type is the word's.
    """

    def __init__(self, network: Network, accumulators: Mapping[str, FixedPoint] = NONE_SET) -> None:
        self._network = network
        self._accumulators = accumulators
        self._rows: dict[str, dict[str, Any]] = {}
        for node in network.nodes[1:]:
            word = network.words[node.name]
            self._rows[node.name] = {
                "layer": node.name,
                "kind": node.kind,
                "precision": str(word.type),
                "accumulator": str(accumulators[node.name]) if node.name in accumulators else None,
                "overflows": 0,
                "overflows_corner": 0,
                "bits_unused": None,
                "bits_missing": None,
                "saturations": None,
                "saturations_corner": None,
                "values": 0,
                "bound_low": int(word.low.min()),
                "bound_high": int(word.high.max()),
                "reached_low": None,
                "reached_high": None,
            }

    def add(self, reference: Mapping[str, Codes], kind: str) -> None:
        """Counts one block.

        Args:
            reference: Codes by node name, from `network.evaluation.evaluate`: exact, whatever the accumulators hold.
            kind: `corner` or `events`: their saturations and overflows are counted apart.
        """
        group = "" if kind == "events" else "_corner"
        for name, count in saturations(self._network, reference).items():
            self._rows[name][f"saturations{group}"] = (self._rows[name][f"saturations{group}"] or 0) + count.saturated
        for name, row in self._rows.items():
            codes = reference[name]
            row[f"overflows{group}"] += int(self._outside(name, codes).sum())
            row["values"] += int(codes.size) if kind == "events" else 0
            low, high = int(codes.min()), int(codes.max())
            row["reached_low"] = low if row["reached_low"] is None else min(low, row["reached_low"])
            row["reached_high"] = high if row["reached_high"] is None else max(high, row["reached_high"])

    def rows(self, mismatches: Mapping[str, int]) -> list[dict[str, Any]]:
        """One entry for each layer, with how many vectors differ in it, and its bits never used and missing."""
        return [row | self._bits(name) | {"mismatches": mismatches[name]} for name, row in self._rows.items()]

    def _outside(self, name: str, codes: Codes) -> NDArray[np.bool_]:
        """Which codes the type in use does not hold."""
        word = self._network.words[name]
        if name in self._accumulators:
            return self._accumulators[name].out_of_range(codes, word.type.fraction)
        # the type is as wide as the interval bounds of each element, so beyond them is what an overflow would be
        outside: NDArray[np.bool_] = (codes < word.low) | (codes > word.high)
        return outside

    def _bits(self, name: str) -> dict[str, int]:
        row, own = self._rows[name], self._network.type(name)
        if row["reached_low"] is None:
            return {}
        kind = self._accumulators.get(name, own)
        spare = _spare_bits(kind, own.fraction, row["reached_low"], row["reached_high"])
        # a type without a sign lacks that bit too
        sign = int(row["reached_low"] < 0 and not kind.signed)
        return {"bits_unused": max(0, spare), "bits_missing": max(0, -spare) + sign}


def _spare_bits(kind: FixedPoint, fraction: int, low: int, high: int) -> int:
    """Bits of a type left of the largest magnitude of some codes, its sign not counted; negative where it lacks some.

    Args:
        kind: The type.
        fraction: Fraction bits of the codes.
        low: The smallest code.
        high: The largest.
    """
    magnitude = max(high, -low - 1).bit_length()
    return kind.integer - int(kind.signed) + fraction - magnitude
