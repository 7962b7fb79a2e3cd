"""Slacks, period and verdict of Vivado's timing summaries, and what is no such report."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.vendor_tools import golden

from trigger_ad.errors import UserError
from trigger_ad.synthesis.timing_file import read_timing_file

FAILED = "timing_vivado_2021_2_virtexuplus_failed.rpt"
MET = "timing_vivado_2024_2_virtexuplus_met.rpt"


def _file(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    path = folder / "timing.rpt"
    path.write_text(golden(name, *changes))
    return path


@pytest.mark.parametrize(
    ("name", "device", "clock_ns", "worst", "total", "is_met"),
    [
        ("timing_vivado_2020_2_virtex7_met.rpt", "7vx690t-ffg1927", 8.0, 1.25, 0.0, True),
        (FAILED, "xcvu9p-flgb2104", 5.0, -0.125, -3.456, False),
        (MET, "xcvu9p-flgb2104", 5.0, 1.0, 0.0, True),
    ],
)
def test_slacks_period_and_verdict_of_several_versions(
    tmp_path: Path, name: str, device: str, clock_ns: float, worst: float, total: float, is_met: bool
) -> None:
    report = read_timing_file(_file(tmp_path, name))
    assert (report.design, report.device, report.clock_ns) == ("anomaly", device, clock_ns)
    assert (report.worst_slack_ns, report.total_negative_slack_ns, report.is_met) == (worst, total, is_met)
    assert report.tool is not None
    assert report.tool.startswith(f"Vivado v.{name.split('_')[2]}.{name.split('_')[3]} ")


def test_a_hold_violation_fails_the_clock_though_its_slack_is_positive(tmp_path: Path) -> None:
    file = _file(tmp_path, MET, ("All user specified timing constraints are met.", "Timing constraints are not met."))
    report = read_timing_file(file)
    assert (report.worst_slack_ns, report.is_met) == (1.0, False)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("Timing Summary Report", "Power Report"), "not a timing summary"),
        (("WNS(ns)      TNS(ns)", "Slack(ns)    Sum(ns)"), "does not begin with WNS"),
        (("      1.000        0.000 ", "         NA           NA "), "slacks are no numbers (NA and NA)"),
        (("      1.000        0.000 ", "        inf        0.000 "), "slacks are no numbers (inf and 0.000)"),
        (("All user specified timing constraints are met.", ""), "does not say whether"),
        (
            ("All user specified timing constraints are met.", "There are no user specified timing constraints."),
            "a design without a clock",
        ),
        (("ap_clk  {0.000 2.500}        5.000           200.000", ""), "0 clocks instead of one"),
        (
            ("200.000         \n", "200.000         \nother   {0.000 1.000}        2.000           500.000         \n"),
            "2 clocks instead of one",
        ),
        (("| Design Timing Summary", "| Some Other Summary"), "no section 'Design Timing Summary'"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    file = _file(tmp_path, MET, change)
    with pytest.raises(UserError) as error:
        read_timing_file(file)
    assert str(file) in error.value.what
    assert complaint in error.value.what


@pytest.mark.parametrize("keep", ["Timer Settings", "Design Timing Summary", "Clock Summary", "Intra Clock Table"])
def test_a_report_that_was_cut_off_is_refused(tmp_path: Path, keep: str) -> None:
    text = golden(MET)
    file = tmp_path / "timing.rpt"
    file.write_text(text[: text.index(keep) + len(keep)])
    with pytest.raises(UserError, match=r"timing\.rpt is truncated"):
        read_timing_file(file)
