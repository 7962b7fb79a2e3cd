"""`trigger-ad inspect`: says what is in events files, whether they are sound, and what they resemble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from trigger_ad.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table as RichTable

    from trigger_ad.events.inspection import Inspection
    from trigger_ad.report.inspection_tables import InspectedFile
    from trigger_ad.report.tables import Table

MAX_FILES: Final = 6
"""More columns and histograms could not be told apart."""

_EXAMPLE = """\b
Example:
  trigger-ad inspect background_for_training.h5 --html background.html
"""

_PLAIN_WIDTH = 200
"""Columns where there is no terminal whose width could be asked: wide enough for the tables of one file."""


@click.command(epilog=_EXAMPLE)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path),
    metavar="PAGE.html",
    help="Also write one page with every distribution drawn over those of the shipped sample.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a script instead of tables.")
def inspect(files: tuple[Path, ...], page: Path | None, as_json: bool) -> None:
    """Say what is in each events FILE and whether it is sound.

    FILE is HDF5 in the ADC2021 layout; up to six are shown side by side. Exits with 0 for sound files, with or without
    oddities, and with 2 if one cannot be used. Files of any size are read in pieces. JSON is one object for one file
    and a list of them for several.
    """
    labels = _labels(files)
    if page is None:
        from trigger_ad.events.inspection import inspect_file

        paths = dict(zip(labels, files, strict=True))
        inspections = {label: inspect_file(path, title=f"inspecting {label}") for label, path in paths.items()}
    else:
        inspected = _inspect_for_page(dict(zip(labels, files, strict=True)), page)
        inspections = {file.label: file.inspection for file in inspected}
    if as_json:
        _print_json(list(inspections.values()))
    else:
        _print_tables(inspections, page)


def _labels(files: Sequence[Path]) -> list[str]:
    """What each file is called: its name, or its path as it was given where another has the same name."""
    if len(files) > MAX_FILES:
        raise UserError(f"{len(files)} files are given, and at most {MAX_FILES} can be compared", "Give fewer at once")
    given, count = Counter(str(file) for file in files).most_common(1)[0]
    if count > 1:
        raise UserError(f"{given} is given {count} times", "Give each file once")
    names = Counter(file.name for file in files)
    return [file.name if names[file.name] == 1 else str(file) for file in files]


def _inspect_for_page(files: dict[str, Path], page: Path) -> list[InspectedFile]:
    from trigger_ad.events.sample import sample_paths
    from trigger_ad.report.inspection_page import check_page_path, write_inspection_page
    from trigger_ad.report.wording import signal_title

    # before minutes are spent on reading
    check_page_path(page)
    inspected = [_inspect_with_histograms(label, file) for label, file in files.items()]
    sample = sample_paths()
    (background,) = sample.background
    references = {"Background": background} | {signal_title(name): file for name, (file,) in sample.signals.items()}
    shipped = [_inspect_with_histograms(label, file, "the sample's ") for label, file in references.items()]
    write_inspection_page(inspected, shipped, page)
    return inspected


def _inspect_with_histograms(label: str, file: Path, of: str = "") -> InspectedFile:
    from trigger_ad.events.distributions import DistributionTally
    from trigger_ad.events.inspection import inspect_file
    from trigger_ad.report.inspection_tables import InspectedFile
    from trigger_ad.run_directory import file_digest

    tally = DistributionTally()
    inspection = inspect_file(
        file, observers=[lambda chunk: tally.add(chunk.particles)], title=f"inspecting {of}{label}"
    )
    return InspectedFile(label, inspection, tally.result(), file_digest(file))


def _print_json(inspections: Sequence[Inspection]) -> None:
    import json

    found = [inspection.to_json() for inspection in inspections]
    click.echo(json.dumps(found[0] if len(found) == 1 else found, indent=2, allow_nan=False))


def _print_tables(inspections: dict[str, Inspection], page: Path | None) -> None:
    from rich.console import Console

    from trigger_ad.report import inspection_tables as tables

    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    parts: list[RenderableType] = [f"{label}: {found.verdict}" for label, found in inspections.items()]
    shown = [tables.facts_table(inspections)]
    if any(found.events for found in inspections.values()):
        shown += [tables.numbers_table(inspections), tables.occupancy_table(inspections)]
    shown += [tables.ranges_table(label, found) for label, found in inspections.items() if found.events]
    for table in shown:
        parts += ["", _rendered(table, console), *table.notes]
    parts += _oddities(inspections)
    if page is not None:
        parts += ["", f"Page: {page}"]
    for part in parts:
        console.print(part)


def _rendered(table: Table, console: Console) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable

    from trigger_ad.report.wording import UNKNOWN

    on_terminal = console.is_terminal
    rendered = RichTable(
        box=box.SIMPLE_HEAD if on_terminal else None,
        title=table.title,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    for position, heading in enumerate(table.columns):
        # names of files may be long, and are folded rather than cut
        rendered.add_column(
            heading, justify="left" if position in table.text_columns else "right", no_wrap=False, overflow="fold"
        )
    for row in table.rows:
        rendered.add_row(*("unknown" if cell == UNKNOWN else cell for cell in row))
    return rendered


def _oddities(inspections: dict[str, Inspection]) -> list[str]:
    lines = []
    for label, found in inspections.items():
        for oddity in found.oddities:
            where = "the file" if oddity.first_event is None else f"{oddity.count:,} events, first {oddity.first_event}"
            prefix = f"{label}: " if len(inspections) > 1 else ""
            lines.append(f"  {prefix}{oddity.name} ({where}): {oddity.explanation}")
    return ["", "Oddities (events are counted from 0)", *lines] if lines else []
