"""What vendors' tools do in a run follows from what is asked for and installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.vendor_tools import NETWORK, FakeTools, write_hls_files, write_rtl_files

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.pipeline.hardware import firmware_projects
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.synthesize import SYNTHESIZE
from trigger_ad.pipeline.vendor_tools import planned_steps, run_vendor_tools
from trigger_ad.run_directory import RunDirectory, worked_on_alone
from trigger_ad.synthesis.hardware import hardware_entries

pytest.importorskip("tkinter")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return _run(tmp_path)


def _run(folder: Path, **synthesis: Any) -> Run:
    directory = RunDirectory(folder / "run")
    write_hls_files(directory.hls_project("vitis"))
    write_hls_files(directory.hls_project("vivado"), "vivado")
    write_rtl_files(directory.rtl_project)
    return Run(Config.model_validate({"name": "run", "synthesis": synthesis}), directory)


def _hardware(run: Run) -> list[dict[str, Any]]:
    """The entries of what is reported."""
    firmware = run.config.firmware
    entries = hardware_entries(firmware_projects(run), {}, part=firmware.part, clock_ns=firmware.clock_ns)
    return [entry.to_json() for entry in entries]


def _planned(run: Run, steps: Any = None, flows: Any = None) -> list[tuple[str, str, str]]:
    return [(item.flow, item.step, str(item.tool)) for item in planned_steps(run, steps, flows)]


def test_unless_told_otherwise_all_but_cosimulation_is_done_in_every_project(run: Run, tools: FakeTools) -> None:
    tools.install("vitis_hls")
    tools.install("vivado_hls", "2020.1")
    tools.install("vivado", "2024.1")
    assert _planned(run) == [
        ("hls_vitis", "csynth", "vitis_hls 2024.2"),
        ("hls_vitis", "synth", "vivado 2024.1"),
        ("hls_vitis", "implement", "vivado 2024.1"),
        ("hls_vivado", "csynth", "vivado_hls 2020.1"),
        ("hls_vivado", "synth", "vivado 2024.1"),
        ("hls_vivado", "implement", "vivado 2024.1"),
        ("rtl", "synth", "vivado 2024.1"),
        ("rtl", "implement", "vivado 2024.1"),
    ]


def test_what_has_no_tool_or_nothing_to_go_on_from_is_left_out_and_said(
    run: Run, tools: FakeTools, caplog: pytest.LogCaptureFixture
) -> None:
    tools.install("vivado")
    with caplog.at_level("INFO", "trigger_ad"):
        assert [item[:2] for item in _planned(run)] == [("rtl", "synth"), ("rtl", "implement")]
    assert caplog.messages == [
        "hls_vitis: csynth is left out, as vitis_hls or vitis-run is not installed",
        "hls_vitis: synth is left out, as the step before it is",
        "hls_vitis: implement is left out, as the step before it is",
        "hls_vivado: csynth is left out, as vivado_hls is not installed",
        "hls_vivado: synth is left out, as the step before it is",
        "hls_vivado: implement is left out, as the step before it is",
    ]


def test_steps_and_projects_that_are_asked_for_are_all_that_is_done(run: Run, tools: FakeTools) -> None:
    tools.install("vitis-run")
    assert _planned(run, ("csynth", "cosim"), ("hls_vitis",)) == [
        ("hls_vitis", "csynth", "vitis-run 2024.2"),
        ("hls_vitis", "cosim", "vitis-run 2024.2"),
    ]


def test_the_configuration_says_where_a_tool_is(tmp_path: Path, tools: FakeTools) -> None:
    elsewhere = FakeTools(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    path = elsewhere.install("vivado", "2022.1")
    run = _run(tmp_path, tools={"vivado": str(path)})
    assert _planned(run, None, ("rtl",)) == [("rtl", "synth", "vivado 2022.1"), ("rtl", "implement", "vivado 2022.1")]


def test_where_a_tool_is_makes_no_stage_stale(tmp_path: Path) -> None:
    there, elsewhere = (
        _run(tmp_path),
        Config.model_validate({"name": "run", "synthesis": {"tools": {"vivado": "/vivado"}}}),
    )
    assert SYNTHESIZE.settings(there.config) == SYNTHESIZE.settings(elsewhere)


def test_without_any_tool_there_is_still_rtl_to_be_measured(run: Run, tools: FakeTools) -> None:
    assert planned_steps(run, None, None) == []
    assert planned_steps(run, None, ("rtl",)) == []
    assert planned_steps(run, None, ("hls_vitis", "rtl")) == []


@pytest.mark.parametrize("has_yosys", [True, False])
def test_hls_alone_cannot_be_measured_without_a_tool_though_the_rtl_beside_it_can(
    run: Run, tools: FakeTools, monkeypatch: pytest.MonkeyPatch, has_yosys: bool
) -> None:
    monkeypatch.setattr("trigger_ad.pipeline.vendor_tools.yosys_version", lambda: "0.70" if has_yosys else None)
    with pytest.raises(UserError, match=r"looked for vivado_hls, vitis_hls, vitis-run, vivado on PATH") as error:
        planned_steps(run, None, ("hls_vitis",))
    assert "hls_vitis of" in error.value.what
    assert "--flow rtl" in error.value.remedy
    assert ("pip install" in error.value.remedy) is not has_yosys


def test_without_any_tool_it_is_said_what_was_looked_for_and_what_needs_none(tmp_path: Path, tools: FakeTools) -> None:
    directory = RunDirectory(tmp_path / "run")
    write_hls_files(directory.hls_project("vitis"))
    config = Config.model_validate({"name": "run", "firmware": {"flow": "hls", "back_ends": ["vitis"]}})
    with pytest.raises(UserError) as error:
        planned_steps(Run(config, directory), None, None)
    assert "looked for vivado_hls, vitis_hls, vitis-run, vivado on PATH and in synthesis.tools" in error.value.what
    assert "Verilator and Yosys" in error.value.remedy
    assert "firmware.flow: both" in error.value.remedy


@pytest.mark.parametrize(
    ("steps", "flows", "complaint"),
    [
        (("csynth",), ("hls_vitis",), "csynth of hls_vitis needs vitis_hls or vitis-run, which is not installed"),
        (("synth",), ("rtl",), "synth of rtl needs vivado, which is not installed"),
        (("csynth", "cosim"), ("rtl",), "the project rtl has no step csynth or cosim"),
    ],
)
def test_what_is_asked_for_and_cannot_be_done_is_refused(
    run: Run, tools: FakeTools, steps: Any, flows: Any, complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        planned_steps(run, steps, flows)


def test_a_project_that_the_run_has_not_is_refused(tmp_path: Path, tools: FakeTools) -> None:
    directory = RunDirectory(tmp_path / "run")
    write_hls_files(directory.hls_project("vitis"))
    run = Run(Config.model_validate({"name": "run", "firmware": {"flow": "hls", "back_ends": ["vitis"]}}), directory)
    with pytest.raises(UserError, match="has no project rtl") as error:
        planned_steps(run, None, ("rtl",))
    assert error.value.remedy == "It has hls_vitis"


def test_the_figures_say_step_network_and_whether_the_clock_is_met(run: Run, tools: FakeTools) -> None:
    tools.install("vivado")
    run_vendor_tools(run, planned_steps(run, None, ("rtl",)))
    synth, implement = _hardware(run)
    assert [(entry["flow"], entry["source"], entry["step"]) for entry in (synth, implement)] == [
        ("rtl", "vivado", "synth"),
        ("rtl", "vivado", "implement"),
    ]
    assert (synth["clock_status"], synth["fmax_mhz"], synth["worst_slack_ns"]) == ("assumed", 250.0, 1.0)
    assert (implement["clock_status"], implement["fmax_mhz"]) == ("failed", 1e3 / 5.125)
    assert implement["total_negative_slack_ns"] == -3.456
    assert synth["digest"] == implement["digest"] == NETWORK


def test_a_routed_design_that_meets_its_clock_is_the_only_one_that_has_met_it(run: Run, tools: FakeTools) -> None:
    from support.vendor_tools import golden, good_reports

    met = {"timing_implement": golden("timing_vivado_2024_2_virtexuplus_met.rpt")}
    tools.install("vivado", leaves=good_reports() | met)
    run_vendor_tools(run, planned_steps(run, None, ("rtl",)))
    assert [entry["clock_status"] for entry in _hardware(run)] == ["assumed", "met"]


def test_two_at_once_are_refused(run: Run, tools: FakeTools) -> None:
    tools.install("vivado")
    planned = planned_steps(run, None, ("rtl",))
    with worked_on_alone(run.directory), pytest.raises(UserError, match="another trigger-ad works on"):
        run_vendor_tools(run, planned)
    assert tools.calls("vivado") == []


def test_the_stage_that_shows_hardware_reads_every_stamp_and_its_sources(run: Run, tools: FakeTools) -> None:
    tools.install("vivado")
    run_vendor_tools(run, planned_steps(run, None, ("rtl",)))
    rtl = run.directory.rtl_project
    read = set(SYNTHESIZE.inputs(run))
    assert {rtl / "stamps/synth.json", rtl / "reports/timing_implement.rpt", rtl / "verilog", rtl / "build.tcl"} <= read
