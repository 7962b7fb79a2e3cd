"""`trigger-ad simulate`: makes event files in the ADC2021 layout with Pythia 8 and a detector response."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trigger_ad.simulation.generate import Progress, Report

_EXAMPLE = """\b
Example:
  trigger-ad simulate --process background --events 1000 --seed 1 --jobs 2 --out background.h5
"""

_PROCESSES = ("background", "w", "z", "ttbar", "qcd", "ato4l", "leptoquark", "htotautau", "hchtotaunu")


@click.command(epilog=_EXAMPLE)
@click.option(
    "--process",
    required=True,
    metavar="NAME",
    help=f"What to make: {', '.join(_PROCESSES)}. background is the published mix of w, qcd, z and ttbar.",
)
@click.option("--events", required=True, type=int, metavar="N", help="Events that pass the lepton filter.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same events.")
@click.option("--jobs", type=int, default=1, show_default=True, help="Processes that run at once, one for each core.")
@click.option(
    "--pool-events",
    type=int,
    default=4000,
    show_default=True,
    help="Minimum-bias collisions from which pile-up is drawn.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The HDF5 file to write.")
def simulate(process: str, events: int, seed: int, jobs: int, pool_events: int, out: Path) -> None:
    """Simulate collisions and write them in the ADC2021 layout.

    Needs pip install 'trigger-ad[simulate]'. Work is kept in chunks in the folder FILE.chunks: after an interruption
    the same command goes on where it was stopped. The folder may be deleted when the file is there.
    """
    from trigger_ad.simulation.chunks import Settings
    from trigger_ad.simulation.generate import generate

    with _progress(process) as report:
        generate(Settings(process, events, seed, pool_events), out, jobs=jobs, report=report)
    click.echo(f"{out}: {events:,} events of {process}, seed {seed}")


@contextlib.contextmanager
def _progress(process: str) -> Iterator[Report]:
    """A bar on a terminal, plain log lines elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda progress: logging.getLogger(__name__).info("%s: %s", process, _words(progress))
        return
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as ProgressBar

    with ProgressBar(TextColumn("{task.description}"), BarColumn(), console=console, transient=True) as bar:
        task = bar.add_task(f"{process}: making the pile-up pool", total=None)

        def report(progress: Progress) -> None:
            description = f"{process}: {_words(progress)}"
            bar.update(task, completed=progress.done, total=progress.total, description=description)

        yield report


def _words(progress: Progress) -> str:
    """Progress as text, for example "400 of 1,000 events, 2.5 events/s, 4 min left"."""
    words = f"{progress.done:,} of {progress.total:,} events"
    if progress.rate is None or progress.seconds_left is None:
        return words
    return f"{words}, {progress.rate:.2g} events/s, {_duration(progress.seconds_left)} left"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
