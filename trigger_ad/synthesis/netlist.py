"""The longest path of each pipeline stage in a netlist that Yosys has mapped: a hint on timing, before any placement.

Logic levels are counted as far as the mapping decides them: look-up tables, and carry chains as a whole. Delays are
those of the cells alone, as the specify blocks of Yosys's own cell library state them. It has them for one family,
measured on Artix-7 devices by Project X-Ray, and uses them for all; wires, which take as long again or longer, are not
in them. So a stage that is too long here does not close in a 7-series device; one that is not may or may not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import Any, Final

from trigger_ad.synthesis.cell_delays import CellDelays

TABLES: Final = frozenset({"LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6", "INV"})
"""Cells that take a look-up table."""
_CARRIES: Final = frozenset({"CARRY4", "CARRY8"})
_REGISTERS: Final = frozenset({"FDRE", "FDSE", "FDCE", "FDPE"})
_SHIFT_REGISTERS: Final = {"SRL16E": ("A0", "A1", "A2", "A3"), "SRLC32E": ("A",)}
"""Each with the ports that hold its length less 1, the lowest bit first."""
_CLOCKS: Final = frozenset({"C", "CLK"})

_Bit = int | str
"""Of a net, by number; a constant is a text."""


@dataclass(frozen=True)
class StagePath:
    """The longest paths between the registers before and behind a pipeline stage.

    Args:
        tables: Look-up tables on the path with the most logic levels; the multiplexers beside them count as none.
        carry_chains: Carry chains on the same path, each from its entry to its exit.
        cell_delay_ns: Of the path whose cells take longest, in ns: from the clock of one register through the cells to
            the next register, without wires.
    """

    tables: int
    carry_chains: int
    cell_delay_ns: float

    @property
    def levels(self) -> int:
        """Logic levels."""
        return self.tables + self.carry_chains


@dataclass(frozen=True)
class _Arrival:
    """What the longest paths to a bit have passed since the last registers."""

    stage: int
    tables: int
    carry_chains: int
    picoseconds: int


@dataclass(frozen=True)
class _Arc:
    """From one bit to another: through what, and how long it takes."""

    source: int
    picoseconds: int
    tables: int = 0
    carry_chains: int = 0


def stage_paths(netlist: Mapping[str, Any], cells: Mapping[str, Any], top: str) -> tuple[StagePath, ...] | None:
    """The longest paths of each pipeline stage.

    Args:
        netlist: Of the mapped design, flattened, as Yosys writes it in JSON.
        cells: Yosys's library of cells with their delays, likewise.
        top: The module.

    Returns:
        A path for each stage, in the order in which a word passes them; inputs count as outputs of registers. None
        where that is not known: with cells whose delay is not, such as DSP slices, or registers in a loop or after
        different numbers of clocks.
    """
    try:
        graph = _Graph(netlist["modules"][top], CellDelays(cells))
        arrivals = graph.arrivals()
    except (_UnknownError, CycleError):
        return None
    stages: defaultdict[int, list[_Arrival]] = defaultdict(list)
    for end in graph.ends(arrivals):
        stages[end.stage].append(end)
    return tuple(_longest(stages[stage]) for stage in sorted(stages))


def _longest(ends: list[_Arrival]) -> StagePath:
    most = max(ends, key=_levels)
    return StagePath(most.tables, most.carry_chains, max(end.picoseconds for end in ends) / 1000)


def _levels(arrival: _Arrival) -> tuple[int, int]:
    return arrival.tables + arrival.carry_chains, arrival.tables


class _UnknownError(Exception):
    """A path's length cannot be told."""


