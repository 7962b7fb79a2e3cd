"""A run takes over what another has made of the very same inputs, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trigger_ad.config import Config
from trigger_ad.pipeline.sharing import adopt, made_from
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.run_directory import RunDirectory, write_text


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "source").write_text("1")
    return Run(Config(name="small"), RunDirectory(tmp_path / "run"))


def _source(run: Run) -> Path:
    return run.directory.path.parent / "source"


def _outputs(run: Run) -> list[Path]:
    return [run.directory.path / name for name in ("one", "two")]


def _copy(run: Run) -> None:
    write_text(run.directory.path / "one", _source(run).read_text())
    write_text(run.directory.path / "two" / "part", _source(run).read_text())


def _stage() -> Stage:
    return Stage("copy", lambda config: {"seed": config.seed}, lambda run: [_source(run)], _outputs, _copy, ())


def test_another_runs_work_of_the_same_inputs_is_taken_over_whole(run: Run, tmp_path: Path) -> None:
    other = Run(run.config, RunDirectory(tmp_path / "other"))
    _stage().bring_up_to_date(other)
    assert adopt(_stage(), run, other.directory)
    assert [(run.directory.path / name).read_text() for name in ("one", "two/part")] == ["1", "1"]
    assert json.loads(run.directory.manifest.read_text()) == json.loads(other.directory.manifest.read_text())
    assert not _stage().bring_up_to_date(run)


def test_work_of_other_inputs_and_work_that_is_there_already_are_not_taken_over(run: Run, tmp_path: Path) -> None:
    other = Run(run.config.model_copy(update={"seed": 2}), RunDirectory(tmp_path / "other"))
    assert not adopt(_stage(), run, other.directory)
    _stage().bring_up_to_date(other)
    assert not adopt(_stage(), run, other.directory)
    assert not run.directory.path.exists()
    _stage().bring_up_to_date(run)
    assert not adopt(_stage(), run, run.directory)


def test_what_is_still_to_come_is_named_by_what_it_would_be_made_of(run: Run) -> None:
    other = Run(run.config.model_copy(update={"name": "other"}), run.directory)
    seeded = Run(run.config.model_copy(update={"seed": 2}), run.directory)
    name = made_from(_stage(), run, "before")
    assert made_from(_stage(), other, "before") == name
    assert made_from(_stage(), seeded, "before") != name
    assert made_from(_stage(), run, "another") != name
