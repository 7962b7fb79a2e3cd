"""Stage `quantize`: post-training quantization, quantization-aware training, and the scores of all models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config, StudentConfig
from trigger_ad.fixed_point import Values
from trigger_ad.pipeline.float_scores import float_scores
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.pipeline.train import (
    Floats,
    encoded_rows,
    float_models,
    load_float,
    some_training_inputs,
    teacher_models,
    teachers_of,
)
from trigger_ad.run_directory import write_json, written_whole

if TYPE_CHECKING:
    from trigger_ad.events.dataset import Part
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.models.floating import LayerWeights
    from trigger_ad.models.precision import Calibration
    from trigger_ad.network.graph import Network

KINDS = ("ptq", "qat")


def score_arrays(run: Run, score: Callable[[Part], NDArray[Any]], key: str) -> dict[str, NDArray[Any]]:
    """Scores of validation background and of every test sample, by `<key>/<sample>`.

    Args:
        run: The run.
        score: From events to their scores, shape (events,).
        key: `<model>/<score>`.
    """
    arrays = {f"{key}/validation_background": score(run.dataset.background["validation"])}
    for sample, part in run.dataset.test_events().items():
        arrays[f"{key}/{sample}"] = score(part)
    return arrays


def score_words(network: Network, encoding: InputEncoding, part: Part) -> NDArray[Any]:
    """The exact score words of some events, int64, shape (events,)."""
    from trigger_ad.network.evaluation import scores

    return np.concatenate([scores(network, encoding.codes_of_words(words)) for words in part.words()])


def _settings(config: Config) -> dict[str, Any]:
    parts = config.model_dump(mode="json", include={"events", "inputs", "model", "score", "training", "seed"})
    return parts | {"quantization": config.quantization.model_dump(mode="json", exclude={"ship"})}


def _execute(run: Run) -> None:
    from trigger_ad.training import make_deterministic

    make_deterministic(run.config.seed)
    arrays = float_scores(run)
    results: dict[str, Any] = {"calibration": {}}
    for kind, network in _quantized(run, results):
        arrays |= score_arrays(run, partial(score_words, network, run.encoding), f"{kind}/{run.config.score}")
    with written_whole(run.directory.arrays("quantize")) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
    write_json(run.directory.results("quantize"), results)


def _quantized(run: Run, results: dict[str, Any]) -> Iterator[tuple[str, Network]]:
    """Makes, saves and yields the frozen network of each kind; says in `results` how it was made."""
    from trigger_ad.models.floating import fold_batch_normalization
    from trigger_ad.models.keras import save_model
    from trigger_ad.models.precision import calibrate
    from trigger_ad.models.quantized import build_quantized
    from trigger_ad.models.score_layers import with_score
    from trigger_ad.network.freezing import freeze

    config, architecture, inputs = run.config, run.architecture, some_training_inputs(run)
    paths = float_models(run)
    # what ships has ReLU
    float_model = load_float(paths.get("float_relu", paths["float"]))
    weights = fold_batch_normalization(float_model, architecture)
    calibration = calibrate(weights, architecture, config.quantization, inputs, config.score)
    part = build_quantized(architecture, weights, calibration.precisions, config.score)
    kind_of_input, features = run.encoding.network_type, len(run.encoding.features)
    for kind in KINDS:
        if kind == "qat":
            results["qat"] = _train_quantized(run, part, float_model)
        scored = with_score(part, architecture, config.score, config.quantization, inputs, kind_of_input, features)
        network = freeze(scored.model, kind_of_input, run.encoding.bounds)
        _require_zeros_kept(network, weights)
        with written_whole(run.directory.quantized_model(kind)) as temporary:
            save_model(scored.model, temporary)
        write_json(run.directory.network(kind), network.to_json())
        results["calibration"][kind] = _calibration(calibration, scored.calibration)
        yield kind, network


def _train_quantized(run: Run, part: Any, float_model: Any) -> dict[str, Any]:
    """Quantization-aware training of the part of the network that has weights to learn."""
    from trigger_ad.models.distillation import LogScoreModel
    from trigger_ad.training import fit

    config = run.config
    targets, objective = _targets(run, float_model)
    distils_score = config.quantization.qat.distillation == "score"
    model = LogScoreModel(part, config.score, len(run.encoding.features)) if distils_score else part
    result = fit(
        model,
        "quantization-aware training",
        *encoded_rows(run, targets),
        config.quantization.qat,
        config.seed,
        keep_zeros=config.training.pruning is not None,
        checkpoint=run.checkpoints and run.checkpoints / "qat",
    )
    return {"objective": objective} | asdict(result)


def _targets(run: Run, float_model: Any) -> tuple[Callable[[Floats], Floats] | None, str]:
    """What the quantized network learns, and its name."""
    from trigger_ad.models.floating import FloatEvaluation
    from trigger_ad.models.scores import log_of_score, score

    config = run.config
    if isinstance(config.model, StudentConfig):
        teachers = teachers_of(run, [load_float(path) for path in teacher_models(run)])
        return teachers.targets, teachers.objective
    evaluation, features = FloatEvaluation(float_model, run.architecture), len(run.encoding.features)

    def of_outputs(name: str) -> Callable[[Floats], Floats]:
        return lambda inputs: _required(getattr(evaluation(inputs), name)).astype(np.float32)

    def log_score(inputs: Floats) -> Floats:
        scores = score(config.score, inputs.astype(np.float64), evaluation(inputs), features)
        return log_of_score(scores).astype(np.float32)[:, None]

    if config.score in ("mu_squared", "mahalanobis"):
        return of_outputs("latent"), "mean squared difference from the float latent space"
    match config.quantization.qat.distillation:
        case "reconstruction":
            return of_outputs("reconstruction"), "mean squared difference from the float reconstruction"
        case "score":
            return log_score, "mean squared difference of the logarithm from the float score's"
        case "none":
            return None, "mean squared error of the reconstruction"


def _required(values: Values | None) -> Values:
    assert values is not None
    return values


def _require_zeros_kept(network: Network, weights: Mapping[str, LayerWeights]) -> None:
    """Checks that a weight that pruning set to zero is zero in the firmware."""
    from trigger_ad.network.nodes import Convolution, Dense

    for node in network.nodes:
        if isinstance(node, Dense | Convolution) and node.name in weights:
            revived = int(((weights[node.name].kernel == 0) & (node.kernel.codes != 0)).sum())
            if revived:
                raise RuntimeError(f"{revived} weights of layer '{node.name}' were pruned and are not zero any more")


def _calibration(*parts: Calibration) -> dict[str, Any]:
    """For each layer its types, and the share of the calibration events' values that each saturates."""
    return {
        layer: {
            name: {"type": str(kind), "saturated": part.saturated[layer].get(name)}
            for name, kind in (("weights", types.kernel), ("biases", types.bias), ("output", types.output))
            if kind is not None
        }
        for part in parts
        for layer, types in part.precisions.items()
    }


QUANTIZE = Stage(
    "quantize",
    _settings,
    lambda run: [*run.event_files(), *teacher_models(run), *float_models(run).values()],
    lambda run: [
        *(run.directory.quantized_model(kind) for kind in KINDS),
        *(run.directory.network(kind) for kind in KINDS),
        run.directory.arrays("quantize"),
        run.directory.results("quantize"),
    ],
    _execute,
    (
        "pipeline/quantize.py",
        "pipeline/float_scores.py",
        "pipeline/train.py",
        "events",
        "models",
        "training",
        "network",
    ),
)
