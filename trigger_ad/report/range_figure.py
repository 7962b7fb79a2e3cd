"""The figure of value ranges: what the words of each layer are worth, beside what their types can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trigger_ad.fixed_point import FixedPoint
from trigger_ad.report.drawing import FAINT, FIRMWARE, FLOAT, GRID, Drawing, finished, legend_label, new_figure
from trigger_ad.report.inputs import Report
from trigger_ad.report.marks import events_mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def range_figure(report: Report) -> Drawing | None:
    """Draws the ranges of every layer, the input at the top, inside `styled`; None if they were not counted."""
    ranges = report["agreement"].get("value_ranges") or []
    if not ranges:
        return None
    figure = new_figure(9.8, 1.3 + 0.27 * len(ranges), events_mark(report))
    axes = figure.add_subplot()
    for row, entry in enumerate(ranges):
        _draw_type(axes, row, entry)
        _draw_values(axes, row, entry)
    _label(axes, ranges)
    return finished(
        figure,
        name="value_ranges",
        title="Value ranges",
        caption=(
            "The bar is what the type of a layer's words can hold, from its least significant bit to its largest "
            "magnitude. The shade shows how often the values of test events lie between two powers of two; zeros "
            "are counted beside it. The triangle is the largest magnitude of any vector: bits to its right were "
            "never used."
        ),
        alternative=f"Magnitudes of the values of {len(ranges)} layers beside the range of their types.",
    )


def _ends(entry: Mapping[str, Any], *, in_use: bool = True) -> tuple[float, float]:
    """The exponents of a type's least significant bit and of its largest magnitude.

    Args:
        entry: Of the layer.
        in_use: Whether of the type that the user sets, if there is one, or of the word itself.
    """
    own = in_use and entry.get("accumulator")
    kind, divisor = FixedPoint.parse(own or entry["precision"]), math.log2(entry["divisor"])
    return -kind.fraction - divisor, kind.integer - int(kind.signed) - divisor


def _draw_type(axes: Axes, row: int, entry: Mapping[str, Any]) -> None:
    low, high = _ends(entry)
    axes.barh(row, high - low, left=low, height=0.78, color="none", edgecolor=FAINT, linewidth=0.9, zorder=2)


def _draw_values(axes: Axes, row: int, entry: Mapping[str, Any]) -> None:
    low, _ = _ends(entry, in_use=False)
    _, high = _ends(entry)
    zeros, *counts = entry["magnitudes"]
    total = zeros + sum(counts)
    for bit, number in enumerate(counts):
        if number:
            # a share of a thousandth can still be seen
            shade = 0.12 + 0.88 * math.sqrt(number / total)
            axes.barh(row, 1, left=low + bit, height=0.78, color=FLOAT, alpha=shade, linewidth=0)
    if entry["largest_bits"]:
        axes.plot(low + entry["largest_bits"], row, marker="<", color=FIRMWARE, markersize=5, zorder=3)
    if total:
        axes.annotate(
            f"{zeros / total:.0%} zero" if zeros > total / 200 else "",
            (high, row),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=FAINT,
        )


def _label(axes: Axes, ranges: Sequence[Mapping[str, Any]]) -> None:
    types = [(entry.get("accumulator") or entry["precision"]).partition(",RND")[0].rstrip(">") for entry in ranges]
    names = [legend_label(f"{entry['layer']}  {kind}>") for entry, kind in zip(ranges, types, strict=True)]
    axes.set_yticks(range(len(ranges)), names, fontsize=8)
    axes.tick_params(axis="y", which="minor", left=False, right=False)
    axes.invert_yaxis()
    axes.grid(visible=True, axis="x", color=GRID)
    axes.grid(visible=False, axis="y")
    lowest, highest = min(_ends(entry)[0] for entry in ranges), max(_ends(entry)[1] for entry in ranges)
    axes.set_xlim(lowest - 0.5, highest + 0.09 * (highest - lowest) + 1)
    axes.set_xlabel("magnitude, as a power of two")
