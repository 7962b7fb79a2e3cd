"""What the firmware takes against what it may take, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trigger_ad.report.inputs import Report
from trigger_ad.report.tables import Table
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
            "the clock asked for. An estimate shows neither.",
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
    return f"{flow}: {title} {_number(line['value'])} ({figure_source(line)}), over the budget of {_limit(line)}"


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    estimated = line["source"] == "estimate"
    taken = UNKNOWN if line["value"] is None else ("≈ " if estimated else "") + _number(line["value"])
    within = {True: "yes", False: "NO", None: UNKNOWN}[line["within"]]
    if estimated:
        within = {True: "by the estimate", False: "not by the estimate"}[line["within"]]
    flow = FLOW_TITLES.get(line["flow"], line["flow"])
    source = UNKNOWN if line["source"] is None else figure_source(line)
    return (flow, FIGURE_TITLES[line["figure"]], _limit(line), taken, source, within)


def _limit(line: Mapping[str, Any]) -> str:
    share = f" ({line['asked']} of the device)" if line["asked"] else ""
    return _number(line["limit"]) + share


def _number(value: float) -> str:
    return f"{value:,.10g}"
