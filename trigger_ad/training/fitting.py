"""Float and quantization-aware fits: early stopping, schedules, pruning, fixed seeds."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trigger_ad.config import FitConfig, PruningConfig
from trigger_ad.errors import UserError
from trigger_ad.models.keras import tensorflow, tf_keras
from trigger_ad.progress import Advance, progress
from trigger_ad.training.blocks import Blocks, Rows
from trigger_ad.training.checkpoint import Checkpoint, Progress, Weights
from trigger_ad.training.pruning import Masks, sparsity_at
from trigger_ad.training.steps import VALIDATION_BATCH, Steps


@dataclass(frozen=True)
class FitResult:
    """How a fit went.

    Args:
        epochs: How many ran.
        best_epoch: Whose weights were kept, counted from 1.
        validation_loss: The loss of that epoch on validation background: the mean squared error, and the divergence of
            a variational model.
        events_per_second: Training events over the time of the whole fit, validation included.
        history: Training and validation loss, and learning rate, of each epoch.
    """

    epochs: int
    best_epoch: int
    validation_loss: float
    events_per_second: float
    history: dict[str, list[float]]


def make_deterministic(seed: int) -> None:
    """Fixes every seed, and makes TensorFlow's operations repeatable on the same machine."""
    tf_keras.utils.set_random_seed(seed)
    tensorflow.config.experimental.enable_op_determinism()


def fit(
    model: Any,
    title: str,
    training: Rows,
    validation: Rows,
    config: FitConfig,
    seed: int,
    *,
    pruning: PruningConfig | None = None,
    keep_zeros: bool = False,
    checkpoint: Path | None = None,
) -> FitResult:
    """Fits a network to its targets by their mean squared error; the best weights on validation events are kept.

    Args:
        model: A `tf_keras.Model` with one input and one output, such as a `StochasticModel`, a `LogScoreModel` or a
            part of a quantized model; trained in place.
        title: For the progress display.
        training: Training events.
        validation: Validation events.
        config: Epochs, batch size, learning rate, schedule, patience.
        seed: Of the order of the training events, and of anomalies.
        pruning: How many weights become zero, and when; epochs that end before the last of them is do not count for
            early stopping, nor for the best weights.
        keep_zeros: The weights of kernels that are zero at the start stay so.
        checkpoint: A folder of this fit's own. If a fit that was interrupted left its state there, this one goes on
            from it, to the same result. It is for the caller to remove, once the model is safe.

    Raises:
        UserError: If the loss stops being a number.
    """
    fitting = _Fit(model, title, config, pruning, keep_zeros=keep_zeros)
    settings = [config.model_dump(), pruning and pruning.model_dump(), keep_zeros, seed, len(training), len(validation)]
    saved = Checkpoint(checkpoint, {"title": title, "settings": settings}, model.get_weights())
    if (found := saved.read()) is not None:
        fitting.go_on(*found)
    with (
        Blocks(training, config.batch_size, seed) as train,
        Blocks(validation, VALIDATION_BATCH, seed, validation=True) as check,
        progress(title, config.epochs, "epochs") as advance,
    ):
        while not fitting.progress.ended:
            with fitting.timed():
                fitting.epoch(train, check)
                saved.write(fitting.progress, fitting.weights())
            fitting.tell(advance, sum(train.sizes))
        return fitting.result(sum(train.sizes))


