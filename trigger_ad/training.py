"""Float and quantization-aware fits: batches, early stopping, fixed seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import FitConfig
from trigger_ad.errors import UserError
from trigger_ad.models.keras import tensorflow, tf_keras
from trigger_ad.progress import Advance, progress

BLOCK_ROWS: Final = 2**18
"""Training events that are in memory, and shuffled among each other, at a time."""

SEGMENT_ROWS: Final = 2**12
"""A block of training events is put together from stretches of so many, evenly spread over all of them: files, and
processes within a file, may follow each other."""


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


def make_deterministic(seed: int) -> None:
    """Fixes every seed, and makes TensorFlow's operations repeatable on the same machine."""
    tf_keras.utils.set_random_seed(seed)
    tensorflow.config.experimental.enable_op_determinism()


@dataclass(frozen=True)
class Rows:
    """Network inputs that are too many for memory, perhaps: an array in a file, and what its entries mean.

    Args:
        array: Shape (events, inputs), often memory-mapped.
        values: From some of its rows to the network's input values, float32 of the same shape.
    """

    array: NDArray[Any]
    values: Callable[[NDArray[Any]], NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.array)


class _Batches(tf_keras.utils.Sequence):  # type: ignore[misc]
    """Batches for an autoencoder, of which one block of rows at a time is in memory.

    With a seed the blocks come in another order in each epoch, and the rows of each block as well. What fits into
    one block is shuffled perfectly.
    """

    def __init__(self, rows: Rows, batch_size: int, seed: int | None = None) -> None:
        super().__init__()
        self._rows = rows
        self._batch_size = batch_size
        self._seed = seed
        self._blocks = _blocks(len(rows), batch_size, spread=seed is not None)
        self._loaded: tuple[int, NDArray[np.float32]] | None = None
        self._epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return sum(map(self._batches_in, range(len(self._blocks))))

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        position = 0
        while index >= self._batches_in(position):
            index -= self._batches_in(position)
            position += 1
        block = self._block(position)
        batch = block[index * self._batch_size : (index + 1) * self._batch_size]
        return batch, batch

    def on_epoch_end(self) -> None:
        """Draws the order of the next epoch."""
        self._epoch += 1
        self._order = list(range(len(self._blocks)))
        if self._seed is not None:
            # a block that is read again with another order of its rows must not be taken for the one in memory
            self._loaded = None
            np.random.default_rng([self._seed, self._epoch]).shuffle(self._order)

    def _batches_in(self, position: int) -> int:
        rows = sum(stop - start for start, stop in self._blocks[self._order[position]])
        return -(-rows // self._batch_size)

    def _block(self, position: int) -> NDArray[np.float32]:
        number = self._order[position]
        if self._loaded is None or self._loaded[0] != number:
            self._loaded = None
            stretches = [self._rows.array[start:stop] for start, stop in self._blocks[number]]
            block = self._rows.values(np.concatenate(stretches))
            if self._seed is not None:
                block = block[np.random.default_rng([self._seed, self._epoch, number]).permutation(len(block))]
            self._loaded = (number, block)
        return self._loaded[1]


def _blocks(rows: int, batch_size: int, *, spread: bool) -> list[list[tuple[int, int]]]:
    """Cuts rows into blocks of about `BLOCK_ROWS`, each a list of stretches: neighbours, or spread over all rows."""
    block = max(1, BLOCK_ROWS // batch_size) * batch_size
    length = min(SEGMENT_ROWS, block)
    segments = [(start, min(start + length, rows)) for start in range(0, rows, length)]
    per_block = block // length
    count = -(-len(segments) // per_block)
    if spread:
        return [segments[number::count] for number in range(count)]
    return [segments[number * per_block : (number + 1) * per_block] for number in range(count)]


def fit(model: Any, title: str, training: Rows, validation: Rows, config: FitConfig, seed: int) -> FitResult:
    """Fits an autoencoder to reproduce its inputs; the best weights on validation events are kept.

    Args:
        model: A `tf_keras.Model`; it is compiled and trained in place.
        title: For the progress display.
        training: Inputs of training events.
        validation: Inputs of validation events.
        config: Epochs, batch size, learning rate, patience.
        seed: Of the order of the training events.

    Raises:
        UserError: If the loss stops being a number.
    """
    model.compile(optimizer=tf_keras.optimizers.Adam(config.learning_rate), loss="mse")
    started = time.perf_counter()
    with progress(title, config.epochs, "epochs") as advance:
        history = model.fit(
            _Batches(training, config.batch_size, seed),
            validation_data=_Batches(validation, 8192),
            epochs=config.epochs,
            shuffle=False,
            verbose=0,
            callbacks=_callbacks(config, advance, len(training)),
        ).history
    losses = [float(loss) for loss in history["val_loss"]]
    lost = next((loss for loss in losses if not np.isfinite(loss)), None)
    if lost is not None:
        raise UserError(
            f"{title}: the loss became {lost}",
            "Lower the learning_rate of this fit, or see with 'trigger-ad inspect' if events have impossible values",
        )
    best = int(np.argmin(losses))
    rate = len(training) * len(losses) / (time.perf_counter() - started)
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
