"""`trigger-ad synthesize`: what the firmware takes, and how long."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="TARGET is a configuration or a run directory.\n\n"
    "\b\nExample:\n  trigger-ad synthesize hls_projects/student --yosys-limit 7200"
)
@click.argument("target", type=click.Path(path_type=Path), metavar="TARGET")
@click.option("--yosys-limit", type=click.FloatRange(min=1), metavar="SECONDS", help="After which Yosys is ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def synthesize(target: Path, yosys_limit: float | None, as_json: bool) -> None:
    """Measure the RTL's resources with Yosys, and show latency and resources of every project."""
    from trigger_ad.cli.stages import brought_up_to_date
    from trigger_ad.cli.tables import show_tables
    from trigger_ad.pipeline.target import open_run
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
        show_tables([hardware_table(results)])
