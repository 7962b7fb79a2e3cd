"""Logic synthesis without a vendor: what the Verilog of an RTL project costs on a family of devices, by Yosys.

Yosys comes as the Python package `pyosys`. It is single-threaded and takes from seconds to hours, so a figure is kept
under the digest of what it was made from.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from trigger_ad.errors import UserError
from trigger_ad.run_directory import read_json, text_digest, write_json
from trigger_ad.synthesis.devices import check_part
from trigger_ad.synthesis.netlist import TABLES, StagePath, stage_paths
from trigger_ad.synthesis.yosys_run import INSTALL, require_yosys, run_yosys

LIMIT_SECONDS: Final = 1800.0
"""After which a synthesis is ended, unless told otherwise."""

_STEPS: Final = (
    *("begin", "prepare", "map_dsp", "coarse", "map_memory", "map_ffram"),
    *("fine", "map_cells", "map_ffs", "map_luts", "finalize"),
)
"""Of Yosys's synthesis, in order; all of them, but for its own report."""
_LIBRARY: Final = "+/xilinx/cells_sim.v"
"""Yosys's cells of all these families, whose delays are those of the 7-series."""
_FAMILIES: Final = (
    (r"xc7", "xc7"),
    (r"xc(k|v)u\d+p|xczu|xcau|xck\d|xcu\d", "xcup"),
    (r"xc(k|v)u\d", "xcu"),
)
"""Of devices, by how their names begin, as Yosys calls them: 7-series, UltraScale+, UltraScale."""

_COUNTED: Final[dict[str, dict[str, int]]] = {
    # a shift register takes a table, and so does an inverter that no table has taken in
    "lut": dict.fromkeys((*TABLES, "SRL16E", "SRLC32E"), 1),
    "ff": dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE"), 1),
    "carry_bits": {"CARRY4": 4, "CARRY8": 8},
    "dsp": dict.fromkeys(("DSP48E1", "DSP48E2"), 1),
    "bram": {"RAMB18E1": 1, "RAMB18E2": 1, "RAMB36E1": 2, "RAMB36E2": 2},
}
"""How much of each resource a cell takes."""
_FREE: Final = frozenset({"$scopeinfo", "MUXF7", "MUXF8", "MUXF9", "GND", "VCC"})
"""Cells that take none of them."""


@dataclass(frozen=True)
class YosysReport:
    """What a design takes after logic synthesis, before placement.

    Args:
        version: Of Yosys.
        family: Of devices, as Yosys calls it.
        lut: Look-up tables, those of shift registers and of single inverters included.
        ff: Flip-flops.
        carry_bits: Bits of carry chains.
        dsp: DSP slices.
        bram: Block memories of 18 Kbit.
        cells: How many there are of each kind.
        netlist: The digest of the Verilog.
        stages: The longest path of each pipeline stage, a hint on timing; None where that is not known.
    """

    version: str
    family: str
    lut: int
    ff: int
    carry_bits: int
    dsp: int
    bram: int
    cells: dict[str, int]
    netlist: str
    stages: tuple[StagePath, ...] | None = None


def family_of(part: str) -> str:
    """The family of a part, as Yosys calls it.

    Raises:
        UserError: If it is none for which Yosys has cells.
    """
    check_part(part)
    for pattern, family in _FAMILIES:
        if re.match(pattern, part.lower()):
            return family
    raise UserError(
        f"firmware.part: Yosys is used for 7-series, UltraScale and UltraScale+ devices, and {part} is none",
        "Name a part such as xcvu13p-flga2577-2-e, or synthesize the project with the vendor's tool",
    )


def synthesized(
    sources: Sequence[Path], top: str, part: str, cache: Path, limit_seconds: float = LIMIT_SECONDS
) -> YosysReport:
    """What a design takes on the family of a device, from the cache if the same was synthesized before.

    Args:
        sources: Verilog files.
        top: The module at the top; everything below it is flattened.
        part: The device.
        cache: The folder of what was synthesized before.
        limit_seconds: After which it is given up.

    Raises:
        UserError: If Yosys is missing, fails, takes too long, or leaves cells that are not known here.
    """
    family, release = family_of(part), require_yosys()
    netlist = text_digest("".join(text_digest(path.read_text(encoding="utf-8")) for path in sorted(sources)))
    commands = _commands(sources, top, family)
    kept = cache / f"{top}-{text_digest(f'{netlist} {release} {commands[len(sources) :]}')[:32]}.json"
    if kept.is_file():
        return _read(kept)
    cells, stages = _mapped(commands, top, limit_seconds)
    report = YosysReport(release, family, **_resources(cells), cells=cells, netlist=netlist, stages=stages)
    write_json(kept, asdict(report))
    return report


def _read(path: Path) -> YosysReport:
    kept = read_json(path)
    stages = None if kept["stages"] is None else tuple(StagePath(**stage) for stage in kept["stages"])
    return YosysReport(**{**kept, "stages": stages})


def _commands(sources: Sequence[Path], top: str, family: str) -> list[str]:
    """What Yosys is told: one command for each source, then those that are the same wherever it runs."""
    options = f"-family {family} -flatten -noiopad -noclkbuf -top {top}"
    return [
        *(f'read_verilog -sv "{path.absolute()}"' for path in sorted(sources)),
        *(f"synth_xilinx {options} -run {step}:{following}" for step, following in _spans()),
        "tee -q -o report.json stat -json",
        # where a cell comes from is most of what would be written, and is not read
        "setattr -unset src */*",
        "opt_clean -purge",
        "write_json -selected netlist.json",
        "design -reset",
        f"read_verilog -specify -lib {_LIBRARY}",
        "proc =*",
        "write_json cells.json",
    ]


def _mapped(
    commands: Sequence[str], top: str, limit_seconds: float
) -> tuple[dict[str, int], tuple[StagePath, ...] | None]:
    """How many cells of each kind the design has, and its longest paths."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_yosys(commands, folder, top, limit_seconds)
        cells = _counted_cells(read_json(folder / "report.json"))
        return cells, stage_paths(read_json(folder / "netlist.json"), read_json(folder / "cells.json"), top)


def _spans() -> list[tuple[str, str]]:
    """Each step with the one it goes up to."""
    return list(zip(_STEPS, (*_STEPS[1:], "check"), strict=True))


def _counted_cells(report: Mapping[str, Any]) -> dict[str, int]:
    try:
        return {str(kind): int(count) for kind, count in report["design"]["num_cells_by_type"].items()}
    except (KeyError, TypeError, AttributeError):
        raise UserError("Yosys wrote a report in an unknown form", INSTALL) from None


def _resources(cells: Mapping[str, int]) -> dict[str, int]:
    unknown = set(cells) - _FREE - {kind for kinds in _COUNTED.values() for kind in kinds}
    if unknown:
        raise UserError(f"Yosys left cells of unknown cost: {', '.join(sorted(unknown))}", INSTALL)
    return {
        resource: sum(cells.get(kind, 0) * each for kind, each in kinds.items()) for resource, kinds in _COUNTED.items()
    }
