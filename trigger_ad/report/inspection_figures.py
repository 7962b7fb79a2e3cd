"""The distributions of inspected files, drawn over those of the shipped sample where both are in one layout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.distributions import Distribution, Distributions, Quantity, plural
from trigger_ad.report.drawing import (
    DASHES,
    GRID,
    INK,
    SERIES,
    Drawing,
    draw_background,
    finished,
    legend_label,
    new_panels,
    powers_of_ten,
    set_title,
    styled,
)
from trigger_ad.report.inspection_tables import InspectedFile
from trigger_ad.report.wording import count, source_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_FILES: Final = len(SERIES)
"""More files could not be told apart by their colours."""

MARK: Final = "shipped sample: simulated events of trigger-ad, not the public dataset"

_WIDTH: Final = 13.2
"""Inches, as is the height of a row of panels."""
_ROW_HEIGHT: Final = 3.1
_FEATURES_IN_A_ROW: Final = 3
"""At most."""

_CAPTION: Final = "Share of the objects in each bin; for numbers of objects, share of the events."

_Rows = list[list[Quantity | None]]


def inspection_figures(files: Sequence[InspectedFile], references: Mapping[str, Distributions]) -> list[Drawing]:
    """Draws one figure for each class of objects.

    Args:
        files: The inspected files, at least one and at most `MAX_FILES`, with histograms of the same quantities.
        references: The histograms of the sample, by name; the first is the background and is drawn filled. None for
            files that the sample's events cannot be compared with.

    Raises:
        ValueError: There are more files than colours.
    """
    if len(files) > MAX_FILES:
        raise ValueError(f"{len(files)} files, and at most {MAX_FILES} can be told apart")
    classes: dict[str, list[Quantity]] = {}
    for histogram in files[0].distributions.values():
        classes.setdefault(histogram.quantity.object_class, []).append(histogram.quantity)
    mark = MARK if references else f"events: {source_title([file.label for file in files])}"
    with styled():
        return [_figure(name, panel_rows(found), mark, files, references) for name, found in classes.items()]


def panel_rows(quantities: Sequence[Quantity]) -> _Rows:
    """The panels of one class: its number and all its objects, and below them the first slot's.

    Args:
        quantities: As `layout_quantities` has them: the number, the features of all objects, those of the first slot.

    Returns:
        Rows of equal length. Nothing is drawn where None stands; the first is the place of the legend.
    """
    number, features = quantities[:1], quantities[1:]
    if quantities[0].feature is not None:
        number, features = (), quantities
    ends = len(features) // 2 if number else len(features)
    # four features are two and two, not three and one
    in_a_row = math.ceil(ends / math.ceil(ends / _FEATURES_IN_A_ROW))
    rows: _Rows = []
    for start in range(0, ends, in_a_row):
        stop = min(start + in_a_row, ends)
        if not number:
            rows.append([*features[start:stop], None])
            continue
        rows.append([number[0] if start == 0 else None, *features[start:stop]])
        rows.append([None, *features[ends + start : ends + stop]])
    columns = max(map(len, rows))
    return [row + [None] * (columns - len(row)) for row in rows]


def _figure(
    name: str, rows: _Rows, mark: str, files: Sequence[InspectedFile], references: Mapping[str, Distributions]
) -> Drawing:
    columns = len(rows[0])
    # every panel has labels of the same size
    figure, places = new_panels(len(rows), columns, (_WIDTH / columns, _ROW_HEIGHT), mark, fixed=True)
    handles: dict[str, Any] = {}
    free = []
    for index, (place, quantity) in enumerate(zip(places, chain.from_iterable(rows), strict=True)):
        if quantity is None:
            free.append(place)
            continue
        axes = figure.add_subplot(place)
        _draw(axes, quantity, files, references)
        axes.set_ylabel("share" if index % columns == 0 else "")
        drawn, labels = axes.get_legend_handles_labels()
        handles.update(zip(labels, drawn, strict=True))
    legend = figure.add_subplot(free[0])
    legend.set_axis_off()
    legend.legend(handles.values(), handles.keys(), loc="upper left", fontsize=8.5, borderaxespad=0)
    title = _class_title(name, single=all(quantity is None or quantity.feature for quantity in rows[0]))
    return finished(figure, name, title, _CAPTION, _alternative(title, rows, files, references))


def _class_title(name: str, *, single: bool) -> str:
    if name == "met":
        return "Missing transverse energy"
    return (name if single else plural(name)).capitalize()


def _alternative(
    title: str, rows: _Rows, files: Sequence[InspectedFile], references: Mapping[str, Distributions]
) -> str:
    names = [quantity.name for quantity in chain.from_iterable(rows) if quantity is not None]
    told = [f"{file.label}: " + ", ".join(_told(file.distributions[name]) for name in names) for file in files]
    over = " over those of the shipped sample" if references else ""
    compared = " The table of distances compares each with the sample." if references else ""
    drawn = f"{len(names)} histograms of the inspected files{over}"
    return f"{title}: {drawn}. Means and entries. {'; '.join(told)}.{compared}"


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
            draw_background(axes, shares, edges, f"sample: {name}")
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
    set_title(axes, quantity.title, fontsize=9)
    axes.set_xlabel(quantity.unit or quantity.feature or quantity.title)
    axes.set_xlim(edges[0], edges[-1])
    if quantity.feature is None:
        axes.set_xticks(range(0, len(edges) - 1, max(1, len(edges) // 6)))
    # a tick between two labels says little, and takes as long to draw as all the rest
    axes.minorticks_off()
    _set_scale(axes, quantity, files, references)


def drawn_bins(quantity: Quantity) -> tuple[NDArray[np.float64], slice]:
    """The edges that are drawn and their place in the counts: one more bin at each end that values can lie beyond.

    A pT cannot lie below its first edge, and a number of objects cannot lie outside its bins.
    """
    # wide enough for what is written in them
    width = 0.06 * (quantity.edges[-1] - quantity.edges[0])
    below = [] if quantity.feature in (None, "pt") else [quantity.edges[0] - width]
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
    if quantity.feature not in (None, "pt"):
        axes.set_ylim(0, 1.35 * max([0.01, *(float(item.shares.max()) for item in histograms)]))
        return
    smallest = min((1 / item.entries for item in histograms if item.entries), default=1e-4)
    powers_of_ten(axes, y=True)
    axes.set_ylim(max(0.5 * smallest, 1e-7), 2)
