"""The budget: what is within its limits, by which source, and what to change where it is not."""

from __future__ import annotations

from typing import Any

from trigger_ad.report.budget_table import budget_table, exceeded, excess


def _line(**changes: Any) -> dict[str, Any]:
    line = {"flow": "rtl", "figure": "lut", "limit": 4000, "asked": None, "value": 3950, "source": "yosys"}
    return line | {"within": True, "remedy": None} | changes


def test_a_limit_stands_beside_what_is_taken_and_its_source() -> None:
    table = budget_table({"budget": [_line()]})
    assert table is not None
    assert table.rows == (("RTL", "LUT", "4,000", "3,950", "yosys", "yes"),)


def test_a_share_is_shown_with_the_number_that_it_is() -> None:
    table = budget_table({"budget": [_line(limit=59112.0, asked="5 %")]})
    assert table is not None
    assert table.rows[0][2] == "59,112 (5 % of the device)"


def test_the_step_of_vivado_is_said() -> None:
    table = budget_table({"budget": [_line(source="vivado", step="implement")]})
    assert table is not None
    assert table.rows[0][4] == "vivado, implement"


def test_a_measured_excess_is_marked() -> None:
    line = _line(value=4190, within=False, remedy="fewer bits")
    table = budget_table({"budget": [line]})
    assert table is not None
    assert (table.rows[0][5], dict(table.row_tags)) == ("NO", {0: "failed"})
    assert exceeded(line)
    assert excess(line) == "RTL: LUT 4,190 (yosys), over the budget of 4,000"


def test_an_estimate_looks_like_one_and_is_no_excess() -> None:
    line = _line(flow="hls_vitis", value=9180, source="estimate", within=False)
    table = budget_table({"budget": [line]})
    assert table is not None
    assert table.rows[0][3:] == ("≈ 9,180", "estimate", "not by the estimate")
    assert not exceeded(line)


def test_what_no_source_knows_is_unknown() -> None:
    table = budget_table({"budget": [_line(value=None, source=None, within=None)]})
    assert table is not None
    assert table.rows[0][3:] == ("–", "–", "–")


def test_no_limit_is_no_table() -> None:
    assert budget_table({"budget": []}) is None
    assert budget_table({}) is None
