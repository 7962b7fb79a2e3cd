"""`trigger-ad synthesize`: what the firmware takes, and how long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from trigger_ad.cli.stages import require_agreement
from trigger_ad.errors import CheckFailed

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
@click.option("--yosys-limit", type=click.FloatRange(min=1), metavar="SECONDS", help="After which Yosys is ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def synthesize(
    target: Path, steps: tuple[Step, ...] | None, flows: tuple[Flow, ...], yosys_limit: float | None, as_json: bool
) -> None:
    """Run the vendors' tools that are installed, count the RTL's cells with Yosys, and show what every project takes.

    A step that has ended well is not done again until its sources change. Each takes from minutes to hours. Exits with
    1 on any mismatch, as emulate does, and when a measured figure is over the configuration's budget.
    """
    from trigger_ad.pipeline.check import check_run
    from trigger_ad.pipeline.target import bring_up_to_date, open_run
    from trigger_ad.pipeline.vendor_tools import planned_steps, run_vendor_tools
    from trigger_ad.run_directory import read_json

    run = open_run(target)
    check_run(run)
    bring_up_to_date(run, "rtl", keep_last=True)
    run_vendor_tools(run, planned_steps(run, steps, flows or None))
    run.yosys_seconds = yosys_limit
    # what could not be measured before is tried anew
    bring_up_to_date(run, "synthesize", again=True)
    emulation = read_json(run.directory.results("emulation"))
    results = read_json(run.directory.results("hardware")) | {"agreement": {"emulators": emulation["emulators"]}}
    _show(results, as_json)
    require_agreement(run, emulation)
    _require_budget(results["budget"])


def _show(results: dict[str, Any], as_json: bool) -> None:
    from trigger_ad.cli.tables import show_tables
    from trigger_ad.report.budget_table import budget_table
    from trigger_ad.report.hardware_tables import hardware_table

    if as_json:
        click.echo(json.dumps(results, indent=1))
    else:
        budget = budget_table(results)
        show_tables([hardware_table(results), *([budget] if budget else [])])


def _require_budget(lines: list[dict[str, Any]]) -> None:
    """Ends the command with 1 if a measured figure is over its limit, and says what to change."""
    from trigger_ad.report.budget_table import exceeded, excess

    over = [line for line in lines if exceeded(line)]
    if over:
        raise CheckFailed(". ".join(f"{excess(line)}; {line['remedy']}" for line in over))
