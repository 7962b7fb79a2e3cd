"""Stage `train`: the float models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config, ModelConfig, StudentConfig, TrainingConfig
from trigger_ad.fixed_point import Values
from trigger_ad.pipeline.stage import Run, Stage, reading
from trigger_ad.run_directory import write_json, written_whole

if TYPE_CHECKING:
    from trigger_ad.events.training_arrays import TrainingArrays
    from trigger_ad.models.architectures import Architecture
    from trigger_ad.models.teachers import Teachers
    from trigger_ad.training import Rows

_RECONSTRUCTION = "mean squared error of the reconstruction"
_DIVERGENCE = f"{_RECONSTRUCTION}, and the divergence of the latent space"

SOME_ROWS: Final = 2**18
"""About so many training events, copies included, calibrate what depends on the data: evenly spread over all."""

Floats = NDArray[np.float32]


def fit_arrays(run: Run) -> TrainingArrays:
    """Training background with its copies, and validation background."""
    from trigger_ad.events.training_arrays import training_arrays

    return training_arrays(run.dataset, run.encoding, run.config.training.augmentation, run.config.seed)


def exact_rows(run: Run) -> tuple[Rows, Rows]:
    """Training and validation events without the rounding of trigger words, to be reproduced."""
    from trigger_ad.training import Rows

    arrays = fit_arrays(run)
    return Rows(arrays.exact, np.asarray), Rows(arrays.validation_exact, np.asarray)


def encoded_rows(run: Run, targets: Callable[[Floats], Floats] | None = None) -> tuple[Rows, Rows]:
    """Training and validation events as the firmware's network sees them; a student's with anomalies among them.

    Args:
        run: The run.
        targets: What the network is to make of them; None for the inputs themselves.
    """
    from trigger_ad.training import Anomalies, Rows

    arrays, encoding, model = fit_arrays(run), run.encoding, run.config.model
    anomalies = Anomalies(model.anomalies, encoding) if isinstance(model, StudentConfig) else None

    def values(words: NDArray[Any]) -> Floats:
        return encoding.values_of_words(words).astype(np.float32)

    return (
        Rows(arrays.words, values, targets, anomalies),
        Rows(arrays.validation_words, values, targets, anomalies),
    )


def some_training_inputs(run: Run) -> Values:
    """Encoded training background, shape (events, inputs): what types, whitening and tails are calibrated on."""
    words = fit_arrays(run).words
    return run.encoding.values_of_words(words[:: -(-len(words) // SOME_ROWS)])


def teachers_of(run: Run, models: Sequence[Any]) -> Teachers:
    """What a student learns from.

    Args:
        run: The run of a student.
        models: The float autoencoders.
    """
    from trigger_ad.models.floating import FloatEvaluation
    from trigger_ad.models.teachers import MeanOfTeachers, SmallerTail

    config = run.config.model
    assert isinstance(config, StudentConfig)
    architecture = run.architecture_of(config.teacher)
    mean = MeanOfTeachers([FloatEvaluation(model, architecture) for model in models])
    return mean if config.teaches == "mean" else SmallerTail.of(mean, some_training_inputs(run))


def load_float(path: Path) -> Any:
    """A float model that was saved.

    Raises:
        UserError: The file is damaged.
    """
    from trigger_ad.models.keras import tf_keras

    with reading(path):
        return tf_keras.models.load_model(path, compile=False)


class _FloatFits:
    """The float fits of a run, one after the other.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.results: dict[str, dict[str, Any]] = {}

    def autoencoder(self) -> tuple[Any, tuple[Rows, Rows]]:
        """Trains and saves the autoencoder that ships; returns it, and what it was trained on."""
        config, rows = self._run.config.model, exact_rows(self._run)
        path, objective = self._run.directory.float_model, _objective(self._run.architecture)
        return self._first("float", "training float model", config, path, rows, objective), rows

    def student(self) -> tuple[Any, tuple[Rows, Rows]]:
        """Trains and saves the teachers, then the student; returns it, and what it was trained on."""
        run, config = self._run, self._run.config.model
        assert isinstance(config, StudentConfig)
        teachers = [self._teacher(number, config) for number in range(1, config.teachers + 1)]
        learnt = teachers_of(run, teachers)
        rows, path = encoded_rows(run, learnt.targets), run.directory.float_model
        return self._first("float", "training float student", config, path, rows, learnt.objective), rows

    def _teacher(self, number: int, config: StudentConfig) -> Any:
        """Trains and saves a teacher: other random numbers for each, and all of its weights, as it does not ship."""
        run = self._run
        return self._first(
            f"teacher_{number}",
            f"training teacher {number} of {config.teachers}",
            config.teacher,
            run.directory.teacher_model(number),
            exact_rows(run),
            _objective(run.architecture_of(config.teacher)),
            training=run.config.training.model_copy(update={"pruning": None}),
            seed=int(np.random.SeedSequence((run.config.seed, number)).generate_state(1)[0]),
        )

    def _first(
        self,
        name: str,
        title: str,
        config: ModelConfig,
        path: Path,
        rows: tuple[Rows, Rows],
        objective: str,
        **options: Any,
    ) -> Any:
        """Trains and saves a model from its random start."""
        from trigger_ad.models.floating import build_float

        architecture = self._run.architecture_of(config)
        model = build_float(architecture, leaky=config.activation == "leaky_relu")
        self._fit(name, title, model, architecture, config, rows, objective, **options)
        _save(model, path)
        return model

    def with_relu(self, leaky: Any, rows: tuple[Rows, Rows]) -> None:
        """Trains the same network on with ReLU in place of the leaky one, more gently, and saves it."""
        from trigger_ad.models.floating import with_relu

        config, run = self._run.config.model, self._run
        model = with_relu(leaky, run.architecture)
        gently = {"learning_rate": run.config.training.learning_rate / 10, "pruning": None}
        again = run.config.training.model_copy(update=gently)
        objective = self.results["float"]["objective"]
        title = "training on with ReLU"
        keep_zeros = run.config.training.pruning is not None
        self._fit(
            "float_relu", title, model, run.architecture, config, rows, objective, training=again, keep_zeros=keep_zeros
        )
        _save(model, run.directory.relu_model)

    def _fit(
        self,
        name: str,
        title: str,
        model: Any,
        architecture: Architecture,
        config: ModelConfig,
        rows: tuple[Rows, Rows],
        objective: str,
        *,
        training: TrainingConfig | None = None,
        seed: int | None = None,
        keep_zeros: bool = False,
    ) -> None:
        from trigger_ad.models.stochastic import StochasticModel
        from trigger_ad.training import fit

        run, asked = self._run, training or self._run.config.training
        drawn = run.config.seed if seed is None else seed
        variational = None if isinstance(config, StudentConfig) else config.variational
        trained = StochasticModel(
            model,
            architecture,
            l2=config.l2,
            kl_weight=variational.kl_weight if variational else 0.0,
            seed=drawn,
        )
        result = fit(
            trained,
            title,
            *rows,
            asked,
            drawn,
            pruning=asked.pruning,
            keep_zeros=keep_zeros,
            checkpoint=run.checkpoints and run.checkpoints / name,
        )
        self.results[name] = {"objective": objective} | asdict(result)


