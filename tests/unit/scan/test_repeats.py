"""What is repeated with other seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory
from trigger_ad.scan.repeats import repeat


def test_seeds_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    run = Run(Config.model_validate({"name": "late", "seed": 2**31 - 1}), RunDirectory(tmp_path / "late"))
    with pytest.raises(UserError, match="--repeat: 2 seeds from 2147483647 on are more than there are"):
        repeat(run, 2)
