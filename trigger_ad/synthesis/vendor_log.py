"""What the log of a vendor's tool says: which phase it is in, and why it failed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from trigger_ad.synthesis.remedies import fit_remedy

_PHASES: Final = re.compile(
    r"""
    \*{5}\ (?P<script>[A-Z][A-Z/ ]+?)\ \*{5}                    # of hls4ml's script
    | INFO:\ \[HLS\ 200-1510\]\ Running:\ (?P<command>\w+)      # of the HLS tools
    | INFO:\ \[HLS\ 200-42\]\ --\ (?P<module>.+)
    | (?P<task>Start(?:ing)?\ [A-Z].*?)(?:\ :\ Time.*)?          # of Vivado
    | (?P<phase>Phase\ \d+\ [A-Z].*?)(?:\ \|\ Checksum.*)?
    """,
    re.VERBOSE,
)

_ERROR: Final = re.compile(r"^\s*(?:ERROR|FATAL|@E|CRITICAL ERROR)\b", re.IGNORECASE)
_LICENCE: Final = re.compile(
    r"valid licen[sc]e was not found|failed to (?:get|find|check ?out|find or check out)\b.{0,20}\blicen[sc]e"
    r"|licen[sc]e check-?\s?(?:out )?(?:has )?failed|licen[sc]e .{0,60}could not be (?:found|checked out)"
    r"|flexnet licensing error|(?:cannot|could not|can't) connect to (?:the )?licen[sc]e server"
    r"|licensed number of users already reached|no such feature exists|feature has expired"
    r"|licen[sc]e server (?:machine|system) (?:is down|does not)|invalid host",
    re.IGNORECASE,
)
_FLEXNET: Final = re.compile(r"flexnet licensing error", re.IGNORECASE)
_PART: Final = re.compile(
    r"\bpart\b.{0,60}(?:is not installed|not found|could not be found|is not (?:a )?valid)|no parts matched",
    re.IGNORECASE,
)
_FIT: Final = re.compile(
    r"over-?utilized|requires more .{0,80}than are available|does not fit|exceeds? the (?:number|capacity)",
    re.IGNORECASE,
)

_REMEDIES: Final = {
    "licence": "See that a licence for the tool and the device is there (XILINXD_LICENSE_FILE, LM_LICENSE_FILE)",
    "part": "Correct firmware.part, or install that device's files with the tool",
    "other": "Look at the log, correct the cause and run the same command again: what has ended well is kept",
}


@dataclass(frozen=True)
class Failure:
    """Why a tool failed.

    Args:
        line: The line of its log that matters.
        remedy: What the user can do.
    """

    line: str
    remedy: str


def phase_of(line: str) -> str | None:
    """The phase that a line of the log announces, or None."""
    found = _PHASES.fullmatch(line.strip())
    return None if found is None else next(text for text in found.groups() if text)


def failure_in(log: str, *, is_rtl: bool) -> Failure:
    """Find out why a tool failed.

    An error that names a licence, the part or the size is looked for first, then any error; a warning of a licence
    counts only where there is no error, since a tool may go on without one.

    Args:
        log: All that the tool printed.
        is_rtl: Whether it worked on an RTL project.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    flexnet = [line for line in lines if _FLEXNET.search(line)]
    for kind, pattern, among in (
        ("licence", _LICENCE, errors + flexnet),
        ("part", _PART, errors),
        ("fit", _FIT, errors),
        ("other", _ERROR, errors),
        ("licence", _LICENCE, lines),
    ):
        said = next((line for line in among if pattern.search(line)), None)
        if said is not None:
            return Failure(_shortened(said), fit_remedy(is_rtl=is_rtl) if kind == "fit" else _REMEDIES[kind])
    return Failure(_shortened(lines[-1]) if lines else "it printed nothing", _REMEDIES["other"])


def _shortened(line: str, most: int = 300) -> str:
    return line if len(line) <= most else f"{line[:most]} ..."
