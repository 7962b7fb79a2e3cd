"""The readers give exactly the figures of real report structures, None for unknown, and refuse what is not sound."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from trigger_ad.errors import UserError
from trigger_ad.synthesis.figures import HardwareFigures
from trigger_ad.synthesis.projects import ProjectSettings, read_project_settings
from trigger_ad.synthesis.report_files import read_cosim_file, read_csynth_file, read_utilisation_file
from trigger_ad.synthesis.reports import read_cosim, read_csynth, read_reports
from trigger_ad.synthesis.vivado_reports import read_vivado

GOLDEN = Path(__file__).parents[2] / "golden"
VU9P = "xcvu9p-flgb2104-2l-e"

SETTINGS = """variable project_name
set project_name "anomaly"
variable backend
set backend "{back_end}"
variable part
set part "{part}"
variable clock_period
set clock_period {clock}
variable clock_uncertainty
set clock_uncertainty 27%
"""


def make_project(folder: Path, back_end: str = "vitis", part: str = VU9P, clock: str = "5") -> Path:
    """A project of hls4ml, as far as reading reports needs one."""
    (folder / "anomaly_prj" / "solution1" / "syn" / "report").mkdir(parents=True)
    (folder / "anomaly_prj" / "solution1" / "sim" / "report").mkdir(parents=True)
    (folder / "project.tcl").write_text(SETTINGS.format(back_end=back_end, part=part, clock=clock))
    return folder


def csynth_of(project: Path) -> Path:
    return project / "anomaly_prj" / "solution1" / "syn" / "report" / "anomaly_csynth.xml"


def cosim_of(project: Path) -> Path:
    return project / "anomaly_prj" / "solution1" / "sim" / "report" / "anomaly_cosim.rpt"


def edited(source: str, target: Path, *changes: tuple[str, str]) -> Path:
    """A golden file with some of its text replaced, each replacement applying exactly once."""
    text = (GOLDEN / source).read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    target.write_text(text)
    return target


def test_project_settings_are_those_of_the_build_script(tmp_path: Path) -> None:
    project = make_project(tmp_path, "vivado", "xc7vx690tffg1927-2", "3.125")
    assert read_project_settings(project) == ProjectSettings("anomaly", "vivado", "xc7vx690tffg1927-2", 3.125)


def test_a_project_without_reports_has_none(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    assert read_csynth(project) is None
    assert read_cosim(project) is None
    assert read_vivado(project, "synth") is None
    assert read_reports(project) == []


def test_csynth_of_vivado_hls_2019_2(tmp_path: Path) -> None:
    project = make_project(tmp_path, "vivado")
    shutil.copy(GOLDEN / "csynth_vivado_hls_2019_2.xml", csynth_of(project))
    assert read_csynth(project) == HardwareFigures(
        "csynth",
        csynth_of(project),
        tool="Vivado HLS 2019.2",
        part=VU9P,
        clock_ns=5.0,
        estimated_clock_ns=4.321,
        latency_min_cycles=21,
        latency_max_cycles=21,
        ii_cycles=1,
        lut=61234,
        ff=5678,
        dsp=9,
        bram=2,
        step="csynth",
    )


def test_csynth_of_vivado_hls_2020_1_keeps_a_measured_zero(tmp_path: Path) -> None:
    project = make_project(tmp_path, "vivado", "xc7vx690tffg1927-2", "8")
    shutil.copy(GOLDEN / "csynth_vivado_hls_2020_1.xml", csynth_of(project))
    figures = read_csynth(project)
    assert figures is not None
    assert (figures.tool, figures.estimated_clock_ns) == ("Vivado HLS 2020.1", 8.75)
    assert (figures.latency_min_cycles, figures.latency_max_cycles, figures.ii_cycles) == (12, 34, 35)
    assert (figures.lut, figures.ff, figures.dsp, figures.bram) == (30443, 9804, 0, 12)


def test_csynth_of_vitis_hls_2023_1(tmp_path: Path) -> None:
    project = make_project(tmp_path, "vitis", "xcvu13p-flga2577-2-e")
    shutil.copy(GOLDEN / "csynth_vitis_hls_2023_1.xml", csynth_of(project))
    figures = read_csynth(project)
    assert figures is not None
    assert (figures.tool, figures.estimated_clock_ns) == ("Vitis HLS 2023.1", 3.649)
    assert (figures.latency_min_cycles, figures.latency_max_cycles, figures.ii_cycles) == (23, 23, 1)
    assert (figures.lut, figures.ff, figures.dsp, figures.bram) == (54321, 4321, 17, 0)


def test_csynth_of_vitis_hls_2024_2_with_unknown_latency_is_unknown_and_not_zero(tmp_path: Path) -> None:
    project = make_project(tmp_path, clock="3.125")
    shutil.copy(GOLDEN / "csynth_vitis_hls_2024_2.xml", csynth_of(project))
    figures = read_csynth(project)
    assert figures is not None
    assert (figures.latency_min_cycles, figures.latency_max_cycles, figures.ii_cycles) == (None, None, None)
    assert (figures.lut, figures.ff, figures.dsp, figures.bram) == (40404, 3030, 0, 0)
    assert figures.clock_ns == 3.125


def test_the_highest_frequency_follows_from_the_estimated_period(tmp_path: Path) -> None:
    file = tmp_path / "report"
    figures = HardwareFigures("csynth", file, tool=None, part=VU9P, clock_ns=5.0, estimated_clock_ns=4.0)
    assert figures.fmax_mhz == 250.0
    assert HardwareFigures("cosim", file, tool=None, part=VU9P, clock_ns=5.0).fmax_mhz is None


def test_missing_tags_are_none(tmp_path: Path) -> None:
    file = edited(
        "csynth_vitis_hls_2023_1.xml",
        tmp_path / "report.xml",
        ("<DSP>17</DSP>\n", ""),
        ("<Version>2023.1</Version>", "<Version></Version>"),
        ("<EstimatedClockPeriod>3.649</EstimatedClockPeriod>\n", ""),
        ("<Interval-max>1</Interval-max>\n", ""),
    )
    report = read_csynth_file(file)
    assert (report.dsp, report.version, report.estimated_clock_ns, report.ii_max_cycles) == (None, None, None, None)
    assert (report.ii_min_cycles, report.lut) == (1, 54321)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("</profile>", "", "truncated"),
        ("<LUT>54321</LUT>", "<LUT>54k</LUT>", "<LUT> is '54k'"),
        ("<LUT>54321</LUT>", "<LUT>-1</LUT>", "<LUT> is '-1'"),
    ],
)
def test_a_damaged_csynth_report_is_refused_by_name(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    file = edited("csynth_vitis_hls_2023_1.xml", tmp_path / "anomaly_csynth.xml", (old, new))
    with pytest.raises(UserError) as error:
        read_csynth_file(file)
    assert str(file) in error.value.what
    assert complaint in error.value.what


@pytest.mark.parametrize("text", ["", "<profile></profile>", "<html><body/></html>", "Vitis HLS report"])
def test_another_format_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "anomaly_csynth.xml"
    file.write_text(text)
    with pytest.raises(UserError, match=r"anomaly_csynth\.xml"):
        read_csynth_file(file)


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "anomaly_csynth.xml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not a text file"):
        read_csynth_file(file)


def test_a_report_of_nothing_but_zeros_is_not_a_result(tmp_path: Path) -> None:
    file = edited(
        "csynth_vitis_hls_2024_2.xml", tmp_path / "x.xml", ("<LUT>40404</LUT>", "<LUT>0</LUT>"), (">3030<", ">0<")
    )
    with pytest.raises(UserError, match="0 for every resource"):
        read_csynth_file(file)


@pytest.mark.parametrize(
    ("back_end", "part", "clock", "what"),
    [
        ("vitis", VU9P, "5", "part is xcvu13p-flga2577-2-e"),
        ("vitis", "xcvu13p-flga2577-2-e", "4", "clock period in ns is 5.0"),
    ],
)
def test_a_report_of_another_part_or_clock_is_stale(
    tmp_path: Path, back_end: str, part: str, clock: str, what: str
) -> None:
    project = make_project(tmp_path, back_end, part, clock)
    shutil.copy(GOLDEN / "csynth_vitis_hls_2023_1.xml", csynth_of(project))
    with pytest.raises(UserError) as error:
        read_csynth(project)
    assert f"{csynth_of(project)} is stale" in error.value.what
    assert what in error.value.what


def test_a_report_of_another_top_is_stale(tmp_path: Path) -> None:
    project = make_project(tmp_path, part="xcvu13p-flga2577-2-e")
    edited("csynth_vitis_hls_2023_1.xml", csynth_of(project), (">anomaly</Top", ">other</Top"))
    with pytest.raises(UserError, match="stale: its top function is other"):
        read_csynth(project)


def test_cosim_gives_measured_cycles_and_takes_the_tool_from_csynth(tmp_path: Path) -> None:
    project = make_project(tmp_path, part="xcvu13p-flga2577-2-e")
    shutil.copy(GOLDEN / "cosim_vitis_hls_2024_2.rpt", cosim_of(project))
    alone = read_cosim(project)
    shutil.copy(GOLDEN / "csynth_vitis_hls_2023_1.xml", csynth_of(project))
    together = read_cosim(project)
    assert alone is not None
    assert together is not None
    assert (alone.tool, together.tool) == (None, "Vitis HLS 2023.1")
    assert (alone.latency_min_cycles, alone.latency_max_cycles, alone.ii_cycles) == (22, 24, 1)
    assert (alone.lut, alone.ff, alone.dsp, alone.bram, alone.estimated_clock_ns) == (None,) * 5


def test_cosim_of_one_event_does_not_know_the_interval() -> None:
    report = read_cosim_file(GOLDEN / "cosim_vivado_hls_2019_2.rpt")
    assert report is not None
    assert (report.language, report.latency_min_cycles, report.latency_max_cycles) == ("Verilog", 20, 20)
    assert (report.ii_min_cycles, report.ii_max_cycles) == (None, None)


def test_cosim_that_did_not_run_is_none(tmp_path: Path) -> None:
    file = edited("cosim_vitis_hls_failed.rpt", tmp_path / "c.rpt", ("Fail|", "  NA|"))
    assert read_cosim_file(file) is None


def test_cosim_that_failed_is_refused() -> None:
    with pytest.raises(UserError, match=r"cosim_vitis_hls_failed\.rpt: .*status 'Fail'"):
        read_cosim_file(GOLDEN / "cosim_vitis_hls_failed.rpt")


@pytest.mark.parametrize("lines", [0, 6, 8])
def test_a_truncated_cosim_report_is_refused(tmp_path: Path, lines: int) -> None:
    file = tmp_path / "anomaly_cosim.rpt"
    file.write_text("\n".join((GOLDEN / "cosim_vitis_hls_2024_2.rpt").read_text().splitlines()[:lines]))
    with pytest.raises(UserError, match=r"anomaly_cosim\.rpt"):
        read_cosim_file(file)


def test_a_cosim_row_cut_short_is_refused(tmp_path: Path) -> None:
    text = (GOLDEN / "cosim_vitis_hls_2024_2.rpt").read_text()
    file = tmp_path / "anomaly_cosim.rpt"
    file.write_text(text[: text.index("             24|")])
    with pytest.raises(UserError, match="Verilog has 4 columns"):
        read_cosim_file(file)


@pytest.mark.parametrize(
    ("golden", "part", "tool", "lut", "ff", "dsp", "bram"),
    [
        ("vivado_synth_2020_1_virtexuplus.rpt", VU9P, "Vivado 2020.1", 31234, 4555, 0, 1),
        ("vivado_synth_2020_1_virtex7.rpt", "xc7vx690tffg1927-2", "Vivado 2020.1", 1526, 2428, 66, 6),
        ("vivado_synth_2024_2_virtexuplus.rpt", VU9P, "Vivado 2024.2", 27001, 3002, 4, 0),
    ],
)
def test_logic_synthesis_counts_blocks_of_18_kbit(
    tmp_path: Path, golden: str, part: str, tool: str, lut: int, ff: int, dsp: int, bram: int
) -> None:
    project = make_project(tmp_path, part=part)
    shutil.copy(GOLDEN / golden, project / "vivado_synth.rpt")
    figures = read_vivado(project, "synth")
    assert figures == HardwareFigures(
        "vivado",
        project / "vivado_synth.rpt",
        tool=tool,
        part=part,
        clock_ns=5.0,
        lut=lut,
        ff=ff,
        dsp=dsp,
        bram=bram,
        step="synth",
    )


def test_logic_synthesis_for_another_part_is_stale(tmp_path: Path) -> None:
    project = make_project(tmp_path, part="xcvu13p-flga2577-2-e")
    shutil.copy(GOLDEN / "vivado_synth_2020_1_virtexuplus.rpt", project / "vivado_synth.rpt")
    with pytest.raises(UserError, match="stale: its part is xcvu9pflgb2104-2L"):
        read_vivado(project, "synth")


@pytest.mark.parametrize("keep", ["Utilization Design Information", "1. CLB Logic\n------------", "3. ARITHMETIC\n---"])
def test_a_truncated_utilisation_report_is_refused(tmp_path: Path, keep: str) -> None:
    text = (GOLDEN / "vivado_synth_2020_1_virtexuplus.rpt").read_text()
    file = tmp_path / "vivado_synth.rpt"
    file.write_text(text[: text.index(keep) + len(keep)])
    with pytest.raises(UserError, match=r"vivado_synth\.rpt"):
        read_utilisation_file(file)


def test_what_is_no_utilisation_report_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "vivado_synth.rpt"
    file.write_text("Timing Summary Report\n")
    with pytest.raises(UserError, match="not a utilisation report"):
        read_utilisation_file(file)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('set part "xcvu9p-flgb2104-2l-e"\n', "", "no 'part'"),
        ("set clock_period 5\n", "set clock_period fast\n", "clock_period 'fast'"),
    ],
)
def test_project_settings_that_are_incomplete_are_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    project = make_project(tmp_path)
    script = project / "project.tcl"
    script.write_text(script.read_text().replace(old, new))
    with pytest.raises(UserError, match=complaint):
        read_project_settings(project)


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not an HLS project"):
        read_reports(tmp_path)
