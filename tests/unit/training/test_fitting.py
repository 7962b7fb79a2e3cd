"""Fits are repeatable, keep the best weights, go on after an interruption, and leave zeros alone."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.architectures import FEATURES, INPUT_TYPE, randomise, small
from support.architectures import events as image_events
from support.networks import small_architecture, small_part

from trigger_ad.config import FitConfig, PruningConfig, QuantizationConfig
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint, Values
from trigger_ad.models.architectures import Architecture
from trigger_ad.models.distillation import LogScoreModel
from trigger_ad.models.floating import FloatEvaluation, build_float, fold_batch_normalization
from trigger_ad.models.keras import tf_keras
from trigger_ad.models.precision import calibrate
from trigger_ad.models.quantized import build_quantized
from trigger_ad.models.score_layers import with_score
from trigger_ad.models.scores import log_of_score, score
from trigger_ad.models.stochastic import StochasticModel
from trigger_ad.network.freezing import freeze
from trigger_ad.training import FitResult, Rows, fit, make_deterministic
from trigger_ad.training import blocks as blocks_module
from trigger_ad.training import checkpoint as checkpoint_module
from trigger_ad.training.fitting import _Fit

QUICK = FitConfig(epochs=3, batch_size=16, learning_rate=0.01, patience=3)


def float32(array: NDArray[Any]) -> NDArray[np.float32]:
    return array.astype(np.float32)


@pytest.fixture(scope="module")
def events() -> tuple[Values, Values]:
    """Training and validation inputs."""
    generator = np.random.default_rng(1)
    return generator.normal(size=(64, 4)), generator.normal(size=(32, 4))


def rows(events: tuple[Values, Values], **more: Any) -> tuple[Rows, Rows]:
    training, validation = events
    return Rows(training, float32, **more), Rows(validation, float32, **more)


def fitted(events: tuple[Values, Values], seed: int, config: FitConfig = QUICK, **more: Any) -> tuple[Any, FitResult]:
    make_deterministic(seed)
    model = build_float(small_architecture())
    return model, fit(model, "float fit", *rows(events), config, seed, **more)


def same_weights(one: Any, other: Any) -> bool:
    return all((a == b).all() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_the_same_seed_gives_the_same_fit(events: tuple[Values, Values]) -> None:
    (first, one), (again, other) = (fitted(events, 1) for _ in range(2))
    assert same_weights(first, again)
    assert one.history == other.history
    assert (one.epochs, one.best_epoch, one.validation_loss) == (other.epochs, other.best_epoch, other.validation_loss)
    different, _ = fitted(events, 2)
    assert not same_weights(first, different)


def test_words_are_fitted_as_the_values_that_they_stand_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file, a block at a time: the same fit as with the values in memory."""
    monkeypatch.setattr(blocks_module, "BLOCK_ROWS", 32)
    words = np.random.default_rng(1).integers(-128, 128, (96, 4)).astype(np.int16)
    np.save(tmp_path / "words.npy", words)
    mapped = np.load(tmp_path / "words.npy", mmap_mode="r")

    def values(some: NDArray[Any]) -> NDArray[np.float32]:
        return (some / 64).astype(np.float32)

    results, models = [], []
    for training, validation in (
        (Rows(mapped[:64], values), Rows(mapped[64:], values)),
        (Rows(words[:64] / 64, float32), Rows(words[64:] / 64, float32)),
    ):
        make_deterministic(1)
        models.append(build_float(small_architecture()))
        results.append(fit(models[-1], "fit", training, validation, QUICK, 1).history)
    assert results[0] == results[1]
    assert same_weights(*models)


