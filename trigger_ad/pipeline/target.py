"""From what the user names, a configuration or a run directory, to a run with its stages brought up to date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trigger_ad.config_file import load_config
from trigger_ad.errors import UserError
from trigger_ad.pipeline.convert import CONVERT
from trigger_ad.pipeline.emulate import EMULATE
from trigger_ad.pipeline.hardware import HARDWARE
from trigger_ad.pipeline.quantize import QUANTIZE
from trigger_ad.pipeline.report import REPORT
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.pipeline.train import TRAIN
from trigger_ad.run_directory import PROJECTS, RunDirectory

STAGES: Final[Sequence[Stage]] = (TRAIN, QUANTIZE, CONVERT, EMULATE, HARDWARE, REPORT)
"""In order: each reads what those before it wrote."""


def open_run(target: Path) -> Run:
    """The run that a target names.

    Args:
        target: A configuration file, or a run directory (which holds its resolved configuration).

    Raises:
        UserError: If it is neither.
    """
    if target.is_dir():
        directory = RunDirectory(target)
        if not directory.config.exists():
            raise UserError(f"{target} is not a run directory: it has no config.yaml", "Name a run or a configuration")
        return Run(load_config(directory.config), directory)
    config = load_config(target)
    return Run(config, RunDirectory(PROJECTS / config.name))


def bring_up_to_date(run: Run, last: str, *, again: bool = False) -> list[str]:
    """Runs every stage up to the last, as far as they are out of date.

    Args:
        run: The run.
        last: The name of the last stage.
        again: Runs the last stage even if it is up to date.

    Returns:
        The names of the stages that ran.
    """
    names = [stage.name for stage in STAGES]
    wanted = STAGES[: names.index(last) + 1]
    ran = [stage.name for stage in wanted if stage.bring_up_to_date(run, again=again and stage.name == last)]
    # a change that only later stages read
    run.write_config()
    return ran
