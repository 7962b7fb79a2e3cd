"""`trigger-ad export`: what it prints, and what it refuses before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.exports import make_exportable, report_for
from support.native import FAST
from support.report import make_emulator

from trigger_ad.cli.export import export
from trigger_ad.errors import CheckFailed, UserError
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import write_json


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that is up to date."""
    monkeypatch.chdir(tmp_path)
    made = make_exportable(tmp_path, events=200)
    monkeypatch.setattr("trigger_ad.native.build.PORTABLE_FLAGS", FAST)
    monkeypatch.setattr("trigger_ad.pipeline.target.open_run", lambda target: made)
    monkeypatch.setattr("trigger_ad.pipeline.check.check_run", lambda run: [])
    monkeypatch.setattr("trigger_ad.pipeline.target.bring_up_to_date", lambda run, stage: [])
    return made


def _error(*arguments: str) -> BaseException | None:
    result = CliRunner().invoke(export, ["run", *arguments])
    assert result.stdout == ""
    return result.exception


def test_it_says_what_was_checked_and_where_the_emulator_is(run: Run) -> None:
    arguments = ["run", "--out", "emulators/small", "--version", "3"]
    lines = CliRunner().invoke(export, arguments, catch_exceptions=False).stdout.splitlines()
    assert [line.startswith("The C++ library equals the exact reference on ") for line in lines] == [True, False]
    assert lines[1] == "Emulator: emulators/small"
    assert Path("emulators/small/trigger_ad_small_v3.h").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "report.json"], "report.json is no folder"),
        (["--out", "run"], "run exists and was not made by 'trigger-ad export'"),
        (["--out", "new", "--version", "one"], "'one' is no version of a library"),
        (["--out", "new", "--version", ""], "'' is no version of a library"),
    ],
)
def test_what_is_wrong_is_said_before_any_stage_runs(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    def unreachable(*_: Any) -> None:
        raise AssertionError

    Path("report.json").write_text("mine")
    monkeypatch.setattr("trigger_ad.pipeline.target.bring_up_to_date", unreachable)
    error = _error(*arguments)
    assert isinstance(error, UserError)
    assert error.what.startswith(said)
    assert not Path("new").exists()


def test_without_a_compiler_nothing_is_begun(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no such compiler")
    error = _error("--out", "new")
    assert isinstance(error, UserError)
    assert error.what.startswith("The variable CXX names 'no such compiler'")
    assert not Path("new").exists()


def test_a_firmware_that_differs_from_the_reference_is_not_exported(run: Run) -> None:
    report = report_for(run)
    report["agreement"]["emulators"]["hls_vitis"] = make_emulator(exact=False, mismatches=3, first_layer="latent")
    write_json(run.directory.path / "report.json", report)
    error = _error("--out", "new")
    assert isinstance(error, CheckFailed)
    assert str(error).startswith("hls_vitis differs from the reference, first in layer 'latent'")
    assert not Path("new").exists()


@pytest.mark.parametrize("arguments", [[], ["run"], ["run", "--out"], ["run", "more", "--out", "new"]])
def test_wrong_usage(arguments: list[str]) -> None:
    result = CliRunner().invoke(export, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
