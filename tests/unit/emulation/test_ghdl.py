"""GHDL is looked for on PATH; what it refuses is one clear error. Real VHDL: `test_rtl`."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_ad.emulation.ghdl import verilog_of
from trigger_ad.errors import UserError


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _install(folder: Path, script: str) -> None:
    program = folder / "ghdl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_none_is_one_clear_error(only_path: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no GHDL"):
        verilog_of([], "top", tmp_path)


def test_what_it_prints_is_the_verilog(only_path: Path, tmp_path: Path) -> None:
    _install(only_path, 'echo "$@"')
    path = verilog_of([tmp_path / "top.vhd"], "top", tmp_path)
    assert path.read_text() == "synth --std=08 --out=verilog top\n"


def test_what_it_refuses_is_said(only_path: Path, tmp_path: Path) -> None:
    _install(only_path, '[ "$1" = --version ] && echo GHDL 2.0 && exit; echo "top.vhd:3:1:error: no" >&2; exit 1')
    with pytest.raises(UserError, match=r"GHDL failed: top\.vhd:3:1:error: no"):
        verilog_of([tmp_path / "top.vhd"], "top", tmp_path)
