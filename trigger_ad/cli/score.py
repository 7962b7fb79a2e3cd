"""`trigger-ad score`: scores, ranks and decides every event of label-free files."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trigger_ad.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trigger_ad.pipeline.scored_events import InputFile
    from trigger_ad.pipeline.scoring import Scoring
    from trigger_ad.pipeline.stage import Run
    from trigger_ad.report.table import Table

_LOGGER = logging.getLogger(__name__)

_EXAMPLE = """TARGET is a configuration or a run directory.

\b
Example:
  trigger-ad score hls_projects/student BlackBox_background_mix.h5 --out scores.h5
"""


@click.command(epilog=_EXAMPLE)
@click.argument("target", type=click.Path(path_type=Path), metavar="TARGET")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The HDF5 file to write.")
@click.option(
    "--fpr",
    type=float,
    metavar="RATE",
    help="The working point that accepts events, by its target false-positive rate. "
    "Without it: the smallest that the run's events support.",
)
@click.option(
    "--submission",
    is_flag=True,
    help="Write what the ADC2021 challenge asks of a black box: the ids of a fraction of 1e-5 of its events, or, "
    "with --fpr, of those accepted at that working point.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a script instead of tables.")
def score(target: Path, files: tuple[Path, ...], out: Path, fpr: float | None, submission: bool, as_json: bool) -> None:
    """Score, rank and decide every event of each FILE as the run's firmware does.

    FILE is HDF5 in the run's layout and needs no labels: a black box. Files of any size are read in pieces.
    """
    from trigger_ad.cli.stages import reported
    from trigger_ad.pipeline.score import check_out, open_inputs
    from trigger_ad.pipeline.target import open_run

    run = open_run(target)
    inputs = open_inputs(files, run.encoding.layout)
    check_out(out)
    if submission:
        _check_black_box(inputs, fpr)
    report = reported(run)
    scoring = _write(run, inputs, report, fpr, submission, out)
    for line in scoring.warnings():
        _LOGGER.warning("%s", line)
    if as_json:
        click.echo(json.dumps({"out": str(out), **scoring.to_json()}, indent=1, allow_nan=False))
    else:
        from trigger_ad.cli.tables import show_tables

        show_tables([decisions_table(scoring), ranking_table(scoring)])
        click.echo(f"{'Submission' if submission else 'Scores'}: {out}")


def _check_black_box(inputs: Sequence[InputFile], fpr: float | None) -> None:
    from trigger_ad.pipeline.submission import require_enough

    if len(inputs) > 1:
        raise UserError(f"{len(inputs)} files are given, and a submission is of one black box", "Give one file")
    if fpr is None:
        require_enough(inputs[0])


def _write(
    run: Run, inputs: Sequence[InputFile], report: Mapping[str, Any], fpr: float | None, submission: bool, out: Path
) -> Scoring:
    from trigger_ad.pipeline.score import write_scores
    from trigger_ad.pipeline.scoring import chosen_threshold
    from trigger_ad.pipeline.submission import write_submission

    if submission:
        threshold = None if fpr is None else chosen_threshold(report, fpr)
        return write_submission(run, inputs[0], report, threshold, out)
    return write_scores(run, inputs, report, chosen_threshold(report, fpr), out)


def decisions_table(scoring: Scoring) -> Table:
    """Events and accepted events of each file, beside the run's background."""
    from trigger_ad.report.table import Table
    from trigger_ad.report.wording import count, power_of_ten, rate_with_interval, text

    threshold, background = scoring.threshold, scoring.threshold.background
    rows = []
    for file in scoring.files:
        fraction = file.accepted / file.events
        if file.low is None or file.high is None:
            shown = text(fraction)
        else:
            shown = rate_with_interval(fraction, file.low, file.high)
        rows.append((file.file, count(file.events), count(file.accepted), shown))
    notes = []
    if background is not None:
        rate = rate_with_interval(background.fpr, background.fpr_low, background.fpr_high)
        rows.append(("Background of the run, test part", count(background.events), count(background.accepted), rate))
        target = power_of_ten(background.fpr_target)
        notes.append(f"The working point's target false-positive rate is {target}; 95 % intervals.")
    else:
        notes.append("The threshold was chosen on these events.")
    notes.append(_saturation(scoring))
    return Table(
        title=f"Accepted by {scoring.run}: score word above {count(threshold.code)} (score {threshold.value:g})",
        columns=("Events of", "Events", "Accepted", "Fraction accepted"),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _saturation(scoring: Scoring) -> str:
    from trigger_ad.report.wording import count, percentage

    parts = []
    for name, number in scoring.saturated.items():
        # of no object at all there is no share
        share = number / scoring.present if scoring.present else None
        parts.append(f"{name} {count(number)} ({percentage(share)})")
    return f"Beyond the range of the trigger words, of {count(scoring.present)} objects: {', '.join(parts)}."


def ranking_table(scoring: Scoring) -> Table:
    """The most anomalous events."""
    from trigger_ad.report.table import Table
    from trigger_ad.report.wording import count, text

    several = len(scoring.files) > 1
    rows = tuple(
        (
            str(item.rank),
            str(item.event),
            count(item.score_word),
            f"{item.score:g}",
            text(item.accept),
            *((item.file,) if several else ()),
        )
        for item in scoring.most_anomalous
    )
    return Table(
        title="Most anomalous events",
        columns=("Rank", "Event", "Score word", "Score", "Accepted", *(("File",) if several else ())),
        rows=rows,
        notes=("Events of equal score words share the smallest rank.",),
    )
