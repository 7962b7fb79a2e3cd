"""Float and quantization-aware fits: augmentation, early stopping, fixed seeds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import FitConfig
from trigger_ad.errors import UserError
from trigger_ad.events.layout import ETA, MET, PHI, PT
from trigger_ad.fixed_point import Values
from trigger_ad.models.keras import tensorflow, tf_keras
from trigger_ad.progress import Advance, progress


@dataclass(frozen=True)
class FitResult:
    """How a fit went.

    Args:
        epochs: How many ran.
        best_epoch: Whose weights were kept, counted from 1.
        validation_loss: The mean squared reconstruction error of that epoch on validation background.
        events_per_second: Training events over the time of the whole fit, validation included.
        history: Training and validation loss of each epoch.
    """

    epochs: int
    best_epoch: int
    validation_loss: float
    events_per_second: float
    history: dict[str, list[float]]


def augmented(particles: Values, copies: int, seed: int) -> Values:
    """Copies of events, turned by a random angle in phi and half of them reflected in eta.

    Proton-proton collisions are exactly symmetric under both. The first copy is the events as they are. For training
    events only, never for those that measure.

    Args:
        particles: Shape (events, 19, 4).
        copies: How many copies, the events themselves included.
        seed: Of the angles.

    Returns:
        Shape (events * copies, 19, 4).
    """
    generator = np.random.default_rng(seed)
    return np.concatenate([particles, *(_turned(particles, generator) for _ in range(copies - 1))])


def _turned(particles: Values, generator: np.random.Generator) -> Values:
    turned = particles.copy()
    present = particles[:, :, PT] > 0
    angles: NDArray[np.float64] = generator.uniform(-np.pi, np.pi, (len(particles), 1))
    phi = np.remainder(particles[:, :, PHI] + angles + np.pi, 2 * np.pi) - np.pi
    turned[:, :, PHI] = np.where(present, phi, 0.0)
    turned[:, :, ETA] *= generator.choice([-1.0, 1.0], (len(particles), 1))
    turned[:, MET, ETA] = 0.0
    return turned


def make_deterministic(seed: int) -> None:
    """Fixes every seed, and makes TensorFlow's operations repeatable on the same machine."""
    tf_keras.utils.set_random_seed(seed)
    tensorflow.config.experimental.enable_op_determinism()


def fit(model: Any, title: str, training: Values, validation: Values, config: FitConfig) -> FitResult:
    """Fits an autoencoder to reproduce its inputs; the best weights on validation events are kept.

    Args:
        model: A `tf_keras.Model`; it is compiled and trained in place.
        title: For the progress display.
        training: Inputs, shape (events, inputs).
        validation: Inputs, shape (events, inputs).
        config: Epochs, batch size, learning rate, patience.

    Raises:
        UserError: If the loss stops being a number.
    """
    model.compile(optimizer=tf_keras.optimizers.Adam(config.learning_rate), loss="mse")
    train, check = training.astype(np.float32), validation.astype(np.float32)
    started = time.perf_counter()
    with progress(title, config.epochs, "epochs") as advance:
        history = model.fit(
            train,
            train,
            validation_data=(check, check),
            epochs=config.epochs,
            batch_size=config.batch_size,
            validation_batch_size=8192,
            verbose=0,
            callbacks=_callbacks(config, advance, len(train)),
        ).history
    losses = [float(loss) for loss in history["val_loss"]]
    lost = next((loss for loss in losses if not np.isfinite(loss)), None)
    if lost is not None:
        raise UserError(f"{title}: the loss became {lost}", "Lower the learning_rate of this fit")
    best = int(np.argmin(losses))
    rate = len(train) * len(losses) / (time.perf_counter() - started)
    return FitResult(
        len(losses), best + 1, losses[best], rate, {key: _floats(history[key]) for key in ("loss", "val_loss")}
    )


def _floats(values: Sequence[Any]) -> list[float]:
    return [float(value) for value in values]


def _callbacks(config: FitConfig, advance: Advance, events: int) -> list[Any]:
    patience = config.patience
    return [
        tf_keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=patience),
        tf_keras.callbacks.EarlyStopping(patience=2 * patience, restore_best_weights=True),
        tf_keras.callbacks.TerminateOnNaN(),
        _progress_callback(advance, events),
    ]


def _progress_callback(advance: Advance, events: int) -> Any:
    started = time.perf_counter()

    def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
        rate = events * (epoch + 1) / (time.perf_counter() - started)
        advance(epoch + 1, f"loss {logs['loss']:.5f}, validation {logs['val_loss']:.5f}, {rate:,.0f} events/s")

    return tf_keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)
