"""The report's files: complete, self-contained, safe to open, and written all or not at all."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.report import make_comparisons, make_report, make_scores, make_trigger

from trigger_ad.report.inputs import ModelScores
from trigger_ad.report.page import render_html, render_markdown, write_report
from trigger_ad.run_directory import RunDirectory

SCORES = make_scores(300)
EVIL = "<script>alert('1')</script>|`x`\n[a](b)"
VOID = {"meta", "br", "img", "use", "path", "rect"}


@pytest.fixture
def report() -> dict[str, Any]:
    return make_report(SCORES)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report that tests only read."""
    folder = tmp_path_factory.mktemp("run")
    _write(make_report(SCORES), folder)
    return folder


class Page(HTMLParser):
    """Collects a page's tags and text, and checks that every element is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _page(report: dict[str, Any], config: str = "name: example\n") -> Page:
    return Page(render_html(report, [], config))


def _write(report: dict[str, Any], folder: Path, scores: dict[str, ModelScores] | None = None) -> None:
    write_report(report, SCORES if scores is None else scores, "name: example\n", RunDirectory(folder))


def test_a_report_is_three_files_and_the_figures(written: Path) -> None:
    files = sorted(path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file())
    assert files == [
        "figures/roc.png",
        "figures/scores.png",
        "figures/training.png",
        "figures/value_ranges.png",
        "report.html",
        "report.json",
        "report.md",
    ]


def test_json_holds_exactly_the_report(report: dict[str, Any], tmp_path: Path) -> None:
    _write(report, tmp_path, {})
    assert json.loads((tmp_path / "report.json").read_text()) == report


def test_the_page_refers_to_nothing_outside_itself_and_runs_nothing(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert not re.search(r"https?:|@import|url\((?!#)", text)
    assert {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "img"} == set()
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert (attributes.get("href") or "#").startswith("#")


def test_every_identifier_is_there_once_and_every_reference_has_one(written: Path) -> None:
    page = Page((written / "report.html").read_text(encoding="utf-8"))
    found = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(found) == len(set(found))
    assert {(attributes["href"] or "")[1:] for _, attributes in page.tags if "href" in attributes} <= set(found)


def test_tables_and_figures_can_be_read_without_seeing_them(written: Path) -> None:
    page = Page((written / "report.html").read_text(encoding="utf-8"))
    names = [tag for tag, _ in page.tags]
    assert names.count("caption") == names.count("table") > 8
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.tags if tag == "th")
    figures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(figures) == names.count("figcaption") == 3
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in figures)


def test_the_first_lines_are_the_verdict_and_the_key_facts(report: dict[str, Any]) -> None:
    text = " ".join(" ".join(_page(report).text).split())
    places = [
        text.index(part)
        for part in (
            report["verdict"]["sentence"],
            "0 of 12,666 vectors",
            "Largest AUC loss",
            "Area under the ROC curve",
        )
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(("worth", "style"), [(True, "verdict good"), (False, "verdict warning")])
def test_a_model_that_is_not_worth_shipping_is_warned_of(report: dict[str, Any], worth: bool, style: str) -> None:
    report["verdict"]["worth_shipping"] = worth
    classes = [attributes.get("class") for _, attributes in _page(report).tags]
    assert style in classes
    lead = "**Better than trivial scores.**" if worth else "**NOT better than trivial scores.**"
    assert render_markdown(report, []).splitlines()[2].startswith(lead)


def test_a_figure_that_is_not_known_says_so(report: dict[str, Any]) -> None:
    report["timings"] = {"train": None}
    assert '<span class="unknown" title="not known" aria-label="not known">–</span>' in render_html(report, [], "")


def test_text_of_the_user_is_shown_and_never_interpreted(report: dict[str, Any]) -> None:
    report["name"] = report["verdict"]["sentence"] = report["schedule_note"] = EVIL
    report["events"]["signals"] = {EVIL: {"validation": 1, "test": 2, "source": EVIL}}
    report["performance"] = [row | {"signal": EVIL, "method": EVIL} for row in report["performance"]]
    report["unsupported_targets"] = [{"fpr_target": 0.01, "reason": EVIL}]
    report["agreement"]["emulators"] = {EVIL: report["agreement"]["emulators"]["hls_vitis"]}
    report["versions"] = {EVIL: EVIL}
    html = render_html(report, [], f"name: {EVIL}</pre>")
    assert "<script" not in html
    assert EVIL in "".join(Page(html).text)
    markdown = render_markdown(report, [])
    assert "<script" not in markdown
    assert "](b)" not in markdown


def test_markdown_tables_keep_their_columns(report: dict[str, Any]) -> None:
    report["events"]["signals"] = {EVIL: {"validation": 1, "test": 2, "source": EVIL}}
    report["performance"] = []
    tables = re.findall(r"(?:^\|.*\n)+", render_markdown(report, []), flags=re.MULTILINE)
    assert len(tables) == len(("agreement", "hardware", "inputs", "model", "calibration", "events"))
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_the_configuration_is_shown_in_full(report: dict[str, Any]) -> None:
    config = "name: example\nseed: 1\ninputs:\n  pt: {lsb: 1.0}\n"
    assert config in "".join(_page(report, config).text)


def test_a_report_of_unknown_figures_is_still_a_report(report: dict[str, Any], tmp_path: Path) -> None:
    for key in ("training", "trigger", "estimate_layers", "measuring_commands", "schedule_note", "vectors", "timings"):
        report[key] = None
    report["versions"] = report["score_type"] = report["network_digest"] = None
    report["model"] = dict.fromkeys(report["model"])
    report["events"]["background"] = dict.fromkeys(report["events"]["background"])
    report["performance"] = report["hardware"] = report["inputs"] = []
    report["agreement"] = {"reference": "integer", "emulators": {}, "layers": []}
    _write(report, tmp_path)
    _write(report, tmp_path, {})
    assert list((tmp_path / "figures").iterdir()) == []
    Page((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_a_number_that_is_none_is_refused_and_the_last_report_stays(report: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("the last one")
    report["timings"]["train"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        _write(report, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "the last one"


def test_a_missing_key_is_refused_before_anything_is_written(report: dict[str, Any], tmp_path: Path) -> None:
    del report["hardware"]
    with pytest.raises(ValueError, match="lacks hardware"):
        _write(report, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_trigger_rates_and_pairs_have_their_tables_and_figures(tmp_path: Path) -> None:
    scores = make_scores(1000)
    report = make_report(scores) | {
        "trigger": make_trigger(scores["firmware"]),
        "differences": make_comparisons(scores),
    }
    write_report(report, scores, "name: example\n", RunDirectory(tmp_path))
    page, markdown = ((tmp_path / name).read_text(encoding="utf-8") for name in ("report.html", "report.md"))
    tags = Page(page).tags
    assert ("section", {"id": "trigger"}) in tags
    assert ("a", {"href": "#trigger"}) in tags
    for words in ("Trigger rates, of an input rate of 2,000 Hz", "Rate against threshold", "Firmware − Float"):
        assert words in page
        assert words in markdown
    assert {"comparison.png", "trigger_rate.png"} <= {path.name for path in (tmp_path / "figures").iterdir()}
    assert re.findall(r"\(figures/(\w+)\.png\)", markdown) == ["roc", "scores", "comparison", "trigger_rate"]


def test_a_run_without_rates_has_no_section_of_them(written: Path) -> None:
    assert 'id="trigger"' not in (written / "report.html").read_text(encoding="utf-8")
    assert "Trigger rates" not in (written / "report.md").read_text(encoding="utf-8")
