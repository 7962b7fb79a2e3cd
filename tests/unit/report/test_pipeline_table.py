"""The stages of the RTL's pipeline, with what the mapped netlist says of their logic."""

from __future__ import annotations

from typing import Any

from trigger_ad.report.pipeline_table import pipeline_table

STAGES = [
    {"delay": 4.7, "register_bits": 500, "operations": 300},
    {"delay": 2.0, "register_bits": 90, "operations": 40},
]
PATHS = [
    {"tables": 5, "carry_chains": 3, "cell_delay_ns": 4.88},
    {"tables": 2, "carry_chains": 1, "cell_delay_ns": 1.2},
]


def _report(**entry: Any) -> dict[str, Any]:
    return {"pipeline": {"stages": STAGES}, "hardware": [{"flow": "rtl", "source": "yosys"} | entry]}


def test_every_stage_has_its_levels() -> None:
    table = pipeline_table(_report(stages=PATHS))
    assert table is not None
    assert table.rows == (("1", "500", "300", "5", "3", "4.9"), ("2", "90", "40", "2", "1", "1.2"))
    assert table.notes[0].startswith("A hint on timing, and no timing analysis")


def test_levels_that_are_not_known_are_unknown() -> None:
    table = pipeline_table(_report(stages=None))
    assert table is not None
    assert table.rows[0] == ("1", "500", "300", "–", "–", "–")


def test_there_is_none_without_rtl() -> None:
    assert pipeline_table({"pipeline": None, "hardware": []}) is None
