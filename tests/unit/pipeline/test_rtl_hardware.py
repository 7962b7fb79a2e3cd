"""What of the RTL was measured, and what was not and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.rtl import CONFIG, NETWORK, VECTORS

from trigger_ad.errors import UserError
from trigger_ad.firmware.rtl_project import write_rtl_project
from trigger_ad.network.digest import network_digest
from trigger_ad.pipeline import rtl_hardware
from trigger_ad.pipeline.rtl_hardware import measured
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory, write_json
from trigger_ad.synthesis.netlist import StagePath
from trigger_ad.synthesis.yosys import LIMIT_SECONDS, YosysReport

RESOURCES = {"lut": 1_000, "ff": 500, "carry_bits": 800, "dsp": 3, "bram": 0}
REPORT = YosysReport("0.70", "xcup", **RESOURCES, cells={}, netlist="", stages=(StagePath(3, 2, 1.5),))
CLOCKED = {"tool": "Verilator 5.048", "latency_cycles": 7, "ii_cycles": 1}


def _run(folder: Path, part: str = "xcvu9p-flgb2104-2l-e") -> Run:
    config = CONFIG.model_copy(update={"firmware": CONFIG.firmware.model_copy(update={"part": part})})
    run = Run(config, RunDirectory(folder))
    write_rtl_project(NETWORK, config, None, VECTORS, run.directory.rtl_project)
    write_json(run.directory.results("emulation"), {"emulators": {"rtl": CLOCKED}, "not_run": {}})
    return run


def test_clocks_and_cells_are_entries_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []

    def synthesized(sources: Any, top: str, part: str, cache: Path, limit: float) -> YosysReport:
        limits.append(limit)
        return REPORT

    monkeypatch.setattr(rtl_hardware, "synthesized", synthesized)
    run = _run(tmp_path)
    found = measured(run)
    clocks, cells = found.entries
    assert (clocks["source"], clocks["tool"], clocks["latency_cycles"], clocks["ii_cycles"]) == (
        "verilator",
        "Verilator 5.048",
        7,
        1,
    )
    assert (clocks["latency_ns"], clocks["clock_status"]) == (35.0, "assumed")
    assert {clocks[name] for name in ("lut", "ff", "dsp", "bram")} | {*clocks["utilisation"].values()} == {None}
    assert (cells["source"], cells["tool"], cells["latency_cycles"]) == ("yosys", "Yosys 0.70", None)
    assert {name: cells[name] for name in RESOURCES} == RESOURCES
    assert cells["utilisation"]["dsp"] == 3 / 6_840
    assert clocks["digest"] == cells["digest"] == network_digest(NETWORK)
    assert found.missing == []
    run.yosys_seconds = 7.0
    measured(run)
    assert limits == [LIMIT_SECONDS, 7.0]


def test_a_part_that_yosys_does_not_know_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = measured(_run(tmp_path, "xcvc1902-vsva2197-2mp-e-s"))
    assert [entry["source"] for entry in found.entries] == ["verilator"]
    ((flow, source, reason),) = [tuple(item.values()) for item in found.missing]
    assert (flow, source) == ("rtl", "yosys")
    assert "xcvc1902-vsva2197-2mp-e-s is none: name a part such as" in reason
    assert "xcvc1902-vsva2197-2mp-e-s is none" in caplog.text


def test_what_was_not_simulated_has_no_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*arguments: Any) -> YosysReport:
        raise UserError("Yosys did not synthesize it within 5 s", "Give it more")

    monkeypatch.setattr(rtl_hardware, "synthesized", late)
    run = _run(tmp_path)
    write_json(run.directory.results("emulation"), {"emulators": {}, "not_run": {"rtl": "there is no Verilator"}})
    found = measured(run)
    assert found.entries == []
    assert [item["reason"] for item in found.missing] == [
        "there is no Verilator",
        "Yosys did not synthesize it within 5 s: give it more",
    ]
