"""What the reports in a project are of: the stamp that the project's `stamp.sh` writes when a step begins and ends.

A stamp holds the digest of the step's sources as they were when it began, so a report of other sources is known as such
whoever ran the tool, and whenever. Among the sources of a step is the stamp of the one that it goes on from.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trigger_ad.errors import UserError
from trigger_ad.run_directory import file_digest, read_json
from trigger_ad.synthesis.projects import STALE_REMEDY, ProjectSettings, Step, check_fresh

_LOGGER = logging.getLogger(__name__)
STAMPS: Final = "stamps"
"""The folder of stamps in a project."""


@dataclass(frozen=True)
class Stamp:
    """What a step was run on.

    Args:
        network: The digest of the network.
        sources: The digest of the sources.
        of: The files and folders that are the sources.
        part: The part that the project was written for.
        clock_ns: Its clock period in ns.
        tool: The program.
        version: Its version, if whoever started it knew.
        finished: Whether the step ended well.
    """

    network: str
    sources: str
    of: tuple[str, ...]
    part: str
    clock_ns: float
    tool: str
    version: str | None
    finished: bool


def stamp_file(project: Path, step: Step) -> Path:
    """Where the stamp of a step lies."""
    return project / STAMPS / f"{step}.json"


def read_stamp(project: Path, step: Step) -> Stamp | None:
    """Read the stamp of a step.

    Returns:
        The stamp, or None where there is none: the tool was started by hand without the project's scripts.

    Raises:
        UserError: If it is damaged.
    """
    path = stamp_file(project, step)
    if not path.is_file():
        return None
    found = read_json(path)
    try:
        return _stamp(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{path} is not what stamp.sh writes", "Delete it, and run 'trigger-ad synthesize'") from None


def _stamp(found: dict[str, Any]) -> Stamp:
    if not isinstance(found["finished"], bool):
        raise TypeError("finished")
    return Stamp(
        network=str(found["network"]),
        sources=str(found["sources"]),
        of=tuple(found["of"].split()),
        part=str(found["part"]),
        clock_ns=float(found["clock_ns"]),
        tool=str(found["tool"]),
        version=found["version"] or None,
        finished=found["finished"],
    )


def sources_digest(project: Path, of: Sequence[str]) -> str:
    """The digest of sources, as `stamp.sh` computes it.

    Args:
        project: The project's folder.
        of: Files and folders in it; those that are not there count as empty.
    """
    files: set[Path] = set()
    for path in (project / name for name in of):
        files |= {path} if path.is_file() else {child for child in path.rglob("*") if child.is_file()}
    names = sorted(path.relative_to(project).as_posix().encode() for path in files if not path.is_symlink())
    lines = [b"%s  %s\n" % (file_digest(project / name.decode()).encode(), name) for name in names]
    return hashlib.sha256(b"".join(lines)).hexdigest()


@dataclass(frozen=True)
class Vouched:
    """Whether a report can be used, and of which network it is: None where nothing says so."""

    usable: bool
    network: str | None = None


def vouched(project: Path, settings: ProjectSettings, step: Step, report: Path) -> Vouched:
    """Whether a report of a step is of the project as it is now.

    Args:
        project: The project's folder.
        settings: What it says of itself.
        step: The step that left the report.
        report: The report, which is there.

    Returns:
        A report whose step has not ended well is not usable, which is said. One without a stamp is, of no known
        network.

    Raises:
        UserError: If it is of other sources, another part or another clock: it is stale.
    """
    stamp = read_stamp(project, step)
    if stamp is None:
        return Vouched(True)
    if not stamp.finished:
        _LOGGER.warning("%s: the step %s has not ended well, so its report is not used", project, step)
        return Vouched(False)
    check_fresh(report, "part", settings.part, stamp.part, same=stamp.part == settings.part)
    check_fresh(
        report, "clock period in ns", settings.clock_ns, stamp.clock_ns, same=stamp.clock_ns == settings.clock_ns
    )
    if stamp.sources != sources_digest(project, stamp.of):
        raise UserError(
            f"{report} is stale: it is of other sources than the project's (of network {stamp.network[:12]}; "
            f"{stamp_file(project, step)} says more)",
            STALE_REMEDY,
        )
    return Vouched(True, stamp.network)
