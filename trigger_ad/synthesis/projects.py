"""A firmware project as vendors' tools see it, and whether a report that lies in it is of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from trigger_ad.errors import UserError
from trigger_ad.firmware.rtl_design import DESIGN_FILE, RtlDesign

Step = Literal["csynth", "cosim", "synth", "implement"]
STEPS: Final[tuple[Step, ...]] = ("csynth", "cosim", "synth", "implement")
"""In order: C synthesis, co-simulation, logic synthesis, placement and routing."""

RTL: Final = "rtl"
"""What stands for a back end where RTL was written without one."""

STALE_REMEDY: Final = "Run 'trigger-ad synthesize', which keeps it in the folder 'earlier', or delete it."
_CLOCK_PRINTED_NS: Final = 0.005 + 1e-9
"""Reports print the clock with two decimals: a period of 3.125 ns is 3.12 or 3.13 in them."""


@dataclass(frozen=True)
class ProjectSettings:
    """What a project says of itself.

    Args:
        name: Name of its top function or module.
        back_end: `vitis` or `vivado`, or `rtl` for RTL that no HLS tool makes.
        part: The target part.
        clock_ns: The target clock period in ns.
    """

    name: str
    back_end: str
    part: str
    clock_ns: float

    @property
    def steps(self) -> tuple[Step, ...]:
        """What vendors' tools can do with it, in order."""
        return STEPS[2:] if self.back_end == RTL else STEPS


def settings_file(project: Path) -> Path:
    """Where a project says its settings."""
    design = project / DESIGN_FILE
    return design if design.is_file() else project / "project.tcl"


def read_project_settings(project: Path) -> ProjectSettings:
    """Read the settings that the build scripts of a project use.

    Args:
        project: The folder of an HLS or RTL project.

    Returns:
        Name, back end, part and clock.

    Raises:
        UserError: If the folder is no project, or its settings are not whole.
    """
    script = settings_file(project)
    if script.name == DESIGN_FILE:
        design = RtlDesign.read(project)
        return ProjectSettings(design.top, RTL, design.part, design.clock_ns)
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


def report_files(project: Path, settings: ProjectSettings, step: Step) -> tuple[Path, ...]:
    """The reports that a step leaves.

    Args:
        project: The project's folder.
        settings: What it says of itself.
        step: The step.

    Returns:
        Where they lie: one, or for a step of Vivado utilisation and timing.
    """
    solution = project / f"{settings.name}_prj" / "solution1"
    if step == "csynth":
        return (solution / "syn" / "report" / f"{settings.name}_csynth.xml",)
    if step == "cosim":
        return (solution / "sim" / "report" / f"{settings.name}_cosim.rpt",)
    return tuple(project / "reports" / f"{kind}_{step}.rpt" for kind in ("utilisation", "timing"))


def check_design(file: Path, settings: ProjectSettings, top: str | None, part: str | None) -> None:
    """Refuse a report of another top or part than the project's; what a report does not say is not held against it.

    Raises:
        UserError: Naming the report and what differs.
    """
    check_fresh(file, "top function", settings.name, top, same=top in (None, settings.name))
    check_fresh(file, "part", settings.part, part, same=_same_part(settings.part, part))


def check_clock(file: Path, settings: ProjectSettings, clock_ns: float | None) -> None:
    """Refuse a report of another clock period than the project's.

    Raises:
        UserError: Naming the report and both periods.
    """
    same = clock_ns is None or abs(clock_ns - settings.clock_ns) <= _CLOCK_PRINTED_NS
    check_fresh(file, "clock period in ns", settings.clock_ns, clock_ns, same=same)


def check_fresh(file: Path, what: str, wanted: object, reported: object, *, same: bool) -> None:
    """Refuse a report that is of something else.

    Raises:
        UserError: Unless it is the same.
    """
    if not same:
        raise UserError(f"{file} is stale: its {what} is {reported}, the project's is {wanted}", STALE_REMEDY)


def _same_part(wanted: str, reported: str | None) -> bool:
    # Vivado writes 'xcu250figd2104-2L' or '7z020clg400-1' for what the project calls xcu250-figd2104-2L-e, xc7z020-...
    return reported is None or _folded(wanted).startswith(_folded(reported))


def _folded(part: str) -> str:
    return part.lower().removeprefix("xc").replace("-", "")
