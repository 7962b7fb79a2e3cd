"""The trigger menu as tables and a figure: every working point, and in words what is not supported."""

from __future__ import annotations

from typing import Any

import pytest
from support.report import make_comparisons, make_report, make_scores, make_trigger

from trigger_ad.report.comparison_figure import comparison_figure
from trigger_ad.report.drawing import styled
from trigger_ad.report.figures import make_figures
from trigger_ad.report.trigger_figure import trigger_figure
from trigger_ad.report.trigger_tables import hertz, trigger_tables
from trigger_ad.report.wording import UNKNOWN

SCORES = make_scores(2500)
TRIGGER = make_trigger(SCORES["firmware"])


@pytest.fixture
def report() -> dict[str, Any]:
    return make_report(SCORES) | {"trigger": TRIGGER}


def test_a_run_without_an_input_rate_has_no_menu() -> None:
    assert trigger_tables(make_report(SCORES)) == ()
    assert trigger_figure(make_report(SCORES)) is None


def test_each_working_point_is_a_row_and_the_one_that_ships_is_marked(report: dict[str, Any]) -> None:
    menu, _ = trigger_tables(report)
    assert menu.title == "Trigger rates, of an input rate of 2,000 Hz"
    assert [row[0] for row in menu.rows] == ["200 Hz", "40 Hz, ships", "0.5 Hz"]
    assert menu.row_tags == {1: "firmware"}
    point = TRIGGER["working_points"][1]
    assert menu.rows[1][1:6] == (
        "0.02",
        str(point["threshold_code"]),
        hertz(point["achieved_rate_hz"], point["rate_low_hz"], point["rate_high_hz"]),
        f"{point['validation_accepted']} of 2,500",
        f"{point['background_accepted']} of 2,500",
    )


def test_a_rate_that_is_not_supported_is_said_and_not_guessed(report: dict[str, Any]) -> None:
    menu, _ = trigger_tables(report)
    assert set(menu.rows[2][2:4]) == set(menu.rows[2][5:]) == {UNKNOWN}
    assert menu.notes[1] == (
        "0.5 Hz is not supported: of 2500 validation background events 0 may pass at this rate; a threshold needs 10 "
        "to carry it."
    )
    assert "before overlap with other triggers" in menu.notes[0]
    # the input rate is nobody's measurement
    assert "as the configuration assumes it: no sample says it" in menu.notes[0]
    assert menu.notes[0].endswith(
        "95 % intervals (Clopper-Pearson, with an effective number of events where they come in groups)."
    )


def test_the_curve_is_shown_from_end_to_end(report: dict[str, Any]) -> None:
    _, curve = trigger_tables(report)
    codes = TRIGGER["curve"]["threshold_code"]
    assert len(curve.rows) == 12
    assert (curve.rows[0][0], curve.rows[-1][0]) == (str(codes[0]), str(codes[-1]))
    report["trigger"] = TRIGGER | {"curve": {name: values[:1] for name, values in TRIGGER["curve"].items()}}
    assert len(trigger_tables(report)[1].rows) == 1


@pytest.mark.parametrize(
    ("value", "shown"), [(1000.0, "1,000 Hz"), (0.12345, "0.123 Hz"), (4e7, "40,000,000 Hz"), (None, UNKNOWN)]
)
def test_rates_are_written_without_powers_of_ten(value: float | None, shown: str) -> None:
    assert hertz(value) == shown


def test_the_figures_say_in_words_what_they_show(report: dict[str, Any]) -> None:
    report["differences"] = make_comparisons({name: SCORES[name] for name in ("firmware", "float", "met", "ht")})
    drawn = {drawing.name: drawing for drawing in make_figures(report, {})}
    assert "comparison" in drawn
    assert "A → 4l 2 of 2" in drawn["comparison"].alternative
    code = TRIGGER["working_points"][1]["threshold_code"]
    assert f"40 Hz at code {code}" in drawn["trigger_rate"].alternative
    assert "0.5 Hz" not in drawn["trigger_rate"].alternative


def test_a_menu_that_the_sample_does_not_support_has_its_curve(report: dict[str, Any]) -> None:
    report["trigger"] = TRIGGER | {"working_points": TRIGGER["working_points"][2:]}
    with styled():
        drawing = trigger_figure(report)
        assert comparison_figure(report) is None
    assert drawing is not None
    assert drawing.alternative.endswith("Working points: none is supported.")