class _Graph:
    """The bits of a netlist, and by which arcs each follows from others."""

    def __init__(self, module: Mapping[str, Any], delays: CellDelays) -> None:
        self._delays = delays
        self._cells = [cell for cell in module["cells"].values() if cell["type"] != "$scopeinfo"]
        self._inputs = [port["bits"] for port in module["ports"].values() if port["direction"] == "input"]
        carries = [cell for cell in self._cells if cell["type"] in _CARRIES]
        self._carried = {bit for cell in carries for bit in cell["connections"].get("CO", [])}
        self._registers = [cell for cell in self._cells if _length(cell)]

    def arrivals(self) -> dict[int, _Arrival]:
        """For each bit what the paths to it have passed; not for those that are constant."""
        arcs = {bit: list(found) for cell in self._cells if not _length(cell) for bit, found in self._arcs(cell)}
        registers = {_only(cell["connections"]["Q"]): cell for cell in self._registers}
        before: dict[int, list[int]] = {bit: [arc.source for arc in found] for bit, found in arcs.items()}
        before |= {bit: [source for source, _ in self._sources(cell)] for bit, cell in registers.items()}
        given = self._delays.clock_to_output("FDRE")
        found = {bit: _Arrival(0, 0, 0, given) for bit in chain.from_iterable(self._inputs) if isinstance(bit, int)}
        for bit in TopologicalSorter(before).static_order():
            # what comes of constants alone is one: a register may have been left where its input is
            if not any(source in found for source in before.get(bit, [])):
                continue
            if bit in registers:
                found[bit] = self._launched(registers[bit], found)
            else:
                found[bit] = _joined([(found[arc.source], arc) for arc in arcs[bit] if arc.source in found])
        return found

    def ends(self, arrivals: Mapping[int, _Arrival]) -> Iterator[_Arrival]:
        """What arrives at each register, the time that it must be there before the clock included."""
        for cell in self._registers:
            for source, setup in self._sources(cell):
                if (at := arrivals.get(source)) is None:
                    continue
                yield _Arrival(at.stage, at.tables, at.carry_chains, at.picoseconds + setup)

    def _sources(self, cell: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
        """The bits that a register takes at the clock, and how long before."""
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input" and port not in _CLOCKS:
                yield from ((bit, self._delays.setup(cell["type"], port)) for bit in bits if isinstance(bit, int))

    def _launched(self, cell: Mapping[str, Any], found: Mapping[int, _Arrival]) -> _Arrival:
        stages = {found[source].stage for source, _ in self._sources(cell) if source in found}
        if len(stages) != 1:
            raise _UnknownError
        return _Arrival(stages.pop() + _length(cell), 0, 0, self._delays.clock_to_output(cell["type"]))

    def _arcs(self, cell: Mapping[str, Any]) -> Iterator[tuple[int, list[_Arc]]]:
        """The bits that a cell of logic drives, each with the arcs to it."""
        kind, connections = cell["type"], cell["connections"]
        delays = self._delays.arcs(kind)
        arcs: dict[int, list[_Arc]] = {
            bit: []
            for port, bits in connections.items()
            if cell["port_directions"][port] == "output"
            for bit in bits
            if isinstance(bit, int)
        }
        if arcs and not delays:
            raise _UnknownError
        for (source_port, source_index), (port, index), picoseconds in delays:
            source, bit = _bit(connections, source_port, source_index), _bit(connections, port, index)
            if isinstance(source, int) and isinstance(bit, int):
                enters = kind in _CARRIES and not (source_port == "CI" and source in self._carried)
                arcs[bit].append(_Arc(source, picoseconds, int(kind in TABLES), int(enters)))
        yield from arcs.items()


def _joined(ways: list[tuple[_Arrival, _Arc]]) -> _Arrival:
    """What arrives of several ways to a bit; those with most levels and those that take longest may differ."""
    ends = [
        _Arrival(at.stage, at.tables + arc.tables, at.carry_chains + arc.carry_chains, at.picoseconds + arc.picoseconds)
        for at, arc in ways
    ]
    if len({end.stage for end in ends}) != 1:
        raise _UnknownError
    most = max(ends, key=_levels)
    return _Arrival(most.stage, most.tables, most.carry_chains, max(end.picoseconds for end in ends))


def _length(cell: Mapping[str, Any]) -> int:
    """How many clocks a word stays in a cell; 0 for logic."""
    if cell["type"] in _REGISTERS:
        return 1
    if cell["type"] not in _SHIFT_REGISTERS:
        return 0
    bits = [bit for port in _SHIFT_REGISTERS[cell["type"]] for bit in cell["connections"][port]]
    if not set(bits) <= {"0", "1"}:
        raise _UnknownError
    return 1 + sum(int(bit) << place for place, bit in enumerate(bits))


def _bit(connections: Mapping[str, list[_Bit]], port: str, index: int) -> _Bit | None:
    bits = connections.get(port, [])
    return bits[index] if index < len(bits) else None


def _only(bits: list[int]) -> int:
    (bit,) = bits
    return bit
