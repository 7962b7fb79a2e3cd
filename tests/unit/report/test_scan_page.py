"""The page of a scan: front, budget, choice, curve, and how each point is made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trigger_ad.report.drawing import Drawing
from trigger_ad.report.scan_figures import scan_figures
from trigger_ad.report.scan_page import render_scan, write_scan_report
from trigger_ad.report.scan_tables import choice_words, front_table, points_table


def _point(bits: int, auc: float | None, lut: int | None, **more: Any) -> dict[str, Any]:
    return {
        "name": f"bits_{bits}",
        "settings": {"bits": bits},
        "keys": {"quantization.weights": bits},
        "state": "failed" if auc is None else "done",
        "reason": "no <events>" if auc is None else None,
        "seconds": 2.0,
        "shared": {},
        "figures": {"auc.mean": auc, "lut": lut, "lut_estimate": None if lut is None else lut - 7},
        "objectives": {"auc.mean": auc, "lut": lut},
        "over_budget": {},
        "by_estimate": [],
        "command": f"trigger-ad run hls_projects/scan/bits_{bits}/config.yaml",
        "directory": f"hls_projects/scan/bits_{bits}",
        "on_front": auc is not None,
    } | more


def _models(ratio: float) -> list[dict[str, Any]]:
    area = {"signal": "higgs", "auc": 0.8, "auc_low": 0.7, "auc_high": 0.9}
    relative = {"relative_ratio": ratio, "relative_low": ratio - 0.01, "relative_high": ratio + 0.01}
    return [{"model": "float"} | area, {"model": "ptq"} | area | relative, {"model": "qat"} | area | relative]


@pytest.fixture
def pareto() -> dict[str, Any]:
    points = [_point(4, 0.8, 1000), _point(8, 0.9, 3000), _point(2, None, None)]
    curve = [
        {"name": point["name"], "value": bits, "models": _models(ratio), "figures": point["figures"] | cycles}
        for point, bits, ratio, cycles in zip(points, (4, 8), (0.95, 0.99), ({"latency_cycles": 5},) * 2, strict=False)
    ]
    return {
        "schema": 1,
        "name": "scan",
        "version": "0.1.0",
        "base": "ffn",
        "objectives": [
            {"key": "auc.mean", "title": "AUC, mean", "direction": "maximise"},
            {"key": "lut", "title": "LUT, Yosys", "direction": "minimise"},
        ],
        "budget": {"lut": 4000},
        "points": points,
        "front": ["bits_8", "bits_4"],
        "chosen": "bits_8",
        "why": "the best of the front",
        "test": [
            {"model": "float", "signal": "higgs", "auc": 0.9, "auc_low": 0.89, "auc_high": 0.91, "tpr": []},
            {
                "model": "qat",
                "signal": "higgs",
                "auc": 0.88,
                "auc_low": 0.87,
                "auc_high": 0.89,
                "tpr": [{"fpr_target": 0.1, "tpr": 0.5, "low": 0.4, "high": 0.6}],
            },
        ],
        "curve": {"axis": "bits", "keys": ["quantization.weights"], "points": curve},
    }


def test_what_was_counted_and_what_was_estimated_are_two_columns(pareto: dict[str, Any]) -> None:
    table = front_table(pareto)
    assert table.columns == ("Point", "AUC, mean", "LUT, Yosys", "LUT (estimate)", "Within budget", "Chosen")
    assert table.rows[0] == ("bits_8", "0.9", "3,000", "2,993", "yes", "chosen")
    assert "neighbours on the front may differ by chance" in table.notes[0]


@pytest.mark.parametrize(
    ("over", "guessed", "said"),
    [
        ({}, [], "yes"),
        ({}, ["lut"], "yes, by estimate"),
        ({"lut": 900}, ["lut"], "NO, by estimate"),
        ({"lut": 900, "latency_ns": 25.0}, ["lut"], "NO"),
        (None, ["lut"], "–"),
    ],
)
def test_a_budget_that_was_held_against_an_estimate_says_so(
    pareto: dict[str, Any], over: dict[str, float] | None, guessed: list[str], said: str
) -> None:
    pareto["points"][1] |= {"over_budget": over, "by_estimate": guessed}
    table = front_table(pareto)
    assert table.rows[0][table.columns.index("Within budget")] == said


def _front(pareto: dict[str, Any], key: str, values: dict[str, dict[str, float]], **budget: float) -> Drawing:
    """The front against one cost."""
    for point in pareto["points"]:
        figures = values.get(point["name"], {})
        point |= {
            "figures": point["figures"] | figures,
            "objectives": {"auc.mean": point["figures"]["auc.mean"], key: figures.get(key)},
        }
    objectives = [pareto["objectives"][0], {"key": key, "title": key, "direction": "minimise"}]
    return scan_figures(pareto | {"objectives": objectives, "budget": budget}, "validation events")[0]


def test_a_budget_line_on_an_estimate_says_so(pareto: dict[str, Any]) -> None:
    values: dict[str, dict[str, float]] = {"bits_4": {"lut_estimate": 900}, "bits_8": {"lut_estimate": 2900}}
    assert "budget 2000, by estimate" in _front(pareto, "lut_estimate", values, lut=2000).svg


def test_a_limit_in_nanoseconds_is_a_line_among_cycles_where_all_have_one_clock(pareto: dict[str, Any]) -> None:
    values = {
        "bits_4": {"latency_cycles": 3, "latency_ns": 3 * 2.1},
        "bits_8": {"latency_cycles": 7, "latency_ns": 7 * 2.1},
    }
    figure = _front(pareto, "latency_cycles", values, latency_ns=10.5)
    assert "budget 10.5 ns at 2.1 ns a cycle" in figure.svg
    assert "is no line" not in figure.caption
    values["bits_8"]["latency_ns"] = 7 * 4.0
    figure = _front(pareto, "latency_cycles", values, latency_ns=10.5)
    assert "budget 10.5" not in figure.svg
    assert figure.caption.endswith("The limit of 10.5 ns is no line, as the points differ in their clock.")


def test_every_point_says_what_became_of_it_and_how_it_is_made_again(pareto: dict[str, Any]) -> None:
    rows = {row[0]: row for row in points_table(pareto).rows}
    assert rows["bits_2"][1:5] == ("2", "–", "–", "failed: no <events>")
    assert rows["bits_4"][-1] == "trigger-ad run hls_projects/scan/bits_4/config.yaml"


def test_the_figures_draw_the_front_the_curve_and_the_cost(pareto: dict[str, Any]) -> None:
    figures = {figure.name: figure for figure in scan_figures(pareto, "validation events")}
    assert list(figures) == ["front", "relative", "cost"]
    assert "bits_8" in figures["front"].svg
    assert "budget 4000" in figures["front"].svg
    assert "validation events" in figures["relative"].svg


def test_the_page_is_one_file_that_runs_nothing_and_escapes_what_it_is_given(
    pareto: dict[str, Any], tmp_path: Path
) -> None:
    write_scan_report(pareto, "validation events", tmp_path)
    page = (tmp_path / "pareto.html").read_text(encoding="utf-8")
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"front.png", "relative.png", "cost.png"}
    assert "<script" not in page
    assert "no &lt;events&gt;" in page
    assert "Chosen: bits_8, the best of the front." in page
    assert "bits_8 on test events" in page


def test_a_scan_without_a_choice_a_curve_or_costs_has_a_page_too(pareto: dict[str, Any]) -> None:
    for point in pareto["points"]:
        point["objectives"].pop("lut")
    bare = pareto | {
        "objectives": pareto["objectives"][:1],
        "front": [],
        "chosen": None,
        "why": "every point of the front is over the budget",
        "test": None,
        "curve": None,
        "budget": {},
    }
    assert scan_figures(bare, "validation events") == []
    page = render_scan(bare, [])
    assert choice_words(bare) == "No point is chosen: every point of the front is over the budget."
    assert 'role="alert"' in page
