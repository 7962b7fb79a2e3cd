"""Figures are drawn from what there is, the same way each time, and say what their events are."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from support.report import make_report, make_scores

from trigger_ad.report.drawing import Drawing
from trigger_ad.report.figures import make_figures
from trigger_ad.report.inputs import ModelScores
from trigger_ad.report.marks import events_mark

SCORES = make_scores(300)


@pytest.fixture
def report() -> dict[str, Any]:
    return make_report(SCORES)


@pytest.fixture(scope="module")
def drawings() -> list[Drawing]:
    """The figures of a complete report, drawn once."""
    return make_figures(make_report(SCORES), SCORES)


def test_every_figure_is_drawn_and_marked_as_simulated(drawings: list[Drawing]) -> None:
    assert [drawing.name for drawing in drawings] == ["roc", "scores", "value_ranges", "training"]
    for drawing in drawings:
        assert drawing.png.startswith(b"\x89PNG")
        assert "simulated events: trigger-ad sample" in drawing.svg


def test_the_same_report_gives_the_same_bytes_and_leaves_the_style_alone(
    report: dict[str, Any], drawings: list[Drawing]
) -> None:
    before = dict(mpl.rcParams)
    assert make_figures(report, SCORES) == drawings
    assert dict(mpl.rcParams) == before


def test_identifiers_do_not_collide_where_figures_share_a_page(drawings: list[Drawing]) -> None:
    for drawing in drawings:
        assert drawing.svg.count(' id="') == drawing.svg.count(f' id="{drawing.name}-')
        assert drawing.svg.count('href="') == drawing.svg.count(f'href="#{drawing.name}-')
        assert drawing.svg.count("url(") == drawing.svg.count(f"url(#{drawing.name}-")


def test_a_file_of_the_users_own_is_named_on_the_figures(report: dict[str, Any]) -> None:
    report["config"]["events"] = {"background": "folder/mine.h5", "signals": {}}
    report["events"]["background"]["source"] = "mine.h5"
    assert events_mark(report) == "events: mine.h5"


def test_figures_without_data_are_left_out(report: dict[str, Any]) -> None:
    report["training"] = None
    report["agreement"]["value_ranges"] = []
    assert make_figures(report, {}) == []
    names = [drawing.name for drawing in make_figures(report, {"float": SCORES["float"]})]
    assert names == ["roc"]
    # of one who has not counted value ranges
    del report["agreement"]["value_ranges"]
    assert make_figures(report, {}) == []


def test_a_fit_without_history_has_no_panel(report: dict[str, Any]) -> None:
    report["training"] = {"float": {"epochs": 3, "best_epoch": None, "events_per_second": None, "history": {}}}
    assert "training" not in [drawing.name for drawing in make_figures(report, {})]


def test_names_of_signals_are_text_whatever_they_hold(report: dict[str, Any]) -> None:
    name = "_$x^2$ </text><script>alert(1)</script>"
    scores = {
        model: ModelScores(sample.validation_background, sample.test_background, {name: sample.signals["ato4l"]})
        for model, sample in SCORES.items()
    }
    report["events"]["signals"] = {name: report["events"]["signals"]["ato4l"]}
    report["performance"] = []
    roc, words, *_ = make_figures(report, scores)
    for drawing in (roc, words):
        assert "<script" not in drawing.svg
        assert "_$x^2$ &lt;/text&gt;&lt;script" in drawing.svg


def test_scores_without_spread_are_drawn(report: dict[str, Any]) -> None:
    constant = np.zeros(20, dtype=np.int64)
    scores = {"firmware": ModelScores(constant, constant, {"ato4l": constant})}
    roc, words, *_ = make_figures(report, scores)
    assert (roc.name, words.name) == ("roc", "scores")
    assert words.caption.endswith("40 events with a score of 0 have no place on this axis.")


def test_score_words_that_can_be_negative_have_a_linear_axis() -> None:
    scores = make_scores()
    firmware = scores["firmware"]
    shifted = {name: words - 1_000 for name, words in firmware.signals.items()}
    words = ModelScores(firmware.validation_background - 1_000, firmware.test_background - 1_000, shifted)
    report = make_report(scores | {"firmware": words}) | {"score_type": "fixed<16,6>"}
    (drawn,) = [item for item in make_figures(report, scores | {"firmware": words}) if item.name == "scores"]
    assert "have no place" not in drawn.caption
