"""How results spread over seeds."""

from __future__ import annotations

import numpy as np
import pytest

from trigger_ad.evaluation.performance import PerformanceRow, performance_rows
from trigger_ad.evaluation.spread import spread_over_seeds

AREAS = {1: (0.90, 0.88), 2: (0.80, 0.81), 3: (0.85, 0.83)}


def _row(model: str, area: float) -> PerformanceRow:
    return PerformanceRow(model, "mse", "higgs", area, area - 0.01, area + 0.01, "method", ())


def test_the_difference_is_taken_seed_by_seed() -> None:
    found = spread_over_seeds(
        {seed: [_row("float", area), _row("qat", other)] for seed, (area, other) in AREAS.items()}, "qat"
    )
    assert (found["seeds"], found["fpr_target"]) == ([1, 2, 3], None)
    own = {entry["model"]: entry for entry in found["spread"]}
    assert list(own) == ["float", "qat", "difference"]
    assert {(entry["signal"], entry["measure"]) for entry in found["spread"]} == {("higgs", "auc")}
    assert (own["float"]["min"], own["float"]["max"]) == (0.80, 0.90)
    assert own["float"]["mean"] == pytest.approx(0.85)
    assert own["float"]["standard_deviation"] == pytest.approx(0.05)
    assert own["difference"]["values"] == [0.88 - 0.90, 0.81 - 0.80, 0.83 - 0.85]


def test_rates_are_those_at_an_equal_share_of_background() -> None:
    random = np.random.default_rng(1)
    rows = {}
    for seed in (1, 2):
        rows[seed] = [
            row
            for model in ("float", "qat")
            for row in performance_rows(
                model, "mse", random.normal(0, 1, 4000), random.normal(0, 1, 4000), {"higgs": random.normal(1, 1, 500)}
            )
        ]
    found = spread_over_seeds(rows, "qat")
    # 100 test background events are 2.5 %: 1e-2 has too few
    assert found["fpr_target"] == 0.1
    entry = next(item for item in found["spread"] if (item["model"], item["measure"]) == ("qat", "tpr"))
    assert entry["values"] == [rows[seed][1].tpr_at(0.1) for seed in (1, 2)]
