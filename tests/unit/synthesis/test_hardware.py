"""One entry for each report, estimates only where no tool has run, unknown figures null."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from trigger_ad.errors import UserError
from trigger_ad.synthesis.estimates import ProjectEstimate
from trigger_ad.synthesis.hardware import Flow, HardwareEntry, hardware_entries, utilisation

GOLDEN = Path(__file__).parents[2] / "golden"
VU9P = "xcvu9p-flgb2104-2l-e"
VU13P = "xcvu13p-flga2577-2-e"
KU115 = "xcku115-flvb2104-2-i"


def _project(folder: Path, part: str, back_end: str = "vitis") -> Path:
    (folder / "anomaly_prj" / "solution1" / "syn" / "report").mkdir(parents=True)
    (folder / "project.tcl").write_text(
        f'set project_name "anomaly"\nset backend "{back_end}"\nset part "{part}"\nset clock_period 5\n'
    )
    return folder


def _estimate(part: str) -> ProjectEstimate:
    return ProjectEstimate((), part, clock_ns=5.0, latency_cycles=20, ii_cycles=1, lut=118_224, dsp=684)


def _entries(project: Path, part: str, flow: Flow = "hls_vitis") -> list[HardwareEntry]:
    return hardware_entries({flow: project}, {flow: _estimate(part)}, part=part, clock_ns=5.0)


def test_without_a_report_the_estimate_is_shown_and_says_so(tmp_path: Path) -> None:
    (entry,) = _entries(_project(tmp_path, VU9P), VU9P)
    assert entry.to_json() == {
        "flow": "hls_vitis",
        "source": "estimate",
        "tool": "trigger-ad estimate",
        "part": VU9P,
        "clock_ns": 5.0,
        "clock_status": "assumed",
        "fmax_mhz": None,
        "latency_cycles": 20,
        "latency_ns": 100.0,
        "ii_cycles": 1,
        "lut": 118_224,
        "ff": None,
        "dsp": 684,
        "bram": None,
        "utilisation": {"lut": 0.1, "ff": None, "dsp": 0.1, "bram": None},
        "step": None,
        "digest": None,
        "worst_slack_ns": None,
        "total_negative_slack_ns": None,
    }
    assert json.loads(json.dumps(entry.to_json()))["ff"] is None


def test_a_report_replaces_the_estimate(tmp_path: Path) -> None:
    project = _project(tmp_path, VU13P)
    shutil.copy(GOLDEN / "csynth_vitis_hls_2023_1.xml", project / "anomaly_prj/solution1/syn/report/anomaly_csynth.xml")
    (entry,) = _entries(project, VU13P)
    assert (entry.source, entry.tool, entry.clock_status) == ("csynth", "Vitis HLS 2023.1", "assumed")
    assert (entry.latency_cycles, entry.latency_ns, entry.ii_cycles) == (23, 115.0, 1)
    assert entry.fmax_mhz == 1e3 / 3.649
    assert entry.utilisation == {"lut": 54321 / 1_728_000, "ff": 4321 / 3_456_000, "dsp": 17 / 12_288, "bram": 0.0}


def test_each_report_keeps_its_own_entry(tmp_path: Path) -> None:
    project = _project(tmp_path, VU9P, "vivado")
    shutil.copy(
        GOLDEN / "csynth_vivado_hls_2019_2.xml", project / "anomaly_prj/solution1/syn/report/anomaly_csynth.xml"
    )
    shutil.copy(GOLDEN / "vivado_synth_2020_1_virtexuplus.rpt", project / "vivado_synth.rpt")
    entries = _entries(project, VU9P, "hls_vivado")
    assert [entry.source for entry in entries] == ["csynth", "vivado"]
    assert [entry.lut for entry in entries] == [61234, 31234]
    assert [entry.latency_cycles for entry in entries] == [21, None]
    assert [entry.latency_ns for entry in entries] == [105.0, None]


def test_a_clock_that_synthesis_expects_to_miss_has_failed(tmp_path: Path) -> None:
    project = _project(tmp_path, VU9P, "vivado")
    text = (GOLDEN / "csynth_vivado_hls_2019_2.xml").read_text().replace(">4.321<", ">5.001<")
    (project / "anomaly_prj/solution1/syn/report/anomaly_csynth.xml").write_text(text)
    (entry,) = _entries(project, VU9P)
    assert entry.clock_status == "failed"


def test_a_flow_without_report_or_estimate_has_no_entry(tmp_path: Path) -> None:
    assert hardware_entries({"hls_vitis": _project(tmp_path, VU9P)}, {}, part=VU9P, clock_ns=5.0) == []


def test_shares_of_a_device_of_unknown_size_are_unknown() -> None:
    assert utilisation(KU115, 1, 0, 0, 0) == {"lut": None, "ff": None, "dsp": None, "bram": None}


@pytest.mark.parametrize(("part", "clock_ns"), [(VU13P, 5.0), (VU9P, 4.0)])
def test_a_project_for_another_part_or_clock_is_stale(tmp_path: Path, part: str, clock_ns: float) -> None:
    project = _project(tmp_path, VU9P)
    with pytest.raises(UserError, match=r"project\.tcl is stale"):
        hardware_entries({"hls_vitis": project}, {}, part=part, clock_ns=clock_ns)


def test_what_is_no_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"firmware\.part"):
        hardware_entries({"hls_vitis": tmp_path}, {}, part="stratix", clock_ns=5.0)
