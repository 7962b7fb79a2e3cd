"""Writes the figures of docs/tutorial.md from the committed example of a report, which `refresh_example.py` makes.

python docs/refresh_tutorial.py
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from pages import ROOT, between

from trigger_ad.report.agreement_table import agreement_table
from trigger_ad.report.hardware_tables import hardware_table
from trigger_ad.report.run_tables import events_table, timings_table
from trigger_ad.report.summary import verdict_line
from trigger_ad.report.table import Table
from trigger_ad.report.tables import equal_rate_tables
from trigger_ad.report.trigger_tables import trigger_tables

PAGE: Final = ROOT / "docs" / "tutorial.md"
REPORT: Final = ROOT / "docs" / "example_report" / "report.json"

Report = dict[str, Any]


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]], text_columns: frozenset[int]) -> str:
    """A table whose numbers are set flush right."""
    sides = ["---" if number in text_columns else "---:" for number in range(len(columns))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (columns, sides, *rows))


def shown(table: Table, columns: int | None = None) -> str:
    """A table of the report, or its first columns, without its notes."""
    rows = [row[:columns] for row in table.rows]
    return markdown(table.columns[:columns], rows, table.text_columns)


def configuration(report: Report) -> str:
    """The file that made the report."""
    text = (ROOT / "configs" / f"{report['name']}.yaml").read_text(encoding="utf-8")
    return f"```yaml\n{text}```\n"


def with_figures(page: str, report: Report) -> str:
    """The page with the figures of a report."""
    parts = {
        "configuration": configuration(report),
        "events": shown(events_table(report), columns=4),
        "seconds": shown(timings_table(report)),
        "verdict": f"> {verdict_line(report)}\n",
        "rates": shown(equal_rate_tables(report)[0]),
        "agreement": shown(agreement_table(report)),
        "thresholds": shown(trigger_tables(report)[0]),
        "hardware": shown(hardware_table(report)),
    }
    for name, text in parts.items():
        page = between(page, name, text)
    return page


def main() -> None:
    """Writes the page."""
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), report), encoding="utf-8")


if __name__ == "__main__":
    main()
