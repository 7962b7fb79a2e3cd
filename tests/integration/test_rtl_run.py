"""The main job with both flows: RTL beside HLS, clocked by Verilator and synthesized by Yosys, or told why not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.runs import SMALLEST, Command, changed, tree_digest, write_config, write_study

from trigger_ad import cli
from trigger_ad.emulation import verilator
from trigger_ad.errors import UserError
from trigger_ad.firmware.rtl_design import RtlDesign
from trigger_ad.pipeline.convert import read_vectors
from trigger_ad.pipeline.target import bring_up_to_date, open_run
from trigger_ad.tools import find_tool

RUN = Path("hls_projects/study")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a finished run of both flows."""
    folder = tmp_path_factory.mktemp("both flows")
    write_study(folder, **SMALLEST)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert cli.run(["run", "study.yaml"]) == 0
    return folder


@pytest.fixture(autouse=True)
def study(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of it, which is the working folder."""
    monkeypatch.chdir(shutil.copytree(made, tmp_path / "study"))


def _report() -> dict[str, Any]:
    report: dict[str, Any] = json.loads((RUN / "report.json").read_text())
    return report


def _words() -> dict[str, list[int]]:
    with np.load(RUN / "results" / "emulation.npz", allow_pickle=False) as stored:
        return {name: stored[name].tolist() for name in stored.files}


def _flow(flow: str) -> None:
    write_config(Path("study.yaml"), **changed(SMALLEST, {"firmware__flow": flow}))


def test_the_rtl_equals_the_reference_in_every_vector_and_its_clocks_are_counted() -> None:
    report, vectors = _report(), read_vectors(RUN / "vectors")
    entry = report["agreement"]["emulators"]["rtl"]
    assert (entry["exact"], entry["must_agree"], entry["mismatches"]) == (True, True, 0)
    assert entry["events"] == entry["events_with_gaps"] == len(vectors.words)
    assert entry["accept_mismatches"] == 0
    assert entry["latency_cycles"] == RtlDesign.read(RUN / "rtl").latency_cycles
    assert entry["ii_cycles"] == 1
    told = report["agreement"]["emulators" if find_tool("ghdl") else "not_run"]
    assert "rtl_vhdl" in told


def test_a_trigger_rate_sets_the_threshold_of_the_rtl_and_its_menu_lies_beside_it() -> None:
    rates = {"trigger": {"input_rate_hz": 1000.0, "rates_hz": [100.0, 200.0]}}
    before = RtlDesign.read(RUN / "rtl").accept
    write_config(Path("study.yaml"), **SMALLEST, **rates)
    assert bring_up_to_date(open_run(Path("study.yaml")), "rtl") == ["convert", "rtl"]
    accept = RtlDesign.read(RUN / "rtl").accept
    assert accept is not None
    assert accept == read_vectors(RUN / "vectors").accept != before
    menu = (RUN / "rtl" / "trigger_menu.txt").read_text()
    assert menu == (RUN / "trigger_menu.txt").read_text()
    assert f"\n100 0.1 {accept.code} 0x" in menu


def test_what_was_measured_is_never_in_one_row_with_what_was_estimated() -> None:
    report = _report()
    rows = {(entry["flow"], entry["source"]): entry for entry in report["hardware"]}
    assert list(rows) == [("hls_vitis", "estimate"), ("rtl", "verilator"), ("rtl", "yosys")]
    clocks, cells = rows["rtl", "verilator"], rows["rtl", "yosys"]
    assert (clocks["latency_cycles"], clocks["ii_cycles"]) == (RtlDesign.read(RUN / "rtl").latency_cycles, 1)
    assert (clocks["latency_ns"], clocks["clock_status"]) == (5.0 * clocks["latency_cycles"], "assumed")
    assert [clocks[name] for name in ("lut", "ff", "dsp", "bram")] == [None] * 4
    assert cells["latency_cycles"] is None
    assert cells["lut"] > 0
    assert cells["utilisation"]["lut"] == cells["lut"] / 1_182_240
    assert cells["carry_bits"] > 0
    assert clocks["digest"] == cells["digest"] == report["network_digest"]
    assert report["not_measured"] == []


def test_the_report_shows_both_flows_and_the_pipeline(command: Command) -> None:
    design, page = RtlDesign.read(RUN / "rtl"), (RUN / "report.html").read_text()
    stages = _report()["pipeline"]["stages"]
    assert [stage["register_bits"] for stage in stages] == [stage.register_bits for stage in design.stages]
    for text in ("Vitis HLS: estimate", "RTL: verilator", "RTL: yosys", 'aria-label="' + f"{len(stages)} pipeline"):
        assert text in page
    assert (RUN / "figures" / "pipeline.png").is_file()
    assert "| `rtl/` |" in (RUN / "README.md").read_text()
    outcome = command("run", "study.yaml")
    assert (outcome.code, outcome.stderr) == (0, [])
    assert f"RTL, measured: {design.latency_cycles} clocks, " in outcome.stdout


def test_the_command_shows_what_is_known(command: Command) -> None:
    shown = command("synthesize", str(RUN))
    # Yosys does not run again: the same was synthesized before
    assert (shown.code, shown.stderr[-1]) == (0, "synthesize")
    assert all(" is left out, as " in line for line in shown.stderr[:-1])
    assert "RTL: yosys" in shown.stdout
    results = json.loads(command("synthesize", str(RUN), "--json").stdout)
    assert results["hardware"] == _report()["hardware"]


def test_rtl_edited_by_hand_fails_the_emulation_and_is_named(command: Command) -> None:
    design = RtlDesign.read(RUN / "rtl")
    path = RUN / "rtl" / "verilog" / f"{design.top}.v"
    text = path.read_text()
    assert "accept <= next_score > THRESHOLD" in text
    path.write_text(text.replace("accept <= next_score > THRESHOLD", "accept <= next_score < THRESHOLD"))
    outcome = command("emulate", "study.yaml")
    assert outcome.code == 1
    assert "trigger-ad: rtl differs from the reference, first in layer 'accept'" in outcome.error
    entry = json.loads((RUN / "results" / "emulation.json").read_text())["emulators"]["rtl"]
    # all but where the score word equals the threshold
    assert 0.9 * entry["events"] < entry["mismatches"] == entry["accept_mismatches"] <= entry["events"]


def test_rtl_alone_gives_the_firmwares_words(command: Command) -> None:
    before, report = _words(), _report()
    _flow("rtl")
    assert command("run", "study.yaml").code == 0
    after = _report()
    assert not (RUN / "hls" / "vitis").exists()
    assert after["agreement"]["firmware_words"] == "rtl"
    assert "hls_vitis" not in after["agreement"]["emulators"]
    assert {entry["flow"] for entry in after["hardware"]} == {"rtl"}
    assert _words() == before
    assert "The firmware's score words are those of: RTL simulation, Verilog." in (RUN / "report.md").read_text()
    own = [[row for row in each["performance"] if row["model"] == "firmware"] for each in (report, after)]
    assert own[0] == own[1]


def _missing(*arguments: Any) -> Any:
    raise UserError("there is no such tool", "Install it")


def test_without_the_tools_the_run_goes_on_and_says_what_is_missing(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _words()
    monkeypatch.setattr(verilator, "find_verilator", _missing)
    monkeypatch.setattr("trigger_ad.pipeline.rtl_hardware.synthesized", _missing)
    _flow("rtl")
    outcome = command("run", "study.yaml")
    assert outcome.code == 0
    assert "rtl: not simulated, there is no such tool: install it" in outcome.stderr
    report, told = _report(), (RUN / "report.md").read_text()
    assert report["agreement"]["not_run"]["rtl"] == "there is no such tool: install it"
    assert report["agreement"]["firmware_words"] == "native"
    assert report["hardware"] == []
    assert [(item["flow"], item["source"]) for item in report["not_measured"]] == [
        ("rtl", "verilator"),
        ("rtl", "yosys"),
    ]
    assert "RTL, yosys: not measured, there is no such tool: install it." in told
    assert "those of: Native C++ library, as the RTL was not simulated." in told
    assert _words() == before


def test_hls_alone_leaves_no_older_rtl_behind() -> None:
    (RUN / "rtl" / "stamps").mkdir()
    _flow("hls")
    hls = tree_digest(RUN / "hls")
    assert bring_up_to_date(open_run(Path("study.yaml")), "convert") == ["convert", "rtl"]
    assert not (RUN / "rtl").exists()
    # what a vendor's tool has worked on is kept
    assert (RUN / "rtl.previous" / "stamps").is_dir()
    assert tree_digest(RUN / "hls") == hls
