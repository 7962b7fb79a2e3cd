"""What the firmware takes against what it may take, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trigger_ad.report.inputs import Report
from trigger_ad.report.table import Table
from trigger_ad.report.wording import FLOW_TITLES, UNKNOWN, figure_source

FIGURE_TITLES: Final = {
    "latency_ns": "Latency (ns)",
    "ii_cycles": "Initiation interval (cycles)",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram": "BRAM (18 Kbit)",
}


def budget_table(report: Report) -> Table | None:
    """Each limited figure of each flow; None where the configuration limits nothing."""
    lines = report.get("budget") or ()
    if not lines:
        return None
    return Table(
        title="Budget",
        columns=("Flow", "Figure", "Limit", "Taken", "Source", "Within"),
        rows=tuple(_row(line) for line in lines),
        notes=(
            "Of each figure the source closest to the chip is held against the limit. Nanoseconds are clock cycles at "
            "the clock asked for; where the routed design misses it, none are within any limit. An estimate shows "
            "neither that a figure is within its limit nor that it is over it.",
        ),
        row_tags={index: "failed" for index, line in enumerate(lines) if exceeded(line)},
        text_columns=frozenset({0, 1, 4, 5}),
    )


def exceeded(line: Mapping[str, Any]) -> bool:
    """Whether a measured figure is over its limit: it has a remedy then, and never else."""
    return line["remedy"] is not None


def excess(line: Mapping[str, Any]) -> str:
    """What is over its limit, and what makes it smaller, in one sentence."""
    flow, title = FLOW_TITLES.get(line["flow"], line["flow"]), FIGURE_TITLES[line["figure"]]
    taken = f"{flow}: {title} {_taken(line)} ({figure_source(line)})"
    if line["value"] <= line["limit"]:
        return f"{taken}: the routed design does not meet the clock, so it is not within the budget of {_limit(line)}"
    return f"{taken}, over the budget of {_limit(line)}"


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    taken = UNKNOWN if line["value"] is None else ("≈ " if line["estimated"] else "") + _taken(line)
    flow = FLOW_TITLES.get(line["flow"], line["flow"])
    source = UNKNOWN if line["source"] is None else figure_source(line)
    return (flow, FIGURE_TITLES[line["figure"]], _limit(line), taken, source, _within(line))


def _within(line: Mapping[str, Any]) -> str:
    if line["value"] is None:
        return UNKNOWN
    if line["within"] is None:
        return "not known, C synthesis expects to miss the clock"
    if line["estimated"]:
        whose = "by the estimate" if line["source"] == "estimate" else "by C synthesis' estimate"
        return whose if line["within"] else f"not {whose}"
    if line["within"]:
        return "yes"
    return "NO" if line["value"] > line["limit"] else "NO, the clock is not met"


def _taken(line: Mapping[str, Any]) -> str:
    """The figure; nanoseconds with the clock that they are at."""
    taken = _number(line["value"])
    if line["clock_ns"] is None:
        return taken
    remark = {"assumed": " assumed", "failed": ", FAILED", "met": ""}[line["clock_status"]]
    return f"{taken} at {line['clock_ns']:g} ns{remark}"


def _limit(line: Mapping[str, Any]) -> str:
    share = f" ({line['asked']} of the device)" if line["asked"] else ""
    return _number(line["limit"]) + share


def _number(value: float) -> str:
    return f"{value:,.10g}"
