"""How results spread over seeds."""

from __future__ import annotations

import pytest

from trigger_ad.report.repeats_table import repeats_markdown, repeats_table
from trigger_ad.scan.repeats import spread

AREAS = {
    1: {"float": {"higgs": 0.90}, "firmware": {"higgs": 0.88}},
    2: {"float": {"higgs": 0.80}, "firmware": {"higgs": 0.81}},
    3: {"float": {"higgs": 0.85}, "firmware": {"higgs": 0.83}},
}


def test_the_difference_is_taken_seed_by_seed() -> None:
    repeats = spread(AREAS, "small")
    own = repeats["spread"]["higgs"]
    assert (own["float"]["min"], own["float"]["max"]) == (0.80, 0.90)
    assert own["float"]["mean"] == pytest.approx(0.85)
    assert own["float"]["standard_deviation"] == pytest.approx(0.05)
    assert own["difference"]["mean"] == pytest.approx(0.01)
    assert own["difference"]["min"] == 0.80 - 0.81
    assert repeats["seeds"] == [1, 2, 3]
    assert repeats["auc"]["2"]["difference"]["higgs"] == 0.80 - 0.81


def test_the_table_and_the_page_show_it() -> None:
    repeats = spread(AREAS, "small")
    table = repeats_table(repeats)
    assert table.title == "AUC on test events over 3 seeds (1 to 3)"
    assert table.rows[2] == ("higgs, float - firmware", "0.0100", "0.0173", "-0.0100", "0.0200")
    page = repeats_markdown(repeats)
    assert page.startswith("# small: spread over seeds\n")
    assert "| higgs, firmware | 0.8400 | 0.0361 | 0.8100 | 0.8800 |" in page
