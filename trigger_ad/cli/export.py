"""`trigger-ad export`: the run's network as a C++ emulator for others."""

from __future__ import annotations

from pathlib import Path

import click

_EXAMPLE = """TARGET is a configuration or a run directory.

\b
Example:
  trigger-ad export hls_projects/student --out student_emulator
"""


@click.command(epilog=_EXAMPLE)
@click.argument("target", type=click.Path(path_type=Path), metavar="TARGET")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write; one that this command made is replaced.",
)
@click.option(
    "--version",
    default="1",
    show_default=True,
    metavar="N",
    help="Numbers with points between them. Every name in the emulator carries it: give each network that is handed "
    "out one of its own.",
)
def export(target: Path, out: Path, version: str) -> None:
    """Write a C++ emulator that others build without trigger-ad, hls4ml or Python.

    It takes raw trigger words and gives the firmware's score words, bit for bit; its test, a Python loader and an
    adaptor for CMS software go with it.
    """
    from trigger_ad.cli.stages import reported
    from trigger_ad.native.source import LibraryNames
    from trigger_ad.pipeline.export import check_out, export_emulator
    from trigger_ad.pipeline.target import open_run
    from trigger_ad.tools import require_compiler

    run = open_run(target)
    names = LibraryNames(run.config.name, version)
    check_out(out)
    require_compiler()
    exported = export_emulator(run, reported(run), names, out)
    click.echo(f"The C++ library equals the exact reference on {exported.checked:,} vectors.")
    click.echo(f"Emulator: {exported.folder}")