class _Fit:
    """One fit, epoch by epoch."""

    def __init__(
        self, model: Any, title: str, config: FitConfig, pruning: PruningConfig | None, *, keep_zeros: bool
    ) -> None:
        self._model = model
        self._title = title
        self._config = config
        self._pruning = pruning
        self._masks = Masks(model, keep_zeros=keep_zeros) if pruning or keep_zeros else None
        self._steps = Steps(model, config.batch_size, self._masks)
        self._best = model.get_weights()
        self.progress = Progress(config.learning_rate)

    def weights(self) -> Weights:
        """All that a checkpoint needs beside the progress."""
        masks = [] if self._masks is None else self._masks.get()
        optimizer = self._steps.optimizer_weights
        return {"model": self._model.get_weights(), "optimizer": optimizer, "best": self._best, "masks": masks}

    def go_on(self, state: Progress, weights: Weights) -> None:
        """Takes up an earlier fit."""
        self.progress, self._best = state, weights["best"]
        self._model.set_weights(self._best if state.ended else weights["model"])
        self._steps.optimizer_weights = weights["optimizer"]
        if self._masks is not None:
            self._masks.set(weights["masks"])

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Counts the time of the block."""
        started = time.perf_counter()
        yield
        self.progress.seconds += time.perf_counter() - started

    def epoch(self, train: Blocks, check: Blocks) -> None:
        """One epoch, its validation, and what follows from it."""
        number, state = self.progress.epochs, self.progress
        self._steps.set_learning_rate(state.learning_rate)
        loss = self._trained(train, number)
        validation_loss = self._mean(sum(map(self._steps.validate, check.epoch(number))), check)
        for value in (loss, validation_loss):
            if not math.isfinite(value):
                raise UserError(
                    f"{self._title}: the loss became {value}",
                    "Lower the learning_rate of this fit, or see with 'trigger-ad inspect' if events have impossible "
                    "values",
                )
        for key, value in (("loss", loss), ("val_loss", validation_loss), ("learning_rate", state.learning_rate)):
            state.history[key].append(value)
        state.epochs += 1
        self._judge(validation_loss)
        if state.ended:
            self._model.set_weights(self._best)

    def _trained(self, train: Blocks, number: int) -> float:
        """One epoch of steps; its mean loss."""
        total, done, size = 0.0, 0, sum(train.sizes)
        for block in train.epoch(number):
            for start in range(0, len(block.inputs), self._steps.events_in_a_call):
                self._prune(number + done / size)
                total += self._steps.train(block, start)
                done += min(self._steps.events_in_a_call, len(block.inputs) - start)
        self._prune(number + 1)
        return self._mean(total, train)

    def _mean(self, total: float, blocks: Blocks) -> float:
        return total / sum(blocks.sizes)

    def _prune(self, epochs: float) -> None:
        """Brings the share of zeros to what it is after so many epochs."""
        if self._pruning is not None and self._masks is not None:
            share = sparsity_at(self._pruning, epochs / self._config.epochs)
            if share > 0:
                self._masks.prune(share)

    def _judge(self, loss: float) -> None:
        """Keeps the weights if they are the best; sets the learning rate of the next epoch; ends the fit."""
        state, patience = self.progress, self._config.patience
        counts = self._pruning is None or state.epochs / self._config.epochs >= self._pruning.end
        if counts and (state.best_loss is None or loss < state.best_loss):
            state.best_loss, state.best_epoch, state.since_lowered = loss, state.epochs, 0
            self._best = self._model.get_weights()
        elif counts:
            state.since_lowered += 1
        state.ended = state.epochs == self._config.epochs
        if self._config.schedule == "cosine":
            share = state.epochs / self._config.epochs
            state.learning_rate = self._config.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
            return
        if state.since_lowered == patience:
            state.learning_rate, state.since_lowered = state.learning_rate / 2, 0
        state.ended = state.ended or (counts and state.epochs - state.best_epoch >= 2 * patience)

    def tell(self, advance: Advance, events: int) -> None:
        """Shows how it goes."""
        state = self.progress
        rate = events * state.epochs / state.seconds
        loss, validation_loss = state.history["loss"][-1], state.history["val_loss"][-1]
        advance(state.epochs, f"loss {loss:.5f}, validation {validation_loss:.5f}, {rate:,.0f} events/s")

    def result(self, events: int) -> FitResult:
        """How it went."""
        state = self.progress
        assert state.best_loss is not None
        rate = events * state.epochs / state.seconds
        return FitResult(state.epochs, state.best_epoch, state.best_loss, rate, state.history)
