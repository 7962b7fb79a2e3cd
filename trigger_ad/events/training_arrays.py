"""What the fits read: the training background, its copies, and the validation background, as arrays in the cache."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.arrays import allocate
from trigger_ad.events.augmentation import turned
from trigger_ad.events.cache import cached, code_digest, reading_entry
from trigger_ad.events.dataset import Dataset, Part
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import Values
from trigger_ad.run_directory import text_digest


@dataclass(frozen=True, eq=False)
class TrainingArrays:
    """Mapped arrays; the rows of a pair belong to the same events.

    Attributes:
        exact: Training events and their copies as `InputEncoding.exact_values`, float32, shape (rows, inputs).
        words: The same as trigger words.
        validation_exact: Validation events, in the same way.
        validation_words: The same as trigger words.
    """

    exact: NDArray[np.float32]
    words: NDArray[np.integer[Any]]
    validation_exact: NDArray[np.float32]
    validation_words: NDArray[np.integer[Any]]


def training_arrays(dataset: Dataset, encoding: InputEncoding, copies: int, seed: int) -> TrainingArrays:
    """Makes the arrays of a study, or takes them from the cache.

    Args:
        dataset: Its events.
        encoding: How physical values become inputs.
        copies: Rows for each training event: itself, and copies that are turned and reflected.
        seed: Of the copies.

    Raises:
        UserError: A file cannot be read any more, or the cache cannot be written.
    """
    background = dataset.background
    digests = [file.digest for file in background["train"].files]
    inputs, layout = encoding.config.model_dump(), encoding.layout.config.model_dump()
    key = text_digest(json.dumps([code_digest(), digests, layout, inputs, copies, seed]))
    rows = {"": len(background["train"]) * copies, "validation_": len(background["validation"])}
    entry = cached(
        key,
        functools.partial(_fill, background, encoding, copies, seed, rows),
        what="preparing training events",
        needed_bytes=sum(rows.values()) * encoding.inputs * (4 + encoding.word_dtype.itemsize),
    )
    with reading_entry(entry):
        arrays = {name: np.load(entry / f"{name}.npy", mmap_mode="r") for name in _names(rows)}
        for name, array in arrays.items():
            if array.shape != (rows[name.removesuffix("exact").removesuffix("words")], encoding.inputs):
                raise ValueError(f"{name} has the shape {array.shape}")
    return TrainingArrays(**arrays)


def _names(parts: Sequence[str] | dict[str, int]) -> Iterator[str]:
    return (f"{part}{kind}" for part in parts for kind in ("exact", "words"))


def _fill(
    background: dict[str, Part], encoding: InputEncoding, copies: int, seed: int, rows: dict[str, int], folder: Path
) -> None:
    generator = np.random.default_rng(seed)

    def copied(particles: Values) -> Iterator[Values]:
        yield particles
        for _ in range(copies - 1):
            yield turned(particles, encoding.layout, generator)

    for part, blocks in (
        ("", (copy for particles in background["train"].particles() for copy in copied(particles))),
        ("validation_", background["validation"].particles()),
    ):
        exact = allocate(folder / f"{part}exact.npy", (rows[part], encoding.inputs), np.dtype(np.float32))
        words = allocate(folder / f"{part}words.npy", (rows[part], encoding.inputs), encoding.word_dtype)
        start = 0
        for block in blocks:
            stop = start + len(block)
            exact[start:stop] = encoding.exact_values(block)
            words[start:stop] = encoding.words(block)
            start = stop
