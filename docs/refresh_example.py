"""Copies the report of a run into docs/example_report, and its first tables into the README.

Run it after the demo: `make demo && .venv/bin/python docs/refresh_example.py`. `refresh_tutorial.py` then writes the
figures of the tutorial.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import textwrap
from typing import Any

from pages import ROOT, between

from trigger_ad.cli.tables import show_tables
from trigger_ad.report.agreement_table import agreement_table
from trigger_ad.report.summary import cost_fact, lead_fact, verdict_line
from trigger_ad.report.tables import auc_table

RUN = ROOT / "hls_projects" / "student"
EXAMPLE = ROOT / "docs" / "example_report"


def demo_text(report: dict[str, Any]) -> str:
    """The first and the third table that `make demo` prints of a report, below its verdict."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        show_tables([auc_table(report), agreement_table(report)])
    tables = [line.rstrip() for line in said.getvalue().strip().splitlines()]
    facts = [fact for fact in (lead_fact(report), cost_fact(report)) if fact]
    lines = [verdict_line(report), *(f"{fact.label}: {fact.value} ({fact.detail})" for fact in facts)]
    said_first = [part for line in lines for part in textwrap.wrap(line, 126)]
    return "\n".join([*said_first, *tables]) + "\n"


def with_demo(readme: str, report: dict[str, Any]) -> str:
    """The README with another report's tables."""
    return between(readme, "demo", f"```text\n{demo_text(report)}```\n")


def main() -> None:
    """Refreshes both."""
    shutil.rmtree(EXAMPLE, ignore_errors=True)
    EXAMPLE.mkdir()
    for name in ("report.html", "report.json", "report.md"):
        shutil.copy(RUN / name, EXAMPLE / name)
    shutil.copytree(RUN / "figures", EXAMPLE / "figures")
    report = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
    readme = ROOT / "README.md"
    readme.write_text(with_demo(readme.read_text(encoding="utf-8"), report), encoding="utf-8")


if __name__ == "__main__":
    main()