def _objective(architecture: Architecture) -> str:
    """What an autoencoder is trained for."""
    return _DIVERGENCE if architecture.variational else _RECONSTRUCTION


def _save(model: Any, path: Path) -> None:
    from trigger_ad.models.keras import save_model

    with written_whole(path) as temporary:
        save_model(model, temporary)


def _execute(run: Run) -> None:
    from trigger_ad.training import make_deterministic

    make_deterministic(run.config.seed)
    config, fits = run.config.model, _FloatFits(run)
    model, rows = fits.student() if isinstance(config, StudentConfig) else fits.autoencoder()
    if config.activation == "leaky_relu":
        fits.with_relu(model, rows)
    write_json(run.directory.results("train"), {"fits": fits.results, "parameters": int(model.count_params())})


def float_models(run: Run) -> dict[str, Path]:
    """The float models of a run that have the layers of what ships, by their names in reports."""
    directory, leaky = run.directory, run.config.model.activation == "leaky_relu"
    return {"float": directory.float_model} | ({"float_relu": directory.relu_model} if leaky else {})


def teacher_models(run: Run) -> list[Path]:
    """The teachers of a student; none for another network."""
    model = run.config.model
    numbers = range(1, model.teachers + 1) if isinstance(model, StudentConfig) else ()
    return [run.directory.teacher_model(number) for number in numbers]


def _settings(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json", include={"events", "inputs", "model", "training", "seed"})


TRAIN = Stage(
    "train",
    _settings,
    lambda run: run.event_files(),
    lambda run: [*teacher_models(run), *float_models(run).values(), run.directory.results("train")],
    _execute,
    ("pipeline/train.py", "events", "models", "training"),
    # reads every events file: a bad one must not be found half-way
    check=lambda run: run.dataset,
)
