"""The events of a study: background and signals, split, from the shipped sample or from the user's files.

Nothing here holds events in memory: trigger words are mapped from the cache, and physical values are read from the
files a chunk at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import EventsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.encoded import EncodedFile, encode_file, events_digest
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.files import EventsFile
from trigger_ad.events.naming import named_files
from trigger_ad.events.sample import EventFiles, sample_paths
from trigger_ad.events.split import BACKGROUND_FRACTIONS, SIGNAL_FRACTIONS, assign_parts
from trigger_ad.fixed_point import Codes, Values

SAMPLE_SOURCE = "sample shipped with trigger-ad (simulation by this project, not the public dataset)"

BLOCK_EVENTS = 50_000
"""Events in memory at a time."""


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a sample: chosen events of its files, in their order.

    Attributes:
        files: The files.
        chosen: For each file which of its events, shape (N,).
    """

    files: tuple[EncodedFile, ...]
    chosen: tuple[NDArray[np.bool_], ...]

    def __len__(self) -> int:
        return sum(int(np.count_nonzero(chosen)) for chosen in self.chosen)

    @property
    def group_id(self) -> NDArray[np.int64] | None:
        """The group of each event, shape (events,), or None without groups."""
        ids = [file.group_id[chosen] for file, chosen in self._pairs() if file.group_id is not None]
        return np.concatenate(ids) if ids else None

    @property
    def quantities(self) -> dict[str, NDArray[np.float64]]:
        """The quantities of each event, shape (events,), by the keys of `QUANTITIES`."""
        names = self.files[0].quantities
        return {
            name: np.concatenate([file.quantities[name][chosen] for file, chosen in self._pairs()]) for name in names
        }

    def thinned(self, events: int) -> Part:
        """The same part with so many of its events, evenly spread; itself, if it has no more."""
        if events >= len(self):
            return self
        kept = evenly_spread(len(self), events)
        chosen, start = [], 0
        for mask in self.chosen:
            positions = np.flatnonzero(mask)
            own = kept[(kept >= start) & (kept < start + len(positions))] - start
            start += len(positions)
            thinner = np.zeros_like(mask)
            thinner[positions[own]] = True
            chosen.append(thinner)
        return Part(self.files, tuple(chosen))

    def words(self) -> Iterator[Codes]:
        """The trigger words, int64, shape (up to `BLOCK_EVENTS`, inputs) at a time."""
        for file, chosen in self._pairs():
            for start in range(0, len(file), BLOCK_EVENTS):
                rows = slice(start, start + BLOCK_EVENTS)
                if chosen[rows].any():
                    yield file.words[rows][chosen[rows]].astype(np.int64)

    def particles(self) -> Iterator[Values]:
        """The physical values, shape (up to a chunk, objects, features) at a time, read from the files.

        Raises:
            UserError: A file cannot be read any more, or is not the one that was digitised.
        """
        for file, chosen in self._pairs():
            _refuse_changed(file)
            with EventsFile(file.path, file.layout) as source:
                for chunk in source.chunks():
                    selected = chosen[chunk.start : chunk.start + len(chunk.particles)]
                    if selected.any():
                        yield chunk.particles[selected]
            _refuse_changed(file)

    def _pairs(self) -> Iterator[tuple[EncodedFile, NDArray[np.bool_]]]:
        return zip(self.files, self.chosen, strict=True)


def evenly_spread(events: int, some: int) -> NDArray[np.int64]:
    """The positions of some of a number of events, the same distance from each other but for rounding."""
    return np.arange(some) * events // some


def _refuse_changed(file: EncodedFile) -> None:
    if events_digest(file.path) != file.digest:
        raise UserError(f"{file.path} has changed since it was digitised", "Wait until it is complete, and run again")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Split events.

    Args:
        background: Parts `train`, `validation` and `test`.
        signals: Parts `validation` and `test` of each signal.
    """

    background: dict[str, Part]
    signals: dict[str, dict[str, Part]]

    def test_events(self) -> dict[str, Part]:
        """The test part of the background and of each signal, by name."""
        return {"background": self.background["test"]} | {name: parts["test"] for name, parts in self.signals.items()}


def event_files(config: EventsConfig | str) -> EventFiles:
    """The files that a configuration names, patterns expanded.

    Raises:
        UserError: If a pattern matches nothing, or a file is named twice.
    """
    return sample_paths() if isinstance(config, str) else named_files(config)


def read_dataset(config: EventsConfig | str, encoding: InputEncoding) -> Dataset:
    """Digitises and splits the events of a configuration; those of several files follow each other in order.

    Raises:
        UserError: If a file is missing, damaged, of another layout, or too small to split.
    """
    files = event_files(config)

    def read(paths: Sequence[Path], fractions: Mapping[str, float]) -> dict[str, Part]:
        encoded = tuple(encode_file(path, encoding) for path in paths)
        parts = assign_parts(encoded, fractions)
        return {
            name: Part(encoded, tuple(part == position for part in parts)) for position, name in enumerate(fractions)
        }

    return Dataset(
        read(files.background, BACKGROUND_FRACTIONS),
        {name: read(paths, SIGNAL_FRACTIONS) for name, paths in files.signals.items()},
    )


def describe(config: EventsConfig | str, dataset: Dataset) -> dict[str, object]:
    """The `events` entry of report.json: counts of each part, and where the events come from.

    `source` is the file's name, or a list of names where there are several.
    """
    files = event_files(config)

    def entry(parts: Mapping[str, Part], paths: Sequence[Path]) -> dict[str, object]:
        names = [path.name for path in paths]
        source: object = names[0] if len(names) == 1 else names
        counts: dict[str, object] = {part: len(events) for part, events in parts.items()}
        return counts | {"source": SAMPLE_SOURCE if isinstance(config, str) else source}

    return {
        "background": entry(dataset.background, files.background),
        "signals": {name: entry(parts, files.signals[name]) for name, parts in dataset.signals.items()},
    }
