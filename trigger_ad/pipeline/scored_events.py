"""Events files through the frozen network: event ids and score words into HDF5 datasets, a chunk at a time.

Trigger words come from the cache, where reading, checking and digitising a file has left them; score words from the
native library of the network, which the run has held against the exact reference, and the compiled firmware too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from trigger_ad.emulation.native import compiled_library
from trigger_ad.errors import UserError
from trigger_ad.events.encoded import encode_file, events_digest
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.files import EventsFile
from trigger_ad.events.layout import EVENT_ID, EventLayout
from trigger_ad.events.oddities import Oddity
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.network.graph import Network
from trigger_ad.progress import progress

SCORE: Final = "score"
SCORE_WORD: Final = "score_word"
FILE: Final = "file"

ROWS: Final = 65_536
"""Events in a storage chunk of the datasets, and at most in memory when they are read back."""


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
        UserError: A file cannot be read, or changes while it is read; there is no compiler.
    """
    events = sum(file.events for file in files)
    for name, kind in ((EVENT_ID, np.int64), (SCORE, np.float64), (SCORE_WORD, np.int64)):
        make_column(into, name, events, kind)
    if len(files) > 1:
        make_column(into, FILE, events, np.int32)
    streamed: list[StreamedFile] = []
    word = network.type(network.output.name)
    with compiled_library(network, encoding) as library:
        for index, file in enumerate(files):
            start = streamed[-1].rows.stop if streamed else 0
            streamed.append(_score_file(file, start, encoding, library, word, into))
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


def _score_file(
    source: InputFile, start: int, encoding: InputEncoding, library: NativeEmulator, word: FixedPoint, into: h5py.Group
) -> StreamedFile:
    encoded = encode_file(source.path, encoding)
    has_event_id = encoded.event_id is not None
    _require_unchanged(source.path, (len(encoded), has_event_id) == (source.events, source.has_event_id))
    with progress(f"scoring {source.label}", source.events, "events") as advance:
        for own in stretches(0, source.events):
            words = library.scores(encoded.words[own])
            rows = slice(start + own.start, start + own.stop)
            into[SCORE_WORD][rows] = words
            into[SCORE][rows] = word.values(words)
            into[EVENT_ID][rows] = np.arange(own.start, own.stop) if encoded.event_id is None else encoded.event_id[own]
            advance(own.stop, "")
    _require_unchanged(source.path, events_digest(source.path) == encoded.digest)
    return StreamedFile(
        source,
        slice(start, start + source.events),
        encoded.digest,
        encoded.present,
        encoded.saturated,
        encoded.oddities,
        encoded.group_id,
    )


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
