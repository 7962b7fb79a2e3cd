"""What a report is made from is checked against the schema of report.json."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.report import make_report, make_scores

from trigger_ad.report.inputs import REQUIRED, ModelScores, check_report, is_shipped_sample

SCORES = make_scores(200)


def _without(report: dict[str, Any], path: str) -> dict[str, Any]:
    *parents, key = path.split(".")
    part = report
    for parent in parents:
        part = part[parent]
    del part[key]
    return report


def test_a_complete_report_is_accepted() -> None:
    check_report(make_report(SCORES))


@pytest.mark.parametrize("path", REQUIRED)
def test_a_missing_key_is_named(path: str) -> None:
    with pytest.raises(ValueError, match=f"lacks .*{path}"):
        check_report(_without(make_report(SCORES), path))


def test_the_schema_is_the_contract_that_other_programs_read() -> None:
    roots = {path.split(".")[0] for path in REQUIRED}
    contract = "schema name config versions model events performance agreement hardware trigger timings"
    assert set(contract.split()) <= roots


def test_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="schema 2"):
        check_report(make_report(SCORES) | {"schema": 2})


def test_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        ModelScores(np.array([1.0]), np.array([1.0]), {"ato4l": np.array([float("nan")])})
    with pytest.raises(TypeError, match="integers"):
        ModelScores(np.array([1.0]), np.array([1]), {})


@pytest.mark.parametrize(("events", "shipped"), [("sample", True), ({"background": "sample"}, False)])
def test_the_shipped_sample_is_known_by_the_configuration(events: Any, shipped: bool) -> None:
    assert is_shipped_sample(make_report(SCORES) | {"config": {"events": events}}) is shipped
