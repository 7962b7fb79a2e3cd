"""Writes a report: report.html, report.json, report.md and figures/."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from trigger_ad.report.drawing import Drawing
from trigger_ad.report.figures import make_figures
from trigger_ad.report.hardware_tables import estimate_table, hardware_table
from trigger_ad.report.inputs import ModelScores, Report, check_report
from trigger_ad.report.run_tables import (
    events_table,
    inputs_table,
    model_table,
    timings_table,
    training_table,
    versions_table,
)
from trigger_ad.report.summary import key_facts
from trigger_ad.report.tables import agreement_table, auc_table, layer_table, tpr_table, tpr_tables
from trigger_ad.report.wording import UNKNOWN
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
    environment = _environment(autoescape=True)
    environment.filters |= {"cell": _html_cell, "inline_code": _inline_code}
    template = environment.get_template("report.html.j2")
    return template.render(_content(report, figures), config_yaml=config_yaml)


def render_markdown(report: Report, figures: list[Drawing]) -> str:
    """The essentials as Markdown, with the figures' files by relative names."""
    environment = _environment(autoescape=False)
    environment.filters |= {"plain": _markdown_text, "line": _markdown_line}
    text = environment.get_template("report.md.j2").render(_content(report, figures))
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("trigger_ad.report"),
        undefined=StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _content(report: Report, figures: list[Drawing]) -> dict[str, Any]:
    return {
        "report": report,
        "facts": key_facts(report),
        "figures": {figure.name: figure for figure in figures},
        "auc": auc_table(report),
        "rates": tpr_tables(report) or (tpr_table(report),),
        "agreement": agreement_table(report),
        "layers": layer_table(report),
        "hardware": hardware_table(report),
        "estimates": estimate_table(report),
        "events": events_table(report),
        "inputs": inputs_table(report),
        "model": model_table(report),
        "training": training_table(report),
        "timings": timings_table(report),
        "versions": versions_table(report),
    }


def _html_cell(cell: str) -> Markup:
    """A cell of a table: unknown figures say so, intervals stand back, results stand out."""
    if cell == UNKNOWN:
        return Markup('<span class="unknown" title="not known" aria-label="not known">–</span>')
    badge = {"estimate": "estimate", "yes": "good", "NO": "bad", "FAILED": "bad"}.get(cell)
    if badge:
        return Markup('<span class="badge {}">{}</span>').format(badge, cell)
    interval = re.fullmatch(r"(-?[\d.]+) (\[[^\[\]]+\])( × 10\S+)?", cell)
    if interval:
        value, bounds, scale = interval.groups()
        return Markup('{} <span class="interval">{}</span>{}').format(value, bounds, scale or "")
    return escape(cell)


def _inline_code(line: str) -> Markup:
    """A line in which `backticks` mark code."""
    parts = _code_spans(line)
    return Markup("").join(Markup("<code>{}</code>").format(part) if code else escape(part) for part, code in parts)


def _code_spans(line: str) -> list[tuple[str, bool]]:
    """The parts of a line, and whether each is code; a backtick without its partner marks nothing."""
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return [(line, False)]
    return [(part, index % 2 == 1) for index, part in enumerate(parts)]


def _markdown_text(line: str) -> str:
    """Text on one line that Markdown shows as it is."""
    return _markdown_escaped(" ".join(line.split()))


def _markdown_line(line: str) -> str:
    """The same for a line in which `backticks` mark code."""
    parts = _code_spans(" ".join(line.split()))
    return "".join(f"`{part}`" if code else _markdown_escaped(part) for part, code in parts)


def _markdown_escaped(part: str) -> str:
    shown = re.sub(r"([\\`|*])", r"\\\1", part)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace("](", "]\\(")
