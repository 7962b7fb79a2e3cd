"""What the firmware loses of the float model, and a student's firmware of its teachers, on the same events."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from trigger_ad.report.inputs import Report, main_rows
from trigger_ad.report.rows import points_at, signals

REFERENCES: Final = MappingProxyType({"float": "float", "teacher": "the teachers"})
"""The models that the firmware's losses are from, as people read them."""


def references(report: Report) -> list[str]:
    """Those that were measured, the float model always: without it, its losses are not known."""
    measured = {row["model"] for row in main_rows(report)}
    return [name for name in REFERENCES if name == "float" or name in measured]


def area_losses(report: Report, reference: str) -> dict[str, float]:
    """A model's area less the firmware's, for each signal that both were measured for.

    Args:
        report: The report.
        reference: The model, a key of `REFERENCES`.
    """
    areas = {(row["model"], row["signal"]): row["auc"] for row in main_rows(report)}
    both = (name for name in signals(report) if {(reference, name), ("firmware", name)} <= areas.keys())
    return {signal: areas[reference, signal] - areas["firmware", signal] for signal in both}


def loss_interval(report: Report, signal: str, reference: str) -> tuple[float, float] | None:
    """The paired interval of a model's area less the firmware's; None where a report does not have it."""
    pair = ("firmware", reference, signal)
    found = (e for e in report.get("differences") or () if (e["model"], e["reference"], e["signal"]) == pair)
    entry = next(found, None)
    return None if entry is None else (-entry["high"], -entry["low"])


def rate_losses(report: Report, reference: str) -> dict[str, float]:
    """A model's true-positive rate less the firmware's where equal shares of background pass, by signal.

    The share is that of the verdict; empty where it has none, or where only one of them was measured.

    Args:
        report: The report.
        reference: The model, a key of `REFERENCES`.
    """
    points, _ = points_at(report, report["verdict"]["fpr_target"])
    rates = {key: point["tpr_at_target"] for key, point in points.items()}
    both = (name for name in signals(report) if {(reference, name), ("firmware", name)} <= rates.keys())
    return {signal: rates[reference, signal] - rates["firmware", signal] for signal in both}
