"""What is repeated with other seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory
from trigger_ad.scan.repeats import repeat


def test_a_run_in_the_place_of_the_repetitions_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "hls_projects" / "mine_seeds" / "manifest.json"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    run = Run(Config(name="mine"), RunDirectory(tmp_path / "hls_projects" / "mine"))
    with pytest.raises(UserError) as error:
        repeat(run, 2)
    assert str(error.value) == "hls_projects/mine_seeds is a run directory. Give the run another name"


def test_seeds_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    run = Run(Config.model_validate({"name": "late", "seed": 2**31 - 1}), RunDirectory(tmp_path / "late"))
    with pytest.raises(UserError, match="--repeat: 2 seeds from 2147483647 on are more than there are"):
        repeat(run, 2)
