"""Writes docs/physics.json from the reports of runs, and the tables of docs/physics.md from it.

Run it after the runs that it names: `make physics` does both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.events.layout import SIGNAL_TITLES
from trigger_ad.report.inputs import main_rows

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "physics.md"
DATA = ROOT / "docs" / "physics.json"
BEGIN, END = "<!-- tables -->\n", "<!-- /tables -->\n"

RUNS: Final = {"ffn": "linear", "ffn_log": "logarithmic"}
"""The runs, and the encoding of pT in each."""

MODELS: Final = {
    "float": "float, exact inputs",
    "float_encoded": "float, encoded inputs",
    "ptq": "PTQ, 8 bits",
    "qat": "QAT, 8 bits",
    "firmware": "firmware",
    **BASELINE_TITLES,
}
ENCODED: Final = ("float", "float_encoded", "ptq", "qat", "firmware", "zero_reconstruction")
"""What depends on the encoding; the other trivial scores are the same for both."""


def collected() -> dict[str, Any]:
    """What the tables need of each run's report."""
    reports = {name: json.loads((ROOT / "hls_projects" / name / "report.json").read_text("utf-8")) for name in RUNS}
    return {
        name: {
            "events": report["events"],
            "inputs": report["config"]["inputs"],
            "versions": report["versions"],
            "mismatches": {key: entry["mismatches"] for key, entry in report["agreement"]["emulators"].items()},
            "performance": main_rows(report),
        }
        for name, report in reports.items()
    }


def tables(data: dict[str, Any]) -> str:
    """One table of AUC, and one of the true-positive rate at each false-positive rate that all runs support."""
    rows = [(name, row) for name in RUNS for row in data[name]["performance"]]
    shared = set.intersection(*({point["fpr_target"] for point in row["tpr"]} for _, row in rows))
    parts = ["### AUC\n" + _table(data, None)]
    for target in sorted(shared, reverse=True):
        parts.append(f"### True-positive rate at a target false-positive rate of {target:g}\n" + _table(data, target))
    return "\n".join(parts)


def _table(data: dict[str, Any], target: float | None) -> str:
    signals = list(data["ffn"]["events"]["signals"])
    titles = " | ".join(SIGNAL_TITLES[signal] for signal in signals)
    achieved = "" if target is None else " FPR achieved |"
    lines = [f"| score | pT |{achieved} {titles} |", "| --- | --- |" + " ---: |" * (len(signals) + bool(achieved))]
    for model, title in MODELS.items():
        for name, encoding in RUNS.items():
            if model not in ENCODED and name != "ffn":
                continue
            own = {row["signal"]: row for row in data[name]["performance"] if row["model"] == model}
            cells = [_cell(own[signal], target) for signal in signals]
            if target is not None:
                point = _point(own[signals[0]], target)
                cells.insert(0, f"{point['fpr']:.5f} [{point['fpr_low']:.5f}, {point['fpr_high']:.5f}]")
            lines.append(f"| {title} | {encoding if model in ENCODED else ''} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any], target: float | None) -> str:
    if target is None:
        return f"{row['auc']:.4f} [{row['auc_low']:.4f}, {row['auc_high']:.4f}]"
    point = _point(row, target)
    return f"{point['tpr']:.4f} [{point['low']:.4f}, {point['high']:.4f}]"


def _point(row: dict[str, Any], target: float) -> dict[str, Any]:
    return next(point for point in row["tpr"] if point["fpr_target"] == target)


def with_tables(page: str, data: dict[str, Any]) -> str:
    """The page with the tables of the data."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{tables(data)}{END}{tail}"


def main() -> None:
    """Writes both files."""
    data = collected()
    DATA.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), data), encoding="utf-8")


if __name__ == "__main__":
    main()
