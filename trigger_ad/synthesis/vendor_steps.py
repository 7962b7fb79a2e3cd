"""The steps of vendors' tools in a project: done once for its sources, and what an earlier one has left is kept."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from trigger_ad.errors import UserError
from trigger_ad.firmware.vendor_files import HLS_SCRIPT, RTL_SCRIPT, STAMP_SCRIPT
from trigger_ad.synthesis.figures import HardwareFigures
from trigger_ad.synthesis.projects import RTL, STEPS, ProjectSettings, Step, read_project_settings, report_files
from trigger_ad.synthesis.remedies import fit_remedy
from trigger_ad.synthesis.reports import read_cosim, read_csynth
from trigger_ad.synthesis.stamps import read_stamp, sources_digest, stamp_file
from trigger_ad.synthesis.vendor import VendorTool
from trigger_ad.synthesis.vendor_log import failure_in, phase_of
from trigger_ad.synthesis.vendor_process import run_followed
from trigger_ad.synthesis.vivado_reports import read_step_utilisation, read_vivado

_LOGGER = logging.getLogger(__name__)
EARLIER: Final = "earlier"
"""The folder of reports that a step has replaced, or was to: below it one for the sources they are of."""
LOGS: Final = "logs"

_READERS: Final[Mapping[Step, Callable[[Path], HardwareFigures | None]]] = {
    "csynth": read_csynth,
    "cosim": read_cosim,
    "synth": lambda project: read_vivado(project, "synth"),
    "implement": lambda project: read_vivado(project, "implement"),
}


def step_before(settings: ProjectSettings, step: Step) -> Step | None:
    """The step that one goes on from, or None for the first of a project."""
    if step == settings.steps[0]:
        return None
    return "synth" if step == "implement" else "csynth"


def is_done(project: Path, step: Step) -> bool:
    """Whether a step has ended well with the sources of a project as they are, and its reports can be read."""
    try:
        stamp = read_stamp(project, step)
        if stamp is None or not stamp.finished or stamp.sources != sources_digest(project, stamp.of):
            return False
        return _READERS[step](project) is not None
    except UserError:
        # what is wrong with it is made anew
        return False


def bring_step_up_to_date(project: Path, step: Step, tool: VendorTool, *, keep_open: Sequence[int] = ()) -> bool:
    """Does a step, unless that has been done with the project's sources.

    Args:
        project: The folder of an HLS or RTL project.
        step: The step.
        tool: What does it.
        keep_open: File descriptors that the tool inherits.

    Returns:
        Whether it was done.

    Raises:
        UserError: If an earlier version has written the project, the step before it has not been done, the tool fails
            or leaves what cannot be read, or the design does not fit the device.
    """
    settings = read_project_settings(project)
    if not (project / STAMP_SCRIPT).is_file():
        raise UserError(
            f"{project} was written by an earlier version: it has no {STAMP_SCRIPT}",
            "Delete the folder and run 'trigger-ad convert'",
        )
    before = step_before(settings, step)
    if before is not None and not is_done(project, before):
        raise UserError(
            f"{project}: {step} goes on from {before}, which has not been done with its sources",
            f"Add {before} to --steps",
        )
    done = is_done(project, step)
    if not done:
        _do(project, settings, step, tool, keep_open)
    if step == "synth":
        _require_fit(project, settings)
    return not done


def _do(project: Path, settings: ProjectSettings, step: Step, tool: VendorTool, keep_open: Sequence[int]) -> None:
    # C synthesis begins with an empty project
    for replaced in STEPS[:2] if step == "csynth" else (step,):
        _set_aside(project, settings, replaced)
    log = project / LOGS / f"{step}.log"
    _LOGGER.info("%s of %s by %s; its log is %s", step, project, tool, log)
    started = time.monotonic()

    def follow(line: str) -> None:
        phase = phase_of(line)
        if phase is not None:
            _LOGGER.info("  %s (after %.0f s)", phase, time.monotonic() - started)

    try:
        status = run_followed(
            _command(settings, step, tool), project, log, follow, environment=_environment(tool), keep_open=keep_open
        )
    except OSError as error:
        raise UserError(f"{tool.path} cannot be started ({error.strerror})", "See that it runs by itself") from None
    if status != 0:
        failure = failure_in(log.read_text(encoding="utf-8", errors="replace"), is_rtl=settings.back_end == RTL)
        raise UserError(f"{tool} failed in {step} of {project}: {failure.line} (its log: {log})", failure.remedy)
    if _READERS[step](project) is None:
        raise UserError(
            f"{tool} ended {step} of {project} well, but has left no report that can be used (its log: {log})",
            "Look at the log; if the project was built by hand meanwhile, run the same command again",
        )


def _command(settings: ProjectSettings, step: Step, tool: VendorTool) -> list[str]:
    if step in ("csynth", "cosim"):
        return ["sh", "build.sh", step]
    script = RTL_SCRIPT if settings.back_end == RTL else HLS_SCRIPT
    return [str(tool.path.absolute()), "-mode", "batch", "-nojournal", "-nolog", "-source", script, "-tclargs", step]


def _environment(tool: VendorTool) -> dict[str, str]:
    """What the project's `build.sh` is told."""
    return {} if tool.name == "vivado" else {"HLS_TOOL": str(tool.path.absolute()), "HLS_VERSION": tool.version}


def _set_aside(project: Path, settings: ProjectSettings, step: Step) -> None:
    """Moves what an earlier run of a step has left to the folder of the sources that it is of; removes half a run."""
    files = [path for path in report_files(project, settings, step) if path.is_file()]
    mark = stamp_file(project, step)
    try:
        stamp = read_stamp(project, step)
    except UserError:
        stamp = None
    if stamp is not None and not stamp.finished:
        for path in (*files, mark):
            path.unlink()
        return
    if not files:
        mark.unlink(missing_ok=True)
        return
    folder = project / EARLIER / ("unknown" if stamp is None else stamp.sources[:12])
    for path in (*files, *([mark] if mark.is_file() else [])):
        target = folder / path.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    _LOGGER.info("%s: what an earlier %s has left is in %s", project, step, folder)


def _require_fit(project: Path, settings: ProjectSettings) -> None:
    exceeded = read_step_utilisation(project, "synth").exceeded
    if exceeded:
        raise UserError(
            f"{project} does not fit {settings.part}: it takes {', '.join(exceeded)}",
            fit_remedy(is_rtl=settings.back_end == RTL),
        )
