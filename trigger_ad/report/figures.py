"""The figures of a report: ROC curves, the firmware's score words, value ranges, training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.evaluation.working_points import MINIMUM_ACCEPTED
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.report.comparison_figure import comparison_figure
from trigger_ad.report.curves import code_edges, roc_curve, shares, thinned
from trigger_ad.report.drawing import (
    DASHES,
    FAINT,
    FIRMWARE,
    FLOAT,
    INK,
    SERIES,
    Drawing,
    draw_background,
    finished,
    legend_label,
    new_figure,
    new_panels,
    powers_of_ten,
    set_title,
    styled,
)
from trigger_ad.report.inputs import ModelScores, Report, main_rows
from trigger_ad.report.losses import area_losses
from trigger_ad.report.marks import events_mark
from trigger_ad.report.pipeline_figure import pipeline_figure
from trigger_ad.report.range_figure import range_figure
from trigger_ad.report.rows import signals
from trigger_ad.report.trigger_figure import trigger_figure
from trigger_ad.report.wording import (
    MODEL_TITLES,
    UNKNOWN,
    count,
    difference,
    model_title,
    power,
    power_of_ten,
    signal_title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def make_figures(report: Report, scores: Mapping[str, ModelScores]) -> list[Drawing]:
    """Draws every figure that there is something to draw for.

    Args:
        report: The report.
        scores: Scores by model.
    """
    with styled():
        drawings = (
            _roc_figure(report, scores),
            comparison_figure(report),
            _score_figure(report, scores.get("firmware")),
            trigger_figure(report),
            pipeline_figure(report),
            range_figure(report),
            _training_figure(report),
        )
    return [drawing for drawing in drawings if drawing is not None]


def _roc_figure(report: Report, scores: Mapping[str, ModelScores]) -> Drawing | None:
    names = [name for name in signals(report) if any(name in scores[m].signals for m in scores.keys() & _DRAWN)]
    if not names:
        return None
    columns = min(2, len(names))
    rows = math.ceil(len(names) / columns)
    figure, places = new_panels(rows, columns, (4.9, 3.9), events_mark(report))
    for place, name in zip(places, names, strict=False):
        _roc_panel(figure.add_subplot(place), name, report, scores)
    losses = area_losses(report, "float")
    told = "; ".join(f"{signal_title(name)}: AUC lost {difference(losses.get(name))}" for name in names)
    return finished(
        figure,
        name="roc",
        title="ROC curves",
        caption=(
            "True-positive rate against false-positive rate on test events, for the float model, the firmware's own "
            "score words and the trivial score that is best where the verdict compares them. Points are the "
            "firmware's working points with 95 % intervals. In the shaded region fewer than "
            f"{MINIMUM_ACCEPTED} background events are accepted."
        ),
        alternative=f"ROC curves of the float model and the firmware, one panel for each signal. {told}.",
    )


_DRAWN = frozenset({"float", "firmware"})


def _roc_panel(axes: Axes, signal: str, report: Report, scores: Mapping[str, ModelScores]) -> None:
    best = _best_trivial(report, signal)
    curves: tuple[tuple[str | None, dict[str, Any]], ...] = (
        ("float", {"color": FLOAT, "linewidth": 2.6, "alpha": 0.75}),
        ("firmware", {"color": FIRMWARE, "linestyle": "dashed"}),
        (best, {"color": FAINT, "linewidth": 1.2}),
    )
    handles, smallest = [], 0.1
    for model, style in curves:
        sample = scores.get(model) if model else None
        if model and sample is not None and signal in sample.signals:
            curve = thinned(roc_curve(sample.test_background, sample.signals[signal]))
            (line,) = axes.plot(curve.fpr, curve.tpr, label=MODEL_TITLES[model], **style)
            handles.append(line)
            smallest = min(smallest, 1 / len(sample.test_background))
    powers_of_ten(axes, x=True)
    _draw_working_points(axes, signal, report)
    axes.axvspan(smallest, MINIMUM_ACCEPTED * smallest, color=FAINT, alpha=0.13, linewidth=0)
    chance = np.geomspace(smallest, 1, 100)
    (line,) = axes.plot(chance, chance, color=FAINT, linewidth=0.8, linestyle=(0, (1, 3)), label="Chance")
    axes.set(xlim=(smallest, 1), ylim=(0, 1.02), xlabel="false-positive rate", ylabel="true-positive rate")
    set_title(axes, signal_title(signal))
    axes.legend(handles=[*handles, line], loc="upper left")


def _best_trivial(report: Report, signal: str) -> str | None:
    """The trivial score that is best by what the verdict compares: a rate, or the area."""
    rows = [row for row in main_rows(report) if row["signal"] == signal and row["model"] in BASELINE_TITLES]
    target = report["verdict"]["fpr_target"]
    found = {row["model"]: {point["fpr_target"]: point["tpr_at_target"] for point in row["tpr"]} for row in rows}
    values = {row["model"]: float(found[row["model"]].get(target, row["auc"])) for row in rows}
    return max(values, key=lambda name: values[name], default=None)


def _draw_working_points(axes: Axes, signal: str, report: Report) -> None:
    rows = [row for row in main_rows(report) if row["model"] == "firmware" and row["signal"] == signal]
    points = [point for row in rows for point in row["tpr"]]
    if points:
        x, x_low, x_high, y, low, high = np.array(
            [[point[key] for key in ("fpr", "fpr_low", "fpr_high", "tpr", "low", "high")] for point in points],
            dtype=np.float64,
        ).T
        axes.errorbar(
            x, y, yerr=[y - low, high - y], xerr=[x - x_low, x_high - x], fmt="o", color=INK, markersize=3.5, zorder=3
        )


def _score_figure(report: Report, firmware: ModelScores | None) -> Drawing | None:
    if firmware is None:
        return None
    figure = new_figure(9.8, 4.6, events_mark(report))
    axes = figure.add_subplot()
    # a score that is the logarithm of another can be negative, and needs no logarithmic axis
    logarithmic = _is_square(report)
    _score_panel(axes, firmware, logarithmic=logarithmic)
    axes.set_xlabel(f"score word (integer code{_unit(report['score_type'])})")
    _draw_thresholds(axes, report)
    samples = (firmware.test_background, *firmware.signals.values())
    zeros = sum(int(np.count_nonzero(sample <= 0)) for sample in samples) if logarithmic else 0
    return finished(
        figure,
        name="scores",
        title="Score words of the firmware",
        caption=(
            "The anomaly score as the firmware gives it, for test events. Vertical lines are the thresholds that "
            "validation background sets for each target false-positive rate: an event to the right is accepted."
            + (f" {count(zeros)} events with a score of 0 have no place on this axis." if zeros else "")
        ),
        alternative=(
            "Distribution of the firmware's score word for background and each signal, with the thresholds of "
            "the target false-positive rates."
        ),
    )


def _is_square(report: Report) -> bool:
    """Whether the score word cannot be negative: all scores but a network's own output are sums of squares."""
    return report["score_type"] is None or not FixedPoint.parse(report["score_type"]).signed


