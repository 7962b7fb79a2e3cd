"""Fits are repeatable and keep the best weights; augmentation changes nothing that physics measures."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.events import make_particles
from support.networks import small_architecture, small_quantized

from trigger_ad.config import FitConfig
from trigger_ad.errors import UserError
from trigger_ad.events.layout import CLASS, ETA, MET, PHI, PT
from trigger_ad.fixed_point import FixedPoint, Values
from trigger_ad.models.floating import build_float
from trigger_ad.models.keras import tf_keras
from trigger_ad.models.quantized import reconstruction_model
from trigger_ad.network.freezing import freeze
from trigger_ad.training import FitResult, augmented, fit, make_deterministic

copies = st.integers(1, 4)
seeds = st.integers(0, 2**31 - 1)
QUICK = FitConfig(epochs=3, batch_size=16, learning_rate=0.01, patience=3)


@given(copies, seeds)
def test_the_first_copy_is_the_events_themselves(count: int, seed: int) -> None:
    particles = make_particles(6)
    before = particles.copy()
    found = augmented(particles, count, seed)
    assert found.shape == (6 * count, 19, 4)
    np.testing.assert_array_equal(found[:6], before)
    np.testing.assert_array_equal(particles, before)


@given(seeds)
def test_pt_class_and_the_size_of_eta_stay(seed: int) -> None:
    particles = make_particles(6)
    for copy in augmented(particles, 3, seed).reshape(3, 6, 19, 4):
        np.testing.assert_array_equal(copy[:, :, [PT, CLASS]], particles[:, :, [PT, CLASS]])
        np.testing.assert_array_equal(np.abs(copy[:, :, ETA]), np.abs(particles[:, :, ETA]))


@given(seeds)
def test_eta_is_reflected_in_whole_events(seed: int) -> None:
    particles = make_particles(20)
    turned = augmented(particles, 2, seed)[20:, :, ETA]
    same = (turned == particles[:, :, ETA]).all(axis=1)
    reflected = (turned == -particles[:, :, ETA]).all(axis=1)
    assert (same | reflected).all()
    assert same.any()
    assert reflected.any()


@given(seeds)
def test_angles_between_objects_stay(seed: int) -> None:
    particles = make_particles(6)
    turned = augmented(particles, 2, seed)[6:]
    present = particles[:, :, PT] > 0
    angle = np.exp(1j * (turned[:, :, PHI] - particles[:, :, PHI]))
    for event in range(6):
        # one rotation for the whole event; adding an angle to phi rounds to about 1e-15
        assert np.abs(angle[event, present[event]] - angle[event, 0]).max() < 1e-14
    assert np.abs(turned[:, :, PHI]).max() <= np.pi


@given(seeds)
def test_rotations_differ_from_event_to_event(seed: int) -> None:
    particles = make_particles(6)
    turned = augmented(particles, 2, seed)[6:]
    assert len({round(angle, 6) for angle in np.mod(turned[:, 0, PHI] - particles[:, 0, PHI], 2 * np.pi).tolist()}) == 6


@given(copies, seeds)
def test_absent_objects_stay_zero_and_met_has_no_eta(count: int, seed: int) -> None:
    particles = make_particles(6)
    # as some files have it
    particles[:, MET, ETA] = 0.3
    found = augmented(particles, count, seed)
    assert not found[found[:, :, PT] == 0].any()
    assert not found[6:, MET, ETA].any()


def test_the_seed_fixes_the_copies() -> None:
    particles = make_particles(6)
    np.testing.assert_array_equal(augmented(particles, 3, 7), augmented(particles, 3, 7))
    assert not np.array_equal(augmented(particles, 3, 7), augmented(particles, 3, 8))
    first, second, third = augmented(particles, 3, 7).reshape(3, 6, 19, 4)
    assert not np.array_equal(second, third)
    assert not np.array_equal(first, second)


@pytest.fixture(scope="module")
def events() -> tuple[Values, Values]:
    """Training and validation inputs."""
    generator = np.random.default_rng(1)
    return generator.normal(size=(64, 4)), generator.normal(size=(32, 4))


def fitted(events: tuple[Values, Values], seed: int, config: FitConfig = QUICK) -> tuple[Any, FitResult]:
    make_deterministic(seed)
    model = build_float(small_architecture())
    return model, fit(model, "float fit", *events, config)


def validation_loss(model: Any, validation: Values) -> float:
    """As Keras computes it: the mean squared error in float32."""
    values = validation.astype(np.float32)
    return float(model.evaluate(values, values, batch_size=8192, verbose=0))


def test_the_same_seed_gives_the_same_fit(events: tuple[Values, Values]) -> None:
    (first, one), (again, other) = (fitted(events, 1) for _ in range(2))
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.history == other.history
    assert (one.epochs, one.best_epoch, one.validation_loss) == (other.epochs, other.best_epoch, other.validation_loss)
    different, _ = fitted(events, 2)
    assert any((a != b).any() for a, b in zip(first.get_weights(), different.get_weights(), strict=True))


def test_a_fit_lowers_the_loss_and_says_how_it_went(events: tuple[Values, Values]) -> None:
    _, result = fitted(events, 1)
    assert result.epochs == len(result.history["loss"]) == len(result.history["val_loss"]) == 3
    assert result.history["loss"][-1] < result.history["loss"][0]
    assert result.validation_loss == min(result.history["val_loss"])
    assert result.events_per_second > 0


@pytest.mark.parametrize("epochs", [4, 40])
def test_the_best_weights_are_kept_whether_the_fit_ends_early_or_not(
    events: tuple[Values, Values], epochs: int
) -> None:
    # so large a step that the loss soon grows again
    config = FitConfig(epochs=epochs, batch_size=16, learning_rate=0.2, patience=2)
    model, result = fitted(events, 3, config)
    losses = result.history["val_loss"]
    assert losses[result.best_epoch - 1] == min(losses) < losses[-1]
    assert validation_loss(model, events[1]) == result.validation_loss
    assert (result.epochs < epochs) == (epochs == 40)


def test_a_fit_ends_after_twice_the_patience_without_a_better_loss(events: tuple[Values, Values]) -> None:
    _, result = fitted(events, 3, FitConfig(epochs=40, batch_size=16, learning_rate=0.2, patience=2))
    assert result.epochs == result.best_epoch + 4


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


def test_a_quantized_model_can_be_fitted_and_is_frozen_with_what_it_learnt(events: tuple[Values, Values]) -> None:
    make_deterministic(1)
    model = small_quantized(1)
    before = [weight.copy() for weight in model.get_weights()]
    result = fit(reconstruction_model(model), "quantized fit", *events, QUICK)
    assert np.isfinite(result.validation_loss)
    after = model.get_weights()
    assert any((a != b).any() for a, b in zip(before, after, strict=True))
    # the last weights are the ones of the score
    assert after[-1].tolist() == [[1.0]] * 4
    assert freeze(model, FixedPoint(True, 8, 3)).output.name == "score"


def test_every_seed_is_fixed() -> None:
    def drawn() -> tuple[float, float]:
        make_deterministic(5)
        return random.random(), float(tf_keras.backend.random_uniform((1,))[0])

    assert drawn() == drawn()
