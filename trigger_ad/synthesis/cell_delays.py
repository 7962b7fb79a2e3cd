"""The delays of cells, read from the specify blocks of a library as Yosys writes them in JSON, in picoseconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

Pin = tuple[str, int]
"""A port of a cell and the place of a bit in it."""


class CellDelays:
    """The delays of a library.

    Args:
        library: The modules of its cells, with `$specify2` (logic), `$specify3` (clock to output) and `$specrule`
            (before the clock) cells in them, as Yosys writes them in JSON.
    """

    def __init__(self, library: Mapping[str, Any]) -> None:
        self._modules: Mapping[str, Any] = library["modules"]
        self.arcs = cache(self._arcs)
        self.clock_to_output = cache(self._clock_to_output)
        self.setup = cache(self._setup)

    def _arcs(self, kind: str) -> list[tuple[Pin, Pin, int]]:
        """From which pin to which pin of a cell of logic, and how long that takes; none where nothing is known."""
        return [
            (source, target, max(_number(cell, "T_RISE_MAX"), _number(cell, "T_FALL_MAX")))
            for cell in self._cells(kind, "$specify2")
            for source, target in self._pairs(kind, cell)
        ]

    def _clock_to_output(self, kind: str) -> int:
        """The longest time from the clock to the output of a register."""
        cells = self._cells(kind, "$specify3")
        return max(max(_number(cell, "T_RISE_MAX"), _number(cell, "T_FALL_MAX")) for cell in cells)

    def _setup(self, kind: str, port: str) -> int:
        """How long before the clock a register's input must be there; 0 where nothing is stated."""
        return max(
            (
                _number(cell, "T_LIMIT_MAX")
                for cell in self._cells(kind, "$specrule")
                for (source, _), _ in self._pairs(kind, cell)
                if source == port
            ),
            default=0,
        )

    def _cells(self, kind: str, of: str) -> Iterator[Mapping[str, Any]]:
        module = self._modules.get(kind, {"cells": {}})
        return (cell for cell in module["cells"].values() if cell["type"] == of)

    def _pairs(self, kind: str, cell: Mapping[str, Any]) -> Iterator[tuple[Pin, Pin]]:
        """Which pins a statement is about: each with each, or one with one."""
        pins: defaultdict[int, list[Pin]] = defaultdict(list)
        for port, facts in self._modules[kind]["ports"].items():
            for place, bit in enumerate(facts["bits"]):
                pins[bit].append((port, place))
        sources = [pin for bit in cell["connections"]["SRC"] for pin in pins[bit]]
        targets = [pin for bit in cell["connections"]["DST"] for pin in pins[bit]]
        each = len(sources) != len(targets) or cell["parameters"].get("FULL") == "1"
        return ((s, t) for s in sources for t in targets) if each else zip(sources, targets, strict=True)


def _number(cell: Mapping[str, Any], parameter: str) -> int:
    return int(cell["parameters"][parameter], 2)
