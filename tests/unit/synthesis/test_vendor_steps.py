"""A step is done once for its sources; what fails is one clear line, and nothing that it left is believed."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from support.vendor_tools import (
    CSYNTH,
    NETWORK,
    PART,
    FakeTools,
    golden,
    good_reports,
    write_hls_files,
    write_rtl_files,
)

from trigger_ad.config import VendorToolName
from trigger_ad.errors import UserError
from trigger_ad.synthesis.projects import STEPS, Step
from trigger_ad.synthesis.reports import read_csynth, read_reports
from trigger_ad.synthesis.vendor import find_vendor_tool
from trigger_ad.synthesis.vendor_steps import bring_step_up_to_date, is_done

pytest.importorskip("tkinter")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_hls_files(tmp_path / "hls")


@pytest.fixture
def rtl(tmp_path: Path) -> Path:
    return write_rtl_files(tmp_path / "rtl")


def _do(project: Path, *steps: Step, hls: VendorToolName = "vitis_hls") -> list[bool]:
    done = []
    for step in steps:
        tool = find_vendor_tool(("vivado",) if step in ("synth", "implement") else (hls,), {})
        assert tool is not None
        done.append(bring_step_up_to_date(project, step, tool))
    return done


def _refused(project: Path, step: Step) -> str:
    with pytest.raises(UserError) as error:
        _do(project, step)
    assert "\n" not in str(error.value)
    assert not is_done(project, step)
    return str(error.value)


def _installed(tools: FakeTools, **vivado: Any) -> FakeTools:
    tools.install("vitis_hls")
    tools.install("vivado", **vivado)
    return tools


def test_all_steps_of_an_hls_project_leave_figures_of_its_network(project: Path, tools: FakeTools) -> None:
    _installed(tools)
    assert _do(project, *STEPS) == [True] * 4
    figures = read_reports(project)
    assert [item.step for item in figures] == list(STEPS)
    assert [item.digest for item in figures] == [NETWORK] * 4
    assert [item.is_clock_met for item in figures] == [None, None, None, False]
    assert [item.fmax_mhz for item in figures] == [1e3 / 3.649, None, 250.0, 1e3 / 5.125]
    assert figures[3].total_negative_slack_ns == -3.456
    assert tools.calls("vitis_hls") == ["csynth: -f build_prj.tcl", "cosim: -f build_prj.tcl"]
    assert tools.steps("vivado") == ["synth", "implement"]


def test_vivado_is_told_to_build_what_c_synthesis_made_out_of_context(project: Path, tools: FakeTools) -> None:
    _installed(tools)
    _do(project, "csynth", "synth", "implement")
    calls = [line.replace(str(project), "PROJECT") for line in tools.calls("vivado")]
    assert "  add_files PROJECT/anomaly_prj/solution1/syn/verilog" in calls
    assert "  read_xdc -mode out_of_context PROJECT/anomaly.xdc" in calls
    assert f"  synth_design -top anomaly -part {PART} -mode out_of_context -flatten_hierarchy full" in calls
    assert "  open_checkpoint PROJECT/reports/synth.dcp" in calls
    order = [calls.index(f"  {name}") for name in ("opt_design", "place_design", "phys_opt_design", "route_design")]
    assert order == sorted(order)
    assert "[get_ports ap_clk]" in (project / "anomaly.xdc").read_text()


def test_an_rtl_project_is_synthesised_and_implemented(rtl: Path, tools: FakeTools) -> None:
    tools.install("vivado", "2023.2")
    assert _do(rtl, "synth", "implement") == [True, True]
    assert [(item.step, item.digest) for item in read_reports(rtl)] == [("synth", NETWORK), ("implement", NETWORK)]
    assert f"  read_verilog {rtl}/verilog/anomaly.v" in tools.calls("vivado")
    stamp = json.loads((rtl / "stamps" / "synth.json").read_text())
    assert (stamp["tool"], stamp["version"], stamp["part"], stamp["clock_ns"]) == ("vivado", "2023.2", PART, 5.0)


@pytest.mark.parametrize(
    ("back_end", "name", "version", "arguments"),
    [
        ("vitis", "vitis-run", "2024.2", "csynth: --mode hls --tcl build_prj.tcl"),
        (
            "vivado",
            "vivado_hls",
            "2019.2",
            "csynth: -f build_prj.tcl reset=1 csim=1 synth=1 cosim=0 validation=0 export=0 vsynth=0 fifo_opt=0",
        ),
    ],
)
def test_every_hls_tool_is_started_in_its_own_way(
    tmp_path: Path, tools: FakeTools, back_end: str, name: VendorToolName, version: str, arguments: str
) -> None:
    project = write_hls_files(tmp_path / "hls", back_end)
    tools.install(name, version)
    _do(project, "csynth", hls=name)
    assert tools.calls(name) == [arguments]
    stamp = json.loads((project / "stamps" / "csynth.json").read_text())
    assert (stamp["tool"], stamp["version"], stamp["finished"]) == (name, version, True)


def test_what_is_done_is_not_done_again(project: Path, tools: FakeTools) -> None:
    _installed(tools)
    _do(project, "csynth", "synth")
    assert _do(project, "csynth", "synth", "implement") == [False, False, True]
    assert tools.steps("vitis_hls") == ["csynth"]


def test_other_sources_make_every_step_anew_and_keep_what_was(project: Path, tools: FakeTools) -> None:
    _installed(tools)
    _do(project, *STEPS)
    before = json.loads((project / "stamps" / "csynth.json").read_text())["sources"]
    (project / "firmware" / "anomaly.cpp").write_text("// another network\n")
    with pytest.raises(UserError, match=f"csynth.xml is stale: it is of other sources .*of network {NETWORK[:12]}"):
        read_reports(project)
    assert _do(project, *STEPS) == [True] * 4
    earlier = project / "earlier" / before[:12]
    assert (earlier / CSYNTH).is_file()
    assert json.loads((earlier / "stamps" / "csynth.json").read_text())["network"] == NETWORK
    assert len(read_reports(project)) == 4


def test_another_script_of_vivado_leaves_c_synthesis_as_it_is(project: Path, tools: FakeTools) -> None:
    _installed(tools)
    _do(project, "csynth", "synth")
    (project / "anomaly.xdc").write_text("# another constraint\n")
    assert is_done(project, "csynth")
    assert not is_done(project, "synth")


def test_the_project_s_own_script_does_the_same_by_hand(project: Path, tools: FakeTools) -> None:
    _installed(tools)
    subprocess.run(["sh", "build.sh", *STEPS], cwd=project, check=True, capture_output=True)
    assert all(is_done(project, step) for step in STEPS)
    assert _do(project, "csynth") == [False]


def test_a_report_without_a_stamp_is_of_no_known_network_and_not_believed_to_be_done(
    project: Path, tools: FakeTools
) -> None:
    _installed(tools)
    _do(project, "csynth")
    shutil.rmtree(project / "stamps")
    figures = read_csynth(project)
    assert figures is not None
    assert figures.digest is None
    assert _do(project, "csynth") == [True]
    assert (project / "earlier" / "unknown" / CSYNTH).is_file()


def test_a_damaged_report_is_made_anew(project: Path, tools: FakeTools) -> None:
    _installed(tools)
    _do(project, "csynth")
    (project / CSYNTH).write_text("<profile>")
    assert _do(project, "csynth") == [True]


@pytest.mark.parametrize(("step", "before"), [("cosim", "csynth"), ("synth", "csynth"), ("implement", "synth")])
def test_a_step_needs_the_one_before_it(project: Path, tools: FakeTools, step: Step, before: str) -> None:
    _installed(tools)
    assert f"{step} goes on from {before}" in _refused(project, step)
    assert tools.calls("vivado") == tools.calls("vitis_hls") == []


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("ERROR: [HLS 200-70] Failed to find or check out license 'HLS'", "licence"),
        ("ERROR: [HLS 200-1023] Part 'xcvu9p-flgb2104-2l-e' is not installed.", "firmware.part"),
        ("ERROR: [SIM 211-100] CSim failed with errors.", "what has ended well is kept"),
    ],
)
def test_a_tool_that_fails_half_way_is_named_with_its_log_and_the_line(
    project: Path, tools: FakeTools, said: str, remedy: str
) -> None:
    tools.install("vitis_hls", prints=["***** C SIMULATION *****", said, "INFO: bye"], status=1)
    line = _refused(project, "csynth")
    assert line.startswith(
        f"vitis_hls 2024.2 failed in csynth of {project}: {said} (its log: {project}/logs/csynth.log"
    )
    assert remedy in line
    assert said in (project / "logs" / "csynth.log").read_text()
    assert read_reports(project) == []


def test_a_failure_leaves_the_earlier_result_aside_and_the_next_run_goes_on(project: Path, tools: FakeTools) -> None:
    _installed(tools)
    _do(project, "csynth", "synth")
    (project / "firmware" / "anomaly.cpp").write_text("// another network\n")
    tools.install("vitis_hls", prints=["ERROR: [HLS 207-1] broken"], status=1)
    assert "broken" in _refused(project, "csynth")
    assert len(list((project / "earlier").rglob("anomaly_csynth.xml"))) == 1
    tools.install("vitis_hls")
    assert _do(project, "csynth", "synth") == [True, True]
    assert len(list((project / "earlier").rglob("utilisation_synth.rpt"))) == 1


def test_a_half_written_report_of_a_failed_step_is_not_used(
    project: Path, tools: FakeTools, caplog: pytest.LogCaptureFixture
) -> None:
    tools.install("vitis_hls", status=1)
    _refused(project, "csynth")
    report = project / CSYNTH
    report.parent.mkdir(parents=True)
    report.write_text(good_reports()["csynth"][CSYNTH])
    with caplog.at_level(logging.WARNING, "trigger_ad"):
        assert read_csynth(project) is None
    assert caplog.messages[-1] == f"{project}: the step csynth has not ended well, so its report is not used"


def test_a_design_that_vivado_cannot_place_does_not_fit(rtl: Path, tools: FakeTools) -> None:
    said = (
        "ERROR: [DRC UTLZ-1] Resource utilization: CLB LUTs over-utilized in Top Level Design (This design requires "
        "more CLB LUTs cells than are available in the target device.)"
    )
    tools.install("vivado", goes_in="place_design", prints=[said], status=1)
    _do(rtl, "synth")
    line = _refused(rtl, "implement")
    assert "CLB LUTs over-utilized" in line
    assert "a larger firmware.part" in line
    assert [item.step for item in read_reports(rtl)] == ["synth"]


def test_a_design_over_the_whole_device_does_not_fit_after_logic_synthesis(rtl: Path, tools: FakeTools) -> None:
    large = golden(
        "vivado_synth_2024_2_virtexuplus.rpt", ("| CLB LUTs*               | 27001 |", "| CLB LUTs* | 1300000 |")
    )
    tools.install("vivado", leaves=good_reports() | {"utilisation_synth": large})
    for _ in range(2):
        with pytest.raises(UserError, match=rf"does not fit {PART}: it takes 1,300,000 CLB LUTs of 1,182,240"):
            _do(rtl, "synth")
    assert tools.steps("vivado") == ["synth"]


@pytest.mark.parametrize(
    ("report", "text", "complaint"),
    [
        ("utilisation_synth", "Resource report, version 9\n", "utilisation_synth.rpt is not a utilisation report"),
        ("timing_synth", "Timing report, version 9\n", "timing_synth.rpt is not a timing summary"),
    ],
)
def test_a_report_in_an_unknown_format_is_refused(
    rtl: Path, tools: FakeTools, report: str, text: str, complaint: str
) -> None:
    tools.install("vivado", leaves=good_reports() | {report: text})
    assert complaint in _refused(rtl, "synth")


def test_a_design_that_was_not_routed_is_no_implementation(rtl: Path, tools: FakeTools) -> None:
    placed = golden("utilisation_vivado_2021_2_routed.rpt", (": Routed", ": Fully Placed"))
    tools.install("vivado", leaves=good_reports() | {"utilisation_implement": placed})
    _do(rtl, "synth")
    assert "not routed (state 'Fully Placed')" in _refused(rtl, "implement")


def test_a_tool_that_leaves_nothing_is_not_believed(project: Path, tools: FakeTools) -> None:
    tools.install("vitis_hls", leaves={})
    assert "has left no report that can be used" in _refused(project, "csynth")


def test_sources_that_change_while_a_tool_runs_are_not_those_of_its_report(project: Path, tools: FakeTools) -> None:
    changed = {"firmware/anomaly.h": "// changed meanwhile\n"}
    reports = good_reports()
    tools.install("vitis_hls", leaves=reports | {"csynth": reports["csynth"] | changed})
    assert "csynth.xml is stale: it is of other sources" in _refused(project, "csynth")


def test_a_project_of_an_earlier_version_is_refused(project: Path, tools: FakeTools) -> None:
    _installed(tools)
    (project / "stamp.sh").unlink()
    assert "was written by an earlier version" in _refused(project, "csynth")


def test_the_phases_of_a_tool_are_shown_as_they_come(
    project: Path, tools: FakeTools, caplog: pytest.LogCaptureFixture
) -> None:
    tools.install(
        "vitis_hls", prints=["***** C SIMULATION *****", "noise", "INFO: [HLS 200-1510] Running: csynth_design "]
    )
    with caplog.at_level(logging.INFO, "trigger_ad"):
        _do(project, "csynth")
    log = project / "logs" / "csynth.log"
    assert caplog.messages[0] == f"csynth of {project} by vitis_hls 2024.2; its log is {log}"
    assert [message.split(" (")[0].strip() for message in caplog.messages[1:]] == ["C SIMULATION", "csynth_design"]


def test_an_interruption_ends_the_tool_and_leaves_nothing_that_is_believed(project: Path, tools: FakeTools) -> None:
    tools.install("vitis_hls", hangs=True)
    # what is started in the background is told to ignore it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt() -> None:
        while not (tools.folder / "vitis_hls.hangs").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            _do(project, "csynth")
    finally:
        signal.signal(signal.SIGINT, before)
    assert not is_done(project, "csynth")
    assert read_reports(project) == []
    tools.install("vitis_hls")
    assert _do(project, "csynth") == [True]
