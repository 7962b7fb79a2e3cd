"""The documentation as a whole: its links lead somewhere, its references hold what there is, the site can be built."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

from trigger_ad import cli, config
from trigger_ad.config import Section

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)]
)


def _text(page: Path) -> str:
    """A page without its code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """Those of a page's headings: in lower case, spaces as hyphens, without other signs; numbered where they repeat."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", _text(page), flags=re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        repeated = (f"{anchor}-{number}" for number in range(1, 1000))
        found.add(next(name for name in (anchor, *repeated) if name not in found))
    return found


def _leads_nowhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return not target.exists() or (bool(anchor) and anchor not in _anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading_in_it(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)[^)]*\)", _text(page))
    assert [link for link in links if "://" not in link and _leads_nowhere(page, link)] == []


def test_a_link_to_a_heading_that_is_not_there_leads_nowhere() -> None:
    page = DOCS / "configuration.md"
    assert not _leads_nowhere(page, "evaluation.md#working-points")
    assert _leads_nowhere(page, "evaluation.md#working-point")
    assert _leads_nowhere(page, "evaluations.md")
    assert _leads_nowhere(page, "#what-is-not-there")


def test_a_heading_that_repeats_has_an_anchor_with_a_number(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# `a.b`, again?\n\n```text\n# none\n```\n\n## `a.b`, again?\n", encoding="utf-8")
    assert _anchors(page) == {"ab-again", "ab-again-1"}


def test_the_reference_is_that_of_the_models() -> None:
    page = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert import_module("refresh_reference").with_tables(page) == page


def _sections(kind: Any) -> Iterator[type[Section]]:
    """Every section that a value of a type may hold."""
    if isinstance(kind, type) and issubclass(kind, Section):
        yield kind
        for field in kind.model_fields.values():
            yield from _sections(field.annotation)
    for part in get_args(kind):
        yield from _sections(part)


def test_every_key_of_every_section_is_in_the_reference() -> None:
    tables: list[tuple[str, ...]] = []
    for table in re.findall(r"(?<=\n\| --- \| --- \| --- \| --- \|\n)(?:\|.*\n)+", (DOCS / "reference.md").read_text()):
        rows = [re.split(r"(?<!\\)\|", row)[1:-1] for row in table.splitlines()]
        assert all(meaning.strip() for *_, meaning in rows)
        tables.append(tuple(path.strip(" `").rpartition(".")[2] for path, *_ in rows))
    roots = import_module("refresh_reference").FILES.values()
    sections = {section for root in roots for section in _sections(root)}
    assert {tuple(section.model_fields) for section in sections} == set(tables)
    # and no section is one of a kind of file that the reference does not know
    exported = [value for name in config.__all__ if isinstance(value := getattr(config, name), type)]
    leaves = {kind for kind in exported if issubclass(kind, Section) and not kind.__subclasses__()}
    assert leaves <= sections


def test_a_type_is_told_in_words() -> None:
    type_in_words = import_module("value_types").type_in_words
    number = {"type": "number", "exclusiveMinimum": 0}
    assert type_in_words(number) == "number > 0"
    assert type_in_words({"type": "integer", "minimum": 2, "maximum": 24}) == "integer from 2 to 24"
    assert type_in_words({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}) == "`null`, `a` or `b`"
    assert type_in_words({"anyOf": [{"type": "integer"}, {"type": "number"}]}) == "number"
    assert type_in_words({"type": "array", "items": number, "minItems": 1}) == "list of at least 1, each number > 0"
    assert type_in_words({"type": "array", "prefixItems": [number, number]}) == "list of 2, each number > 0"
    assert type_in_words({"type": "object", "additionalProperties": number}) == "mapping by name, each number > 0"
    assert type_in_words({"type": "object", "additionalProperties": True}) == "mapping by name, each any value"


def test_the_page_of_commands_is_what_they_print() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    # a process of its own: a command that has been invoked without its group keeps the help option of that
    script = "import refresh_commands as it; print(it.with_helps(it.PAGE.read_text(encoding='utf-8')), end='')"
    shown = subprocess.run([sys.executable, "-c", script], cwd=DOCS, capture_output=True, check=True)
    assert shown.stdout.decode() == page
    assert re.findall(r"^## trigger-ad (\w+)$", page, flags=re.MULTILINE) == list(cli.COMMANDS)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(tmp_path / "read")]
    built = subprocess.run([*command, str(DOCS), str(tmp_path / "site")], capture_output=True, text=True, check=False)
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in PAGES if page.is_relative_to(DOCS)}
    assert pages <= {page.relative_to(tmp_path / "site") for page in (tmp_path / "site").rglob("*.html")}
