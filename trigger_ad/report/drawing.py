"""How figures look, and how a Matplotlib figure becomes PNG and an SVG that can stand inside a page."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trigger_ad.report.wording import power_of_ten

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.patches import StepPatch
    from numpy.typing import NDArray

INK: Final = "#20262e"
GRID: Final = "#d9dee4"
FAINT: Final = "#8b949e"
FLOAT: Final = "#0072b2"
FIRMWARE: Final = "#d55e00"
SERIES: Final = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#0072b2")
"""Colours that people who see fewer colours can tell apart (M. Okabe, K. Ito, 2008)."""
DASHES: Final = ("solid", "dashed", "dashdot", "dotted")

_VARIABLES = {INK: "--ink", GRID: "--line", FAINT: "--faint", FLOAT: "--figure-blue"}
"""Colours that follow the page where it is dark."""

_MARK_HEIGHT = 0.22
"""Inches at the top of a figure."""

_STYLE: Final[dict[Any, Any]] = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlecolor": INK,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "trigger-ad",
    "text.color": INK,
    # names of signals are the user's own: a dollar sign in one is no formula
    "text.parse_math": False,
    "xtick.color": INK,
    "xtick.direction": "in",
    "xtick.minor.visible": True,
    "xtick.top": True,
    "ytick.color": INK,
    "ytick.direction": "in",
    "ytick.minor.visible": True,
    "ytick.right": True,
}


@dataclass(frozen=True)
class Drawing:
    """A finished figure.

    Attributes:
        name: Of its file, without ending.
        title: One line.
        caption: What is to be seen, in full sentences.
        alternative: What it shows, for those who cannot see it.
        svg: An `svg` element that refers to nothing outside itself.
        png: The same as a PNG file.
    """

    name: str
    title: str
    caption: str
    alternative: str
    svg: str
    png: bytes


@contextmanager
def styled() -> Iterator[None]:
    """Figures made in this block have the report's style; Matplotlib's settings are put back afterwards."""
    from matplotlib import rc_context

    with rc_context(_STYLE), warnings.catch_warnings():
        # a name in a script that the PNG's font lacks is no reason to fail; in SVG the browser's fonts draw it
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def finished(figure: Figure, name: str, title: str, caption: str, alternative: str) -> Drawing:
    """Renders a figure, inside `styled`; the same figure gives the same bytes."""
    png, svg = io.BytesIO(), io.StringIO()
    figure.savefig(png, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    # the layout is the same for both files, and takes as long as drawing
    figure.set_layout_engine("none")
    figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
    return Drawing(name, title, caption, alternative, _inline(svg.getvalue(), name, alternative), png.getvalue())


def legend_label(name: str) -> str:
    """A label that Matplotlib shows: it hides those that begin with an underscore."""
    return f" {name}" if name.startswith("_") else name


def new_figure(width: float, height: float, mark: str) -> Figure:
    """A figure that says at its top what its events are.

    Args:
        width: In inches.
        height: In inches, the mark not counted.
        mark: What the events are.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    total = height + _MARK_HEIGHT
    layout = ConstrainedLayoutEngine(rect=(0, 0, 1, height / total))
    figure = Figure(figsize=(width, total), layout=layout)
    figure.text(0.995, 0.995, mark, ha="right", va="top", fontsize=8.5, style="italic", color=INK)
    return figure


def new_panels(
    rows: int, columns: int, size: tuple[float, float], mark: str, *, fixed: bool = False
) -> tuple[Figure, list[SubplotSpec]]:
    """A figure of panels of equal size, and the place of each, row by row.

    Args:
        rows: Rows of panels.
        columns: Panels in a row.
        size: Width and height of a panel in inches, labels included.
        mark: What the events are.
        fixed: Whether the places are the same whatever is drawn: searching for them takes longer than drawing many
            panels, and is needless where their labels are of one size.
    """
    width, height = size
    figure = new_figure(columns * width, rows * height, mark)
    places: dict[str, float] = {}
    if fixed:
        figure.set_layout_engine("none")
        edge = 0.16 / rows
        places = {"left": 0.045, "right": 0.995, "bottom": edge, "top": 1 - edge, "wspace": 0.18, "hspace": 0.36}
    grid = figure.add_gridspec(rows, columns, **places)
    return figure, [grid[row, column] for row in range(rows) for column in range(columns)]


def set_title(axes: Axes, title: str, **style: Any) -> None:
    """Writes the title of a panel, flush left."""
    axes.set_title(legend_label(title), loc="left", **style)


def draw_background(axes: Axes, shares: NDArray[np.float64], edges: NDArray[np.float64], label: str) -> StepPatch:
    """Fills the histogram over which the others are drawn."""
    return axes.stairs(shares, edges, fill=True, color=FAINT, alpha=0.35, label=label)


def powers_of_ten(axes: Axes, *, x: bool = False, y: bool = False) -> None:
    """Makes an axis logarithmic, its ticks labelled 10⁻², as plain text."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for wanted, axis, set_scale in ((x, axes.xaxis, axes.set_xscale), (y, axes.yaxis, axes.set_yscale)):
        if wanted:
            set_scale("log")
            axis.set_major_locator(LogLocator(numticks=8))
            axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value) if value > 0 else ""))
            axis.set_minor_formatter(NullFormatter())


def _inline(svg: str, name: str, alternative: str) -> str:
    """An SVG file as an element of a page: no prologue, identifiers of its own, colours that follow the page."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href=", "href=")
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var({variable})")
    box = re.search(r'viewBox="([^"]+)"', body)
    assert box is not None
    label = html.escape(alternative, quote=True)
    opening = f'<svg viewBox="{box.group(1)}" role="img" aria-label="{label}">'
    return opening + body[body.index(">") + 1 :].strip()
