"""TensorFlow and tf_keras, imported here alone and in silence.

TensorFlow's C++ start-up writes lines about CPU features and missing GPUs straight to standard error, before any log
level is read; our users' terminal is not the place for them.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@contextmanager
def _silent_start_up() -> Iterator[None]:
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


with _silent_start_up(), warnings.catch_warnings():
    # deprecations inside TensorFlow's own dependencies
    warnings.simplefilter("ignore")
    import tensorflow
    import tf_keras

    # the CPU is looked at, and reported on, when the first operation runs
    tensorflow.constant(0)

tensorflow.get_logger().setLevel("ERROR")

__all__ = ["Predictor", "quiet_serialization", "save_model", "tensorflow", "tf_keras"]


@contextmanager
def quiet_serialization() -> Iterator[None]:
    """Silences warnings about what is meant here: HDF5, and QKeras's ways to write and to read quantizers."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*saving your model as an HDF5 file.*", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*constraints.serialize.*", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*deprecated.*", category=DeprecationWarning, module="qkeras")
        yield


def save_model(model: Any, path: Path) -> None:
    """Writes a model as HDF5, the format that every hls4ml and QKeras reads."""
    with quiet_serialization():
        model.save(path, save_format="h5", include_optimizer=False)


class Predictor:
    """What a model makes of events, batch by batch, compiled once; safe to call from another thread.

    Args:
        model: A functional model with one input.
        batch_size: Events that are in the model at a time.
    """

    def __init__(self, model: Any, batch_size: int = 8192) -> None:
        (source,) = model.inputs
        self._shape = tuple(source.shape[1:])
        self._dtype = source.dtype
        self._batch_size = batch_size
        signature = tensorflow.TensorSpec((None, *self._shape), self._dtype)
        self._outputs = tensorflow.function(
            lambda values: tensorflow.nest.flatten(model(values, training=False)), input_signature=[signature]
        )

    def __call__(self, inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """Every output of the model.

        Args:
            inputs: Shape (events, ...), as many values for each event as the model reads.

        Returns:
            Arrays of shape (events, ...) and of the model's own floating-point type.
        """
        values = np.asarray(inputs, dtype=self._dtype.as_numpy_dtype).reshape(len(inputs), *self._shape)
        if not len(values):
            # some operations fail without events: outputs of the right shape come from an event that is dropped
            return [array[:0] for array in self(np.zeros((1, *self._shape)))]
        starts = range(0, len(values), self._batch_size)
        batches = [self._outputs(tensorflow.constant(values[start : start + self._batch_size])) for start in starts]
        return [np.concatenate([tensor.numpy() for tensor in tensors]) for tensors in zip(*batches, strict=True)]
