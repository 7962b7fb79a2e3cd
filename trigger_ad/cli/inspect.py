"""`trigger-ad inspect`: says what is in an events file and whether it is sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from trigger_ad.events.inspection import FeatureRange, Inspection

_EXAMPLE = """\b
Example:
  trigger-ad inspect background_for_training.h5
"""

_PLAIN_WIDTH = 200
"""Columns where there is no terminal whose width could be asked: wide enough for every table."""


@click.command(epilog=_EXAMPLE)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a script instead of tables.")
def inspect(file: Path, as_json: bool) -> None:
    """Say what is in the events FILE and whether it is sound.

    FILE is HDF5 in the ADC2021 layout. Exits with 0 for a sound file, with or without oddities, and with 2 for one
    that cannot be used.
    """
    import json

    from rich.console import Console

    from trigger_ad.events.inspection import inspect_file

    inspection = inspect_file(file)
    if as_json:
        click.echo(json.dumps(inspection.to_json(), indent=2, allow_nan=False))
        return
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    for part in _parts(inspection, console):
        console.print(part)


def _parts(inspection: Inspection, console: Console) -> list[RenderableType]:
    parts: list[RenderableType] = [f"{inspection.source}: {inspection.verdict}", "", _facts(inspection, console)]
    if inspection.events:
        parts += ["", _occupancies(inspection, console), "", _ranges(inspection, console)]
        if inspection.quartile_stride > 1:
            parts.append(f"Quartiles are over one event in {inspection.quartile_stride}.")
    if inspection.oddities:
        parts += ["", "Oddities (events are counted from 0)", *_oddities(inspection)]
    return parts


def _table(console: Console, *headings: str, title: str | None = None) -> Table:
    from rich import box
    from rich.table import Table

    on_terminal = console.is_terminal
    table = Table(
        box=box.SIMPLE_HEAD if on_terminal else None,
        show_header=bool(headings),
        title=title,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="left" if position == 0 else "right", no_wrap=True)
    return table


def _facts(inspection: Inspection, console: Console) -> Table:
    table = _table(console)
    table.add_row("events", f"{inspection.events:,}")
    table.add_row("stored as", f"{inspection.dtype}, {inspection.compression or 'not compressed'}")
    table.add_row("event ids (EvtId)", "yes" if inspection.has_event_id else "no")
    table.add_row("groups (GroupId)", "no" if inspection.groups is None else f"{inspection.groups:,}")
    if inspection.jets_mean is not None:
        table.add_row("jets per event", f"mean {inspection.jets_mean:.3f}, sd {inspection.jets_sd:.3f}")
    if inspection.met_mean is not None:
        table.add_row("MET", f"mean {inspection.met_mean:.2f} GeV")
    return table


def _occupancies(inspection: Inspection, console: Console) -> Table:
    table = _table(
        console, "class", "objects", "fraction of events with each slot filled", title="Occupancy of the slots"
    )
    table.columns[2].justify = "left"
    table.columns[2].no_wrap = False
    for summary in inspection.classes:
        fractions = "  ".join(_fraction(occupancy) for occupancy in summary.occupancy)
        table.add_row(summary.name, f"{summary.objects:,}", fractions)
    return table


def _fraction(occupancy: float) -> str:
    return "0" if occupancy == 0 else f"{occupancy:.2g}" if occupancy < 0.001 else f"{occupancy:.3f}"


def _ranges(inspection: Inspection, console: Console) -> Table:
    headings = ("feature", "minimum", "lower quartile", "median", "upper quartile", "maximum")
    table = _table(console, *headings, title="Ranges over present objects (pT in GeV, phi in radians)")
    for summary in inspection.classes:
        for feature, found in summary.features.items():
            table.add_row(f"{summary.name} {feature}", *_numbers(found))
    return table


def _numbers(found: FeatureRange) -> list[str]:
    quartiles = ["unknown"] * 3 if found.quartiles is None else [f"{value:.4g}" for value in found.quartiles]
    return [f"{found.minimum:.4g}", *quartiles, f"{found.maximum:.4g}"]


def _oddities(inspection: Inspection) -> list[str]:
    lines = []
    for oddity in inspection.oddities:
        where = "the file" if oddity.first_event is None else f"{oddity.count:,} events, first {oddity.first_event}"
        lines.append(f"  {oddity.name} ({where}): {oddity.explanation}")
    return lines
