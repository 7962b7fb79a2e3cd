"""How far results are chance: what the same configuration gives when it is trained with other seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from trigger_ad.evaluation.performance import PerformanceRow, common_target

DIFFERENCE = "difference"
"""The quantized model's figure less the float model's, of the same seed."""


def spread_over_seeds(rows: Mapping[int, Sequence[PerformanceRow]], quantized: str) -> dict[str, Any]:
    """How areas under the ROC curve and true-positive rates spread over seeds.

    Rates are those where exactly the same share of test background passes each model: see `common_target`.

    Args:
        rows: By seed, of at least two: those of the model `float`, and of the quantized one.
        quantized: The quantized model's name.

    Returns:
        The seeds, the share of background, and for each model, signal and measure (`auc`, and `tpr` where there is
        such a share) the value of each seed, their mean, the standard deviation of a sample, and the extremes.
    """
    fpr_target = common_target([row for own in rows.values() for row in own])
    measures = ("auc",) if fpr_target is None else ("auc", "tpr")
    return {
        "seeds": list(rows),
        "fpr_target": fpr_target,
        "spread": [
            {"model": model, "signal": signal, "measure": measure} | _summary(values)
            for measure in measures
            for signal in dict.fromkeys(row.signal for own in rows.values() for row in own)
            for model, values in _values(
                [_measured(own, signal, fpr_target if measure == "tpr" else None) for own in rows.values()], quantized
            ).items()
        ],
    }


def _measured(rows: Sequence[PerformanceRow], signal: str, fpr_target: float | None) -> dict[str, float]:
    """By model, for one signal: its rate at a share of background, or else its area."""
    return {
        row.model: row.auc if fpr_target is None else row.tpr_at(fpr_target) for row in rows if row.signal == signal
    }


def _values(seeds: Sequence[Mapping[str, float]], quantized: str) -> dict[str, list[float]]:
    own, reference = [seed[quantized] for seed in seeds], [seed["float"] for seed in seeds]
    differences = [one - other for one, other in zip(own, reference, strict=True)]
    return {"float": reference, quantized: own, DIFFERENCE: differences}


def _summary(values: Sequence[float]) -> dict[str, Any]:
    return {
        "mean": statistics.fmean(values),
        "standard_deviation": statistics.stdev(values),
        "min": min(values),
        "max": max(values),
        "values": list(values),
    }
