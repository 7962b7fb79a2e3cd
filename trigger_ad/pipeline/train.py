"""Stage `train`: the float autoencoder."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from trigger_ad.config import Config
from trigger_ad.fixed_point import Values
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.run_directory import write_json, written_whole


def training_particles(run: Run) -> Values:
    """Training background with its augmented copies, shape (events, 19, 4)."""
    from trigger_ad.training import augmented

    train = run.dataset.background["train"].particles
    return augmented(train, run.config.training.augmentation, run.config.seed)


def _settings(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json", include={"events", "inputs", "model", "training", "seed"})


def _execute(run: Run) -> None:
    from trigger_ad.models.architectures import dense_autoencoder
    from trigger_ad.models.floating import build_float
    from trigger_ad.models.keras import save_model
    from trigger_ad.training import fit, make_deterministic

    make_deterministic(run.config.seed)
    inputs = run.encoding.exact_values(training_particles(run))
    check = run.encoding.exact_values(run.dataset.background["validation"].particles)
    model = build_float(dense_autoencoder(run.config.model))
    result = fit(model, "training float model", inputs, check, run.config.training)
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
