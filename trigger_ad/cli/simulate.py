"""`trigger-ad simulate`: makes event files in the ADC2021 layout with Pythia 8 and a detector response."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from trigger_ad.simulation.generate import Progress

_EXAMPLE = """\b
Example:
  trigger-ad simulate --process background --events 1000 --seed 1 --jobs 2 --out background.h5
  trigger-ad simulate --check
"""

_PROCESSES = ("background", "w", "z", "ttbar", "qcd", "ato4l", "leptoquark", "htotautau", "hchtotaunu")


def _check(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Shows the comparison and ends, whatever else is on the command line, as --help does."""
    if not wanted or context.resilient_parsing:
        return
    from trigger_ad.simulation.published import sample_table

    click.echo(sample_table(), nl=False)
    context.exit()


def _needed(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """An option that only --check does without: it has ended by now."""
    if value is None and not context.resilient_parsing:
        raise click.MissingParameter(ctx=context, param=parameter)
    return value


@click.command(epilog=_EXAMPLE)
@click.option(
    "--check",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_check,
    help="Compare the shipped sample with what is published of the public files, and exit.",
)
@click.option(
    "--process",
    callback=_needed,
    metavar="NAME",
    help=f"What to make: {', '.join(_PROCESSES)}. background is the published mix of w, qcd, z and ttbar. "
    "[required without --check]",
)
@click.option(
    "--events",
    callback=_needed,
    type=int,
    metavar="N",
    help="Events that pass the lepton filter. [required without --check]",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same events.")
@click.option("--jobs", type=int, default=1, show_default=True, help="Processes that run at once, one for each core.")
@click.option(
    "--pool-events",
    type=int,
    default=20_000,
    show_default=True,
    help="Minimum-bias collisions from which pile-up is drawn, shared out over training, validation and test events.",
)
@click.option(
    "--out",
    callback=_needed,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The HDF5 file to write. [required without --check]",
)
def simulate(process: str, events: int, seed: int, jobs: int, pool_events: int, out: Path) -> None:
    """Simulate collisions and write them in the ADC2021 layout.

    Needs pip install 'trigger-ad[simulate]'. Work is kept in chunks in the folder FILE.chunks: after an interruption
    the same command goes on where it was stopped. The folder may be deleted when the file is there.
    """
    from trigger_ad.progress import progress
    from trigger_ad.simulation.chunks import Settings
    from trigger_ad.simulation.generate import generate

    with progress(f"simulating {process}", events, "events") as advance:
        generate(
            Settings(process, events, seed, pool_events),
            out,
            jobs=jobs,
            report=lambda state: advance(state.done, _note(state)),
        )
    click.echo(f"{out}: {events:,} events of {process}, seed {seed}")


def _note(state: Progress) -> str:
    """How fast it goes, for example "2.5 events/s, 4 min left"."""
    if state.rate is None or state.seconds_left is None:
        return "making the pile-up pools" if state.done == 0 else ""
    return f"{state.rate:.2g} events/s, {_duration(state.seconds_left)} left"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
