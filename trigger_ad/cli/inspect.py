"""`trigger-ad inspect`: says what is in events files, whether they are sound, and what they resemble."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from trigger_ad.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table as RichTable

    from trigger_ad.events.distributions import Quantity
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.events.inspection import Inspection
    from trigger_ad.events.layout import EventLayout
    from trigger_ad.report.inspection_tables import InspectedFile
    from trigger_ad.report.table import Table

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
    help="Also write one page with every distribution, drawn over those of the shipped sample.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="TARGET",
    help="The configuration, or run directory, whose event layout the files have. The shipped sample is in the ADC2021 "
    "layout, and files in another are not compared with it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a script instead of tables.")
def inspect(files: tuple[Path, ...], page: Path | None, config: Path | None, as_json: bool) -> None:
    """Say what is in each events FILE and whether it is sound.

    FILE is HDF5 in the ADC2021 layout, or in that of a configuration; up to six are shown side by side. Exits with 0
    for sound files, with or without oddities, and with 2 if one cannot be used. Files of any size are read in pieces.
    JSON is one object for one file and a list of them for several.
    """
    paths = dict(zip(_labels(files), files, strict=True))
    encoding = _encoding(config)
    if page is None:
        from trigger_ad.events.inspection import inspect_file

        inspections = {
            label: inspect_file(path, encoding, title=f"inspecting {label}") for label, path in paths.items()
        }
    else:
        inspected = _inspect_for_page(paths, encoding, page)
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


def _encoding(config: Path | None) -> InputEncoding:
    if config is None:
        from trigger_ad.events.inspection import DEFAULT_ENCODING

        return DEFAULT_ENCODING
    from trigger_ad.pipeline.target import open_run

    return open_run(config).encoding


def _inspect_for_page(files: dict[str, Path], encoding: InputEncoding, page: Path) -> list[InspectedFile]:
    from trigger_ad.events.distributions import QUANTITIES
    from trigger_ad.events.layout import ADC2021
    from trigger_ad.report.inspection_page import check_page_path, write_inspection_page

    # before minutes are spent on reading
    check_page_path(page)
    like_the_sample = encoding.layout == ADC2021
    quantities = QUANTITIES if like_the_sample else _quantities(list(files.values()), encoding.layout)
    inspected = [
        _inspect_with_histograms(label, file, encoding, quantities, f"inspecting {label}")
        for label, file in files.items()
    ]
    write_inspection_page(inspected, _inspect_sample(encoding) if like_the_sample else [], page)
    return inspected


def _quantities(files: Sequence[Path], layout: EventLayout) -> Mapping[str, Quantity]:
    """With axes that are the same for all files."""
    import numpy as np

    from trigger_ad.events.distributions import layout_quantities
    from trigger_ad.events.inspection import typical_events

    events = [np.zeros((0, *layout.shape))]
    for file in files:
        # a file that cannot be used is refused when it is inspected, which says more of it
        with contextlib.suppress(UserError):
            events.append(typical_events(file, layout))
    return layout_quantities(layout, np.concatenate(events))


def _inspect_sample(encoding: InputEncoding) -> list[InspectedFile]:
    from trigger_ad.events.distributions import QUANTITIES
    from trigger_ad.events.sample import sample_paths
    from trigger_ad.report.wording import signal_title

    sample = sample_paths()
    (background,) = sample.background
    references = {"Background": background} | {signal_title(name): file for name, (file,) in sample.signals.items()}
    return [
        _inspect_with_histograms(label, file, encoding, QUANTITIES, f"inspecting the sample's {label}")
        for label, file in references.items()
    ]


def _inspect_with_histograms(
    label: str, file: Path, encoding: InputEncoding, quantities: Mapping[str, Quantity], title: str
) -> InspectedFile:
    from trigger_ad.events.distributions import DistributionTally
    from trigger_ad.events.inspection import inspect_file
    from trigger_ad.report.inspection_tables import InspectedFile
    from trigger_ad.run_directory import file_digest

    tally = DistributionTally(quantities)
    inspection = inspect_file(file, encoding, observers=[lambda chunk: tally.add(chunk.particles)], title=title)
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
