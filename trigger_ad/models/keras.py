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

__all__ = ["quiet_serialization", "save_model", "tensorflow", "tf_keras"]


@contextmanager
def quiet_serialization() -> Iterator[None]:
    """Silences two warnings of tf_keras about what is meant here: HDF5, and QKeras's way to write quantizers."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*saving your model as an HDF5 file.*", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*constraints.serialize.*", category=UserWarning)
        yield


def save_model(model: Any, path: Path) -> None:
    """Writes a model as HDF5, the format that every hls4ml and QKeras reads."""
    with quiet_serialization():
        model.save(path, save_format="h5", include_optimizer=False)
