"""What a scan tells of its points."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trigger_ad.config import ScanConfig
from trigger_ad.scan.objectives import Objective
from trigger_ad.scan.points import Points, listed_points
from trigger_ad.scan.results import pareto_csv, pareto_json
from trigger_ad.scan.schedule import Entry

OBJECTIVES = (Objective("auc.mean", "AUC", maximise=True), Objective("lut", "LUT, Yosys", maximise=False))
FIGURES: dict[int, dict[str, float | None]] = {
    4: {"auc.mean": 0.80, "lut": 1000, "lut_estimate": 900},
    6: {"auc.mean": 0.90, "lut": 3000, "lut_estimate": 2900},
    8: {"auc.mean": 0.95, "lut": 5000, "lut_estimate": 4800},
}


MODELS: list[dict[str, Any]] = [{"model": "qat", "signal": "higgs", "auc": 0.8, "auc_low": 0.7, "auc_high": 0.9}]


@pytest.fixture
def pareto(read_scan: Callable[..., tuple[ScanConfig, Points]]) -> Callable[..., dict[str, Any]]:
    def make(
        figures: dict[int, dict[str, float | None]] = FIGURES,
        only: tuple[Objective, ...] = OBJECTIVES,
        **changes: Any,
    ) -> dict[str, Any]:
        scan, points = read_scan(**({"grid": {"quantization.weights": list(figures)}} | changes))
        entries = []
        for point in listed_points(scan, points):
            own = figures[point.config.quantization.weights]
            state: Any = "done" if own else "failed"
            entries.append(
                Entry(
                    point,
                    state,
                    figures=own,
                    comparisons=MODELS if own else [],
                    reason=None if own else "no events",
                    seconds=1.5,
                )
            )
        return pareto_json("scan", points.base, only, entries, Path("hls_projects/scan"))

    return make


def test_the_chosen_point_is_the_best_within_the_budget(pareto: Callable[..., dict[str, Any]]) -> None:
    found = pareto()
    assert found["front"] == ["weights_8", "weights_6", "weights_4"]
    assert found["budget"] == {"lut": 4000}
    assert [point["over_budget"] for point in found["points"]] == [{}, {}, {"lut": 4000}]
    assert found["chosen"] == "weights_6"


def test_what_rests_on_an_estimate_says_so(pareto: Callable[..., dict[str, Any]]) -> None:
    assert [point["by_estimate"] for point in pareto()["points"]] == [[], [], []]
    found = pareto({4: FIGURES[4] | {"lut": None}}, only=OBJECTIVES[:1])
    assert found["points"][0]["by_estimate"] == ["lut"]
    assert found["why"] == (
        "the best of the front by the first objective, of those that are not over the budget; by estimate, as nothing "
        "has counted its lut"
    )


def test_none_is_chosen_if_all_are_over_the_budget(pareto: Callable[..., dict[str, Any]]) -> None:
    found = pareto({4: FIGURES[8], 6: FIGURES[8]})
    assert found["chosen"] is None
    assert found["why"] == "every point of the front is over the budget"


def test_a_failed_point_and_one_that_lacks_an_objective_are_not_on_the_front(
    pareto: Callable[..., dict[str, Any]],
) -> None:
    found = pareto({4: {}, 6: {"auc.mean": 0.99, "lut": None, "lut_estimate": 5}, 8: FIGURES[4]})
    assert found["front"] == ["weights_8"]
    assert [point["state"] for point in found["points"]] == ["failed", "done", "done"]
    assert found["points"][0]["reason"] == "no events"
    # what was not counted is not replaced by an estimate
    assert found["points"][1]["objectives"] == {"auc.mean": 0.99, "lut": None}


def test_each_point_has_the_intervals_of_its_areas(pareto: Callable[..., dict[str, Any]]) -> None:
    assert [point["models"] for point in pareto({4: FIGURES[4], 6: {}})["points"]] == [MODELS, []]


def test_each_point_names_the_command_that_makes_it_again(pareto: Callable[..., dict[str, Any]]) -> None:
    assert pareto()["points"][0]["command"] == "trigger-ad run hls_projects/scan/weights_4/config.yaml"


def test_a_scan_over_one_number_has_a_curve_in_its_order(pareto: Callable[..., dict[str, Any]]) -> None:
    figures = {value: FIGURES[value] for value in (8, 4, 6)}
    found = pareto(figures, grid={"quantization.weights": [8, 4, 6], "firmware.flow": ["rtl"]})
    assert found["curve"]["axis"] == "quantization.weights"
    assert [point["value"] for point in found["curve"]["points"]] == [4, 6, 8]
    # what is the same for all points is not of its axis
    assert found["curve"]["keys"] == ["quantization.weights"]
    assert pareto(grid={"quantization.weights": [4], "seed": [1, 2]})["curve"]["axis"] == "seed"


@pytest.mark.parametrize(
    "grid", [{"quantization.weights": [4, 6], "seed": [1, 2]}, {"quantization.ship": ["ptq", "qat"]}]
)
def test_other_scans_have_none(pareto: Callable[..., dict[str, Any]], grid: dict[str, list[Any]]) -> None:
    assert pareto(FIGURES, grid={"quantization.weights": [4]} | grid)["curve"] is None


def test_the_table_says_the_same(pareto: Callable[..., dict[str, Any]]) -> None:
    rows = list(csv.DictReader(io.StringIO(pareto_csv(pareto({4: FIGURES[4], 6: {}})))))
    assert [(row["name"], row["quantization.weights"], row["auc.mean"], row["lut"], row["chosen"]) for row in rows] == [
        ("weights_4", "4", "0.8", "1000", "1"),
        ("weights_6", "6", "", "", "0"),
    ]
    assert rows[0]["lut_estimate"] == "900"
