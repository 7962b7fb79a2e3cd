"""The picture of the pipeline is drawn where there is RTL, with every stage and port in it."""

from __future__ import annotations

from typing import Any

import pytest
from support.report import make_report, make_scores

from trigger_ad.report.drawing import styled
from trigger_ad.report.pipeline_figure import pipeline_figure

SCORES = make_scores(300)
STAGES = [
    {"delay": 4.25, "register_bits": 323, "operations": 100},
    {"delay": 0.5, "register_bits": 1_229, "operations": 20},
]


def _port(name: str, words: int, width: int) -> dict[str, Any]:
    return {"name": name, "words": words, "width": width, "signed": False}


@pytest.fixture
def report() -> dict[str, Any]:
    pipeline = {
        "clock_ns": 5.0,
        "units_per_ns": 1.0,
        "latency_cycles": 2,
        "ports": [_port("pt", 19, 8), _port("eta", 19, 5)],
        "output": _port("score", 1, 26),
        "stages": STAGES,
    }
    return make_report(SCORES) | {"pipeline": pipeline}


def test_stages_registers_and_ports_are_in_it(report: dict[str, Any]) -> None:
    with styled():
        drawing = pipeline_figure(report)
    assert drawing is not None
    assert drawing.alternative.startswith("2 pipeline stages")
    for text in ("4.2", "0.5", "323", "1,229", "pt: 19 × 8 bits", "eta: 19 × 5 bits", "26 bits", "5 ns assumed"):
        assert f">{text}<" in drawing.svg
    assert "pt 19 × 8 bits, eta 19 × 5 bits, score 26 bits" in drawing.caption


def test_a_single_stage_is_drawn(report: dict[str, Any]) -> None:
    report["pipeline"]["stages"] = STAGES[:1]
    with styled():
        drawing = pipeline_figure(report)
    assert drawing is not None
    assert ">1,229<" not in drawing.svg


def test_without_rtl_there_is_none(report: dict[str, Any]) -> None:
    assert pipeline_figure(report | {"pipeline": None}) is None
    # of an earlier version
    del report["pipeline"]
    assert pipeline_figure(report) is None
