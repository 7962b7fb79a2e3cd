"""doctor says what is there, what is not and what that would give, and never imports TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from click.testing import CliRunner

from trigger_ad.cli import doctor as module
from trigger_ad.cli.doctor import PACKAGES, diagnose, doctor
from trigger_ad.tools import TOOLS


@pytest.fixture
def everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All packages at version 1.2.3, and a PATH that holds a C++ compiler and nothing else."""
    monkeypatch.setattr(module, "version", lambda name: "1.2.3")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    compiler = tmp_path / "g++"
    compiler.write_text("#!/bin/sh\necho g++ 13.2.0\n")
    compiler.chmod(0o755)
    return compiler


def _without(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    def version(name: str) -> str:
        if name == missing:
            raise PackageNotFoundError(name)
        return "1.2.3"

    monkeypatch.setattr(module, "version", version)


def test_everything_needed_is_there(everything: Path) -> None:
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 0
    assert "tensorflow      1.2.3" in result.stdout
    assert f"{everything}  g++ 13.2.0" in result.stdout
    assert "would give: simulation of VHDL, without a licence" in result.stdout
    assert "All that the main job needs is there." in result.stdout


def test_a_missing_package_says_what_it_would_give(everything: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "hls4ml")
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 1
    assert "MISSING  hls4ml          would give: conversion of the network to an HLS project" in result.stdout
    assert "Missing: hls4ml" in result.stdout


def test_a_missing_extra_is_no_failure(everything: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "pythia8mc")
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 0
    assert "absent   pythia8mc       would give: simulation of collisions" in result.stdout


def test_no_compiler_is_a_failure(everything: Path) -> None:
    everything.unlink()
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 1
    assert "Missing: g++" in result.stdout


def test_a_broken_compiler_is_a_failure_and_is_shown(everything: Path) -> None:
    everything.write_text("#!/bin/sh\nexit 4\n")
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 1
    assert "broken   g++" in result.stdout
    assert "ended with status 4" in result.stdout


def test_an_old_python_is_a_failure(everything: Path) -> None:
    assert diagnose((3, 10)).missing == ["Python 3.11 or later"]
    assert diagnose((3, 11)).missing == []


def test_json_is_for_programs(everything: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "h5py")
    result = CliRunner().invoke(doctor, ["--json"])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["ok"], document["missing"]) == (False, ["h5py"])
    packages = {package["name"]: package for package in document["packages"]}
    assert packages.keys() == {name for name, _, _ in PACKAGES}
    assert packages["h5py"] == {"name": "h5py", "version": None, "required": True, "gives": "events files"}
    tools = {tool["name"]: tool for tool in document["tools"]}
    assert tools.keys() == {tool.name for tool in TOOLS}
    assert (tools["g++"]["path"], tools["g++"]["version"]) == (str(everything), "g++ 13.2.0")
    assert (tools["vivado"]["path"], tools["vivado"]["version"], tools["vivado"]["required"]) == (None, None, False)


def test_help_has_an_example() -> None:
    result = CliRunner().invoke(doctor, ["--help"])
    assert result.exit_code == 0
    assert "Example: trigger-ad doctor" in result.stdout


def test_tensorflow_is_never_imported() -> None:
    program = (
        "import sys; from trigger_ad.cli.doctor import diagnose; diagnose((3, 11)); "
        "print(sorted({'tensorflow', 'keras', 'tf_keras', 'qkeras', 'hls4ml'} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
