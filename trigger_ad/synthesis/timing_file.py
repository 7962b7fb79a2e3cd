"""The reader of Vivado's `report_timing_summary`.

Its structure is the same from Vivado 2019.2 to 2025.2 as far as it is read here: a header, the design's timing summary
(slacks of setup, hold and pulse width, then one sentence that says whether all constraints are met), and the clocks.
What differs is the header: later versions name the temperature grade and the state of the design, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trigger_ad.errors import UserError
from trigger_ad.synthesis.report_files import RUN_AGAIN, header_value, read_text

_MET: Final = {
    "All user specified timing constraints are met.": True,
    "Timing constraints are not met.": False,
}
"""How Vivado says that they are, or not."""
_NUMBER: Final = r"-?\d+\.\d+"


@dataclass(frozen=True)
class TimingReport:
    """What `report_timing_summary` says of a design with one clock.

    Args:
        tool: Name and version of the tool.
        device: Die and package.
        design: The top module.
        clock_ns: The period that was asked for, in ns.
        worst_slack_ns: The worst negative slack (WNS): how much earlier than needed the slowest signal arrives, in ns;
            negative if it is late.
        total_negative_slack_ns: The sum over all ends of paths that are late (TNS), in ns.
        is_met: Whether every constraint is met: setup, hold and pulse width.
    """

    tool: str | None
    device: str | None
    design: str | None
    clock_ns: float
    worst_slack_ns: float
    total_negative_slack_ns: float
    is_met: bool


def read_timing_file(path: Path) -> TimingReport:
    """Read a report of `report_timing_summary`.

    Args:
        path: The report.

    Returns:
        Slacks, period, and whether the constraints are met.

    Raises:
        UserError: If the file is truncated, of another format, or of a design without exactly one clock.
    """
    text = read_text(path)
    if "Timing Summary Report" not in text:
        raise UserError(f"{path} is not a timing summary of Vivado in a known format", RUN_AGAIN)
    summary = _section(path, text, "Design Timing Summary")
    clocks = _section(path, text, "Clock Summary")
    # the sections end with it: a report without it was cut off
    _section(path, text, "Timing Details")
    if "There are no user specified timing constraints." in summary:
        raise UserError(f"{path} is of a design without a clock: its speed is not known", RUN_AGAIN)
    worst, total = _slacks(path, summary)
    return TimingReport(
        tool=header_value(text, "Tool Version"),
        device=header_value(text, "Device"),
        design=header_value(text, "Design"),
        clock_ns=_period(path, clocks),
        worst_slack_ns=worst,
        total_negative_slack_ns=total,
        is_met=_verdict(path, summary),
    )


def _section(path: Path, text: str, title: str) -> str:
    found = re.search(rf"^\| {title}\n\| -+\n-+\n(.*?)(?:^-+\n\| |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise UserError(f"{path} is truncated: it has no section '{title}'", RUN_AGAIN)
    return found.group(1)


def _slacks(path: Path, summary: str) -> tuple[float, float]:
    """Worst and total negative slack: the first two columns of the only row of numbers."""
    if re.search(r"^ *WNS\(ns\) +TNS\(ns\) ", summary, re.MULTILINE) is None:
        raise UserError(f"{path}: its timing summary does not begin with WNS(ns) and TNS(ns)", RUN_AGAIN)
    row = re.search(r"^ *-+ [- ]+\n *(\S+) +(\S+) ", summary, re.MULTILINE)
    if row is None or not all(re.fullmatch(_NUMBER, cell) for cell in row.groups()):
        found = "none" if row is None else " and ".join(row.groups())
        raise UserError(f"{path}: its slacks are no numbers ({found})", RUN_AGAIN)
    return float(row.group(1)), float(row.group(2))


def _verdict(path: Path, summary: str) -> bool:
    said = [met for sentence, met in _MET.items() if sentence in summary]
    if len(said) != 1:
        raise UserError(f"{path} does not say whether its timing constraints are met", RUN_AGAIN)
    return said[0]


def _period(path: Path, clocks: str) -> float:
    periods = re.findall(rf"^ *\S+ +{{[^}}]*}} +({_NUMBER}) +{_NUMBER} *$", clocks, re.MULTILINE)
    if len(periods) != 1:
        raise UserError(f"{path} has {len(periods)} clocks instead of one", RUN_AGAIN)
    return float(periods[0])
