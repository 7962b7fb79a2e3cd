"""Stage `train`: the float autoencoder."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from trigger_ad.config import Config
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.run_directory import write_json, written_whole

if TYPE_CHECKING:
    from trigger_ad.events.training_arrays import TrainingArrays


def fit_arrays(run: Run) -> TrainingArrays:
    """Training background with its copies, and validation background."""
    from trigger_ad.events.training_arrays import training_arrays

    return training_arrays(run.dataset, run.encoding, run.config.training.augmentation, run.config.seed)


def _settings(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json", include={"events", "inputs", "model", "training", "seed"})


def _execute(run: Run) -> None:
    from trigger_ad.models.architectures import dense_autoencoder
    from trigger_ad.models.floating import build_float
    from trigger_ad.models.keras import save_model
    from trigger_ad.training import Rows, fit, make_deterministic

    make_deterministic(run.config.seed)
    arrays = fit_arrays(run)
    inputs, check = Rows(arrays.exact, np.asarray), Rows(arrays.validation_exact, np.asarray)
    model = build_float(dense_autoencoder(run.config.model, run.encoding.inputs))
    result = fit(model, "training float model", inputs, check, run.config.training, run.config.seed)
    with written_whole(run.directory.float_model) as temporary:
        save_model(model, temporary)
    write_json(run.directory.results("train"), {"float": asdict(result), "parameters": int(model.count_params())})


TRAIN = Stage(
    "train",
    _settings,
    lambda run: run.event_files(),
    lambda run: [run.directory.float_model, run.directory.results("train")],
    _execute,
    ("pipeline/train.py", "events", "models", "training.py"),
    # reads every events file: a bad one must not be found half-way
    check=lambda run: run.dataset,
)
