"""The command line: exit codes, one line for an error, help with an example, and nothing imported without need."""

from __future__ import annotations

import logging
import subprocess
import sys
from types import SimpleNamespace

import click
import pytest

from trigger_ad import __version__, cli
from trigger_ad.cli import COMMANDS
from trigger_ad.errors import CheckFailed, UserError

HEAVY = (
    "tensorflow",
    "tf_keras",
    "keras",
    "qkeras",
    "hls4ml",
    "numpy",
    "h5py",
    "scipy",
    "sklearn",
    "matplotlib",
    "pydantic",
)


def _fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def doctor() -> None:
        raise error

    monkeypatch.setattr("importlib.import_module", lambda name: SimpleNamespace(doctor=doctor))


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("the file is bad", "Make it good"), 2, "trigger-ad: the file is bad. Make it good\n"),
        (UserError("two\nlines  here", "One\tremedy"), 2, "trigger-ad: two lines here. One remedy\n"),
        (CheckFailed("hls_vitis differs"), 1, "trigger-ad: hls_vitis differs\n"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int, line: str
) -> None:
    _fails_with(monkeypatch, error)
    assert cli.run(["doctor"]) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", line)


@pytest.mark.parametrize("error", [UserError("bad", "Do better"), CheckFailed("differs")])
def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    _fails_with(monkeypatch, error)
    with pytest.raises(type(error)):
        cli.run(["--debug", "doctor"])


def test_a_mistake_of_the_program_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _fails_with(monkeypatch, RuntimeError("a\nmistake"))
    assert cli.run(["doctor"]) == cli.INTERNAL_ERROR
    captured = capsys.readouterr()
    assert captured.err.startswith("trigger-ad: internal error, RuntimeError: a mistake. Please report it")
    assert captured.err.count("\n") == 1
    with pytest.raises(RuntimeError, match="mistake"):
        cli.run(["--debug", "doctor"])


def test_an_interruption_says_that_work_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _fails_with(monkeypatch, KeyboardInterrupt())
    assert cli.run(["doctor"]) == 130
    assert "interrupted; what was finished is kept" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["run"], ["run", "--nonsense", "a.yaml"]])
def test_wrong_usage_exits_with_two(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert cli.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("trigger-ad: ")
    command = "trigger-ad run" if arguments[0] == "run" else "trigger-ad"
    assert captured.err.endswith(f". See {command} --help.\n")
    assert ".." not in captured.err
    assert captured.err.count("\n") == 1


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"trigger-ad, version {__version__}\n"


def test_the_help_lists_every_command_in_the_order_of_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    text = capsys.readouterr().out
    commands, _, example = text.split("Commands:\n")[1].partition("\n\n")
    assert [line.split()[0] for line in commands.splitlines()] == list(COMMANDS)
    assert example == "  The main job:\n    trigger-ad run configs/student.yaml\n"


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_of_every_command_has_an_example(capsys: pytest.CaptureFixture[str], name: str, option: str) -> None:
    assert cli.run([name, option]) == 0
    text = capsys.readouterr().out
    assert "Example:" in text
    assert f"trigger-ad {name} " in text.split("Example:")[1]


def _loaded_by(arguments: list[str]) -> set[str]:
    program = (
        "import sys, contextlib, io; from trigger_ad import cli\n"
        "with contextlib.redirect_stdout(io.StringIO()): code = cli.run(sys.argv[1:])\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["doctor"], *([name, "--help"] for name in COMMANDS)])
def test_help_and_doctor_import_nothing_heavy(arguments: list[str]) -> None:
    assert not set(HEAVY) & _loaded_by(arguments)


def test_a_bad_configuration_is_refused_without_tensorflow() -> None:
    loaded = _loaded_by(["run", "no_such_configuration.yaml"])
    assert "trigger_ad.pipeline.target" in loaded
    assert not {"tensorflow", "tf_keras", "qkeras", "hls4ml"} & loaded


def test_log_lines_are_plain_text_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def doctor() -> None:
        # as libraries do when they are imported
        logging.getLogger().addHandler(handler)
        logging.getLogger("trigger_ad.pipeline").info("convert")
        logging.getLogger("trigger_ad.pipeline").debug("not shown")

    handler = logging.StreamHandler(sys.stderr)
    monkeypatch.setattr("importlib.import_module", lambda name: SimpleNamespace(doctor=doctor))
    try:
        assert cli.run(["doctor"]) == 0
    finally:
        logging.getLogger().removeHandler(handler)
    assert capsys.readouterr().err == "convert\n"
