"""Pairs as tables: every difference with its interval, and nothing for a report that compared nothing."""

from __future__ import annotations

from typing import Any

import pytest
from support.report import make_comparisons, make_report, make_scores, make_trigger

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.report.comparison_tables import comparison_tables, share_title, shown_shares
from trigger_ad.report.table import Table
from trigger_ad.report.tables import auc_table
from trigger_ad.report.wording import UNKNOWN

SCORES = make_scores(2500)
COMPARED = make_comparisons(SCORES)


@pytest.fixture
def report() -> dict[str, Any]:
    return make_report(SCORES) | {"differences": COMPARED}


def _row(table: Table, name: str) -> tuple[str, ...]:
    (row,) = (row for row in table.rows if row[0] == name)
    return row


def _entry(model: str, reference: str, signal: str = "ato4l") -> dict[str, Any]:
    pair = (model, reference, signal)
    return next(entry for entry in COMPARED if (entry["model"], entry["reference"], entry["signal"]) == pair)


def _shown(value: float, low: float, high: float) -> str:
    return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]".replace("-", "−")


def test_a_report_that_compared_nothing_has_no_such_table() -> None:
    assert comparison_tables(make_report(SCORES)) == ()


def test_models_are_less_what_they_are_made_of_by_area_and_at_the_rate_of_the_verdict(report: dict[str, Any]) -> None:
    areas, rates, *_ = comparison_tables(report)
    assert [row[0] for row in areas.rows] == [
        "Float, encoded inputs − Float",
        "Quantized after training (PTQ) − Float",
        "Trained quantized (QAT), ships − Float",
        "Firmware − Float",
    ]
    entry = _entry("firmware", "float")
    assert _row(areas, "Firmware − Float")[1] == _shown(entry["auc_difference"], entry["low"], entry["high"])
    assert report["verdict"]["fpr_target"] == 0.1
    rate = entry["tpr"][0]
    assert rate["fpr"] == 0.1
    assert _row(rates, "Firmware − Float")[1] == _shown(rate["difference"], rate["low"], rate["high"])
    assert rate["method"] in rates.notes[0]


def test_trivial_scores_are_compared_by_rate_and_by_event(report: dict[str, Any]) -> None:
    _, _, rates, events = comparison_tables(report)
    assert [row[0] for row in rates.rows] == [row[0] for row in events.rows] == list(BASELINE_TITLES.values())
    rate = _entry("firmware", "met")["tpr"][0]
    assert _row(rates, "MET")[1] == _shown(rate["difference"], rate["low"], rate["high"])
    only, other, both = rate["only_model"], rate["only_reference"], rate["both"]
    assert _row(events, "MET")[1] == f"{only:,} ({100 * only / rate['events']:.0f} %) / {other:,} / {both:,}"
    # thresholds are those of validation background
    assert "not quite equal: see `FPR achieved`" in events.notes[0]


def test_scores_that_a_layout_lacks_the_objects_for_are_named(report: dict[str, Any]) -> None:
    assert len(comparison_tables(report)[2].notes) == 1
    missing = ("leading_lepton_pt", "lepton_number")
    report["differences"] = [entry for entry in COMPARED if entry["reference"] not in missing]
    assert comparison_tables(report)[2].notes[1] == (
        "Left out, as the events have none of their objects: Leading lepton pT, Number of leptons."
    )


def test_rates_of_the_menu_are_shown_beside_that_of_the_verdict(report: dict[str, Any]) -> None:
    report["trigger"] = make_trigger(SCORES["firmware"])
    # 200 of 2000 Hz are the verdict's share; of 40 Hz nothing was compared here; 0.5 Hz is not supported
    assert shown_shares(report) == [0.1, 0.02]
    assert share_title(report, 0.1) == "at a false-positive rate of 10⁻¹ (200 Hz)"
    tables = comparison_tables(report)
    assert len(tables) == 6
    assert set(tables[-1].rows[0][1:]) == {UNKNOWN}


def test_a_verdict_by_area_alone_has_areas_alone(report: dict[str, Any]) -> None:
    report["verdict"]["fpr_target"] = None
    (areas,) = comparison_tables(report)
    assert areas.title == "Area under the ROC curve: difference (95 %)"


def test_the_loss_has_the_interval_of_the_difference(report: dict[str, Any]) -> None:
    entry = _entry("firmware", "float")
    shown = _row(auc_table(report), "Loss, float to firmware")[1]
    assert shown == _shown(-entry["auc_difference"], -entry["high"], -entry["low"])
