"""`trigger-ad scan`: many runs, and which of them none is better than."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

_EPILOG = """SCAN is a scan file: docs/scans.md says what it may say. Points that are finished are not done again.

\b
Example:
  trigger-ad scan configs/scan_bits.yaml
"""


@click.command(epilog=_EPILOG)
@click.argument("scan_file", type=click.Path(path_type=Path), metavar="SCAN")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes on this machine; one a core.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler whose workers are used instead.")
@click.option("--json", "as_json", is_flag=True, help="Print what pareto.json holds.")
def scan(scan_file: Path, workers: int | None, scheduler: str | None, as_json: bool) -> None:
    """Run a grid, a list or a search of configurations side by side, and report the best trade-offs."""
    from trigger_ad.scan.scanning import run_scan

    if workers is not None and scheduler is not None:
        raise click.UsageError("--workers are started on this machine; with --scheduler there are workers already")
    pareto = run_scan(scan_file, workers, scheduler)
    if as_json:
        click.echo(json.dumps(pareto, indent=1))
    else:
        _show(pareto)


def _show(pareto: dict[str, Any]) -> None:
    from trigger_ad.cli.tables import show_tables
    from trigger_ad.report.scan_tables import choice_words, failures, front_table

    show_tables([front_table(pareto)])
    for line in failures(pareto):
        click.echo(line, err=True)
    click.echo(choice_words(pareto))
    click.echo(f"Report: {Path('hls_projects') / pareto['name'] / 'pareto.html'}")