def test_a_step_is_that_of_adam_on_the_mean_squared_error() -> None:
    """Against the formulas of Kingma and Ba, arXiv:1412.6980: two steps, one of a short batch, on a single weight."""
    inputs = tf_keras.Input((1,), name="inputs")
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(1, use_bias=False, name="dense")(inputs))
    model.set_weights([np.array([[0.5]])])
    data = np.array([[1.0], [2.0], [3.0]])
    training = Rows(data, float32, targets=lambda values: 2 * values)
    config = FitConfig(epochs=1, batch_size=2, learning_rate=0.1, patience=1)
    result = fit(model, "fit", training, training, config, seed=1)
    order = blocks_module.Blocks(training, 2, 1)
    shuffled = next(order.epoch(0)).inputs[:, 0].astype(np.float64)
    weight, first, second, losses = 0.5, 0.0, 0.0, []
    for step, batch in enumerate((shuffled[:2], shuffled[2:]), start=1):
        losses.append(float(np.sum((weight * batch - 2 * batch) ** 2)))
        gradient = float(np.mean(2 * (weight * batch - 2 * batch) * batch))
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        corrected = first / (1 - 0.9**step) / (math.sqrt(second / (1 - 0.999**step)) + 1e-7)
        weight -= 0.1 * corrected
    np.testing.assert_allclose(float(model.get_weights()[0][0, 0]), weight, rtol=1e-5)
    np.testing.assert_allclose(result.history["loss"], [sum(losses) / 3], rtol=1e-6)
    np.testing.assert_allclose(result.validation_loss, np.mean((weight * data - 2 * data) ** 2), rtol=1e-5)


def test_a_fit_lowers_the_loss_and_says_how_it_went(events: tuple[Values, Values]) -> None:
    _, result = fitted(events, 1)
    assert result.epochs == len(result.history["loss"]) == len(result.history["val_loss"]) == 3
    assert result.history["loss"][-1] < result.history["loss"][0]
    assert result.validation_loss == min(result.history["val_loss"])
    assert result.history["learning_rate"] == [0.01] * 3
    assert result.events_per_second > 0


def validation_loss(model: Any, validation: Values) -> float:
    """The mean squared error in float32."""
    predicted = np.asarray(model(float32(validation), training=False))
    return float(np.mean((predicted - float32(validation)) ** 2))


@pytest.mark.parametrize("epochs", [4, 40])
def test_the_best_weights_are_kept_whether_the_fit_ends_early_or_not(
    events: tuple[Values, Values], epochs: int
) -> None:
    # so large a step that the loss soon grows again
    config = FitConfig(epochs=epochs, batch_size=16, learning_rate=0.2, patience=2)
    model, result = fitted(events, 3, config)
    losses = result.history["val_loss"]
    assert losses[result.best_epoch - 1] == min(losses) < losses[-1]
    np.testing.assert_allclose(validation_loss(model, events[1]), result.validation_loss, rtol=1e-6)
    assert (result.epochs < epochs) == (epochs == 40)


def test_the_learning_rate_is_halved_and_the_fit_ends_without_a_better_loss(events: tuple[Values, Values]) -> None:
    _, result = fitted(events, 3, FitConfig(epochs=40, batch_size=16, learning_rate=0.2, patience=2))
    assert result.epochs == result.best_epoch + 4
    losses, rates, waited = result.history["val_loss"], [0.2], 0
    for epoch, loss in enumerate(losses):
        waited = 0 if loss < min([math.inf, *losses[:epoch]]) else waited + 1
        rates.append(rates[-1] / 2 if waited == 2 else rates[-1])
        waited %= 2
    assert result.history["learning_rate"] == rates[:-1]
    assert len(set(rates)) > 1


def test_a_cosine_leaves_no_epoch_out(events: tuple[Values, Values]) -> None:
    config = FitConfig(epochs=8, batch_size=16, learning_rate=0.2, patience=1, schedule="cosine")
    _, result = fitted(events, 3, config)
    assert result.epochs == 8
    assert result.best_epoch < 7
    expected = [0.1 * (1 + math.cos(math.pi * epoch / 8)) for epoch in range(8)]
    np.testing.assert_allclose(result.history["learning_rate"], expected, rtol=1e-12)