def _score_panel(axes: Axes, firmware: ModelScores, *, logarithmic: bool) -> None:
    samples = [firmware.test_background, *firmware.signals.values()]
    edges = code_edges(samples, logarithmic=logarithmic)
    # limits come first: Matplotlib cannot choose any for samples whose scores are all 0
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0.5 / max(2, *map(len, samples)), 2))
    axes.set_ylabel("share of events in each bin")
    powers_of_ten(axes, x=logarithmic, y=True)
    fill = shares(firmware.test_background, edges)
    handles: list[Any] = [draw_background(axes, fill, edges, "Background")]
    axes.stairs(fill, edges, color=FAINT, linewidth=1.2)
    for index, (name, sample) in enumerate(firmware.signals.items()):
        style: dict[str, Any] = {"color": SERIES[index % len(SERIES)], "linestyle": DASHES[index // 2 % len(DASHES)]}
        label = legend_label(signal_title(name))
        handles.append(axes.stairs(shares(sample, edges), edges, linewidth=1.5, label=label, **style))
    axes.legend(handles=handles, loc="upper left", ncols=2)


def _unit(score_type: str | None) -> str:
    if score_type is None:
        return ""
    return f"; one is worth {power(2, -FixedPoint.parse(score_type).fraction)}"


def _draw_thresholds(axes: Axes, report: Report) -> None:
    points = {
        point["fpr_target"]: point["threshold"]
        for row in main_rows(report)
        if row["model"] == "firmware"
        for point in row["tpr"]
        if point.get("threshold") is not None
    }
    for target, threshold in points.items():
        axes.axvline(threshold + 0.5, color=INK, linewidth=0.9, linestyle="dotted")
        axes.annotate(
            power_of_ten(target),
            (threshold + 0.5, 0.985),
            (-3, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            annotation_clip=True,
            in_layout=False,
            ha="right",
            va="top",
            fontsize=8.5,
        )


_MOST_PANELS: Final = 3
"""Panels in a row of the figure of training."""


def _training_figure(report: Report) -> Drawing | None:
    fits = {name: fit for name, fit in (report["training"] or {}).items() if fit and (fit.get("history") or {})}
    if not fits:
        return None
    columns = min(max(len(fits), 2), _MOST_PANELS)
    figure, places = new_panels(-(-len(fits) // columns), columns, (4.9, 3.4), events_mark(report))
    for place, (name, fit) in zip(places, fits.items(), strict=False):
        _training_panel(figure.add_subplot(place), model_title(name), fit)
    told = "; ".join(f"{model_title(name)}: best epoch {_epoch(fit)}" for name, fit in fits.items())
    return finished(
        figure,
        name="training",
        title="Training",
        caption="Loss after each epoch. The vertical line is the epoch that was kept.",
        alternative=f"Training and validation loss by epoch. {told}.",
    )


def _training_panel(axes: Axes, title: str, fit: Mapping[str, Any]) -> None:
    for key, label, colour, dashes in (
        ("loss", "training", FLOAT, "solid"),
        ("val_loss", "validation", FIRMWARE, "dashed"),
    ):
        losses = fit["history"].get(key) or []
        axes.plot(range(1, len(losses) + 1), losses, label=label, color=colour, linestyle=dashes)
    if fit.get("best_epoch") is not None:
        axes.axvline(fit["best_epoch"], color=INK, linewidth=0.9, linestyle="dotted")
    axes.set(xlabel="epoch", ylabel="loss")
    set_title(axes, title)
    axes.legend(loc="upper right")


def _epoch(fit: Mapping[str, Any]) -> str:
    return UNKNOWN if fit.get("best_epoch") is None else str(fit["best_epoch"])
