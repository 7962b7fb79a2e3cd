"""Stage `quantize`: post-training quantization, quantization-aware training, and the scores of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config
from trigger_ad.fixed_point import Values
from trigger_ad.pipeline.stage import Run, Stage, reading
from trigger_ad.pipeline.train import fit_arrays
from trigger_ad.run_directory import write_json, written_whole

if TYPE_CHECKING:
    from trigger_ad.events.dataset import Part
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.models.floating import DenseWeights
    from trigger_ad.network.graph import Network

KINDS = ("ptq", "qat")
CALIBRATION_ROWS: Final = 2**18
"""About so many training events, copies included, calibrate the binary points: evenly spread over all of them."""

Score = Callable[["Part"], NDArray[Any]]
"""From events to their scores, shape (events,)."""


def score_arrays(run: Run, score: Score, model: str) -> dict[str, NDArray[Any]]:
    """Scores of validation background and of every test sample, by `<model>/<sample>`."""
    arrays = {f"{model}/validation_background": score(run.dataset.background["validation"])}
    for sample, part in run.dataset.test_events().items():
        arrays[f"{model}/{sample}"] = score(part)
    return arrays


def _score_words(network: Network, encoding: InputEncoding, part: Part) -> NDArray[Any]:
    from trigger_ad.network.evaluation import scores

    return np.concatenate([scores(network, encoding.codes_of_words(words)) for words in part.words()])


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

    def float_scores(blocks: Iterable[Values]) -> NDArray[Any]:
        return np.concatenate([squared_error(values, reconstruct(float_model, values)) for values in blocks])

    encoding = run.encoding
    arrays = score_arrays(run, lambda part: float_scores(map(encoding.exact_values, part.particles())), "float")
    arrays |= score_arrays(run, lambda part: float_scores(map(encoding.values_of_words, part.words())), "float_encoded")
    weights = fold_batch_normalization(float_model, dense_autoencoder(run.config.model, run.encoding.inputs))
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
    from trigger_ad.training import Rows, fit

    architecture = dense_autoencoder(run.config.model, run.encoding.inputs)
    arrays, encoding = fit_arrays(run), run.encoding

    def values(words: NDArray[Any]) -> NDArray[np.float32]:
        return encoding.values_of_words(words).astype(np.float32)

    train, check = Rows(arrays.words, values), Rows(arrays.validation_words, values)
    some = encoding.values_of_words(arrays.words[:: -(-len(arrays.words) // CALIBRATION_ROWS)])
    precisions = calibrate(weights, architecture, run.config.quantization, some)
    model = build_quantized(architecture, weights, precisions)
    networks, fits = {}, {}
    for kind in KINDS:
        if kind == "qat":
            inner, title = reconstruction_model(model), "quantization-aware training"
            qat = fit(inner, title, train, check, run.config.quantization.qat, run.config.seed)
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