def test_a_loss_that_is_no_number_is_refused(events: tuple[Values, Values]) -> None:
    training, validation = events
    broken = training.copy()
    broken[3, 0] = np.nan
    with pytest.raises(UserError, match="float fit: the loss became nan"):
        fitted((broken, validation), 1)


def test_a_loss_that_grows_beyond_every_number_is_refused(events: tuple[Values, Values]) -> None:
    with pytest.raises(UserError, match=r"the loss became (inf|nan)") as refusal:
        fitted(events, 1, FitConfig(epochs=5, batch_size=16, learning_rate=1e30))
    assert "learning_rate" in refusal.value.remedy


# Pruning

PRUNING = PruningConfig(sparsity=0.5, begin=0.1, end=0.5)


def sparsity(model: Any) -> dict[str, float]:
    return {weight.name: float((weight.numpy() == 0).mean()) for weight in model.weights if "kernel" in weight.name}


def test_half_of_every_kernel_is_zero_after_pruning(events: tuple[Values, Values]) -> None:
    model, result = fitted(events, 1, FitConfig(epochs=8, batch_size=16, patience=1), pruning=PRUNING)
    assert set(sparsity(model).values()) == {0.5}
    # the first three epochs end before it does
    assert result.best_epoch >= 4
    assert result.validation_loss == min(result.history["val_loss"][3:])


@pytest.mark.parametrize(("epochs", "end"), [(1, 0.5), (1, 1.0), (3, 1.0)])
def test_few_epochs_are_enough_to_prune(events: tuple[Values, Values], epochs: int, end: float) -> None:
    config = FitConfig(epochs=epochs, batch_size=16)
    model, result = fitted(events, 1, config, pruning=PruningConfig(sparsity=0.5, begin=0.0, end=end))
    assert set(sparsity(model).values()) == {0.5}
    assert result.best_epoch == epochs


def test_zeros_survive_the_quantization_aware_fit_into_the_frozen_network(events: tuple[Values, Values]) -> None:
    make_deterministic(1)
    part, architecture = small_part(1), small_architecture()
    for layer in architecture.weighted:
        kernel, bias = part.get_layer(layer.name).get_weights()
        kernel[np.abs(kernel) < np.median(np.abs(kernel))] = 0
        part.get_layer(layer.name).set_weights([kernel, bias])
    before = {weight.name: weight.numpy() for weight in part.weights}
    fit(part, "quantized fit", *rows(events), QUICK, 1, keep_zeros=True)
    for weight in part.weights:
        found, started = weight.numpy(), before[weight.name]
        assert (found != started).any()
        if "kernel" in weight.name:
            assert (found[started == 0] == 0).all()
            assert (started == 0).any()
    kind = FixedPoint(True, 8, 3)
    model = with_score(part, architecture, "squared_error", QuantizationConfig(), events[0], kind, 1).model
    network = freeze(model, kind)
    for layer in architecture.weighted:
        codes = next(node for node in network.nodes if node.name == layer.name).kernel.codes  # type: ignore[union-attr]
        assert (codes[before[f"{layer.name}/kernel:0"] == 0] == 0).all()


# Going on after an interruption


class Interrupted(Exception):
    pass


def everything(architecture: Architecture, seed: int) -> tuple[Any, StochasticModel]:
    """A float model with all that depends on random numbers while it is trained."""
    make_deterministic(seed)
    model = build_float(architecture, leaky=True)
    return model, StochasticModel(model, architecture, l2=1e-3, kl_weight=1e-2, seed=seed)


