"""Vendors' tools on the projects of a run: what is done depends on what is asked for, and on what is installed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from trigger_ad.config import VendorToolName
from trigger_ad.errors import UserError
from trigger_ad.pipeline.hardware import firmware_projects
from trigger_ad.pipeline.rtl_hardware import FLOW
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import worked_on_alone
from trigger_ad.synthesis.hardware import Flow
from trigger_ad.synthesis.projects import STEPS, ProjectSettings, Step, read_project_settings
from trigger_ad.synthesis.vendor import SUPPORTED, VendorTool, find_vendor_tool, programs_of
from trigger_ad.synthesis.vendor_steps import bring_step_up_to_date, is_done, step_before
from trigger_ad.synthesis.yosys_run import yosys_version

_LOGGER = logging.getLogger(__name__)
DEFAULT_STEPS: Final[tuple[Step, ...]] = ("csynth", "synth", "implement")
"""All but co-simulation, which takes longest and whose cycles C synthesis knows for what is not streamed."""


@dataclass(frozen=True)
class PlannedStep:
    """A step of a project, and what does it."""

    flow: Flow
    project: Path
    step: Step
    tool: VendorTool


def planned_steps(run: Run, steps: Sequence[Step] | None, flows: Sequence[Flow] | None) -> list[PlannedStep]:
    """What vendors' tools are to do with the projects of a run, which are up to date.

    Args:
        run: The run.
        steps: Those that are asked for; None for all of `DEFAULT_STEPS` whose tool is installed.
        flows: The projects that are asked for; None for all.

    Returns:
        The steps in order.

    Raises:
        UserError: If the run has no such project, a project no such step, a tool is missing that was asked for, one is
            not supported, or none is installed and no RTL is asked for, which needs none.
    """
    projects = firmware_projects(run)
    for flow in flows or ():
        if flow not in projects:
            raise UserError(f"{run.directory.path} has no project {flow}", f"It has {', '.join(projects)}")
    # each is asked for its version once, as that takes some of them seconds
    find = cache(lambda names: find_vendor_tool(names, run.config.synthesis.tools))
    planned: list[PlannedStep] = []
    for flow in flows or projects:
        planned += _planned_in(flow, projects[flow], steps, find)
    if not planned and FLOW not in (flows or projects):
        asked = f"{', '.join(flows)} of " if flows else ""
        raise UserError(
            f"no vendor's tool is installed that can work on {asked}{run.directory.path}: looked for "
            f"{', '.join(SUPPORTED)} on PATH and in synthesis.tools",
            "Source the settings64.sh of one, or name it in synthesis.tools. Verilator and Yosys measure RTL without "
            f"one: {_how_to_measure_rtl(run)}",
        )
    return planned


def _how_to_measure_rtl(run: Run) -> str:
    """What is still to be done for that."""
    installing = "" if yosys_version() else "'pip install trigger-ad[rtl]', then "
    return installing + ("--flow rtl" if run.config.firmware.has_rtl else "firmware.flow: both")


def _planned_in(
    flow: Flow,
    project: Path,
    steps: Sequence[Step] | None,
    find: Callable[[tuple[VendorToolName, ...]], VendorTool | None],
) -> list[PlannedStep]:
    settings = read_project_settings(project)
    planned: list[PlannedStep] = []
    wanted = [step for step in STEPS if step in (steps or DEFAULT_STEPS) and step in settings.steps]
    if steps and not wanted:
        raise UserError(
            f"the project {flow} has no step {' or '.join(steps)}", f"Its steps are {', '.join(settings.steps)}"
        )
    for step in wanted:
        names = programs_of(settings.back_end, step)
        tool = find(names)
        if tool is None and steps:
            raise UserError(
                f"{step} of {flow} needs {' or '.join(names)}, which is not installed: it is neither on PATH nor in "
                "synthesis.tools",
                "Source the tool's settings64.sh, or leave the step out of --steps",
            )
        if tool is None or not _can_go_on(settings, project, step, planned, steps):
            _LOGGER.info("%s: %s is left out, %s", flow, step, _reason(names, tool))
            continue
        planned.append(PlannedStep(flow, project, step, tool))
    return planned


def _can_go_on(
    settings: ProjectSettings, project: Path, step: Step, planned: list[PlannedStep], steps: Sequence[Step] | None
) -> bool:
    """Whether what a step goes on from will be there; one that is asked for is refused by itself if not."""
    before = step_before(settings, step)
    return bool(steps) or before is None or before in [item.step for item in planned] or is_done(project, before)


def _reason(names: Sequence[str], tool: VendorTool | None) -> str:
    return f"as {' or '.join(names)} is not installed" if tool is None else "as the step before it is"


def run_vendor_tools(run: Run, planned: Sequence[PlannedStep]) -> None:
    """Does steps in order, as far as they have not been done with the sources of their projects.

    The run is worked on alone meanwhile. What has ended well stays, whatever happens to the next one.

    Raises:
        UserError: If a step fails, or another process works on the run.
    """
    with worked_on_alone(run.directory) as lock:
        for item in planned:
            # the tool keeps the run locked should this process be killed before it
            if not bring_step_up_to_date(item.project, item.step, item.tool, keep_open=(lock,)):
                _LOGGER.info("%s: %s has been done already", item.flow, item.step)
