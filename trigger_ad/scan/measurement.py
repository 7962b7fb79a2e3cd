"""What a scan reads of a finished point: figures of validation events, and of the firmware; nothing of test events."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from trigger_ad.errors import UserError
from trigger_ad.evaluation.differences import Sample
from trigger_ad.evaluation.metrics import area_under_curve, auc_interval
from trigger_ad.evaluation.ratios import auc_ratio
from trigger_ad.evaluation.trigger_rates import MINIMUM_CARRYING
from trigger_ad.evaluation.working_points import allowed_events, tpr_at
from trigger_ad.firmware.rtl_design import RtlDesign
from trigger_ad.pipeline.stage import Run, read_results
from trigger_ad.pipeline.validation import ValidationScores, validation_scores
from trigger_ad.scan.objectives import figure_key

RESOURCES = ("lut", "ff", "dsp", "bram")

Figures = dict[str, float | None]
"""By key; None for what is not known."""


def require_carried(run: Run, fprs: Sequence[float]) -> None:
    """Refuses a true-positive rate at a rate that too few validation background events carry: it would be a guess.

    Raises:
        UserError: Naming the rate.
    """
    if not fprs:
        return
    events, smallest = len(run.dataset.background["validation"]), min(fprs)
    if (allowed := allowed_events(events, smallest)) < MINIMUM_CARRYING:
        raise rate_refusal(
            smallest,
            f"of {events} validation background events {allowed} may pass, and a threshold needs {MINIMUM_CARRYING} "
            "to carry it",
        )


def rate_refusal(fpr: float, reason: str) -> UserError:
    """The error about a false-positive rate of an objective that the events do not support."""
    return UserError(
        f"objectives: no true-positive rate where {fpr:g} of the background passes: {reason}",
        "Name a larger fpr, or give more background events",
    )


def figures_of(run: Run, through: str, fprs: Sequence[float]) -> Figures:
    """The figures of a point that an objective or a budget may be about.

    Args:
        run: The point, up to date.
        through: Its last stage.
        fprs: False-positive rates at which true-positive rates are measured, each of which `require_carried` accepts.
    """
    scores = validation_scores(run)[run.config.quantization.ship]
    figures = _physics(scores, fprs)
    if through != "quantize" and run.config.firmware.has_rtl:
        design = RtlDesign.read(run.directory.rtl_project)
        figures |= {
            "lut_estimate": design.lut_estimate,
            "latency_cycles": design.latency_cycles,
            "latency_ns": design.latency_cycles * design.clock_ns,
            # a new event enters at each clock
            "ii_cycles": 1,
        }
    if through == "synthesize":
        figures |= _counted(run)
    return figures


def _physics(scores: ValidationScores, fprs: Sequence[float]) -> Figures:
    figures: Figures = {}
    for fpr in (None, *fprs):
        quantity = "auc" if fpr is None else "tpr"
        own = {
            signal: area_under_curve(scores.background, values)
            if fpr is None
            else tpr_at(fpr, scores.background, values)
            for signal, values in scores.signals.items()
        }
        figures[figure_key(quantity, fpr, None)] = statistics.fmean(own.values())
        figures |= {figure_key(quantity, fpr, signal): value for signal, value in own.items()}
    return figures


def _counted(run: Run) -> Figures:
    """What Yosys has counted; None where it could not."""
    entries = read_results(run, "hardware", ("hardware",))["hardware"]
    counted = next((entry for entry in entries if entry["source"] == "yosys"), dict.fromkeys(RESOURCES))
    return {name: counted[name] for name in RESOURCES}


def comparisons_of(run: Run) -> list[dict[str, Any]]:
    """For each model and signal the area under the ROC curve, and for quantized models its ratio to the float model's.

    On validation events, with 95 % intervals that know which events share a parton event.
    """
    scores = validation_scores(run)
    background_groups = run.dataset.background["validation"].group_id
    groups = {signal: parts["validation"].group_id for signal, parts in run.dataset.signals.items()}
    floats = scores["float"]
    rows: list[dict[str, Any]] = []
    for model, own in scores.items():
        for signal, values in own.signals.items():
            interval = auc_interval(
                own.background, values, background_groups=background_groups, signal_groups=groups[signal]
            )
            ratio = auc_ratio(
                Sample.of(own.background, floats.background, background_groups),
                Sample.of(values, floats.signals[signal], groups[signal]),
            )
            area = {"auc": interval.auc, "auc_low": interval.low, "auc_high": interval.high}
            relative = {} if model == "float" else {f"relative_{key}": value for key, value in asdict(ratio).items()}
            rows.append({"model": model, "signal": signal} | area | relative)
    return rows