@pytest.mark.parametrize("after", [1, 5])
def test_an_interrupted_fit_goes_on_to_the_same_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, after: int
) -> None:
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(blocks_module, "BLOCK_ROWS", 32)
    architecture = small("variational")
    # what is learnt is wrong in validation, so that the learning rate falls and the fit ends early
    training, validation = Rows(image_events(64), float32), Rows(image_events(32), float32, targets=lambda x: -x)
    config = FitConfig(epochs=10, batch_size=16, learning_rate=0.05, patience=1)

    def run(folder: Path | None) -> tuple[Any, FitResult]:
        model, stochastic = everything(architecture, 1)
        return model, fit(stochastic, "fit", training, validation, config, 1, pruning=PRUNING, checkpoint=folder)

    whole, expected = run(None)
    assert after < expected.epochs
    # the schedule is part of what goes on
    assert len(set(expected.history["learning_rate"])) > 1
    tell, epoch, ran = _Fit.tell, _Fit.epoch, []

    def interrupt(fitting: _Fit, *arguments: Any) -> None:
        tell(fitting, *arguments)
        if fitting.progress.epochs == after:
            raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(_Fit, "tell", interrupt)
        with pytest.raises(Interrupted):
            run(tmp_path)

    def count(fitting: _Fit, *arguments: Any) -> None:
        epoch(fitting, *arguments)
        ran.append(fitting.progress.epochs)

    monkeypatch.setattr(_Fit, "epoch", count)
    again, found = run(tmp_path)
    assert ran == list(range(after + 1, expected.epochs + 1))
    assert same_weights(whole, again)
    assert found.history == expected.history
    assert (found.best_epoch, found.validation_loss) == (expected.best_epoch, expected.validation_loss)
    # once it has ended, it does not run again
    finished, result = run(tmp_path)
    assert len(ran) == expected.epochs - after
    assert same_weights(whole, finished)
    assert result.history == expected.history


# What networks learn


def test_images_and_samples_are_fitted() -> None:
    architecture = small("max")
    _, stochastic = everything(architecture, 1)
    training = Rows(image_events(64), float32)
    result = fit(stochastic, "fit", training, training, QUICK, 1)
    assert result.history["loss"][-1] < result.history["loss"][0]
    assert stochastic.draws.numpy() == 3 * 4


def quantized(name: str, shipped: Any) -> tuple[Any, Any]:
    """A float model with random weights, and its quantized part, whose latent space is off."""
    architecture = small(name)
    model = randomise(build_float(architecture))
    weights = fold_batch_normalization(model, architecture)
    precisions = calibrate(weights, architecture, QuantizationConfig(), image_events(64), shipped).precisions
    part = build_quantized(architecture, weights, precisions, shipped)
    part.get_layer("latent").bias.assign_add(np.full(architecture.latent, 0.25))
    return model, part


def test_a_quantized_network_learns_the_score_of_a_float_one() -> None:
    make_deterministic(1)
    architecture = small("average")
    model, part = quantized("average", "squared_error")
    evaluation = FloatEvaluation(model, architecture)

    def targets(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        values = inputs.astype(np.float64)
        return float32(log_of_score(score("squared_error", values, evaluation(inputs), FEATURES)))

    training = Rows(image_events(64), float32, targets=targets)
    before = part.get_weights()
    result = fit(LogScoreModel(part, "squared_error", FEATURES), "fit", training, training, QUICK, 1)
    assert result.history["loss"][-1] < result.history["loss"][0]
    assert any((one != other).any() for one, other in zip(before, part.get_weights(), strict=True))
    scored = with_score(
        part, architecture, "squared_error", QuantizationConfig(), image_events(64), INPUT_TYPE, FEATURES
    )
    assert freeze(scored.model, INPUT_TYPE).output.name == "score"


def test_a_quantized_encoder_learns_the_float_latent_space() -> None:
    make_deterministic(1)
    model, part = quantized("dense", "mahalanobis")
    evaluation = FloatEvaluation(model, small("dense"))

    def targets(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        latent = evaluation(inputs).latent
        assert latent is not None
        return float32(latent)

    training = Rows(image_events(64), float32, targets=targets)
    result = fit(part, "fit", training, training, QUICK, 1)
    assert result.history["loss"][-1] < result.history["loss"][0]


def test_every_seed_is_fixed() -> None:
    def drawn() -> tuple[float, float]:
        make_deterministic(5)
        return random.random(), float(tf_keras.backend.random_uniform((1,))[0])

    assert drawn() == drawn()
