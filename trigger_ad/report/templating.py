"""The templates of pages and Markdown, and the filters that make text safe to stand in them."""

from __future__ import annotations

import re

from jinja2 import Template
from markupsafe import Markup, escape

from trigger_ad.report.wording import UNKNOWN
from trigger_ad.templating import environment


def html_template(name: str) -> Template:
    """The template of a page, with the filters `cell` and `inline_code`; whatever it is given is escaped."""
    templates = environment("trigger_ad.report", autoescape=True)
    templates.filters |= {"cell": html_cell, "inline_code": inline_code}
    return templates.get_template(name)


def markdown_template(name: str) -> Template:
    """The template of a Markdown text, with the filters `plain` and `line`, which escape."""
    templates = environment("trigger_ad.report")
    templates.filters |= {"plain": markdown_text, "line": markdown_line}
    return templates.get_template(name)


def html_cell(cell: str) -> Markup:
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


def inline_code(line: str) -> Markup:
    """A line in which `backticks` mark code."""
    parts = _code_spans(line)
    return Markup("").join(Markup("<code>{}</code>").format(part) if code else escape(part) for part, code in parts)


def _code_spans(line: str) -> list[tuple[str, bool]]:
    """The parts of a line, and whether each is code; a backtick without its partner marks nothing."""
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return [(line, False)]
    return [(part, index % 2 == 1) for index, part in enumerate(parts)]


def markdown_text(line: str) -> str:
    """Text on one line that Markdown shows as it is."""
    return _markdown_escaped(" ".join(line.split()))


def markdown_line(line: str) -> str:
    """The same for a line in which `backticks` mark code."""
    parts = _code_spans(" ".join(line.split()))
    return "".join(f"`{part}`" if code else _markdown_escaped(part) for part, code in parts)


def _markdown_escaped(part: str) -> str:
    shown = re.sub(r"([\\`|*])", r"\\\1", part)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace("](", "]\\(")
