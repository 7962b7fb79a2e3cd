"""What was measured of which models and signals, in the order of tables and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.report.inputs import Report, main_rows
from trigger_ad.report.wording import MODEL_TITLES


def signals(report: Report) -> list[str]:
    """The signals of a report, in its order; those that have events but were not measured included."""
    names = [*report.get("events", {}).get("signals", {}), *(row["signal"] for row in main_rows(report))]
    return list(dict.fromkeys(names))


def measured_models(report: Report) -> list[str]:
    """Every model that was measured: ours first, then any other, then trivial scores."""
    measured = dict.fromkeys(row["model"] for row in main_rows(report))
    ours = [model for model in MODEL_TITLES if model in measured and model not in BASELINE_TITLES]
    others = [model for model in measured if model not in MODEL_TITLES]
    return [*ours, *others, *(model for model in BASELINE_TITLES if model in measured)]


def fpr_targets(report: Report) -> list[float]:
    """The target false-positive rates that any model has, from the largest downwards."""
    return sorted({point["fpr_target"] for row in main_rows(report) for point in row["tpr"]}, reverse=True)


def points_at(report: Report, target: float | None) -> tuple[dict[tuple[str, str], Mapping[str, Any]], list[str]]:
    """The working points at one target by model and signal, and the models that have any, in the order of tables."""
    points = {
        (row["model"], row["signal"]): point
        for row in main_rows(report)
        for point in row["tpr"]
        if point["fpr_target"] == target
    }
    return points, [
        model for model in measured_models(report) if any((model, name) in points for name in signals(report))
    ]
