"""Stage `validation`: the scores of the signals' validation events, which a scan may look at as often as it likes.

Only a scan runs it: designs are chosen by these events, so that the test events of the one that is chosen are still
events that nothing was chosen by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.float_scores import float_validation_scores
from trigger_ad.pipeline.quantize import KINDS, score_words
from trigger_ad.pipeline.stage import Run, Stage, reading
from trigger_ad.pipeline.train import float_models, teacher_models
from trigger_ad.run_directory import read_json, written_whole

MODELS = ("float", *KINDS)
"""What is scored: the float model, and both quantized ones."""


@dataclass(frozen=True)
class ValidationScores:
    """The scores of one model.

    Attributes:
        background: Of the validation background, shape (events,).
        signals: Of each signal's validation events.
    """

    background: NDArray[Any]
    signals: dict[str, NDArray[Any]]


def _execute(run: Run) -> None:
    arrays = float_validation_scores(run)
    for kind in KINDS:
        network = Network.from_json(read_json(run.directory.network(kind)))
        for signal, parts in run.dataset.signals.items():
            arrays[f"{kind}/{run.config.score}/{signal}"] = score_words(network, run.encoding, parts["validation"])
    with written_whole(run.directory.arrays("validation")) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def validation_scores(run: Run) -> dict[str, ValidationScores]:
    """The score that ships, of the float model and of both quantized ones, on validation events alone.

    Raises:
        UserError: If what the stages wrote is damaged.
    """
    signals, background = run.directory.arrays("validation"), run.directory.arrays("quantize")
    score = run.config.score
    with (
        reading(signals),
        np.load(signals, allow_pickle=False) as stored,
        reading(background),
        np.load(background, allow_pickle=False) as quantized,
    ):
        return {
            model: ValidationScores(
                quantized[f"{model}/{score}/validation_background"],
                {signal: stored[f"{model}/{score}/{signal}"] for signal in run.dataset.signals},
            )
            for model in MODELS
        }


def _settings(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json", include={"events", "inputs", "model", "score", "training", "seed"})


VALIDATION = Stage(
    "validation",
    _settings,
    lambda run: [
        *run.event_files(),
        *teacher_models(run),
        *float_models(run).values(),
        *(run.directory.network(kind) for kind in KINDS),
    ],
    lambda run: [run.directory.arrays("validation")],
    _execute,
    ("pipeline/validation.py", "pipeline/quantize.py", "pipeline/float_scores.py", "events", "models", "network"),
)
