"""The distributions of inspected files, each drawn over those of the shipped sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.distributions import QUANTITIES, Distribution, Distributions, Quantity
from trigger_ad.events.layout import PT
from trigger_ad.report.drawing import (
    DASHES,
    FAINT,
    GRID,
    INK,
    SERIES,
    Drawing,
    finished,
    legend_label,
    new_figure,
    powers_of_ten,
    styled,
)
from trigger_ad.report.inspection_tables import InspectedFile
from trigger_ad.report.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_FILES: Final = len(SERIES)
"""More files could not be told apart by their colours."""

MARK: Final = "shipped sample: simulated events of trigger-ad, not the public dataset"

_FIGURES: Final = {
    "met": ("Missing transverse energy", (("met_pt", "met_phi", None),)),
    **{
        name: (
            f"{name.capitalize()}s",
            (
                (f"{name}s_per_event", f"{name}_pt", f"{name}_eta", f"{name}_phi"),
                (None, f"leading_{name}_pt", f"leading_{name}_eta", f"leading_{name}_phi"),
            ),
        )
        for name in ("electron", "muon", "jet")
    },
}
"""For each figure its title and its panels, row by row; None is the place of the legend."""

_WIDTH: Final = 13.2
"""Inches, as is the height of a row of panels."""
_ROW_HEIGHT: Final = 3.1

_CAPTION: Final = "Share of the objects in each bin; for numbers of objects, share of the events."


def inspection_figures(files: Sequence[InspectedFile], references: Mapping[str, Distributions]) -> list[Drawing]:
    """Draws one figure for the missing transverse energy and one for each class of objects.

    Args:
        files: The inspected files, at most `MAX_FILES`.
        references: The histograms of the sample, by name; the first is the background and is drawn filled.

    Raises:
        ValueError: There are more files than colours.
    """
    if len(files) > MAX_FILES:
        raise ValueError(f"{len(files)} files, and at most {MAX_FILES} can be told apart")
    with styled():
        return [_figure(name, files, references) for name in _FIGURES]


def _figure(name: str, files: Sequence[InspectedFile], references: Mapping[str, Distributions]) -> Drawing:
    title, rows = _FIGURES[name]
    figure = new_figure(_WIDTH, _ROW_HEIGHT * len(rows), MARK)
    # every panel has labels of the same size, so their places need not be searched for, which takes longer than drawing
    figure.set_layout_engine("none")
    edge = 0.16 / len(rows)
    grid = figure.add_gridspec(
        len(rows), len(rows[0]), left=0.045, right=0.995, bottom=edge, top=1 - edge, wspace=0.18, hspace=0.36
    )
    handles: dict[str, Any] = {}
    legend: Axes | None = None
    for row, column in np.ndindex(grid.nrows, grid.ncols):
        axes = figure.add_subplot(grid[row, column])
        panel = rows[row][column]
        if panel is None:
            legend = axes
        else:
            _draw(axes, QUANTITIES[panel], files, references)
            axes.set_ylabel("share" if column == 0 else "")
            drawn, labels = axes.get_legend_handles_labels()
            handles.update(zip(labels, drawn, strict=True))
    assert legend is not None
    legend.set_axis_off()
    legend.legend(handles.values(), handles.keys(), loc="upper left", fontsize=8.5, borderaxespad=0)
    return finished(figure, name, title, _CAPTION, _alternative(title, rows, files))


def _alternative(title: str, rows: Sequence[Sequence[str | None]], files: Sequence[InspectedFile]) -> str:
    names = [panel for panels in rows for panel in panels if panel is not None]
    told = [f"{file.label}: " + ", ".join(_told(file.distributions[name]) for name in names) for file in files]
    return (
        f"{title}: {len(names)} histograms of the inspected files over those of the shipped sample. "
        f"Means and entries. {'; '.join(told)}. The table of distances compares each with the sample."
    )


def _told(distribution: Distribution) -> str:
    """For example "pT of all jets 41.2 GeV (23,849)"; the mean is that of the bins' centres."""
    quantity = distribution.quantity
    inside = distribution.counts[1:-1]
    if not inside.any():
        return f"{quantity.title} none"
    centres = (quantity.edges[1:] + quantity.edges[:-1]) / 2
    mean = f"{float((inside * centres).sum() / inside.sum()):.3g} {quantity.unit}".rstrip()
    return f"{quantity.title} {mean} ({count(distribution.entries)})"


