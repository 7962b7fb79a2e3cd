"""Nothing that was estimated looks measured, and nothing unknown looks like 0."""

from __future__ import annotations

from typing import Any

import pytest
from support.report import make_emulator, make_hardware, make_report, make_scores

from trigger_ad.report.hardware_tables import estimate_table, hardware_table
from trigger_ad.report.table import Table
from trigger_ad.report.wording import UNKNOWN

SCORES = make_scores(500)


@pytest.fixture
def report() -> dict[str, Any]:
    return make_report(SCORES)


def _column(table: Table, index: int) -> dict[str, str]:
    return {row[0]: row[index] for row in table.rows}


def test_an_estimate_says_so_in_its_heading_and_in_every_figure(report: dict[str, Any]) -> None:
    table = hardware_table(report)
    assert table.columns == ("Figure", "Vitis HLS: estimate", "Vivado HLS: estimate")
    assert dict(table.column_tags) == {1: "estimate", 2: "estimate"}
    assert _column(table, 1) == {
        "Source": "estimate",
        "Tool": "trigger-ad estimate",
        "Part": "xcvu9p-flgb2104-2l-e",
        "Clock period (ns)": "5",
        "Clock status": "assumed",
        "Highest clock (MHz)": UNKNOWN,
        "Latency (cycles)": "≈ 23",
        "Latency": "≈ 115 ns at 5 ns assumed",
        "Initiation interval (cycles)": "≈ 1",
        "LUT": "≈ 51,200 (4.3 %)",
        "FF": UNKNOWN,
        "DSP": "≈ 57 (0.83 %)",
        "BRAM (18 Kbit)": UNKNOWN,
        "Words, against the reference": "equal in 12,666 vectors",
    }


def test_the_command_that_would_measure_is_named(report: dict[str, Any]) -> None:
    notes = hardware_table(report).notes
    assert "To measure Vitis HLS: `cd hls/vitis && ./build.sh`" in notes
    assert "To measure Vivado HLS: `cd hls/vivado && ./build.sh`" in notes


def test_a_measured_zero_is_a_zero(report: dict[str, Any]) -> None:
    shares = {"lut": 0.02, "ff": 0.00012, "dsp": None, "bram": 0.0}
    counted = {"lut": 31_234, "ff": 2_345, "dsp": 0, "bram": 0, "utilisation": shares}
    none = dict.fromkeys(("latency_cycles", "latency_ns", "ii_cycles"))
    report["hardware"] = [make_hardware("hls_vivado", source="vivado", tool="Vivado 2024.2", **counted, **none)]
    table = hardware_table(report)
    assert not table.column_tags
    column = _column(table, 1)
    assert [column[key] for key in ("LUT", "FF", "DSP", "BRAM (18 Kbit)")] == [
        "31,234 (2 %)",
        "2,345 (0.012 %)",
        "0 (share not known)",
        "0 (0 %)",
    ]
    assert [column[key] for key in ("Latency (cycles)", "Latency", "Initiation interval (cycles)")] == [UNKNOWN] * 3


def test_the_steps_of_vivado_have_a_column_each_with_slack_and_network(report: dict[str, Any]) -> None:
    step = {"source": "vivado", "tool": "Vivado 2024.2", "digest": "f00d" * 16}
    report["hardware"] = [
        make_hardware("rtl", **step, step="synth", worst_slack_ns=1.0),
        make_hardware("rtl", **step, step="implement", worst_slack_ns=-0.125, clock_status="failed"),
        make_hardware("hls_vitis", source="csynth", step="csynth", digest=None),
    ]
    table = hardware_table(report)
    assert table.columns == ("Figure", "RTL: vivado, synth", "RTL: vivado, implement", "Vitis HLS: csynth")
    shown = [[_column(table, index)[key] for key in ("Worst slack (ns)", "Network")] for index in (1, 2, 3)]
    assert shown == [["1.000", "f00df00df00d"], ["-0.125", "f00df00df00d"], [UNKNOWN, UNKNOWN]]
    assert [note.split(":")[0] for note in table.notes[:3]] == ["vivado, synth", "vivado, implement", "csynth"]


@pytest.mark.parametrize(
    ("status", "shown"),
    [("assumed", "115 ns at 5 ns assumed"), ("failed", "115 ns at 5 ns, FAILED"), ("met", "115 ns")],
)
def test_nanoseconds_depend_on_the_clock(report: dict[str, Any], status: str, shown: str) -> None:
    report["hardware"] = [make_hardware("hls_vitis", source="cosim", clock_status=status)]
    assert _column(hardware_table(report), 1)["Latency"] == shown


def test_resources_of_c_synthesis_are_the_tools_estimate(report: dict[str, Any]) -> None:
    report["hardware"] = [make_hardware("hls_vitis", source="csynth", clock_status="failed", fmax_mhz=187.3)]
    column = _column(hardware_table(report), 1)
    assert (column["LUT"], column["Latency (cycles)"]) == ("≈ 51,234 (4.3 %)", "23")
    assert (column["Clock status"], column["Highest clock (MHz)"]) == ("FAILED", "187")


