"""Why a tool failed, in one line of its log, and the phases that it announces."""

from __future__ import annotations

import pytest

from trigger_ad.synthesis.vendor_log import failure_in, phase_of

BEFORE = "INFO: [HLS 200-10] In directory 'project'\nWARNING: [HLS 200-40] odd\n"


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xcvu9p'.",
        "ERROR: Vivado Design Suite cannot be launched because a valid license was not found.",
        "ERROR: [HLS 200-70] Failed to find or check out license 'HLS'",
        "@E [HLS-75] License check-out failed for feature Vivado_HLS",
        "ERROR: [Common 17-1] License could not be checked out: no such feature exists.",
        "FlexNet Licensing error:-15,578",
        "WARNING: [Common 17-348] Failed to get the license for feature 'Synthesis' and/or device 'xcku060'",
        "Licensed number of users already reached.",
        "Cannot connect to license server system.",
    ],
)
def test_a_missing_licence_is_recognised(line: str) -> None:
    failure = failure_in(f"{BEFORE}{line}\nsynth_design failed\n", is_rtl=False)
    assert failure.line == line
    assert "XILINXD_LICENSE_FILE" in failure.remedy


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: [HLS 200-1023] Part 'xcvu9p-flgb2104-9-e' is not installed.",
        "ERROR: [Coretcl 2-106] Specified part could not be found.",
        "ERROR: [Common 17-69] Command failed: Part 'xcvu9p-flgb2104-9-e' not found",
    ],
)
def test_an_unknown_part_is_recognised(line: str) -> None:
    failure = failure_in(f"{BEFORE}{line}\n", is_rtl=False)
    assert failure.line == line
    assert "firmware.part" in failure.remedy


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: [DRC UTLZ-1] Resource utilization: LUT as Logic over-utilized in Top Level Design",
        "ERROR: [Place 30-640] Place Check : This design requires more Slice LUTs cells than are available",
    ],
)
def test_a_design_that_is_too_large_is_recognised(line: str) -> None:
    log = f"{BEFORE}{line}\n"
    assert "prune more, raise firmware.reuse_factor" in failure_in(log, is_rtl=False).remedy
    rtl = failure_in(log, is_rtl=True).remedy
    assert ("prune more" in rtl, "reuse" in rtl) == (True, False)


def test_a_warning_of_a_licence_is_not_why_another_error_came() -> None:
    log = (
        "WARNING: [Common 17-348] Failed to get the license for feature 'HLS'\n"
        "ERROR: [HLS 207-3777] use of undeclared identifier 'x'\nERROR: [HLS 200-1715] Encountered problem\n"
    )
    failure = failure_in(log, is_rtl=False)
    assert failure.line == "ERROR: [HLS 207-3777] use of undeclared identifier 'x'"
    assert "Look at the log" in failure.remedy


def test_without_an_error_the_last_line_is_shown() -> None:
    assert failure_in("one\ntwo\n\n", is_rtl=False).line == "two"
    assert failure_in("", is_rtl=False).line == "it printed nothing"


def test_a_long_line_is_cut() -> None:
    assert len(failure_in("ERROR: " + 1000 * "x", is_rtl=False).line) == 304


@pytest.mark.parametrize(
    ("line", "phase"),
    [
        ("***** C/RTL SYNTHESIS *****", "C/RTL SYNTHESIS"),
        ("***** C SIMULATION COMPLETED IN 0h0m3s *****", None),
        ("INFO: [HLS 200-1510] Running: csynth_design ", "csynth_design"),
        ("INFO: [HLS 200-42] -- Implementing module 'dense'", "Implementing module 'dense'"),
        ("Starting Placer Task", "Starting Placer Task"),
        (
            "Starting Synthesize : Time (s): cpu = 00:00:03 ; elapsed = 00:00:04 . Memory (MB): peak = 2000",
            "Starting Synthesize",
        ),
        ("Phase 2 Global Placement", "Phase 2 Global Placement"),
        ("Phase 2 Global Placement | Checksum: 1a2b3c", "Phase 2 Global Placement"),
        ("Phase 2.1 Floorplanning", None),
        ("INFO: [HLS 200-10] In directory 'project'", None),
        ("", None),
    ],
)
def test_the_phases_of_each_tool(line: str, phase: str | None) -> None:
    assert phase_of(line) == phase
