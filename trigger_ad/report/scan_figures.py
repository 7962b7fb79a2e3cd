"""The figures of a scan: the front against each cost, and the curves of a scan over one number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from trigger_ad.report.drawing import (
    FAINT,
    FIRMWARE,
    INK,
    SERIES,
    Drawing,
    finished,
    legend_label,
    new_figure,
    new_panels,
    set_title,
    styled,
)
from trigger_ad.report.scan_tables import FIGURE_TITLES, Pareto
from trigger_ad.report.wording import signal_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED_POINTS: Final = 12
"""Of a front; more names would lie over each other."""


def scan_figures(pareto: Pareto, mark: str) -> list[Drawing]:
    """Draws every figure that there is something to draw for.

    Args:
        pareto: The content of pareto.json.
        mark: What the events are.
    """
    with styled():
        drawings = (_front_figure(pareto, mark), _relative_figure(pareto, mark), _cost_figure(pareto, mark))
    return [drawing for drawing in drawings if drawing is not None]


def _front_figure(pareto: Pareto, mark: str) -> Drawing | None:
    """The first objective against each of the others."""
    first, *costs = pareto["objectives"]
    points = [point for point in pareto["points"] if None not in point["objectives"].values()]
    if not costs or not points:
        return None
    figure, places = new_panels(1, len(costs), (5.2, 4.2), mark)
    for place, cost in zip(places, costs, strict=True):
        _front_panel(figure.add_subplot(place), pareto, points, first, cost)
    named = ", ".join(pareto["front"])
    return finished(
        figure,
        name="front",
        title="The front",
        caption=(
            f"{first['title']} of every finished point against {' and '.join(item['title'] for item in costs)}. No "
            "point is better than a filled one in one objective without being worse in another; the star is the "
            f"chosen one, dashed lines are the budget's limits.{_undrawn(pareto, points, costs)}"
        ),
        alternative=f"{len(points)} points; on the front are {named}.",
    )


def _front_panel(
    axes: Axes,
    pareto: Pareto,
    points: Sequence[Mapping[str, Any]],
    first: Mapping[str, Any],
    cost: Mapping[str, Any],
) -> None:
    for point in points:
        x, y = point["objectives"][cost["key"]], point["objectives"][first["key"]]
        chosen = point["name"] == pareto["chosen"]
        colour = FIRMWARE if point["on_front"] else FAINT
        filled = colour if point["on_front"] else "none"
        axes.plot(x, y, "*" if chosen else "o", color=colour, markerfacecolor=filled, markersize=13 if chosen else 6)
        if point["on_front"] and (chosen or len(pareto["front"]) <= _NAMED_POINTS):
            axes.annotate(point["name"], (x, y), xytext=(5, 5), textcoords="offset points", fontsize=7.5, color=INK)
    line = _budget_line(pareto, points, cost["key"])
    if line is not None:
        place, label = line
        axes.axvline(place, color=INK, linestyle="dashed", linewidth=1.0)
        axes.annotate(
            label,
            (place, 0.02),
            xycoords=("data", "axes fraction"),
            fontsize=7.5,
            rotation=90,
            ha="right",
        )
    _whole_ticks(axes, [point["objectives"][cost["key"]] for point in points])
    axes.set_xlabel(cost["title"])
    axes.set_ylabel(first["title"])


def _budget_line(pareto: Pareto, points: Sequence[Mapping[str, Any]], key: str) -> tuple[float, str] | None:
    """Where the budget's limit lies on the axis of a cost, and what is written there; None where there is none."""
    budget = pareto["budget"]
    if key in budget:
        return budget[key], f"budget {budget[key]:g}"
    counted = key.removesuffix("_estimate")
    if counted in budget:
        return budget[counted], f"budget {budget[counted]:g}, by estimate"
    if key != "latency_cycles" or "latency_ns" not in budget or (clock := _clock(points)) is None:
        return None
    return budget["latency_ns"] / clock, f"budget {budget['latency_ns']:g} ns at {clock:g} ns a cycle"


def _clock(points: Sequence[Mapping[str, Any]]) -> float | None:
    """The clock period that all points have, in ns; None if they differ in it."""
    # rounded: a latency in ns is a product
    clocks = {round(point["figures"]["latency_ns"] / point["figures"]["latency_cycles"], 9) for point in points}
    return clocks.pop() if len(clocks) == 1 else None


