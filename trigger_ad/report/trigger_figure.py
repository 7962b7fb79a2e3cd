"""The figure of the trigger rate against the threshold code."""

from __future__ import annotations

import numpy as np

from trigger_ad.report.drawing import FIRMWARE, FLOAT, INK, Drawing, finished, new_figure, powers_of_ten
from trigger_ad.report.inputs import Report
from trigger_ad.report.marks import events_mark


def trigger_figure(report: Report) -> Drawing | None:
    """Draws the curve and the working points of the menu, inside `styled`; None for a run without an input rate."""
    trigger = report["trigger"]
    if not trigger:
        return None
    curve = {name: np.asarray(values, dtype=np.float64) for name, values in trigger["curve"].items()}
    figure = new_figure(9.8, 4.2, events_mark(report))
    axes = figure.add_subplot()
    codes, rate = curve["threshold_code"], curve["rate_hz"]
    # an interval that ends at 0 has no place on a logarithmic axis
    low = np.maximum(curve["low"], rate.min() / 10)
    axes.fill_between(codes, low, curve["high"], color=FLOAT, alpha=0.25, linewidth=0, label="95 %")
    axes.plot(codes, rate, color=FLOAT, label="test background")
    points = [point for point in trigger["working_points"] if point["threshold_code"] is not None]
    for point in points:
        axes.axhline(point["rate_hz"], color=INK, linewidth=0.8, linestyle="dotted")
    if points:
        x, y = ([point[key] for point in points] for key in ("threshold_code", "achieved_rate_hz"))
        ends = np.array([[point["rate_low_hz"], point["rate_high_hz"]] for point in points]).T
        error = np.abs(ends - np.asarray(y))
        axes.errorbar(x, y, yerr=error, fmt="o", color=FIRMWARE, markersize=5, zorder=3, label="working points")
    powers_of_ten(axes, y=True)
    axes.set(xlabel="threshold code", ylabel="rate (Hz)")
    axes.legend(loc="upper right")
    told = "; ".join(f"{point['rate_hz']:g} Hz at code {point['threshold_code']}" for point in points)
    return finished(
        figure,
        name="trigger_rate",
        title="Trigger rate against threshold",
        caption=(
            "The rate of test background that a threshold accepts, before overlap with other triggers, with 95 % "
            "intervals. Points are the working points of the menu, whose codes validation background sets; dotted "
            "lines are the rates asked for."
        ),
        alternative=f"Trigger rate falling with the threshold code. Working points: {told or 'none is supported'}.",
    )
