"""A finished run, made once, and a command line that starts from a copy of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.runs import Command, Outcome, write_study

from trigger_ad import cli


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with the events and the configuration of a small study, and its finished run."""
    folder = tmp_path_factory.mktemp("finished")
    write_study(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert cli.run(["run", "study.yaml"]) == 0
    return folder


@pytest.fixture
def study(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the working folder."""
    folder = Path(shutil.copytree(finished, tmp_path / "study"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process."""

    def run(*arguments: str) -> Outcome:
        capfd.readouterr()
        code = cli.run(list(arguments))
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err.splitlines())

    return run