def _undrawn(pareto: Pareto, points: Sequence[Mapping[str, Any]], costs: Sequence[Mapping[str, Any]]) -> str:
    """What the caption says of a limit on nanoseconds that is no one number of cycles."""
    limit = pareto["budget"].get("latency_ns")
    if limit is None or "latency_cycles" not in {cost["key"] for cost in costs} or _clock(points) is not None:
        return ""
    return f" The limit of {limit:g} ns is no line, as the points differ in their clock."


def _whole_ticks(axes: Axes, values: Sequence[float]) -> None:
    """Between two whole numbers of what is only counted there is nothing to label."""
    from matplotlib.ticker import MaxNLocator, NullLocator

    if all(isinstance(value, int) for value in values):
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axes.xaxis.set_minor_locator(NullLocator())


def _relative_figure(pareto: Pareto, mark: str) -> Drawing | None:
    """AUC relative to the float model against the number that tells the points apart, a panel for each signal."""
    curve = pareto["curve"]
    if not curve or len(curve["points"]) < 2:
        return None
    signals = list(dict.fromkeys(row["signal"] for row in curve["points"][0]["models"]))
    columns = min(2, len(signals))
    figure, places = new_panels(math.ceil(len(signals) / columns), columns, (4.9, 3.6), mark)
    for place, signal in zip(places, signals, strict=False):
        axes = figure.add_subplot(place)
        for model, colour in (("ptq", SERIES[5]), ("qat", SERIES[0])):
            _relative_line(axes, curve, model, signal, colour)
        axes.axhline(1, color=INK, linewidth=0.8)
        _whole_ticks(axes, [point["value"] for point in curve["points"]])
        set_title(axes, signal_title(signal))
        axes.set_xlabel(curve["axis"])
        axes.set_ylabel("AUC / float AUC")
    figure.axes[0].legend(loc="lower right")
    return finished(
        figure,
        name="relative",
        title=f"AUC relative to the float model against {curve['axis']}",
        caption=(
            "Area under the ROC curve of the network that was quantized after training (PTQ) and of the one that was "
            "trained quantized (QAT), over that of the float model on the same validation events, with 95 % intervals "
            f"of the ratio. {curve['axis']} sets {', '.join(curve['keys'])}."
        ),
        alternative=f"{len(curve['points'])} values of {curve['axis']} for {len(signals)} signals.",
    )


def _relative_line(axes: Axes, curve: Mapping[str, Any], model: str, signal: str, colour: str) -> None:
    rows = [
        (point["value"], row)
        for point in curve["points"]
        for row in point["models"]
        if (row["model"], row["signal"]) == (model, signal)
    ]
    values = [row["relative_ratio"] for _, row in rows]
    lows = [row["relative_ratio"] - (row["relative_low"] or row["relative_ratio"]) for _, row in rows]
    highs = [(row["relative_high"] or row["relative_ratio"]) - row["relative_ratio"] for _, row in rows]
    axes.errorbar(
        [value for value, _ in rows],
        values,
        yerr=[lows, highs],
        fmt="o-",
        color=colour,
        markersize=4,
        capsize=2,
        label=legend_label(model.upper()),
    )


def _cost_figure(pareto: Pareto, mark: str) -> Drawing | None:
    """Look-up tables and cycles against the number that tells the points apart."""
    curve = pareto["curve"]
    if not curve or len(curve["points"]) < 2:
        return None
    points = curve["points"]
    keys = [
        key
        for key in ("lut", "lut_estimate", "latency_cycles")
        if any(point["figures"][key] is not None for point in points)
    ]
    if not keys:
        return None
    figure = new_figure(4.9 * len(keys), 3.6, mark)
    grid = figure.add_gridspec(1, len(keys))
    for column, key in enumerate(keys):
        axes = figure.add_subplot(grid[0, column])
        known = [point for point in points if point["figures"][key] is not None]
        axes.plot([point["value"] for point in known], [point["figures"][key] for point in known], "o-", color=FIRMWARE)
        axes.set_ylim(bottom=0)
        _whole_ticks(axes, [point["value"] for point in known])
        axes.set_xlabel(curve["axis"])
        axes.set_ylabel(FIGURE_TITLES[key])
    return finished(
        figure,
        name="cost",
        title=f"What the RTL takes against {curve['axis']}",
        caption=f"{', '.join(FIGURE_TITLES[key] for key in keys)} of each point's RTL; cycles are from words to score.",
        alternative=f"{len(points)} values of {curve['axis']}.",
    )
