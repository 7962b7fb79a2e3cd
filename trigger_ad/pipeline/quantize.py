"""Stage `quantize`: post-training quantization, quantization-aware training, and the scores of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config
from trigger_ad.fixed_point import Values
from trigger_ad.pipeline.stage import Run, Stage, reading
from trigger_ad.pipeline.train import training_particles
from trigger_ad.run_directory import write_json, written_whole

if TYPE_CHECKING:
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.models.floating import DenseWeights
    from trigger_ad.network.graph import Network

KINDS = ("ptq", "qat")
Score = Callable[[Values], NDArray[Any]]
"""From particles of shape (events, 19, 4) to scores of shape (events,)."""


def score_arrays(run: Run, score: Score, model: str) -> dict[str, NDArray[Any]]:
    """Scores of validation background and of every test sample, by `<model>/<sample>`."""
    arrays = {f"{model}/validation_background": score(run.dataset.background["validation"].particles)}
    for sample, events in run.dataset.test_events().items():
        arrays[f"{model}/{sample}"] = score(events.particles)
    return arrays


def _score_words(network: Network, encoding: InputEncoding, particles: Values) -> NDArray[Any]:
    from trigger_ad.network.evaluation import scores

    return scores(network, encoding.codes(particles))


def _settings(config: Config) -> dict[str, Any]:
    parts = config.model_dump(mode="json", include={"events", "inputs", "model", "training", "seed"})
    return parts | {"quantization": config.quantization.model_dump(mode="json", exclude={"ship"})}


def _execute(run: Run) -> None:
    from trigger_ad.models.architectures import dense_autoencoder
    from trigger_ad.models.floating import fold_batch_normalization, reconstruct
    from trigger_ad.models.keras import tf_keras
    from trigger_ad.models.scores import squared_error
    from trigger_ad.training import make_deterministic

    make_deterministic(run.config.seed)
    with reading(run.directory.float_model):
        float_model = tf_keras.models.load_model(run.directory.float_model, compile=False)

    def float_score(values: Values) -> NDArray[Any]:
        return squared_error(values, reconstruct(float_model, values))

    encoding = run.encoding
    arrays = score_arrays(run, lambda particles: float_score(encoding.exact_values(particles)), "float")
    arrays |= score_arrays(run, lambda particles: float_score(encoding.values(particles)), "float_encoded")
    weights = fold_batch_normalization(float_model, dense_autoencoder(run.config.model))
    networks, results = _quantize(run, weights)
    for kind, network in networks.items():
        arrays |= score_arrays(run, partial(_score_words, network, encoding), kind)
    with written_whole(run.directory.arrays("quantize")) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
    write_json(run.directory.results("quantize"), results)


def _quantize(run: Run, weights: dict[str, DenseWeights]) -> tuple[dict[str, Network], dict[str, Any]]:
    from trigger_ad.models.architectures import dense_autoencoder
    from trigger_ad.models.keras import save_model
    from trigger_ad.models.precision import calibrate
    from trigger_ad.models.quantized import build_quantized, reconstruction_model
    from trigger_ad.network.freezing import freeze
    from trigger_ad.training import fit

    architecture = dense_autoencoder(run.config.model)
    train = run.encoding.values(training_particles(run))
    check = run.encoding.values(run.dataset.background["validation"].particles)
    precisions = calibrate(weights, architecture, run.config.quantization, train)
    model = build_quantized(architecture, weights, precisions)
    networks, fits = {}, {}
    for kind in KINDS:
        if kind == "qat":
            qat = fit(
                reconstruction_model(model), "quantization-aware training", train, check, run.config.quantization.qat
            )
            fits[kind] = asdict(qat)
        with written_whole(run.directory.quantized_model(kind)) as temporary:
            save_model(model, temporary)
        networks[kind] = freeze(model, run.encoding.network_type)
        write_json(run.directory.network(kind), networks[kind].to_json())
    return networks, fits


QUANTIZE = Stage(
    "quantize",
    _settings,
    lambda run: [*run.event_files(), run.directory.float_model],
    lambda run: [
        *(run.directory.quantized_model(kind) for kind in KINDS),
        *(run.directory.network(kind) for kind in KINDS),
        run.directory.arrays("quantize"),
        run.directory.results("quantize"),
    ],
    _execute,
    ("pipeline/quantize.py", "events", "models", "training.py", "network"),
)
