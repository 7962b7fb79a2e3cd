"""Filters of the templates: text of the user's own is shown as it is, and only what we mark is marked."""

from __future__ import annotations

import pytest

from trigger_ad.report.templating import html_cell, html_template, inline_code, markdown_line, markdown_text
from trigger_ad.report.wording import UNKNOWN


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("<b>&", "&lt;b&gt;&amp;"),
        ("yes", '<span class="badge good">yes</span>'),
        ("NO", '<span class="badge bad">NO</span>'),
        ("0.913 [0.905, 0.921]", '0.913 <span class="interval">[0.905, 0.921]</span>'),
        ("5.12 [4.70, 5.61] × 10⁻⁵", '5.12 <span class="interval">[4.70, 5.61]</span> × 10⁻⁵'),
        ("0.9 [<b>]", '0.9 <span class="interval">[&lt;b&gt;]</span>'),
    ],
)
def test_cells(cell: str, shown: str) -> None:
    assert html_cell(cell) == shown


def test_an_unknown_cell_says_so_to_those_who_cannot_see_it() -> None:
    assert 'aria-label="not known"' in html_cell(UNKNOWN)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("give `a<b` or `c`", "give <code>a&lt;b</code> or <code>c</code>"),
        ("a ` alone <b>", "a ` alone &lt;b&gt;"),
    ],
)
def test_backticks_mark_code_in_pairs(line: str, shown: str) -> None:
    assert inline_code(line) == shown


def test_markdown_is_escaped_and_stays_on_one_line() -> None:
    assert markdown_text("a|b\n*c* [d](e) <f> `g`") == r"a\|b \*c\* [d]\(e) &lt;f> \`g\`"
    assert markdown_line("run `a|b` on *c*") == r"run `a|b` on \*c\*"


def test_a_page_escapes_what_it_is_given() -> None:
    template = html_template("tables.html.j2")
    assert template.environment.autoescape is True
    assert {"cell", "inline_code"} <= set(template.environment.filters)
