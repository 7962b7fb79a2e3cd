"""Writes a report: report.html, report.json, report.md and figures/."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from trigger_ad.report.agreement_table import agreement_table
from trigger_ad.report.budget_table import budget_table
from trigger_ad.report.comparison_tables import comparison_tables
from trigger_ad.report.drawing import Drawing
from trigger_ad.report.figures import make_figures
from trigger_ad.report.hardware_tables import estimate_table, hardware_table
from trigger_ad.report.inputs import ModelScores, Report, check_report
from trigger_ad.report.layer_table import layer_table
from trigger_ad.report.pipeline_table import pipeline_table
from trigger_ad.report.repeats_table import repeats_tables
from trigger_ad.report.run_tables import (
    calibration_table,
    events_table,
    inputs_table,
    model_table,
    timings_table,
    training_table,
    versions_table,
)
from trigger_ad.report.summary import key_facts, verdict_words
from trigger_ad.report.tables import auc_table, equal_rate_tables, score_tables, tpr_table, tpr_tables
from trigger_ad.report.templating import html_template, markdown_template
from trigger_ad.report.trigger_tables import trigger_tables
from trigger_ad.run_directory import RunDirectory, write_json, write_text, written_whole


def write_report(report: Report, scores: Mapping[str, ModelScores], config_yaml: str, run: RunDirectory) -> None:
    """Writes the report of a run into its folder.

    Everything is made before anything is written: a report that cannot be made leaves the last one as it was.

    Args:
        report: What report.json will hold.
        scores: Test scores by model: `float`, `firmware` and the trivial scores are drawn.
        config_yaml: The full configuration, shown as it is.
        run: The run directory.

    Raises:
        ValueError: The report lacks a key, or holds NaN or infinity, which JSON has not.
        UserError: The folder cannot be written.
    """
    check_report(report)
    json.dumps(dict(report), allow_nan=False)
    figures = make_figures(report, scores)
    page = render_html(report, figures, config_yaml)
    markdown = render_markdown(report, figures)
    with written_whole(run.path / "figures") as folder:
        folder.mkdir()
        for figure in figures:
            (folder / f"{figure.name}.png").write_bytes(figure.png)
    write_json(run.path / "report.json", dict(report))
    write_text(run.path / "report.md", markdown)
    write_text(run.path / "report.html", page)


def render_html(report: Report, figures: list[Drawing], config_yaml: str) -> str:
    """The page, which refers to nothing outside itself and runs no script."""
    return html_template("report.html.j2").render(_content(report, figures), config_yaml=config_yaml)


def render_markdown(report: Report, figures: list[Drawing]) -> str:
    """The essentials as Markdown, with the figures' files by relative names."""
    text = markdown_template("report.md.j2").render(_content(report, figures))
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def _content(report: Report, figures: list[Drawing]) -> dict[str, Any]:
    return {
        "report": report,
        "verdict": verdict_words(report),
        "facts": key_facts(report),
        "figures": {figure.name: figure for figure in figures},
        "auc": auc_table(report),
        "other_scores": score_tables(report),
        "rates": (*(tpr_tables(report) or (tpr_table(report),)), *equal_rate_tables(report)),
        "comparisons": comparison_tables(report),
        "repeats": repeats_tables(report),
        "trigger": trigger_tables(report),
        "agreement": agreement_table(report),
        "layers": layer_table(report),
        "hardware": hardware_table(report),
        "budget": budget_table(report),
        "stages": pipeline_table(report),
        "estimates": estimate_table(report),
        "events": events_table(report),
        "inputs": inputs_table(report),
        "model": model_table(report),
        "calibration": calibration_table(report),
        "training": training_table(report),
        "timings": timings_table(report),
        "versions": versions_table(report),
    }