def _draw(
    axes: Axes, quantity: Quantity, files: Sequence[InspectedFile], references: Mapping[str, Distributions]
) -> None:
    edges, inside = drawn_bins(quantity)
    for index, (name, histograms) in enumerate(references.items()):
        shares = histograms[quantity.name].shares[inside]
        if index == 0:
            axes.stairs(shares, edges, fill=True, color=FAINT, alpha=0.35, label=f"sample: {name}")
        else:
            dashes = DASHES[(index - 1) % len(DASHES)]
            axes.stairs(shares, edges, color=INK, alpha=0.6, linewidth=0.8, linestyle=dashes, label=f"sample: {name}")
    for index, file in enumerate(files):
        if file.distributions[quantity.name].entries:
            _draw_file(axes, file, file.distributions[quantity.name], index, len(files))
        else:
            # drawn nowhere, and still in the legend
            axes.plot([], [], color=SERIES[index], label=legend_label(file.label))
    _shade_ends(axes, quantity, edges)
    axes.set_title(quantity.title, loc="left", fontsize=9)
    axes.set_xlabel(quantity.unit or (quantity.title if quantity.feature is None else "eta"))
    axes.set_xlim(edges[0], edges[-1])
    if quantity.feature is None:
        axes.set_xticks(range(0, len(edges) - 1, 1 if len(edges) < 8 else 2))
    # a tick between two labels says little, and takes as long to draw as all the rest
    axes.minorticks_off()
    _set_scale(axes, quantity, files, references)


def drawn_bins(quantity: Quantity) -> tuple[NDArray[np.float64], slice]:
    """The edges that are drawn and their place in the counts: one more bin at each end that values can lie beyond.

    A pT cannot lie below its first edge, and a number of objects cannot lie outside its bins.
    """
    # wide enough for what is written in them
    width = 0.06 * (quantity.edges[-1] - quantity.edges[0])
    below = [] if quantity.feature in (None, PT) else [quantity.edges[0] - width]
    above = [] if quantity.feature is None else [quantity.edges[-1] + width]
    edges = np.concatenate([below, quantity.edges, above])
    first = 0 if below else 1
    return edges, slice(first, first + len(edges) - 1)


def _draw_file(axes: Axes, file: InspectedFile, distribution: Distribution, index: int, files: int) -> None:
    edges, inside = drawn_bins(distribution.quantity)
    shares, errors = distribution.shares[inside], distribution.errors[inside]
    colour = SERIES[index]
    axes.stairs(shares, edges, color=colour, linewidth=1.3, label=legend_label(file.label))
    filled = shares > 0
    # side by side inside their bin, so that the bars of one file do not hide those of another
    places = edges[:-1] + np.diff(edges) * (index + 1) / (files + 1)
    axes.errorbar(
        places[filled], shares[filled], yerr=errors[filled], fmt="none", ecolor=colour, elinewidth=0.9, capsize=0
    )


def _shade_ends(axes: Axes, quantity: Quantity, edges: NDArray[np.float64]) -> None:
    style: dict[str, Any] = {"rotation": 90, "fontsize": 7, "ha": "center", "va": "top", "color": INK}
    ends = (
        (edges[0] < quantity.edges[0], edges[0], quantity.edges[0], f"below {quantity.edges[0]:.3g}"),
        (edges[-1] > quantity.edges[-1], quantity.edges[-1], edges[-1], f"above {quantity.edges[-1]:.3g}"),
    )
    for is_drawn, low, high, label in ends:
        if is_drawn:
            axes.axvspan(low, high, color=GRID, alpha=0.6, linewidth=0, zorder=0)
            axes.text((low + high) / 2, 0.98, label, transform=axes.get_xaxis_transform(), **style)


def _set_scale(
    axes: Axes, quantity: Quantity, files: Sequence[InspectedFile], references: Mapping[str, Distributions]
) -> None:
    histograms = [file.distributions[quantity.name] for file in files]
    histograms += [reference[quantity.name] for reference in references.values()]
    if quantity.feature not in (None, PT):
        axes.set_ylim(0, 1.35 * max([0.01, *(float(item.shares.max()) for item in histograms)]))
        return
    smallest = min((1 / item.entries for item in histograms if item.entries), default=1e-4)
    powers_of_ten(axes, y=True)
    axes.set_ylim(max(0.5 * smallest, 1e-7), 2)
