"""The tables of performance as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.models.scores import TITLES as SCORE_TITLES
from trigger_ad.report.inputs import Report, main_rows
from trigger_ad.report.losses import REFERENCES, area_losses, loss_interval, references
from trigger_ad.report.rows import fpr_targets, measured_models, points_at, signals
from trigger_ad.report.table import Table
from trigger_ad.report.wording import (
    BASELINE_MEANINGS,
    MODEL_TITLES,
    PROPORTION_METHOD,
    UNKNOWN,
    count,
    decimals_of,
    difference,
    difference_with_interval,
    model_title,
    percentage,
    power_of_ten,
    rate_with_interval,
    signal_title,
    with_interval,
)


def auc_table(report: Report) -> Table:
    """Areas under the ROC curve with intervals: models and trivial scores as rows, signals as columns.

    Args:
        report: The report; of one that is not complete yet, `performance` is enough.
    """
    areas = {(row["model"], row["signal"]): row for row in main_rows(report)}
    # the widest interval decides, so that no cell shows a digit that was not measured
    width = max((row["auc_high"] - row["auc_low"] for row in areas.values()), default=0.0)
    decimals = decimals_of(width, 3, 4)
    rows: list[tuple[str, ...]] = []
    tags: dict[int, str] = {}
    for model in measured_models(report):
        tags[len(rows)] = _row_tag(model)
        cells = (_area(areas.get((model, signal)), decimals) for signal in signals(report))
        rows.append((model_title(model, report.get("ships")), *cells))
        if model == "firmware":
            for reference in references(report):
                tags[len(rows)] = "loss"
                cells = (_loss(report, signal, reference) for signal in signals(report))
                rows.append((f"Loss, {REFERENCES[reference]} to firmware", *cells))
    methods = sorted({row["method"] for row in areas.values()})
    notes = [f"On test events, with 95 % intervals ({'; '.join(methods) or 'none measured'})."]
    if "loss" in tags.values():
        notes.append(_LOSS_NOTES[bool(report.get("differences"))])
    notes += [*_pruning_notes(report), *_baseline_notes(report)]
    return Table(
        title="Area under the ROC curve",
        columns=("Model", *map(signal_title, signals(report))),
        rows=tuple(rows),
        notes=tuple(notes),
        row_tags=tags,
    )


_LOSS_NOTES: Final = (
    "A loss is measured on the same events, which the separate intervals must not be used to judge.",
    "A loss is measured on the same events, and has an interval of its own.",
)
"""Of a report without paired intervals, as earlier versions made them, and of one that has them."""


def _loss(report: Report, signal: str, reference: str) -> str:
    """The loss of area, with its interval where a report has it."""
    loss, interval = area_losses(report, reference).get(signal), loss_interval(report, signal, reference)
    return difference(loss) if loss is None or interval is None else difference_with_interval(loss, *interval)


def tpr_tables(report: Report) -> tuple[Table, ...]:
    """One table of true-positive rates for each target false-positive rate, from the largest downwards."""
    tables = [tpr_table(report, target) for target in fpr_targets(report)]
    # the notes are the same for all, and stand under the last
    return (*(replace(table, notes=()) for table in tables[:-1]), *tables[-1:])


def tpr_table(report: Report, fpr_target: float | None = None) -> Table:
    """True-positive rates at one target false-positive rate, with what the threshold achieved on test background.

    Args:
        report: The report.
        fpr_target: The target; by default the smallest that the firmware has, or else any model.
    """
    target = _default_target(report) if fpr_target is None else fpr_target
    refused = tuple(
        f"A target of {power_of_ten(item['fpr_target'])} is not supported: {item['reason']}."
        for item in report["unsupported_targets"]
    )
    if target is None:
        return Table("True-positive rate", ("Model",), (), ("No target false-positive rate is supported.", *refused))
    points, models = points_at(report, target)
    return Table(
        title=f"True-positive rate at a target false-positive rate of {power_of_ten(target)}",
        columns=("Model", *map(signal_title, signals(report)), "FPR achieved", "Accepted", "Threshold"),
        rows=tuple(_rate_row(model, points, report) for model in models),
        notes=(
            "Thresholds are set on validation background, rates measured on test events with 95 % intervals "
            f"({PROPORTION_METHOD}). An event is accepted when its score is greater than the threshold; the firmware's "
            "is an integer code. Accepted counts test background.",
            "The intervals of both rates are those of the threshold as it stands: by how much another validation "
            "background would have moved it is in neither. Where few events are accepted that matters most.",
            "Rates are shares of the background sample. Where that has passed a selection of its own, as the shipped "
            "one has, they are no shares of the 40 MHz of collisions.",
            *refused,
        ),
        row_tags={index: _row_tag(model) for index, model in enumerate(models)},
    )


def equal_rate_tables(report: Report) -> tuple[Table, ...]:
    """What the verdict compares, and the same at every other target: rates where equal shares of background pass.

    Values have no intervals of their own: those of the working point at the same target are about as wide.
    """
    judged = report["verdict"]["fpr_target"]
    others = [target for target in fpr_targets(report) if target != judged]
    tables = [_equal_rate_table(report, target) for target in ([] if judged is None else [judged, *others])]
    # the notes hold for all, and stand under the first, which is what the verdict compares
    return (*(replace(table, notes=_EQUAL_RATE_NOTES) for table in tables[:1]), *tables[1:])


_EQUAL_RATE_NOTES: Final = (
    "What the verdict compares: measured values decide, and no significance is claimed.",
    "No trigger can set these thresholds, which are chosen on the events that they are measured on.",
)


def _equal_rate_table(report: Report, target: float) -> Table:
    points, models = points_at(report, target)
    return Table(
        title=f"True-positive rate where a share of exactly {power_of_ten(target)} of the test background passes",
        columns=("Model", *map(signal_title, signals(report))),
        rows=tuple(
            (
                model_title(model, report.get("ships")),
                *(
                    UNKNOWN if (point := points.get((model, signal))) is None else f"{point['tpr_at_target']:.4f}"
                    for signal in signals(report)
                ),
            )
            for model in models
        ),
        row_tags={index: _row_tag(model) for index, model in enumerate(models)},
    )


def score_tables(report: Report) -> tuple[Table, ...]:
    """Every score that the float model offers, by area and by true-positive rate; nothing where there is only one."""
    rows = {(row["score"], row["signal"]): row for row in report["performance"] if row["model"] == "float"}
    names = list(dict.fromkeys(score for score, _ in rows))
    if len(names) < 2:
        return ()
    names.sort(key=lambda name: name != report["score"])
    target, columns = _default_target(report), ("Score", *map(signal_title, signals(report)))
    areas = Table(
        title="Scores of the float model: area under the ROC curve",
        columns=columns,
        rows=tuple((_score_title(n, report), *(_area(rows.get((n, s)), 4) for s in signals(report))) for n in names),
        notes=("The firmware computes one of them, marked `ships`; some exist in software alone.",),
        row_tags={0: "firmware"},
    )
    if target is None:
        return (areas,)
    rates = Table(
        title=f"Scores of the float model: true-positive rate at a false-positive rate of {power_of_ten(target)}",
        columns=columns,
        rows=tuple(
            (_score_title(n, report), *(_rate(rows.get((n, s)), target) for s in signals(report))) for n in names
        ),
        row_tags={0: "firmware"},
    )
    return (areas, rates)


def _score_title(score: str, report: Report) -> str:
    title = SCORE_TITLES.get(score, score)
    return f"{title}, ships" if score == report["score"] else title


def _rate(row: Mapping[str, Any] | None, target: float) -> str:
    point = next((point for point in (row or {"tpr": ()})["tpr"] if point["fpr_target"] == target), None)
    return UNKNOWN if point is None else rate_with_interval(point["tpr"], point["low"], point["high"])


def _pruning_notes(report: Report) -> list[str]:
    """That the float model is pruned already, so that what pruning costs is no part of the loss."""
    pruning = report.get("config", {}).get("training", {}).get("pruning")
    if not pruning:
        return []
    return [
        f"{MODEL_TITLES['float']} is pruned: {percentage(pruning['sparsity'])} of each kernel was set to 0 while it "
        "was trained, and quantization rounds more to 0."
    ]


def _baseline_notes(report: Report) -> list[str]:
    """What the trivial scores are that were measured."""
    measured = [model for model in measured_models(report) if model in BASELINE_TITLES]
    told = "; ".join(f"{BASELINE_TITLES[model]} is {BASELINE_MEANINGS[model]}" for model in measured)
    return [f"Trivial scores need no network: {told}."] if told else []


def _row_tag(model: str) -> str:
    if model in BASELINE_TITLES:
        return "trivial"
    return "firmware" if model == "firmware" else "model"


def _area(row: Mapping[str, Any] | None, decimals: int) -> str:
    if row is None or row["auc"] is None:
        return UNKNOWN
    return with_interval(row["auc"], row["auc_low"], row["auc_high"], decimals)


def _default_target(report: Report) -> float | None:
    own = [point["fpr_target"] for row in main_rows(report) if row["model"] == "firmware" for point in row["tpr"]]
    return min(own or fpr_targets(report), default=None)


def _rate_row(model: str, points: Mapping[tuple[str, str], Mapping[str, Any]], report: Report) -> tuple[str, ...]:
    found = [points.get((model, signal)) for signal in signals(report)]
    rates = [UNKNOWN if p is None else rate_with_interval(p["tpr"], p["low"], p["high"]) for p in found]
    # background and threshold are the same whatever the signal
    point = next(point for point in found if point is not None)
    achieved = rate_with_interval(point["fpr"], point["fpr_low"], point["fpr_high"])
    title = model_title(model, report.get("ships"))
    return (title, *rates, achieved, count(point["background_accepted"]), _threshold(point.get("threshold")))


def _threshold(value: float | None) -> str:
    """An integer code is written out, to be copied; a float threshold only says where it is."""
    if value is None:
        return UNKNOWN
    return str(value) if isinstance(value, int) else f"{value:.4g}"
