"""`trigger-ad synthesize`: vendors' tools on the firmware projects of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from trigger_ad.synthesis.hardware import Flow
    from trigger_ad.synthesis.projects import Step

STEPS: Final = ("csynth", "cosim", "synth", "implement")
FLOWS: Final = ("hls_vitis", "hls_vivado", "rtl")

_EPILOG = """TARGET is a configuration or a run directory.

\b
Example:
  trigger-ad synthesize configs/student.yaml --flow hls_vitis --steps csynth,cosim
"""


def _steps(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[Step, ...] | None:
    if value is None:
        return None
    named = [name.strip() for name in value.split(",")]
    unknown = next((name for name in named if name not in STEPS), None)
    if unknown is not None:
        raise click.BadParameter(f"'{unknown}' is none of {', '.join(STEPS)}")
    return tuple(step for step in STEPS if step in named)


@click.command(epilog=_EPILOG)
@click.argument("target", type=click.Path(path_type=Path), metavar="TARGET")
@click.option(
    "--steps",
    callback=_steps,
    metavar="STEP,...",
    help="C synthesis (csynth), co-simulation (cosim), logic synthesis (synth), placement and routing (implement). "
    "Unless told otherwise, all but cosim whose tool is installed.",
)
@click.option("--flow", "flows", type=click.Choice(FLOWS), multiple=True, help="A project; all, unless told otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def synthesize(target: Path, steps: tuple[Step, ...] | None, flows: tuple[Flow, ...], as_json: bool) -> None:
    """Run the vendors' tools that are installed, and read their reports.

    A step that has ended well is not done again until its sources change. Each takes from minutes to hours.
    """
    from trigger_ad.pipeline.check import check_run
    from trigger_ad.pipeline.target import bring_up_to_date, open_run
    from trigger_ad.pipeline.vendor_tools import planned_steps, run_vendor_tools

    run = open_run(target)
    check_run(run)
    bring_up_to_date(run, "convert", keep_last=True)
    run_vendor_tools(run, planned_steps(run, steps, flows or None))
    _show(_results(run), as_json)


def _results(run: Any) -> dict[str, Any]:
    from trigger_ad.pipeline.target import bring_up_to_date
    from trigger_ad.pipeline.vendor_tools import reported_hardware
    from trigger_ad.run_directory import read_json

    if run.config.own_model:
        return reported_hardware(run)
    bring_up_to_date(run, "hardware")
    return read_json(run.directory.results("hardware"))


def _show(results: dict[str, Any], as_json: bool) -> None:
    from trigger_ad.cli.tables import show_tables
    from trigger_ad.report.hardware_tables import hardware_table

    if as_json:
        click.echo(json.dumps(results, indent=1))
    else:
        show_tables([hardware_table(results)])
