"""Batches hold every event once; fits are repeatable and keep the best weights."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.networks import small_architecture, small_quantized

from trigger_ad import training as module
from trigger_ad.config import FitConfig
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint, Values
from trigger_ad.models.floating import build_float
from trigger_ad.models.keras import tf_keras
from trigger_ad.models.quantized import reconstruction_model
from trigger_ad.network.freezing import freeze
from trigger_ad.training import FitResult, Rows, _Batches, fit, make_deterministic

QUICK = FitConfig(epochs=3, batch_size=16, learning_rate=0.01, patience=3)


def float32(array: NDArray[Any]) -> NDArray[np.float32]:
    return array.astype(np.float32)


# Batches


def numbered(events: int) -> Rows:
    """Rows whose entries are their numbers."""
    return Rows(np.repeat(np.arange(events)[:, None], 3, axis=1), float32)


def epoch(batches: _Batches) -> list[list[int]]:
    """The numbers of the events of each batch, and the beginning of the next epoch."""
    found = []
    for index in range(len(batches)):
        inputs, targets = batches[index]
        assert inputs is targets
        assert inputs.dtype == np.float32
        assert inputs.shape[1:] == (3,)
        assert (inputs == inputs[:, :1]).all()
        found.append(inputs[:, 0].astype(int).tolist())
    batches.on_epoch_end()
    return found


def flat(found: list[list[int]]) -> list[int]:
    return [number for batch in found for number in batch]


BLOCKS = [2**18, 64, 48, 20, 16, 1]
"""Rows of a block: all, some, a few that are no whole number of batches, one batch, less than that."""


@pytest.mark.parametrize("block_rows", BLOCKS)
@pytest.mark.parametrize("events", [1, 15, 16, 17, 64, 100, 161])
def test_every_event_is_in_every_epoch_once(monkeypatch: pytest.MonkeyPatch, block_rows: int, events: int) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    batches = _Batches(numbered(events), 16, seed=3)
    assert len(batches) == -(-events // 16)
    epochs = [epoch(batches) for _ in range(4)]
    for found in epochs:
        assert sorted(flat(found)) == list(range(events))
        # one batch may be shorter than the others
        assert sorted(map(len, found), reverse=True)[: events // 16] == [16] * (events // 16)
    if events > 15:
        assert len({tuple(flat(found)) for found in epochs}) == 4


@pytest.mark.parametrize("block_rows", BLOCKS)
def test_the_same_seed_gives_the_same_order_and_another_another(
    monkeypatch: pytest.MonkeyPatch, block_rows: int
) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    one, again, other = (_Batches(numbered(100), 16, seed) for seed in (3, 3, 4))
    for _ in range(3):
        order = epoch(one)
        assert order == epoch(again)
        assert order != epoch(other)


def test_blocks_come_in_another_order_in_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", 32)
    batches = _Batches(numbered(320), 16, seed=3)
    orders = []
    for _ in range(4):
        found = epoch(batches)
        blocks = [{number // 32 for number in batch} for batch in found]
        assert all(len(block) == 1 for block in blocks)
        orders.append([block.pop() for block in blocks])
        # both batches of a block follow each other: it is read once
        assert orders[-1][::2] == orders[-1][1::2]
        assert sorted(orders[-1][::2]) == list(range(10))
    assert len(set(map(tuple, orders))) == 4


def test_a_block_is_spread_over_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files follow each other in the rows: a block of one file alone would be no sample of the events."""
    monkeypatch.setattr(module, "BLOCK_ROWS", 64)
    monkeypatch.setattr(module, "SEGMENT_ROWS", 16)
    found = epoch(_Batches(numbered(320), 64, seed=3))
    assert sorted(flat(found)) == list(range(320))
    for block in found:
        assert [sum(first <= number < first + 80 for number in block) for first in (0, 80, 160, 240)] == [16] * 4


def test_one_block_is_in_memory_at_a_time_and_read_once_in_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", 32)
    read: list[int] = []

    def values(rows: NDArray[Any]) -> NDArray[np.float32]:
        read.append(len(rows))
        return float32(rows)

    batches = _Batches(Rows(np.zeros((100, 3)), values), 16, seed=3)
    epoch(batches)
    assert sorted(read) == [4, 32, 32, 32]


@pytest.mark.parametrize("block_rows", BLOCKS)
def test_without_a_seed_events_come_in_their_order(monkeypatch: pytest.MonkeyPatch, block_rows: int) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    batches = _Batches(numbered(100), 16)
    for _ in range(2):
        found = epoch(batches)
        assert flat(found) == list(range(100))
        assert list(map(len, found)) == [16] * 6 + [4]


# Fits


@pytest.fixture(scope="module")
def events() -> tuple[Values, Values]:
    """Training and validation inputs."""
    generator = np.random.default_rng(1)
    return generator.normal(size=(64, 4)), generator.normal(size=(32, 4))


def rows(events: tuple[Values, Values]) -> tuple[Rows, Rows]:
    training, validation = events
    return Rows(training, float32), Rows(validation, float32)


def fitted(events: tuple[Values, Values], seed: int, config: FitConfig = QUICK) -> tuple[Any, FitResult]:
    make_deterministic(seed)
    model = build_float(small_architecture())
    return model, fit(model, "float fit", *rows(events), config, seed)


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


@pytest.mark.parametrize("block_rows", [2**18, 32])
def test_a_fit_sees_what_the_batches_hold(
    events: tuple[Values, Values], monkeypatch: pytest.MonkeyPatch, block_rows: int
) -> None:
    """Also where an epoch ends within Keras: every epoch has every event once, in an order of its own."""
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    seen: list[list[float]] = []

    class Watched(_Batches):
        def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            batch = super().__getitem__(index)
            if self._seed is not None:
                seen.append(batch[0][:, 0].tolist())
            return batch

    monkeypatch.setattr(module, "_Batches", Watched)
    fitted(events, 1)
    expected = sorted(float32(events[0])[:, 0].tolist())
    # Keras looks at the first batch before the first epoch
    looked = len(seen) - 3 * 4
    assert seen[:looked] == [seen[looked]] * looked
    orders = [[value for batch in seen[start : start + 4] for value in batch] for start in range(looked, len(seen), 4)]
    assert [sorted(order) for order in orders] == [expected] * 3
    assert len(set(map(tuple, orders))) == 3


def test_words_are_fitted_as_the_values_that_they_stand_for(tmp_path: Path) -> None:
    """From a file, a block at a time: the same fit as with the values in memory."""
    generator = np.random.default_rng(1)
    words = generator.integers(-128, 128, (96, 4)).astype(np.int16)
    np.save(tmp_path / "words.npy", words)
    mapped = np.load(tmp_path / "words.npy", mmap_mode="r")

    def values(some: NDArray[Any]) -> NDArray[np.float32]:
        return (some / 64).astype(np.float32)

    results, weights = [], []
    for training, validation in (
        (Rows(mapped[:64], values), Rows(mapped[64:], values)),
        (Rows(words[:64] / 64, float32), Rows(words[64:] / 64, float32)),
    ):
        make_deterministic(1)
        model = build_float(small_architecture())
        results.append(fit(model, "fit", training, validation, QUICK, 1).history)
        weights.append(model.get_weights())
    assert results[0] == results[1]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_fit_in_several_blocks_is_repeatable(events: tuple[Values, Values], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", 32)
    (first, one), (again, other) = (fitted(events, 1) for _ in range(2))
    assert one.history == other.history
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


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
    result = fit(reconstruction_model(model), "quantized fit", *rows(events), QUICK, 1)
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
