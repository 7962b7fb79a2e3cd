"""`trigger-ad synthesize`: what the firmware takes, and how long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from trigger_ad.errors import CheckFailed


@click.command(
    epilog="TARGET is a configuration or a run directory.\n\n"
    "\b\nExample:\n  trigger-ad synthesize hls_projects/student --yosys-limit 7200"
)
@click.argument("target", type=click.Path(path_type=Path), metavar="TARGET")
@click.option("--yosys-limit", type=click.FloatRange(min=1), metavar="SECONDS", help="After which Yosys is ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def synthesize(target: Path, yosys_limit: float | None, as_json: bool) -> None:
    """Measure the RTL's resources with Yosys, and show latency and resources of every project.

    Exits with 1 when a measured figure is over the configuration's budget.
    """
    from trigger_ad.cli.stages import brought_up_to_date
    from trigger_ad.cli.tables import show_tables
    from trigger_ad.pipeline.target import open_run
    from trigger_ad.report.budget_table import budget_table
    from trigger_ad.report.hardware_tables import hardware_table
    from trigger_ad.run_directory import read_json

    run = open_run(target)
    run.yosys_seconds = yosys_limit
    # what could not be measured before is tried anew
    brought_up_to_date(run, "synthesize", again=True)
    results = read_json(run.directory.results("hardware"))
    if as_json:
        click.echo(json.dumps(results, indent=1))
    else:
        budget = budget_table(results)
        show_tables([hardware_table(results), *([budget] if budget else [])])
    _require_budget(results["budget"])


def _require_budget(lines: list[dict[str, Any]]) -> None:
    """Ends the command with 1 if a measured figure is over its limit, and says what to change."""
    from trigger_ad.report.budget_table import exceeded, excess

    over = [line for line in lines if exceeded(line)]
    if over:
        raise CheckFailed(". ".join(f"{excess(line)}; {line['remedy']}" for line in over))
