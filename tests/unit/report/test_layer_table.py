"""The table of every layer: whatever was counted in it, and what went beyond its type."""

from __future__ import annotations

from typing import Any

import pytest
from support.report import make_report

from trigger_ad.report.layer_table import layer_table
from trigger_ad.report.wording import UNKNOWN


@pytest.fixture
def report() -> dict[str, Any]:
    return make_report()


def test_layers_show_whatever_was_counted_with_both_ends_of_a_range_in_one_column(report: dict[str, Any]) -> None:
    table = layer_table(report)
    assert dict(zip(table.columns, table.rows[1], strict=True)) == {
        "Layer": "encoder_1_relu",
        "Type": "ufixed<8,3,RND_CONV,SAT>",
        "Mismatches": "0",
        "Overflows": "0",
        "Overflows, corner vectors": "0",
        "Bits never used": "2",
        "Bits missing": "0",
        "Saturations": "1,234 (0.3 %)",
        "Saturations, corner vectors": "1,234",
        "Words": "405,312",
        "Bound for any input": "-234,567 to 234,511",
        "Range reached": "-101,234 to 99,876",
    }
    assert table.rows[0][table.columns.index("Saturations")] == UNKNOWN
    assert not table.row_tags


def test_a_layer_with_a_mismatch_stands_out(report: dict[str, Any]) -> None:
    report["agreement"]["layers"][2]["mismatches"] = 1
    assert layer_table(report).row_tags == {2: "failed"}


@pytest.mark.parametrize("key", ["overflows", "overflows_corner"])
def test_a_layer_that_overflows_stands_out(report: dict[str, Any], key: str) -> None:
    report["agreement"]["layers"][0][key] = 1
    assert layer_table(report).row_tags == {0: "failed"}


def test_accumulators_set_by_hand_have_a_column_and_a_note(report: dict[str, Any]) -> None:
    assert "not where" not in layer_table(report).notes[0]
    report["agreement"]["layers"][0] |= {"accumulator": "fixed<17,7>", "bits_missing": 2}
    table = layer_table(report)
    cells = [row[table.columns.index("Accumulator set by hand")] for row in table.rows]
    assert cells == ["fixed<17,7>", UNKNOWN, UNKNOWN, UNKNOWN]
    assert table.rows[0][table.columns.index("Bits missing")] == "2"
    assert table.notes[0].endswith("but not where an accumulator's type is set by hand: encoder_1.")


def test_a_report_of_an_older_version_shows_what_it_has(report: dict[str, Any]) -> None:
    for layer in report["agreement"]["layers"]:
        for key in ("accumulator", "overflows_corner", "bits_unused", "bits_missing"):
            del layer[key]
    columns = layer_table(report).columns
    assert "Overflows" in columns
    assert not {"Bits never used", "Bits missing", "Accumulator set by hand"} & set(columns)
