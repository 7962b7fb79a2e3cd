"""The figure of the firmware against each trivial score at equal background rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.report.comparison_tables import at_share, entries_by_pair, share_title
from trigger_ad.report.drawing import FAINT, FIRMWARE, FLOAT, INK, Drawing, finished, new_panels, set_title
from trigger_ad.report.inputs import Report
from trigger_ad.report.marks import events_mark
from trigger_ad.report.rows import signals
from trigger_ad.report.wording import signal_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rates = list[tuple[str, Mapping[str, Any]]]
"""The comparison with each trivial score, by its key."""


def comparison_figure(report: Report) -> Drawing | None:
    """Draws the differences where the verdict compares, inside `styled`; None where nothing was compared."""
    fpr = report["verdict"]["fpr_target"]
    panels = [] if fpr is None else [(name, rates) for name in signals(report) if (rates := _rates(report, name, fpr))]
    if not panels:
        return None
    columns = min(2, len(panels))
    height = 1.1 + 0.24 * max(len(rates) for _, rates in panels)
    figure, places = new_panels(math.ceil(len(panels) / columns), columns, (4.9, height), events_mark(report))
    for place, (name, rates) in zip(places, panels, strict=False):
        _draw(figure.add_subplot(place), signal_title(name), rates)
    won = ", ".join(f"{signal_title(name)} {_won(rates)} of {len(rates)}" for name, rates in panels)
    return finished(
        figure,
        name="comparison",
        title="The firmware against trivial scores",
        caption=(
            f"True-positive rate of the firmware less that of each trivial score, {share_title(report, fpr)} of test "
            "background, exactly the same for both; with paired 95 % intervals. To the right of the line the firmware "
            "accepts more of the signal (blue), to its left the trivial score does (orange); in grey where the "
            "interval holds 0."
        ),
        alternative=f"Differences of true-positive rates with intervals. Trivial scores that are beaten: {won}.",
    )


def _rates(report: Report, signal: str, fpr: float) -> Rates:
    pairs = entries_by_pair(report, trivial=True).items()
    found = ((reference, at_share(entries.get(signal), fpr)) for (_, reference), entries in pairs)
    return [(reference, rate) for reference, rate in found if rate is not None]


def _won(rates: Rates) -> int:
    return sum(rate["difference"] > 0 for _, rate in rates)


def _draw(axes: Axes, title: str, rates: Rates) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.axvline(0, color=INK, linewidth=0.9)
    for place, (_, rate) in enumerate(rates):
        value = rate["difference"]
        error: Sequence[Sequence[float]] = [[value - rate["low"]], [rate["high"] - value]]
        sure = not rate["low"] <= 0 <= rate["high"]
        colour = FAINT if not sure else FLOAT if value > 0 else FIRMWARE
        axes.errorbar([value], [place], xerr=error, fmt="o", color=colour, markersize=4)
    axes.set_yticks(range(len(rates)), [BASELINE_TITLES[name] for name, _ in rates], fontsize=8)
    axes.tick_params(axis="y", which="minor", left=False, right=False)
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel("difference of true-positive rates")
    set_title(axes, title)
