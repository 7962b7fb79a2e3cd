"""The reports that the vendor's tools left in an HLS project, checked against the project's own settings.

Where they lie is fixed by the build scripts that hls4ml writes: `<name>_prj/solution1/syn/report` for C synthesis,
`<name>_prj/solution1/sim/report` for co-simulation, and `vivado_synth.rpt` beside the scripts for logic synthesis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from trigger_ad.errors import UserError
from trigger_ad.synthesis.report_files import read_cosim_file, read_csynth_file, read_utilisation_file

Source = Literal["csynth", "cosim", "vivado"]

_TOOL_OF_BACK_END: Final = {"vitis": "Vitis HLS", "vivado": "Vivado HLS"}
_STALE_REMEDY: Final = "It is from another run: delete it and build this project again (./build.sh)."


@dataclass(frozen=True)
class ProjectSettings:
    """What a project's `project.tcl` says.

    Args:
        name: Name of the project and of its top function.
        back_end: `vitis` or `vivado`.
        part: The target part.
        clock_ns: The target clock period in ns.
    """

    name: str
    back_end: str
    part: str
    clock_ns: float


@dataclass(frozen=True)
class HardwareFigures:
    """The figures of one report; None where the report does not know them.

    Args:
        source: The kind of report.
        file: Where it lies.
        tool: Name and version of the tool that wrote it.
        part: The part it is for.
        clock_ns: The clock period that was asked for, in ns.
        estimated_clock_ns: The period that the tool expects to reach, in ns.
        latency_min_cycles: Shortest latency in clock cycles.
        latency_max_cycles: Longest latency in clock cycles.
        ii_cycles: Longest initiation interval in clock cycles.
        lut: Look-up tables.
        ff: Flip-flops.
        dsp: DSP slices.
        bram: Block memories of 18 Kbit.
    """

    source: Source
    file: Path
    tool: str | None
    part: str
    clock_ns: float
    estimated_clock_ns: float | None = None
    latency_min_cycles: int | None = None
    latency_max_cycles: int | None = None
    ii_cycles: int | None = None
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram: int | None = None

    @property
    def fmax_mhz(self) -> float | None:
        """The highest clock frequency that the report supports, in MHz."""
        if self.estimated_clock_ns is None or self.estimated_clock_ns == 0:
            return None
        return 1e3 / self.estimated_clock_ns


def read_project_settings(project: Path) -> ProjectSettings:
    """Read the settings that the build scripts of an HLS project use.

    Args:
        project: The project's folder.

    Returns:
        Name, back end, part and clock.

    Raises:
        UserError: If the folder is no HLS project, or its `project.tcl` lacks a setting.
    """
    script = project / "project.tcl"
    try:
        text = script.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{project} is not an HLS project: {script.name} cannot be read", "Make it with 'trigger-ad convert'."
        ) from error
    values = dict(re.findall(r'^set (\w+) "?([^"\n]*?)"?\s*$', text, re.MULTILINE))
    missing = [key for key in ("project_name", "backend", "part", "clock_period") if not values.get(key)]
    if missing or re.fullmatch(r"\d+(\.\d+)?", values["clock_period"]) is None:
        wrong = f"has no '{missing[0]}'" if missing else f"has clock_period '{values['clock_period']}'"
        raise UserError(f"{script} {wrong}", f"Delete the folder {script.parent} and run 'trigger-ad convert'.")
    return ProjectSettings(
        values["project_name"], values["backend"].lower(), values["part"], float(values["clock_period"])
    )


def read_csynth(project: Path) -> HardwareFigures | None:
    """Read the C-synthesis report of a project.

    Args:
        project: The project's folder.

    Returns:
        Its figures, or None where C synthesis has not run.

    Raises:
        UserError: If the report is damaged, of an unknown format, or stale (another top, part or clock).
    """
    settings = read_project_settings(project)
    file = _solution(project, settings) / "syn" / "report" / f"{settings.name}_csynth.xml"
    if not file.exists():
        return None
    report = read_csynth_file(file)
    _check_fresh(file, "top function", settings.name, report.top, same=report.top in (None, settings.name))
    _check_fresh(file, "part", settings.part, report.part, same=_same_part(settings.part, report.part))
    same_clock = report.clock_ns is None or abs(report.clock_ns - settings.clock_ns) <= _CLOCK_PRINTED_NS
    _check_fresh(file, "clock period in ns", settings.clock_ns, report.clock_ns, same=same_clock)
    name = _TOOL_OF_BACK_END.get(settings.back_end, settings.back_end)
    return HardwareFigures(
        "csynth",
        file,
        tool=name if report.version is None else f"{name} {report.version}",
        part=settings.part,
        clock_ns=settings.clock_ns,
        estimated_clock_ns=report.estimated_clock_ns,
        latency_min_cycles=report.latency_min_cycles,
        latency_max_cycles=report.latency_max_cycles,
        ii_cycles=report.ii_max_cycles,
        lut=report.lut,
        ff=report.ff,
        dsp=report.dsp,
        bram=report.bram,
    )


_CLOCK_PRINTED_NS: Final = 0.005 + 1e-9
"""The report prints the clock with two decimals: a period of 3.125 ns is 3.12 or 3.13 in it."""


def read_cosim(project: Path) -> HardwareFigures | None:
    """Read the co-simulation report of a project: measured cycles, no resources.

    Args:
        project: The project's folder.

    Returns:
        Its figures, or None where no co-simulation has run.

    Raises:
        UserError: If the co-simulation failed, or the report is damaged or of an unknown format.
    """
    settings = read_project_settings(project)
    file = _solution(project, settings) / "sim" / "report" / f"{settings.name}_cosim.rpt"
    report = read_cosim_file(file) if file.exists() else None
    if report is None:
        return None
    # the report names neither version nor part: the C synthesis that it simulated does, and vouches for both
    synthesis = read_csynth(project)
    return HardwareFigures(
        "cosim",
        file,
        tool=None if synthesis is None else synthesis.tool,
        part=settings.part,
        clock_ns=settings.clock_ns,
        latency_min_cycles=report.latency_min_cycles,
        latency_max_cycles=report.latency_max_cycles,
        ii_cycles=report.ii_max_cycles,
    )


def read_vivado(project: Path) -> HardwareFigures | None:
    """Read the logic-synthesis report of a project: resources, no cycles and no timing.

    Args:
        project: The project's folder.

    Returns:
        Its figures, or None where logic synthesis has not run.

    Raises:
        UserError: If the report is damaged, of an unknown format, or stale (another design or part).
    """
    settings = read_project_settings(project)
    file = project / "vivado_synth.rpt"
    if not file.exists():
        return None
    report = read_utilisation_file(file)
    _check_fresh(file, "top function", settings.name, report.design, same=report.design in (None, settings.name))
    _check_fresh(file, "part", settings.part, report.device, same=_same_part(settings.part, report.device))
    version = None if report.tool is None else re.search(r"v\.?(\d{4}\.\d+(?:\.\d+)?)", report.tool)
    return HardwareFigures(
        "vivado",
        file,
        tool=report.tool if version is None else f"Vivado {version.group(1)}",
        part=settings.part,
        clock_ns=settings.clock_ns,
        lut=report.lut,
        ff=report.ff,
        dsp=report.dsp,
        bram=report.bram,
    )


def read_reports(project: Path) -> list[HardwareFigures]:
    """Read every report that a project has.

    Args:
        project: The project's folder.

    Returns:
        C synthesis, co-simulation and logic synthesis, as far as they have run: possibly none.

    Raises:
        UserError: If the folder is no HLS project, or a report is damaged, of an unknown format, stale or failed.
    """
    found = (read_csynth(project), read_cosim(project), read_vivado(project))
    return [figures for figures in found if figures is not None]


def _solution(project: Path, settings: ProjectSettings) -> Path:
    return project / f"{settings.name}_prj" / "solution1"


def _same_part(wanted: str, reported: str | None) -> bool:
    # Vivado writes 'xcu250figd2104-2L' or '7z020clg400-1' for what the project calls xcu250-figd2104-2L-e, xc7z020-...
    return reported is None or _folded(wanted).startswith(_folded(reported))


def _folded(part: str) -> str:
    return part.lower().removeprefix("xc").replace("-", "")


def _check_fresh(file: Path, what: str, wanted: object, reported: object, *, same: bool) -> None:
    if not same:
        raise UserError(f"{file} is stale: its {what} is {reported}, the project's is {wanted}", _STALE_REMEDY)
