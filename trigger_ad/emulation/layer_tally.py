"""What the reference's codes did in each layer, counted block by block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trigger_ad.fixed_point import Codes
from trigger_ad.network.evaluation import saturations
from trigger_ad.network.graph import Network


class LayerTally:
    """How far the vectors reached in each layer, and what saturated.

    Args:
        network: The frozen network.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._rows: dict[str, dict[str, Any]] = {}
        for node in network.nodes[1:]:
            word = network.words[node.name]
            self._rows[node.name] = {
                "layer": node.name,
                "kind": node.kind,
                "precision": str(word.type),
                "overflows": 0,
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
            reference: Codes by node name, from `network.evaluation.evaluate`.
            kind: `corner` or `events`: their saturations are counted apart.
        """
        key = "saturations" if kind == "events" else "saturations_corner"
        for name, count in saturations(self._network, reference).items():
            self._rows[name][key] = (self._rows[name][key] or 0) + count.saturated
        for name, row in self._rows.items():
            word, codes = self._network.words[name], reference[name]
            # a type is as wide as its interval bounds, so a word beyond its bounds is what an overflow would be
            outside = (codes < word.low) | (codes > word.high)
            row["overflows"] += int(outside.sum())
            row["values"] += int(codes.size) if kind == "events" else 0
            low, high = int(codes.min()), int(codes.max())
            row["reached_low"] = low if row["reached_low"] is None else min(low, row["reached_low"])
            row["reached_high"] = high if row["reached_high"] is None else max(high, row["reached_high"])

    def rows(self, mismatches: Mapping[str, int]) -> list[dict[str, Any]]:
        """One entry for each layer, with how many vectors differ in it."""
        return [row | {"mismatches": mismatches[name]} for name, row in self._rows.items()]
