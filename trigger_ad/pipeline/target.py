"""From what the user names, a configuration, a run directory or a model, to a run with its stages up to date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trigger_ad.config_file import load_config
from trigger_ad.errors import UserError
from trigger_ad.pipeline.convert import CONVERT
from trigger_ad.pipeline.emulate import EMULATE
from trigger_ad.pipeline.own_model import IMPORT, is_model_file
from trigger_ad.pipeline.quantize import QUANTIZE
from trigger_ad.pipeline.report import REPORT
from trigger_ad.pipeline.rtl import RTL
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.pipeline.synthesize import SYNTHESIZE
from trigger_ad.pipeline.train import TRAIN
from trigger_ad.run_directory import PROJECTS, RunDirectory, worked_on_alone

STAGES: Final[Sequence[Stage]] = (TRAIN, QUANTIZE, CONVERT, RTL, EMULATE, SYNTHESIZE, REPORT)
"""In order: each reads what those before it wrote."""

OWN_MODEL_STAGES: Final[Sequence[Stage]] = (IMPORT, CONVERT, RTL, EMULATE, SYNTHESIZE)
"""Those of a run whose model is the user's own."""

KEPT: Final = ("train", "quantize", "import", "convert", "rtl")
"""The stages whose results can be kept as another version has made them."""

_PROJECTS: Final = ("convert", "rtl")
"""The stages that are one to the user: `convert` writes every project."""


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
        return Run(load_config(directory.config), directory, as_it_is=True)
    if is_model_file(target):
        raise UserError(
            f"{target} is neither a configuration nor a run directory",
            f"If it is a QKeras model: trigger-ad convert {target} --out DIR, and then name DIR",
        )
    config = load_config(target)
    if config.own_model:
        raise UserError(
            f"{target}: own_model is what 'convert MODEL --out DIR' writes into a run directory", "Name that directory"
        )
    return Run(config, RunDirectory(PROJECTS / config.name))


def bring_up_to_date(run: Run, last: str, *, again: bool = False, keep_last: bool = False) -> list[str]:
    """Runs every stage up to the last, as far as they are out of date.

    A run that was opened as a directory is kept as it is: what another version of trigger-ad has trained, quantized and
    converted of the same settings and files is not made anew, unless it is the last stage. What is only checked or
    told, by the emulators and in the report, is.

    Args:
        run: The run.
        last: The name of the last stage; `convert` stands for that of the RTL too.
        again: Runs the last stage even if it is up to date.
        keep_last: Treats the last stage like those before it.

    Returns:
        The names of the stages that ran.

    Raises:
        UserError: If the run has no such stage, or one of them fails.
    """
    stages = OWN_MODEL_STAGES if run.config.own_model else STAGES
    names = [stage.name for stage in stages]
    if last not in names:
        raise UserError(
            f"{run.directory.path} holds a model of your own, which has no stage '{last}'",
            "Use 'convert', 'emulate' or 'synthesize'",
        )
    own = _PROJECTS if last in _PROJECTS else (last,)
    wanted = stages[: names.index(own[-1]) + 1]
    with worked_on_alone(run.directory):
        ran = []
        for stage in wanted:
            keep = run.as_it_is and stage.name in KEPT and (keep_last or stage.name not in own)
            if stage.bring_up_to_date(run, again=again and stage.name in own, keep=keep):
                ran.append(stage.name)
        # a change that only later stages read
        run.write_config()
    return ran
