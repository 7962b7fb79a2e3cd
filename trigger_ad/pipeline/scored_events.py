"""Events files through the frozen network: event ids and score words into HDF5 datasets, a chunk at a time.

Score words are those of the exact integer reference, which the compiled firmware equals. What grows with the number of
events is 8 bytes for each to find copies of events, a few times that for a moment, and 8 more where a file has groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from trigger_ad.errors import UserError
from trigger_ad.events.encoded import events_digest
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.files import EventChunk, EventsFile
from trigger_ad.events.layout import EVENT_ID, EventLayout
from trigger_ad.events.oddities import Oddity, OddityTally
from trigger_ad.fixed_point import Codes
from trigger_ad.network.evaluation import scores
from trigger_ad.network.graph import Network
from trigger_ad.progress import progress

SCORE: Final = "score"
SCORE_WORD: Final = "score_word"
FILE: Final = "file"

ROWS: Final = 65_536
"""Events in a storage chunk of the datasets, and at most in memory when they are read back."""

_BLOCK: Final = 5000
"""Events that pass through the network at a time: they stay in the processor's cache."""


@dataclass(frozen=True)
class InputFile:
    """An events file to be scored.

    Attributes:
        path: The file.
        label: What it is called: its name, or its path where another has the same name.
        events: Number of its events, at least one.
        has_event_id: Whether it has `EvtId`.
    """

    path: Path
    label: str
    events: int
    has_event_id: bool


@dataclass(frozen=True, eq=False)
class StreamedFile:
    """What was found in a file while it was scored.

    Attributes:
        source: The file.
        rows: Where its events stand in the datasets.
        digest: SHA-256 of the file.
        present: Number of present objects.
        saturated: For each feature, how many of them lie beyond the range of its trigger word.
        oddities: Anomalies that do not stop the file from being used.
        group_id: Shape (events,), or None where the file has no groups.
    """

    source: InputFile
    rows: slice
    digest: str
    present: int
    saturated: dict[str, int]
    oddities: tuple[Oddity, ...]
    group_id: NDArray[np.int64] | None


def score_events(
    files: Sequence[InputFile], network: Network, encoding: InputEncoding, into: h5py.Group
) -> list[StreamedFile]:
    """Scores every event of some files into new datasets, in their order.

    `EvtId` (int64) is the file's, or the event's index in its file, from 0; `score_word` (int64) the code that the
    firmware would give; `score` (float64) what it is worth. With several files `file` (int32) says which each event
    is from.

    Args:
        files: The files.
        network: The frozen network.
        encoding: How physical values become the network's inputs.
        into: An empty group.

    Raises:
        UserError: A file cannot be read, or changes while it is read.
    """
    events = sum(file.events for file in files)
    for name, kind in ((EVENT_ID, np.int64), (SCORE, np.float64), (SCORE_WORD, np.int64)):
        make_column(into, name, events, kind)
    if len(files) > 1:
        make_column(into, FILE, events, np.int32)
    streamed: list[StreamedFile] = []
    for index, file in enumerate(files):
        start = streamed[-1].rows.stop if streamed else 0
        streamed.append(_score_file(file, start, network, encoding, into))
        if len(files) > 1:
            for rows in stretches(start, start + file.events):
                into[FILE][rows] = index
    return streamed


def make_column(into: h5py.Group, name: str, events: int, dtype: DTypeLike) -> h5py.Dataset:
    """Makes a compressed dataset of one value for each event; equal content gives equal bytes."""
    options = {"compression": "gzip", "shuffle": True, "track_times": False}
    return into.create_dataset(name, (events,), dtype, chunks=(min(events, ROWS),), **options)


def stretches(start: int, stop: int) -> Iterator[slice]:
    """The events from `start` to before `stop`, a few at a time."""
    return (slice(first, min(first + ROWS, stop)) for first in range(start, stop, ROWS))


def score_words(particles: NDArray[np.float64], network: Network, encoding: InputEncoding) -> Codes:
    """The score word of each event: trigger words, input codes, network.

    Args:
        particles: Shape (events, objects, features), absent objects zero.
        network: The frozen network.
        encoding: Makes its inputs.

    Returns:
        Codes of the network's output type, shape (events,).
    """
    blocks = (particles[first : first + _BLOCK] for first in range(0, len(particles), _BLOCK))
    return np.concatenate([scores(network, encoding.codes_of_words(encoding.words(block))) for block in blocks])


class _Tally:
    """Counts what is worth knowing of a file's events."""

    def __init__(self, encoding: InputEncoding) -> None:
        self._encoding = encoding
        self._oddities = OddityTally(encoding.layout)
        self._groups: list[NDArray[np.int64]] = []
        self.saturated = dict.fromkeys(encoding.names, 0)
        self.present = 0

    def add(self, chunk: EventChunk) -> None:
        self._oddities.add(chunk.stored)
        for name, count in self._encoding.saturated(chunk.particles).items():
            self.saturated[name] += count
        self.present += int((chunk.particles[:, :, self._encoding.layout.pt] > 0).sum())
        if chunk.group_id is not None:
            self._groups.append(chunk.group_id)

    @property
    def oddities(self) -> tuple[Oddity, ...]:
        return self._oddities.result()

    @property
    def group_id(self) -> NDArray[np.int64] | None:
        return np.concatenate(self._groups) if self._groups else None


def _score_file(
    source: InputFile, start: int, network: Network, encoding: InputEncoding, into: h5py.Group
) -> StreamedFile:
    digest, tally = events_digest(source.path), _Tally(encoding)
    kind = network.type(network.output.name)
    with (
        EventsFile(source.path, encoding.layout) as file,
        progress(f"scoring {source.label}", source.events, "events") as advance,
    ):
        header = file.header
        _require_unchanged(source.path, (header.events, header.has_event_id) == (source.events, source.has_event_id))
        for chunk in file.chunks():
            words = score_words(chunk.particles, network, encoding)
            done = chunk.start + len(words)
            rows = slice(start + chunk.start, start + done)
            into[SCORE_WORD][rows] = words
            into[SCORE][rows] = kind.values(words)
            into[EVENT_ID][rows] = np.arange(chunk.start, done) if chunk.event_id is None else chunk.event_id
            tally.add(chunk)
            advance(done, "")
    _require_unchanged(source.path, events_digest(source.path) == digest)
    rows = slice(start, start + source.events)
    oddities = (*header.oddities, *tally.oddities)
    return StreamedFile(source, rows, digest, tally.present, tally.saturated, oddities, tally.group_id)


def _require_unchanged(path: Path, unchanged: bool) -> None:
    if not unchanged:
        raise UserError(f"{path} changed while it was read", "Wait until it is complete, and run again")


def input_file(path: Path, label: str, layout: EventLayout) -> InputFile:
    """Looks at an events file without reading its events.

    Raises:
        UserError: It cannot be read, has another layout, or holds no events.
    """
    with EventsFile(path, layout) as file:
        header = file.header
    if header.events == 0:
        raise UserError(f"{path} holds no events", "Give a file with at least one event")
    return InputFile(path, label, header.events, header.has_event_id)
