"""The budget: what is within its limits, by which source, and what to change where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from trigger_ad.report.budget_table import budget_table, exceeded, excess


def _line(**changes: Any) -> dict[str, Any]:
    line = {"flow": "rtl", "figure": "lut", "limit": 4000, "asked": None, "value": 3950, "source": "yosys"}
    clock = {"step": None, "clock_ns": None, "clock_status": None}
    return line | clock | {"within": True, "estimated": False, "remedy": None} | changes


def _latency(status: str, **changes: Any) -> dict[str, Any]:
    clock = {"figure": "latency_ns", "limit": 25, "value": 25.0, "source": "verilator", "clock_ns": 5.0}
    return _line(**clock | {"clock_status": status} | changes)


@pytest.mark.parametrize(
    ("line", "taken", "within"),
    [
        (_latency("assumed"), "25 at 5 ns assumed", "yes"),
        (_latency("met"), "25 at 5 ns", "yes"),
        (_latency("failed", within=False, remedy="longer"), "25 at 5 ns, FAILED", "NO, the clock is not met"),
        (_latency("failed", within=None), "25 at 5 ns, FAILED", "not known, C synthesis expects to miss the clock"),
        (_latency("assumed", value=30.0, within=False, remedy="fewer bits"), "30 at 5 ns assumed", "NO"),
    ],
)
def test_nanoseconds_say_of_what_clock_they_are(line: dict[str, Any], taken: str, within: str) -> None:
    table = budget_table({"budget": [line]})
    assert table is not None
    assert (table.rows[0][3], table.rows[0][5]) == (taken, within)


def test_the_exit_message_says_the_clock() -> None:
    over = _latency("assumed", value=30.0, within=False, remedy="fewer bits")
    assert excess(over) == "RTL: Latency (ns) 30 at 5 ns assumed (verilator), over the budget of 25"
    missed = _latency("failed", within=False, remedy="longer")
    assert excess(missed) == (
        "RTL: Latency (ns) 25 at 5 ns, FAILED (verilator): the routed design does not meet the clock, so it is not "
        "within the budget of 25"
    )


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
    line = _line(flow="hls_vitis", value=9180, source="estimate", within=False, estimated=True)
    table = budget_table({"budget": [line]})
    assert table is not None
    assert table.rows[0][3:] == ("≈ 9,180", "estimate", "not by the estimate")
    assert not exceeded(line)


def test_what_c_synthesis_estimates_looks_like_an_estimate() -> None:
    line = _line(flow="hls_vitis", value=9180, source="csynth", step="csynth", within=False, estimated=True)
    table = budget_table({"budget": [line, line | {"within": True}]})
    assert table is not None
    assert [row[3:] for row in table.rows] == [
        ("≈ 9,180", "csynth", "not by C synthesis' estimate"),
        ("≈ 9,180", "csynth", "by C synthesis' estimate"),
    ]
    assert not exceeded(line)
    assert not table.row_tags


def test_what_no_source_knows_is_unknown() -> None:
    table = budget_table({"budget": [_line(value=None, source=None, within=None)]})
    assert table is not None
    assert table.rows[0][3:] == ("–", "–", "–")


def test_no_limit_is_no_table() -> None:
    assert budget_table({"budget": []}) is None
    assert budget_table({}) is None
