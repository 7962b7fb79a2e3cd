"""Arrays in files that are larger than memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def allocate(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Makes an array in a file in NumPy's format, to be written through the map that is returned.

    Its blocks are taken from the disk at once: writing through a map to a disk that is full would kill the process.

    Args:
        path: The file.
        shape: Of the array.
        dtype: Of its entries.

    Raises:
        OSError: The disk has no room for it.
    """
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    with path.open("r+b") as stream:
        os.posix_fallocate(stream.fileno(), 0, array.offset + array.nbytes)
    return array


def smallest_integer(low: int, high: int) -> np.dtype[Any]:
    """The smallest signed integer type that holds two numbers, and all between them."""
    kinds = (np.iinfo(kind) for kind in (np.int8, np.int16, np.int32))
    return next((kind.dtype for kind in kinds if kind.min <= low and high <= kind.max), np.dtype(np.int64))
