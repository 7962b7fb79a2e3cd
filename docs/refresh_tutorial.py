"""Writes the figures of docs/tutorial.md from the committed example of a report, and from that of a scan.

`refresh_example.py` and `refresh_scans.py` make those.

python docs/refresh_tutorial.py
"""

from __future__ import annotations

from typing import Any, Final

from pages import ROOT, between, read_data, table_markdown

from trigger_ad.pipeline.report import firmware_thresholds
from trigger_ad.report.agreement_table import agreement_table
from trigger_ad.report.hardware_tables import hardware_table
from trigger_ad.report.run_tables import events_table, timings_table
from trigger_ad.report.scan_tables import choice_words, front_table
from trigger_ad.report.summary import key_facts, verdict_line
from trigger_ad.report.table import Table
from trigger_ad.report.tables import equal_rate_tables
from trigger_ad.report.trigger_tables import trigger_tables
from trigger_ad.report.wording import power_of_ten, rate_with_interval

PAGE: Final = ROOT / "docs" / "tutorial.md"
REPORT: Final = ROOT / "docs" / "example_report" / "report.json"
SCAN: Final = ROOT / "docs" / "example_scans" / "scan_student"
DATA: Final = (REPORT, SCAN / "pareto.json", SCAN / "report.json")

Report = dict[str, Any]


def configuration(name: str) -> str:
    """A file of configs/."""
    text = (ROOT / "configs" / f"{name}.yaml").read_text(encoding="utf-8")
    return f"```yaml\n{text}```\n"


def threshold_table(report: Report) -> Table:
    """The firmware's threshold codes, without a trigger rate."""
    return Table(
        title="Thresholds",
        columns=("False-positive rate asked for", "Threshold code", "Score", "On test background (95 %)"),
        rows=tuple(
            (
                power_of_ten(item["fpr_target"]),
                f"{item['code']:,}",
                f"{item['value']:g}",
                rate_with_interval(item["fpr"], item["fpr_low"], item["fpr_high"]),
            )
            for item in firmware_thresholds(report)
        ),
    )


def with_figures(page: str, report: Report, pareto: Report, chosen: Report) -> str:
    """The page with the figures of a report, of a scan, and of the report of the point that the scan chose."""
    point = pareto["chosen"]
    run = f"hls_projects/{pareto['name']}/{point}"
    parts = {
        "configuration": configuration(report["name"]),
        "events": table_markdown(events_table(report), columns=4),
        "seconds": table_markdown(timings_table(report)),
        "verdict": f"> {verdict_line(report)}\n",
        "rates": table_markdown(equal_rate_tables(report)[0]),
        "agreement": table_markdown(agreement_table(report)),
        "thresholds": table_markdown(trigger_tables(report)[0]),
        "hardware": table_markdown(hardware_table(report)),
        "scan": configuration(pareto["name"]),
        "front": table_markdown(front_table(pareto)),
        "choice": f"> {choice_words(pareto)}\n",
        "continue": f"    trigger-ad report {run}\n",
        "chosen": "".join(
            f"- {fact.label}: **{fact.value}** ({fact.detail.rstrip('.')})\n" for fact in key_facts(chosen)
        ),
        "chosen-rates": table_markdown(equal_rate_tables(chosen)[0]),
        "chosen-thresholds": table_markdown(threshold_table(chosen)),
    }
    for name, text in parts.items():
        page = between(page, name, text)
    return page


def main() -> None:
    """Writes the page."""
    page = with_figures(PAGE.read_text(encoding="utf-8"), *(read_data(path) for path in DATA))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
