"""The reports that Vivado left in a project, checked against the project's own settings and sources."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

from trigger_ad.errors import UserError
from trigger_ad.synthesis.figures import HardwareFigures
from trigger_ad.synthesis.projects import (
    ProjectSettings,
    check_clock,
    check_design,
    read_project_settings,
    report_files,
)
from trigger_ad.synthesis.report_files import RUN_AGAIN, UtilisationReport, read_utilisation_file
from trigger_ad.synthesis.stamps import vouched
from trigger_ad.synthesis.timing_file import TimingReport, read_timing_file

OF_HLS4ML: Final = "vivado_synth.rpt"
"""The report of the script that hls4ml writes: resources alone."""


def read_vivado(project: Path, step: Literal["synth", "implement"]) -> HardwareFigures | None:
    """Read what a step of Vivado left in a project: resources and timing, no cycles.

    Args:
        project: The folder of an HLS or RTL project.
        step: Logic synthesis, whose timing is estimated, or placement and routing.

    Returns:
        The figures, or None where the step has not run, or not ended well.

    Raises:
        UserError: If a report is damaged, of an unknown format, of a design that is not routed though it should be, or
            stale (another design, part or clock, other sources).
    """
    settings = read_project_settings(project)
    utilisation, timing = report_files(project, settings, step)
    if step == "synth" and not utilisation.exists():
        # hls4ml's own script has run
        utilisation = project / OF_HLS4ML
        return _figures(settings, step, utilisation, None, None) if utilisation.exists() else None
    if not utilisation.exists():
        return None
    vouch = vouched(project, settings, step, utilisation)
    if not vouch.usable:
        return None
    return _figures(settings, step, utilisation, timing, vouch.network)


def read_step_utilisation(project: Path, step: Literal["synth", "implement"]) -> UtilisationReport:
    """The utilisation that a step of Vivado left in a project.

    Raises:
        UserError: If it is missing, damaged or of an unknown format.
    """
    return read_utilisation_file(report_files(project, read_project_settings(project), step)[0])


def _figures(
    settings: ProjectSettings,
    step: Literal["synth", "implement"],
    file: Path,
    timing_file: Path | None,
    digest: str | None,
) -> HardwareFigures:
    report = read_utilisation_file(file)
    check_design(file, settings, report.design, report.device)
    is_routed = re.search("routed|postroute", (report.state or "").lower()) is not None
    if step == "implement" and not is_routed:
        raise UserError(f"{file} is of a design that is not routed (state '{report.state}')", RUN_AGAIN)
    timing = None if timing_file is None else _timing(settings, timing_file)
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
        step=step,
        digest=digest,
        worst_slack_ns=None if timing is None else timing.worst_slack_ns,
        total_negative_slack_ns=None if timing is None else timing.total_negative_slack_ns,
        # before routing the delays of wires are estimates
        is_clock_met=None if timing is None or step == "synth" else timing.is_met,
    )


def _timing(settings: ProjectSettings, file: Path) -> TimingReport:
    report = read_timing_file(file)
    check_design(file, settings, report.design, report.device)
    check_clock(file, settings, report.clock_ns)
    return report
