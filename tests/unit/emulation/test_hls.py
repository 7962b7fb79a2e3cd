"""Compiling and running a project's test bench: what goes wrong is one clear error. Real ones: tests/integration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.runs import small_network

from trigger_ad.emulation.hls import CompiledProject, compiled, split_results
from trigger_ad.errors import UserError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What looks like a project to the eye that searches for sources."""
    folder = tmp_path / "project"
    (folder / "firmware").mkdir(parents=True)
    (folder / "tb_data").mkdir()
    (folder / "top_test.cpp").write_text("")
    (folder / "firmware" / "top.cpp").write_text("")
    (folder / "firmware" / "top_network.cpp").write_text("")
    return folder


def _program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that records its arguments and compiles nothing."""
    program = _program(tmp_path / "compiler", f'for word in "$@"; do echo "$word"; done >{tmp_path}/arguments')
    monkeypatch.setenv("CXX", str(program))
    return program


def test_the_compiler_is_given_the_projects_sources_alone(project: Path, compiler: Path, tmp_path: Path) -> None:
    with compiled(project, small_network()):
        arguments = (tmp_path / "arguments").read_text().splitlines()
        together = Path(arguments[-1]).read_text().splitlines()
    sources = ["top_test.cpp", "firmware/top.cpp", "firmware/top_network.cpp"]
    assert together == [f'#include "{source}"' for source in sources]
    assert [argument for argument in arguments if argument.endswith(".cpp")] == arguments[-1:]
    assert arguments[:3] == ["-std=c++11", "-O1", "-w"]


def test_what_was_compiled_is_removed(project: Path, compiler: Path, tmp_path: Path) -> None:
    with compiled(project, small_network()):
        arguments = (tmp_path / "arguments").read_text().splitlines()
        built = Path(arguments[arguments.index("-o") + 1])
        assert built.parent.is_dir()
        assert project not in built.parents
    assert not built.parent.exists()


def test_no_compiler(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UserError, match=r"No C\+\+ compiler"), compiled(project, small_network()):
        pass


@pytest.mark.parametrize("missing", ["top_test.cpp", "firmware/top.cpp", "firmware/top_network.cpp"])
def test_a_project_without_its_sources(project: Path, compiler: Path, missing: str) -> None:
    (project / missing).unlink()
    with pytest.raises(UserError, match="is not a complete HLS project") as error, compiled(project, small_network()):
        pass
    assert str(project) in error.value.what
    assert "convert" in error.value.remedy


def test_the_errors_of_the_compiler_are_shown(project: Path, compiler: Path) -> None:
    _program(compiler, "printf 'In file\\na.h:3:1: error: first\\nb.h:4:1: error: second\\n' >&2; exit 1")
    with pytest.raises(UserError) as error, compiled(project, small_network()):
        pass
    assert error.value.what == f"{project} does not compile: a.h:3:1: error: first; b.h:4:1: error: second"


@pytest.mark.parametrize(
    ("said", "shown"), [("ld: cannot find\\n", "ld: cannot find"), ("", "it ended with status 1 and said nothing")]
)
def test_a_compiler_that_fails_otherwise(project: Path, compiler: Path, said: str, shown: str) -> None:
    _program(compiler, f"printf '{said}' >&2; exit 1")
    with pytest.raises(UserError) as error, compiled(project, small_network()):
        pass
    assert error.value.what == f"{project} does not compile: {shown}"


@pytest.mark.parametrize(("status", "passed"), [(0, True), (1, False)])
def test_words_and_verdict_of_a_test_bench(project: Path, tmp_path: Path, status: int, passed: bool) -> None:
    (project / "tb_data" / "expected_words.dat").write_text("12 -3\n4 5\n")
    said = "echo 'MISMATCH in vector 1'; echo 'MISMATCH in vector 2'; " * status
    program = _program(tmp_path / "bench", f'printf "12 -3\\n4 5\\n" >"$2"; {said}exit {status}')
    done = CompiledProject(program, project, []).run()
    np.testing.assert_array_equal(done.words, [[12, -3], [4, 5]])
    assert done.words.dtype == np.int64
    assert (done.accepted, done.passed, done.said) == (None, passed, None if passed else "MISMATCH in vector 1")


def test_the_accept_bit_is_the_column_after_the_words(project: Path, tmp_path: Path) -> None:
    (project / "tb_data" / "expected_words.dat").write_text("12\n-4\n")
    done = CompiledProject(_program(tmp_path / "bench", 'printf "12 1\\n-4 0\\n" >"$2"'), project, []).run()
    assert done.words.tolist() == [[12], [-4]]
    assert done.accepted is not None
    assert done.accepted.tolist() == [True, False]


@pytest.mark.parametrize("table", ["12 2\n", "12 1 0\n"])
def test_a_column_that_is_no_accept_bit(tmp_path: Path, table: str) -> None:
    (tmp_path / "words.dat").write_text(table)
    with pytest.raises(ValueError, match="is not what a test bench of 1 output words writes"):
        split_results(tmp_path / "words.dat", 1)


@pytest.mark.parametrize(
    "script", ["echo 'ERROR: cannot open it' >&2; exit 2", "echo 'ERROR: cannot open it' >&2; kill -6 $$"]
)
def test_a_test_bench_that_breaks_down(project: Path, tmp_path: Path, script: str) -> None:
    with pytest.raises(UserError) as error:
        CompiledProject(_program(tmp_path / "bench", script), project, []).run()
    assert error.value.what == f"the test bench of {project} failed: ERROR: cannot open it"


def test_a_run_may_be_called_network(project: Path, compiler: Path, tmp_path: Path) -> None:
    for name in ("top.cpp", "top_network.cpp"):
        renamed = name.replace("top", "trigger_ad_my_network")
        (project / "firmware" / name).rename(project / "firmware" / renamed)
    with compiled(project, small_network()):
        arguments = (tmp_path / "arguments").read_text().splitlines()
        copy = Path(arguments[arguments.index("-o") + 1]).parent
        written = (copy / "firmware" / "trigger_ad_my_network_network.cpp").read_text()
        assert "layers_alone" in written
        assert (copy / "firmware" / "trigger_ad_my_network.cpp").read_text() == ""
