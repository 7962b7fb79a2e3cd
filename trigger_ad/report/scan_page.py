"""The page of a scan: pareto.html, and its figures as files."""

from __future__ import annotations

from pathlib import Path

from trigger_ad.report.drawing import Drawing
from trigger_ad.report.scan_figures import scan_figures
from trigger_ad.report.scan_tables import (
    Pareto,
    choice_words,
    chosen_table,
    curve_table,
    failures,
    front_table,
    points_table,
)
from trigger_ad.report.templating import html_template
from trigger_ad.run_directory import write_text, written_whole


def write_scan_report(pareto: Pareto, mark: str, folder: Path) -> None:
    """Writes pareto.html and figures/; everything is made before anything is written.

    Args:
        pareto: The content of pareto.json.
        mark: What the events are, as every figure says.
        folder: The scan's.

    Raises:
        UserError: If the folder cannot be written.
    """
    figures = scan_figures(pareto, mark)
    page = render_scan(pareto, figures)
    with written_whole(folder / "figures") as drawn:
        drawn.mkdir()
        for figure in figures:
            (drawn / f"{figure.name}.png").write_bytes(figure.png)
    write_text(folder / "pareto.html", page)


def render_scan(pareto: Pareto, figures: list[Drawing]) -> str:
    """The page, which refers to nothing outside itself and runs no script."""
    states = [point["state"] for point in pareto["points"]]
    return html_template("scan.html.j2").render(
        pareto=pareto,
        done=states.count("done"),
        failed=failures(pareto),
        choice=choice_words(pareto),
        front=front_table(pareto),
        chosen=chosen_table(pareto),
        curve=curve_table(pareto),
        points=points_table(pareto),
        figures={figure.name: figure for figure in figures},
        command=next((item["command"] for item in pareto["points"] if item["name"] == pareto["chosen"]), None),
    )
