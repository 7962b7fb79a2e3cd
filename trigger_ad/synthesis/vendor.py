"""Vendors' tools: which there are, where they are, and which versions leave reports that are understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trigger_ad.config import VendorToolName
from trigger_ad.errors import UserError
from trigger_ad.synthesis.projects import Step
from trigger_ad.tools import find_tool

Release = tuple[int, int]
"""Year and number, as in 2024.2."""

SUPPORTED: Final[Mapping[VendorToolName, tuple[Release, Release]]] = {
    "vivado_hls": ((2019, 2), (2020, 1)),
    "vitis_hls": ((2020, 2), (2024, 2)),
    "vitis-run": ((2023, 1), (2024, 2)),
    "vivado": ((2019, 2), (2025, 2)),
}
"""The first and the last release of each program: those whose reports have a structure that the readers know."""

_HLS: Final[Mapping[str, tuple[VendorToolName, ...]]] = {
    "vitis": ("vitis_hls", "vitis-run"),
    "vivado": ("vivado_hls",),
}


@dataclass(frozen=True)
class VendorTool:
    """A program that was found.

    Args:
        name: What it is called.
        path: Where it is.
        release: Its version.
    """

    name: VendorToolName
    path: Path
    release: Release

    @property
    def version(self) -> str:
        """Its version, as its vendor writes it."""
        return release_text(self.release)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def release_text(release: Release) -> str:
    """A release as its vendor writes it."""
    return "{}.{}".format(*release)


def programs_of(back_end: str, step: Step) -> tuple[VendorToolName, ...]:
    """The programs that can do a step, the one that is asked first in front.

    `v++ -c --mode hls` is none: it takes a configuration file in place of hls4ml's Tcl script, and cannot co-simulate;
    where it is installed, vitis-run is too.
    """
    return ("vivado",) if step in ("synth", "implement") else _HLS[back_end]


def find_vendor_tool(names: tuple[VendorToolName, ...], configured: Mapping[VendorToolName, str]) -> VendorTool | None:
    """Look for the first of some programs that is installed: where the configuration says, else on PATH.

    Args:
        names: Programs that do the same.
        configured: The section `synthesis.tools`. A program in it comes before all others.

    Returns:
        The program, or None where there is none.

    Raises:
        UserError: If the configuration names what cannot be run, or the program does not say its version, or that is
            not supported.
    """
    for name in sorted(names, key=lambda name: name not in configured):
        program = Path(configured[name]).expanduser() if name in configured else None
        tool = find_tool(name, program)
        if tool is not None:
            return VendorTool(name, tool.path, _supported(name, tool.path, tool.version, tool.problem))
        if program is not None:
            raise UserError(
                f"synthesis.tools.{name}: {program} is no program that can be run",
                "Correct the path, or leave it out to look on PATH",
            )
    return None


def _supported(name: VendorToolName, path: Path, line: str | None, problem: str | None) -> Release:
    found = re.search(r"(20\d\d)\.(\d)", line or "")
    if found is None:
        raise UserError(
            f"{path} does not say which version of {name} it is: {problem or line}",
            "See that it starts: source the settings64.sh of its installation",
        )
    release = int(found.group(1)), int(found.group(2))
    first, last = SUPPORTED[name]
    if not first <= release <= last:
        raise UserError(
            f"{name} {release_text(release)} ({path}) is not supported",
            f"Use {release_text(first)} to {release_text(last)}, the structure of whose reports is known, or name "
            "another program in synthesis.tools",
        )
    return release
