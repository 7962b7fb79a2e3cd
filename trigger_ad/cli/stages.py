"""The stages of a run as commands: each brings every earlier stage up to date, then does its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trigger_ad.errors import CheckFailed, UserError

if TYPE_CHECKING:
    from trigger_ad.pipeline.stage import Run

_target = click.argument("target", type=click.Path(path_type=Path), metavar="TARGET")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")


def _epilog(command: str) -> str:
    return f"TARGET is a configuration or a run directory.\n\n\b\nExample:\n  trigger-ad {command} configs/student.yaml"


@click.command(epilog=_epilog("check"))
@_target
def check(target: Path) -> None:
    """Refuse in seconds what could not be converted exactly, before anything is trained."""
    from trigger_ad.pipeline.check import check_run
    from trigger_ad.pipeline.target import open_run

    for line in check_run(open_run(target)):
        click.echo(line)


@click.command(epilog=_epilog("train"))
@_target
def train(target: Path) -> None:
    """Train the float model, and for a student its teachers first."""
    run = _bring(target, "train")
    click.echo(f"float model: {run.directory.float_model}")


@click.command(epilog=_epilog("quantize"))
@_target
@_as_json
def quantize(target: Path, as_json: bool) -> None:
    """Make the quantized models (PTQ and QAT), and compare float with fixed-point AUC."""
    run = _bring(target, "quantize")
    from trigger_ad.cli.tables import show_tables
    from trigger_ad.pipeline.report import rows_of, stored_scores
    from trigger_ad.report.tables import auc_table

    rows = [row.to_json() for row in rows_of(stored_scores(run), run.dataset)]
    if as_json:
        click.echo(json.dumps({"performance": rows}, indent=1))
    else:
        show_tables([auc_table({"performance": rows, "score": run.config.score})])


@click.command(epilog=_epilog("convert"))
@_target
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The run directory of a model file.")
@click.option("--input-type", metavar="TYPE", help="The type of a model file's inputs, such as 'fixed<16,6>'.")
def convert(target: Path, out: Path | None, input_type: str | None) -> None:
    """Write the firmware projects, HLS and RTL, with test vectors and a self-checking test bench.

    TARGET may also be a QKeras model file (.h5 or .keras) of your own, with --out.
    """
    from trigger_ad.pipeline.own_model import is_model_file

    run = _convert_model(target, out, input_type) if is_model_file(target) else _convert_run(target, out, input_type)
    for back_end in run.config.firmware.hls_back_ends:
        click.echo(f"{back_end}: {run.directory.hls_project(back_end)}")
    if run.config.firmware.has_rtl:
        click.echo(f"rtl: {run.directory.rtl_project}")


def _convert_model(model: Path, out: Path | None, input_type: str | None) -> Run:
    from trigger_ad.pipeline.own_model import open_own_model

    if out is None:
        raise UserError(f"{model} is a model file, and --out is missing", "Add --out hls_projects/NAME")
    run = brought_up_to_date(open_own_model(model, out, input_type), "convert")
    what = "trigger words, encoded as" if run.config.own_model and run.config.own_model.codes is None else "codes, as"
    click.echo(f"inputs: {run.encoding.inputs} {what} {run.directory.config} says")
    return run


def _convert_run(target: Path, out: Path | None, input_type: str | None) -> Run:
    for option, given in (("--out", out), ("--input-type", input_type)):
        if given is not None:
            raise UserError(f"{option} is for a model file, and {target} is none", "Leave it out")
    return _bring(target, "convert")


@click.command(epilog=_epilog("emulate"))
@_target
@click.option("--events", type=click.Path(path_type=Path), metavar="FILE", help="Events in place of the test events.")
@click.option("--inputs", type=click.Path(path_type=Path), metavar="FILE.npy", help="Vectors in place of test events.")
@_as_json
def emulate(target: Path, events: Path | None, inputs: Path | None, as_json: bool) -> None:
    """Run every emulator on the test vectors; exit with 1 on any mismatch.

    With --events or --inputs they run on the corner vectors and on those of the file; the run's own results stay.
    """
    if events or inputs:
        _emulate_given(target, events, inputs, as_json)
        return
    run = _bring(target, "emulate", again=True)
    from trigger_ad.run_directory import read_json

    results = read_json(run.directory.results("emulation"))
    _show_agreement(results, as_json)
    require_agreement(run, results)


def _emulate_given(target: Path, events: Path | None, inputs: Path | None, as_json: bool) -> None:
    from trigger_ad.pipeline.check import check_run
    from trigger_ad.pipeline.emulate import emulate_given
    from trigger_ad.pipeline.given_vectors import require_suitable
    from trigger_ad.pipeline.target import bring_up_to_date, open_run

    run = open_run(target)
    require_suitable(run, events, inputs)
    check_run(run)
    bring_up_to_date(run, "convert", keep_last=True)
    given, results = emulate_given(run, events, inputs)
    _show_agreement(results, as_json)
    if not as_json:
        click.echo(f"{given.file}: {given.count} of {given.total} vectors, {given.saturated} values saturated")
    require_agreement(run, results)


def _show_agreement(results: dict[str, Any], as_json: bool) -> None:
    from trigger_ad.cli.tables import show_tables
    from trigger_ad.report.agreement_table import agreement_table

    if as_json:
        click.echo(json.dumps(results, indent=1))
    else:
        show_tables([agreement_table({"agreement": results, "vectors": results["vectors"]})])


@click.command(epilog=_epilog("report"))
@_target
def report(target: Path) -> None:
    """Write report.html, report.json and report.md."""
    _report(target, lambda run, report: click.echo(str(run.directory.path / "report.html")))


@click.command(epilog=_epilog("run"))
@_target
@click.option(
    "--repeat", type=click.IntRange(min=2), metavar="N", help="Train N times in all, with the seeds that follow."
)
@_as_json
def run(target: Path, repeat: int | None, as_json: bool) -> None:
    """Train, quantize, convert, emulate, report: the main job.

    With --repeat the report says how far its results are chance: their spread over seeds.
    """

    def show(run: Run, report: dict[str, Any]) -> None:
        if as_json:
            click.echo(json.dumps(report, indent=1))
            return
        _show_report(report)
        click.echo(f"Report: {run.directory.path / 'report.html'}")

    if repeat:
        _repeat(target, repeat)
    _report(target, show)


def _repeat(target: Path, count: int) -> None:
    from trigger_ad.scan.repeats import repeat

    repeat(_bring(target, "quantize"), count)


def _show_report(report: dict[str, Any]) -> None:
    from trigger_ad.cli.tables import show_tables
    from trigger_ad.report.agreement_table import agreement_table
    from trigger_ad.report.hardware_tables import hardware_table
    from trigger_ad.report.repeats_table import repeats_tables
    from trigger_ad.report.summary import cost_fact, lead_fact, verdict_line
    from trigger_ad.report.tables import auc_table, equal_rate_tables, tpr_table

    click.echo(verdict_line(report))
    for fact in (lead_fact(report), cost_fact(report)):
        if fact:
            click.echo(f"{fact.label}: {fact.value} ({fact.detail})")
    rates = equal_rate_tables(report)[:1] or (tpr_table(report),)
    show_tables([auc_table(report), *rates, *repeats_tables(report), agreement_table(report), hardware_table(report)])


def _report(target: Path, show: Callable[[Run, dict[str, Any]], None]) -> None:
    run = _bring(target, "report")
    report = _read_report(run)
    show(run, report)
    require_agreement(run, report["agreement"])


def reported(run: Run) -> dict[str, Any]:
    """Brings a run up to date; its report, whose emulators agree.

    Raises:
        CheckFailed: An emulator differs from the reference: what the reference gives is not what the firmware does.
        UserError: The configuration cannot be converted, a stage fails, or the report is damaged.
    """
    from trigger_ad.pipeline.check import check_run
    from trigger_ad.pipeline.target import bring_up_to_date

    check_run(run)
    bring_up_to_date(run, "report")
    report = _read_report(run)
    require_agreement(run, report["agreement"])
    return report


def _read_report(run: Run) -> dict[str, Any]:
    from trigger_ad.pipeline.stage import reading
    from trigger_ad.report.inputs import check_report
    from trigger_ad.run_directory import read_json

    path = run.directory.path / "report.json"
    with reading(path):
        report = read_json(path)
        check_report(report)
    return report


def _bring(target: Path, stage: str, *, again: bool = False) -> Run:
    from trigger_ad.pipeline.target import open_run

    return brought_up_to_date(open_run(target), stage, again=again)


def brought_up_to_date(opened: Run, stage: str, *, again: bool = False) -> Run:
    """Checks a run and brings it up to date, as `bring_up_to_date` does; the run."""
    from trigger_ad.pipeline.check import check_run
    from trigger_ad.pipeline.target import bring_up_to_date

    check_run(opened)
    bring_up_to_date(opened, stage, again=again)
    return opened


def require_agreement(run: Run, results: dict[str, Any]) -> None:
    """Ends the command with 1 unless every emulator that must agree does.

    Raises:
        CheckFailed: Naming the emulators that do not.
    """
    from trigger_ad.report.wording import overflow_notes

    emulators = results["emulators"].items()
    wrong = [_disagreement(name, entry) for name, entry in emulators if entry["must_agree"] and not entry["exact"]]
    if results["vectors_expected_differ"]:
        wrong.append("vectors/expected_words.npy differs from the reference")
    if wrong:
        wrong += overflow_notes(results["layers"])
        raise CheckFailed(
            f"{'; '.join(wrong)}; {run.directory.results('mismatches_given' if 'given' in results else 'mismatches')} "
            "says more. "
            "To make a project or the vectors anew, delete their folder and run 'convert'"
        )


def _disagreement(name: str, entry: dict[str, Any]) -> str:
    if (entry.get("alone") or {}).get("mismatches") and not entry["mismatches"]:
        return f"{name} differs from the reference in layer '{entry['alone']['first_layer']}', driven alone"
    if entry["mismatches"]:
        return f"{name} differs from the reference, first in layer '{entry['first_layer']}'"
    # results of an earlier version do not say what
    said = entry.get("test_bench_said") or "it expects other words"
    return f"{name} equals the reference, but its project's test bench fails: {said}"