def _measured(report: dict[str, Any]) -> None:
    """Adds RTL, clocked and synthesized, to the estimate of one HLS project."""
    none = dict.fromkeys(("lut", "dsp", "utilisation"))
    counted = {"lut": 3_844, "ff": 1_101, "dsp": 0, "bram": 0, "carry_bits": 3_000}
    uncounted = dict.fromkeys(("latency_cycles", "latency_ns", "ii_cycles"))
    report["hardware"] = [
        make_hardware("hls_vitis"),
        make_hardware("rtl", source="verilator", tool="Verilator 5.048", latency_cycles=6, latency_ns=30.0, **none),
        make_hardware("rtl", source="yosys", tool="Yosys 0.70", **counted, **uncounted),
    ]
    report["agreement"]["emulators"]["rtl"] = make_emulator(exact=False, mismatches=3)


def test_both_flows_are_side_by_side_each_with_its_agreement(report: dict[str, Any]) -> None:
    _measured(report)
    table = hardware_table(report)
    assert table.columns == ("Figure", "Vitis HLS: estimate", "RTL: verilator", "RTL: yosys")
    assert dict(table.column_tags) == {1: "estimate"}
    clocks, cells = _column(table, 2), _column(table, 3)
    assert (clocks["Latency (cycles)"], clocks["Latency"], clocks["LUT"]) == ("6", "30 ns at 5 ns assumed", UNKNOWN)
    assert (cells["Latency (cycles)"], cells["FF"], cells["Bits of carry chains"]) == (
        UNKNOWN,
        "1,101 (share not known)",
        "3,000",
    )
    words = "Words, against the reference"
    assert _column(table, 1)[words] == "equal in 12,666 vectors"
    assert clocks[words] == "DIFFER in 3 of 12,666 vectors"
    assert cells[words] == "its RTL: DIFFER in 3 of 12,666 vectors"
    assert "The figures of RTL are those of a project that does not agree with the reference." in table.notes
    report["agreement"]["emulators"]["rtl"] |= {"mismatches": 0}
    wrong = "equal in 12,666 vectors, but a layer driven alone or its test bench FAILS"
    assert _column(hardware_table(report), 2)[words] == wrong
    del report["agreement"]["emulators"]["rtl"]
    assert _column(hardware_table(report), 2)[words] == "not emulated"


def test_figures_of_projects_that_agree_say_nothing_of_others(report: dict[str, Any]) -> None:
    assert not any("does not agree" in note for note in hardware_table(report).notes)


@pytest.mark.parametrize(
    ("flow", "source", "shown"),
    [
        ("rtl", "yosys", "its RTL: equal in 12,666 vectors"),
        ("rtl", "vivado", "its RTL: equal in 12,666 vectors"),
        ("rtl", "verilator", "equal in 12,666 vectors"),
        ("hls_vitis", "vivado", "its C++: equal in 12,666 vectors"),
        ("hls_vitis", "csynth", "its C++: equal in 12,666 vectors"),
        ("hls_vitis", "cosim", "its C++: equal in 12,666 vectors"),
        ("hls_vitis", "estimate", "equal in 12,666 vectors"),
    ],
)
def test_what_was_not_simulated_itself_says_what_was(
    report: dict[str, Any], flow: str, source: str, shown: str
) -> None:
    report["agreement"]["emulators"]["rtl"] = make_emulator()
    report["hardware"] = [make_hardware(flow, source=source)]
    assert _column(hardware_table(report), 1)["Words, against the reference"] == shown


def test_a_project_that_is_measured_is_not_told_how_to_be(report: dict[str, Any]) -> None:
    report["measuring_commands"]["rtl"] = "cd rtl && vivado"
    done = {"source": "vivado", "step": "implement"}
    report["hardware"] = [make_hardware("hls_vitis", source="csynth", step="csynth"), make_hardware("rtl", **done)]
    told = [note for note in hardware_table(report).notes if note.startswith("To measure")]
    assert told == ["To measure Vivado HLS: `cd hls/vivado && ./build.sh`"]
    report["hardware"][1] |= {"step": "synth"}
    assert "To measure RTL: `cd rtl && vivado`" in hardware_table(report).notes


def test_what_was_not_measured_is_said(report: dict[str, Any]) -> None:
    report["not_measured"] = [{"flow": "rtl", "source": "yosys", "reason": "there is none: install it"}]
    assert "RTL, yosys: not measured, there is none: install it." in hardware_table(report).notes


def test_without_any_figure_the_table_says_so(report: dict[str, Any]) -> None:
    report["hardware"] = []
    assert hardware_table(report).rows == ()
    assert hardware_table(report).notes[0] == "No tool has run and nothing was estimated."


def test_layers_are_estimated_with_their_formulas(report: dict[str, Any]) -> None:
    table = estimate_table(report)
    assert table.columns == ("Layer", "Cycles", "LUT", "FF", "DSP", "Formula")
    assert table.rows[0] == ("encoding", "≈ 1", "≈ 437", "≈ 399", "≈ 0", "offsets: one LUT a bit")
    # flip-flops of a layer are unknown, and shown so
    assert table.rows[3] == ("score", "≈ 2", "≈ 912", UNKNOWN, "≈ 57", "products of two variables in DSP slices")
    report["estimate_layers"] = None
    assert estimate_table(report).rows == ()
