"""What a fit goes on from after an interruption: everything that its further course depends on, in one file."""

from __future__ import annotations

import hashlib
import json
import logging
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_LOGGER = logging.getLogger(__name__)

SECONDS_BETWEEN: Final = 20.0
"""Epochs that follow the last one written sooner are not written: after an interruption they are repeated."""

_STATE: Final = "state"


@dataclass
class Progress:
    """How far a fit has come.

    Attributes:
        epochs: How many have ended.
        learning_rate: Of the next one.
        best_loss: The smallest validation loss so far.
        best_epoch: When it was, counted from 1; 0 before there is one.
        since_lowered: Epochs since the last better loss, or since the learning rate was lowered.
        seconds: Of work.
        ended: Whether the fit is over.
        history: Losses and learning rate of each epoch.
    """

    learning_rate: float
    epochs: int = 0
    best_loss: float | None = None
    best_epoch: int = 0
    since_lowered: int = 0
    seconds: float = 0.0
    ended: bool = False
    history: dict[str, list[float]] = field(default_factory=lambda: {"loss": [], "val_loss": [], "learning_rate": []})


Weights = dict[str, list[NDArray[Any]]]
"""Arrays by what they belong to: the model, the optimizer, the best epoch, the masks."""


class Checkpoint:
    """The file of one fit in a folder.

    Args:
        folder: Where; None for a fit that cannot go on.
        settings: What makes the fit another one if it differs.
        weights: Those that it begins with, which do so too.
    """

    def __init__(self, folder: Path | None, settings: Mapping[str, Any], weights: Sequence[NDArray[Any]]) -> None:
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for array in weights:
            digest.update(np.ascontiguousarray(array).tobytes())
        self._fit = digest.hexdigest()
        self._path = folder / "fit.npz" if folder else None
        self._written = time.monotonic()

    def read(self) -> tuple[Progress, Weights] | None:
        """What was written last, if it belongs to this fit and is whole."""
        if self._path is None or not self._path.exists():
            return None
        try:
            with self._path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                state = json.loads(str(file[_STATE]))
                weights: Weights = {
                    kind: [file[f"{kind}_{n}"] for n in range(count)] for kind, count in state["arrays"]
                }
            if state["fit"] != self._fit:
                _LOGGER.info("%s belongs to another fit: this one begins anew", self._path)
                return None
            return Progress(**state["progress"]), weights
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            _LOGGER.warning("%s is damaged (%s): the fit begins anew", self._path, error)
            return None

    def write(self, progress: Progress, weights: Weights) -> None:
        """Writes the file whole, unless that was done a moment ago and the fit is not over.

        Raises:
            OSError: The disk is full, or the folder cannot be written.
        """
        if self._path is None or (time.monotonic() - self._written < SECONDS_BETWEEN and not progress.ended):
            return
        state = {
            "fit": self._fit,
            "progress": asdict(progress),
            "arrays": [(kind, len(arrays)) for kind, arrays in weights.items()],
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f"{self._path.name}.partial")
        with temporary.open("wb") as stream:
            named = {f"{kind}_{n}": array for kind, arrays in weights.items() for n, array in enumerate(arrays)}
            np.savez(stream, allow_pickle=False, **named, **{_STATE: np.array(json.dumps(state))})
        temporary.replace(self._path)
        self._written = time.monotonic()
