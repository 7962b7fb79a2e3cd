"""Tools are found on PATH; a missing one is None, a broken one says what is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trigger_ad import tools
from trigger_ad.errors import UserError
from trigger_ad.tools import TOOLS, find_tool, output_of, require_compiler


def _install(folder: Path, name: str, script: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one empty folder, and no CXX."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)
    return folder


@pytest.mark.parametrize("name", [tool.name for tool in TOOLS])
def test_a_tool_that_is_not_installed_is_none(only_path: Path, name: str) -> None:
    assert find_tool(name) is None


def test_every_tool_says_in_one_phrase_what_it_gives() -> None:
    assert {tool.name for tool in TOOLS} >= {
        "vitis_hls",
        "vitis-run",
        "vivado_hls",
        "vivado",
        "verilator",
        "ghdl",
    }
    assert all(tool.gives and "\n" not in tool.gives and not tool.gives.endswith(".") for tool in TOOLS)


def test_the_version_is_the_line_that_holds_one(only_path: Path) -> None:
    program = _install(only_path, "vitis_hls", "echo\necho '****** Vitis HLS v2023.2 (64-bit)'\necho '  **** Build 1'")
    tool = find_tool("vitis_hls")
    assert tool is not None
    assert (tool.path, tool.version, tool.problem) == (program, "Vitis HLS v2023.2 (64-bit)", None)


def test_vivado_is_asked_with_one_hyphen(only_path: Path) -> None:
    _install(only_path, "vivado", '[ "$1" = -version ] && echo "Vivado v2020.1 (64-bit)"')
    tool = find_tool("vivado")
    assert tool is not None
    assert tool.version == "Vivado v2020.1 (64-bit)"


def test_a_tool_that_fails_is_reported_with_its_status(only_path: Path) -> None:
    _install(only_path, "vivado", "echo no licence 1.0; exit 3")
    tool = find_tool("vivado")
    assert tool is not None
    assert (tool.version, tool.problem) == (None, "ended with status 3 when asked '-version'")


def test_a_tool_that_cannot_start_is_reported(only_path: Path) -> None:
    program = only_path / "ghdl"
    program.write_bytes(b"\x7fELF broken")
    program.chmod(0o755)
    tool = find_tool("ghdl")
    assert tool is not None
    assert tool.version is None
    assert tool.problem == "could not be started: Exec format error"


def test_a_tool_that_names_no_version_is_reported(only_path: Path) -> None:
    _install(only_path, "ghdl", "echo hello")
    tool = find_tool("ghdl")
    assert tool is not None
    assert (tool.version, tool.problem) == (None, "names no version when asked '--version'")


def test_a_tool_that_hangs_is_ended_with_its_children(only_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "VERSION_SECONDS", 0.2)
    _install(only_path, "verilator", "/bin/sleep 600 & wait")
    tool = find_tool("verilator")
    assert tool is not None
    assert tool.problem == "did not answer '--version' within 0.2 s"


def test_the_compiler_is_gxx_then_cxx(only_path: Path) -> None:
    other = _install(only_path, "c++", "echo c++ 13.2")
    assert require_compiler() == other
    gxx = _install(only_path, "g++", "echo g++ 13.2")
    assert require_compiler() == gxx


def test_the_variable_decides_the_compiler(only_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(only_path, "g++", "echo g++ 13.2")
    clang = _install(only_path, "clang++", "echo clang version 17.0.6")
    monkeypatch.setenv("CXX", "clang++")
    assert require_compiler() == clang
    tool = find_tool("g++")
    assert tool is not None
    assert (tool.path, tool.version) == (clang, "clang version 17.0.6")


def test_no_compiler_is_one_clear_line(only_path: Path) -> None:
    with pytest.raises(UserError) as error:
        require_compiler()
    assert "g++" in error.value.what
    assert "CXX" in error.value.remedy
    assert "apt install g++" in error.value.remedy


@pytest.mark.parametrize("named", ["no-such-compiler", "ccache g++"])
def test_a_variable_that_names_no_program_is_not_replaced_silently(
    only_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    _install(only_path, "g++", "echo g++ 13.2")
    monkeypatch.setenv("CXX", named)
    with pytest.raises(UserError) as error:
        require_compiler()
    assert named in error.value.what
    assert "CXX" in error.value.what


def test_what_a_program_prints_is_returned(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os; print(os.getcwd(), os.environ['COLOUR'])"]
    printed = output_of(command, "it failed", "wait", folder=tmp_path, variables={"COLOUR": "red"})
    assert printed == f"{tmp_path} red\n"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("first\nlast\n", "last"),
        (
            "a.h:1: error: one\nnote\n%Error: two: x\nERROR: 3\nerror: 4\n",
            "a.h:1: error: one; %Error: two: x; ERROR: 3",
        ),
        ("", "it ended with status 3 and said nothing"),
    ],
)
def test_a_program_that_fails_is_one_line(said: str, shown: str) -> None:
    command = [sys.executable, "-c", f"import sys; sys.stderr.write({said!r}); sys.exit(3)"]
    with pytest.raises(UserError) as error:
        output_of(command, "it failed", "Wait")
    assert (error.value.what, error.value.remedy) == (f"it failed: {shown}", "Wait")


def test_a_folder_is_shown_as_the_user_knows_it() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('/tmp/copy/a.h is broken')"]
    with pytest.raises(UserError, match=r"it failed: mine/a\.h is broken"):
        output_of(command, "it failed", "Wait", shown_as={"/tmp/copy": "mine"})


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing cannot be started"):
        output_of([tmp_path / "nothing"], "it failed", "Wait")
