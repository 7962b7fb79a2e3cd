"""A stamp says of which sources a report is, in shell and in Python alike."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.vendor_tools import CSYNTH, NETWORK, PART, good_reports, write_hls_files, write_rtl_files

from trigger_ad.errors import UserError
from trigger_ad.synthesis.reports import read_csynth
from trigger_ad.synthesis.stamps import read_stamp, sources_digest, stamp_file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_hls_files(tmp_path / "hls")


def _stamp(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # from elsewhere, as Vivado is started in any folder
    command = ["sh", str(project / "stamp.sh"), *arguments]
    return subprocess.run(command, cwd="/", check=False, capture_output=True, text=True)


def _finish(project: Path) -> Path:
    """A C-synthesis report with its stamp."""
    for action in (("begin", "csynth", "vitis_hls", "2023.1"), ("end", "csynth")):
        assert _stamp(project, *action).returncode == 0
    report = project / CSYNTH
    report.parent.mkdir(parents=True)
    report.write_text(good_reports()["csynth"][CSYNTH])
    return report


def test_a_step_that_has_begun_has_not_ended(project: Path) -> None:
    assert read_stamp(project, "csynth") is None
    _stamp(project, "begin", "csynth", "vitis_hls", "2023.1")
    stamp = read_stamp(project, "csynth")
    assert stamp is not None
    assert (stamp.network, stamp.part, stamp.clock_ns) == (NETWORK, PART, 5.0)
    assert (stamp.tool, stamp.version, stamp.finished) == ("vitis_hls", "2023.1", False)
    _stamp(project, "end", "csynth")
    ended = read_stamp(project, "csynth")
    assert ended is not None
    assert ended.finished


def test_a_version_that_nobody_said_is_not_known(project: Path) -> None:
    _stamp(project, "begin", "csynth", "vitis_hls")
    stamp = read_stamp(project, "csynth")
    assert stamp is not None
    assert stamp.version is None


@pytest.mark.parametrize("step", ["csynth", "cosim", "synth", "implement"])
def test_shell_and_python_agree_on_the_digest_of_sources(project: Path, step: Any) -> None:
    (project / "firmware" / "weights").mkdir()
    # an order in which capital letters come first, and a name that would split a folder's files
    for name in ("firmware/weights/b.h", "firmware/weights/B.h", "firmware/weights-2.h", "firmware/weights/é.txt"):
        (project / name).write_text(name)
    (project / "firmware" / "link.h").symlink_to("weights/b.h")
    for made in ("csynth", "synth"):
        assert _stamp(project, "begin", made, "tool").returncode == 0
    assert _stamp(project, "begin", step, "tool").returncode == 0
    stamp = read_stamp(project, step)
    assert stamp is not None
    assert stamp.sources == sources_digest(project, stamp.of)
    _stamp(project, "end", step)
    assert _stamp(project, "check", step).returncode == 0


def test_a_check_fails_before_the_end_and_after_a_change(tmp_path: Path) -> None:
    project = write_rtl_files(tmp_path / "rtl")
    said = "stamp.sh: the step synth has not ended well with the sources as they are now; run it first\n"
    assert _stamp(project, "check", "synth").stderr == said
    _stamp(project, "begin", "synth", "vivado")
    assert _stamp(project, "check", "synth").stderr == said
    _stamp(project, "end", "synth")
    assert _stamp(project, "check", "synth").returncode == 0
    (project / "verilog" / "another.v").write_text("module another; endmodule\n")
    assert _stamp(project, "check", "synth").stderr == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["begin", "cosin", "tool"], "there is no step 'cosin'"),
        (["stop", "csynth"], "there is no action 'stop'"),
    ],
)
def test_the_script_refuses_what_it_does_not_know(project: Path, arguments: list[str], said: str) -> None:
    done = _stamp(project, *arguments)
    assert (done.returncode, done.stderr) == (2, f"stamp.sh: {said}\n")


def test_a_report_of_the_same_sources_is_of_their_network(project: Path) -> None:
    _finish(project)
    figures = read_csynth(project)
    assert figures is not None
    assert (figures.digest, figures.step) == (NETWORK, "csynth")


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("sources", "0" * 64, "is of other sources than the project's"),
        ("part", "xcvu13p-flga2577-2-e", "its part is xcvu13p-flga2577-2-e"),
        ("clock_ns", 2.5, "its clock period in ns is 2.5"),
    ],
)
def test_a_report_of_anything_else_is_stale(project: Path, key: str, value: object, complaint: str) -> None:
    report = _finish(project)
    path = stamp_file(project, "csynth")
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(UserError) as error:
        read_csynth(project)
    assert error.value.what.startswith(f"{report} is stale: ")
    assert complaint in error.value.what
    assert "trigger-ad synthesize" in error.value.remedy


@pytest.mark.parametrize(
    "change",
    [{"finished": "true"}, {"clock_ns": "fast"}, {"of": None}, {"network": ...}],
)
def test_a_damaged_stamp_is_refused(project: Path, change: dict[str, Any]) -> None:
    _finish(project)
    path = stamp_file(project, "csynth")
    found = json.loads(path.read_text()) | change
    path.write_text(json.dumps({key: value for key, value in found.items() if value is not ...}))
    with pytest.raises(UserError, match=r"csynth\.json is not what stamp\.sh writes"):
        read_csynth(project)
