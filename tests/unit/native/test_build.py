"""Compiling a library: what goes wrong is one clear error, and nothing unfinished is believed."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from support.native import FAST
from support.runs import encoding_of, small_config, small_network

from trigger_ad.errors import UserError
from trigger_ad.native import build
from trigger_ad.native.build import build_library, cached_library
from trigger_ad.native.source import LibraryNames, LibrarySource, library_source


@pytest.fixture
def source() -> LibrarySource:
    network = small_network()
    return library_source(network, encoding_of(small_config(network)), LibraryNames("small"))


def program(path: Path, script: str) -> Path:
    """A program that runs a script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_no_compiler(source: LibrarySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"No C\+\+ compiler"):
        build_library(source, tmp_path / "library.so")
    with pytest.raises(UserError, match=r"No C\+\+ compiler"):
        cached_library(source, tmp_path / "cache")


def test_a_compile_error_is_shown_with_the_lines_that_matter(source: LibrarySource, tmp_path: Path) -> None:
    broken = replace(source, code=source.code.replace("constexpr std::size_t INPUTS", "konstexpr std::size_t INPUTS"))
    with pytest.raises(UserError) as caught:
        build_library(broken, tmp_path / "library.so", FAST)
    assert "trigger_ad_small_v1.cpp does not compile: trigger_ad_small_v1.cpp:" in caught.value.what
    assert "konstexpr" in caught.value.what
    assert "\n" not in caught.value.what
    assert str(tmp_path) not in caught.value.what
    assert list(tmp_path.iterdir()) == []


def test_a_flag_that_the_compiler_does_not_know(source: LibrarySource, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"does not compile: .*--no-such-flag"):
        cached_library(source, tmp_path, ["--no-such-flag"])


def test_a_compiler_that_is_killed_leaves_nothing(
    source: LibrarySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'while [ "$1" != -o ]; do shift; done; echo half >"$2"; kill -9 $$'
    monkeypatch.setenv("CXX", str(program(tmp_path / "killed", script)))
    library = tmp_path / "libraries" / "library.so"
    with pytest.raises(UserError, match="does not compile: it ended with status -9 and said nothing"):
        build_library(source, library)
    assert list(library.parent.iterdir()) == []


def test_a_compiler_that_writes_nothing(source: LibrarySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", str(program(tmp_path / "idle", "exit 0")))
    with pytest.raises(UserError, match="into nothing"):
        build_library(source, tmp_path / "library.so")
    assert not (tmp_path / "library.so").exists()


def test_what_stood_there_stays_until_the_new_one_is_complete(source: LibrarySource, tmp_path: Path) -> None:
    library = tmp_path / "library.so"
    library.write_text("old")
    with pytest.raises(UserError):
        build_library(replace(source, code="nonsense"), library, FAST)
    assert library.read_text() == "old"


def test_the_same_source_is_compiled_once(
    source: LibrarySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = cached_library(source, tmp_path, FAST)
    monkeypatch.setattr(build, "build_library", lambda *_: pytest.fail("compiled again"))
    assert cached_library(source, tmp_path, FAST) == library


def test_another_source_compiler_or_flag_is_another_library(
    source: LibrarySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "build_library", lambda *_: None)
    found = {
        cached_library(source, tmp_path, FAST),
        cached_library(source, tmp_path, ["-O1", "-march=native"]),
        cached_library(replace(source, code=source.code + "\n"), tmp_path, FAST),
    }
    compiler = subprocess.run(["which", "g++"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setenv("CXX", str(program(tmp_path / "other", f'exec {compiler} "$@"')))
    found.add(cached_library(source, tmp_path, FAST))
    # an update of the compiler, under the same name
    program(tmp_path / "other", f'echo "#define VERSION 2"; exec {compiler} "$@"')
    found.add(cached_library(source, tmp_path, FAST))
    assert len(found) == 5


def test_what_killed_compilations_left_is_removed(source: LibrarySource, tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    leftover = tmp_path / f"library.so.partial-{ended.pid}"
    running = tmp_path / f"library.so.partial-{os.getppid()}"
    for path in (leftover, running):
        path.write_text("half")
    cached_library(source, tmp_path, FAST)
    assert not leftover.exists()
    assert running.exists()
