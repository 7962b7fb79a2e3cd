"""The reports that HLS tools left in a project, checked against the project's own settings and sources."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from trigger_ad.synthesis.figures import HardwareFigures
from trigger_ad.synthesis.projects import RTL, check_clock, check_design, read_project_settings, report_files
from trigger_ad.synthesis.report_files import read_cosim_file, read_csynth_file
from trigger_ad.synthesis.stamps import vouched
from trigger_ad.synthesis.vivado_reports import read_vivado

_TOOL_OF_BACK_END: Final = {"vitis": "Vitis HLS", "vivado": "Vivado HLS"}


def read_csynth(project: Path) -> HardwareFigures | None:
    """Read the C-synthesis report of a project.

    Args:
        project: The project's folder.

    Returns:
        Its figures, or None where C synthesis has not run, or not ended well.

    Raises:
        UserError: If the report is damaged, of an unknown format, or stale (another top, part or clock, other sources).
    """
    settings = read_project_settings(project)
    (file,) = report_files(project, settings, "csynth")
    vouch = vouched(project, settings, "csynth", file) if file.exists() else None
    if vouch is None or not vouch.usable:
        return None
    report = read_csynth_file(file)
    check_design(file, settings, report.top, report.part)
    check_clock(file, settings, report.clock_ns)
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
        step="csynth",
        digest=vouch.network,
    )


def read_cosim(project: Path) -> HardwareFigures | None:
    """Read the co-simulation report of a project: measured cycles, no resources.

    Args:
        project: The project's folder.

    Returns:
        Its figures, or None where no co-simulation has run, or none has ended well.

    Raises:
        UserError: If the co-simulation failed, or the report is damaged, of an unknown format, or stale.
    """
    settings = read_project_settings(project)
    (file,) = report_files(project, settings, "cosim")
    vouch = vouched(project, settings, "cosim", file) if file.exists() else None
    report = read_cosim_file(file) if vouch is not None and vouch.usable else None
    if vouch is None or report is None:
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
        step="cosim",
        digest=vouch.network,
    )


def read_reports(project: Path) -> list[HardwareFigures]:
    """Read every report that a project has.

    Args:
        project: The folder of an HLS or RTL project.

    Returns:
        C synthesis, co-simulation, logic synthesis and implementation, as far as they have run: possibly none.

    Raises:
        UserError: If the folder is no project, or a report is damaged, of an unknown format, stale or failed.
    """
    has_hls = read_project_settings(project).back_end != RTL
    found = [read_csynth(project), read_cosim(project)] if has_hls else []
    found += [read_vivado(project, "synth"), read_vivado(project, "implement")]
    return [figures for figures in found if figures is not None]
