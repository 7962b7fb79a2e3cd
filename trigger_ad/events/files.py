"""Reading events from HDF5 files: all at once, or in chunks that need little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.events.content import zero_absent
from trigger_ad.events.header import Header, open_hdf5, read_header, storage_filters
from trigger_ad.events.layout import EVENT_ID, FEATURES, GROUP_ID, OBJECTS, PARTICLES, PT
from trigger_ad.events.oddities import Oddity, OddityTally

CHUNK_SIZE: Final = 50_000
"""Events read at a time: about 30 MB."""


@dataclass(frozen=True, eq=False)
class Events:
    """Events in memory.

    Attributes:
        particles: Shape (N, 19, 4): pT in GeV, eta, phi in radians, class. Every value of an absent object is zero.
        event_id: Shape (N,), or None where the file has no `EvtId`.
        group_id: Shape (N,), or None where the file has no `GroupId`. Events of one group must stay together.
        oddities: Anomalies found while reading.
        source: Name of the file without its folder.
    """

    particles: NDArray[np.float64]
    event_id: NDArray[np.int64] | None
    group_id: NDArray[np.int64] | None
    oddities: tuple[Oddity, ...]
    source: str

    def __len__(self) -> int:
        return len(self.particles)

    def take(self, selection: NDArray[np.bool_] | NDArray[np.intp]) -> Events:
        """Return the selected events; the oddities are still those of the whole file."""
        return Events(
            particles=self.particles[selection],
            event_id=None if self.event_id is None else self.event_id[selection],
            group_id=None if self.group_id is None else self.group_id[selection],
            oddities=self.oddities,
            source=self.source,
        )


@dataclass(frozen=True, eq=False)
class EventChunk:
    """Consecutive events of a file.

    Attributes:
        start: Index of the first event in the file.
        stored: Shape (n, 19, 4), as in the file.
        particles: The same with every value of an absent object set to zero.
        event_id: Shape (n,), or None.
        group_id: Shape (n,), or None.
    """

    start: int
    stored: NDArray[np.float64]
    particles: NDArray[np.float64]
    event_id: NDArray[np.int64] | None
    group_id: NDArray[np.int64] | None


class EventsFile:
    """An open events file whose layout has been checked. Use it in a `with` statement.

    Raises:
        UserError: The file cannot be read, or does not have the layout of an events file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open_hdf5(path)
        try:
            self.header: Header = read_header(self._file, path)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def chunks(self, chunk_size: int = CHUNK_SIZE, limit: int | None = None) -> Iterator[EventChunk]:
        """Yield the events in order, `chunk_size` at a time, the first `limit` of them.

        Raises:
            UserError: A part of the file cannot be read, or a value is NaN, infinite, or a negative pT.
            ValueError: `chunk_size` or `limit` is below 1.
        """
        if chunk_size < 1 or (limit is not None and limit < 1):
            raise ValueError(f"chunk_size ({chunk_size}) and limit ({limit}) must be at least 1")
        stop = self.header.events if limit is None else min(limit, self.header.events)
        for start in range(0, stop, chunk_size):
            end = min(start + chunk_size, stop)
            stored = self._particles(start, end)
            if not np.isfinite(stored).all():
                self._refuse(_not_finite, "NaN or infinite", start, stop, "Remove these events from the file")
            if (stored[..., PT] < 0).any():
                remedy = "Give pT in GeV; values that were standardised cannot be used"
                self._refuse(_negative_pt, "a negative pT", start, stop, remedy)
            yield EventChunk(
                start=start,
                stored=stored,
                particles=zero_absent(stored),
                event_id=self._ids(EVENT_ID, start, end) if self.header.has_event_id else None,
                group_id=self._ids(GROUP_ID, start, end) if self.header.has_group_id else None,
            )

    def _particles(self, start: int, end: int) -> NDArray[np.float64]:
        rows: NDArray[np.float64] = self._rows(PARTICLES, start, end).astype(np.float64, copy=False)
        return rows

    def _ids(self, name: str, start: int, end: int) -> NDArray[np.int64]:
        identifiers: NDArray[np.int64] = self._rows(name, start, end).reshape(-1).astype(np.int64, copy=False)
        return identifiers

    def _rows(self, name: str, start: int, end: int) -> NDArray[Any]:
        dataset = self._file[name]
        try:
            rows: NDArray[Any] = dataset[start:end]
            return rows
        except (OSError, RuntimeError) as error:
            missing = [text for number, text in storage_filters(dataset) if not h5py.h5z.filter_avail(number)]
            if missing:
                raise UserError(
                    f"{self._path}: `{name}` is compressed with {missing[0]}, which is not installed here",
                    f"Rewrite the file with gzip: h5repack -f GZIP=4 {self._path.name} new.h5",
                ) from error
            raise UserError(
                f"{self._path} is damaged: `{name}` cannot be read between events {start} and {end - 1}",
                "Download it, or make it, again",
            ) from error

    def _refuse(
        self,
        is_bad: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
        description: str,
        start: int,
        stop: int,
        remedy: str,
    ) -> NoReturn:
        """Count the bad values from `start` on, where the first of them is known to be near, and refuse the file."""
        values = events = 0
        where = ""
        for begin in range(start, stop, CHUNK_SIZE):
            bad = is_bad(self._particles(begin, min(begin + CHUNK_SIZE, stop)))
            values += int(bad.sum())
            events += int(bad.any(axis=(1, 2)).sum())
            if not where and bad.any():
                event, slot, feature = np.argwhere(bad)[0]
                where = f"event {begin + event} (the first is 0), slot {slot}, {FEATURES[feature]}"
        plural = "value is" if values == 1 else "values are"
        in_events = "1 event" if events == 1 else f"{events} events"
        raise UserError(f"{self._path}: {values} {plural} {description}, in {in_events}; the first at {where}", remedy)


def _not_finite(stored: NDArray[np.float64]) -> NDArray[np.bool_]:
    return ~np.isfinite(stored)


def _negative_pt(stored: NDArray[np.float64]) -> NDArray[np.bool_]:
    negative = np.zeros(stored.shape, dtype=np.bool_)
    negative[..., PT] = stored[..., PT] < 0
    return negative


def iterate_events(path: Path, chunk_size: int = CHUNK_SIZE) -> Iterator[EventChunk]:
    """Yield the events of a file in order, `chunk_size` at a time; nothing for a file without events.

    Raises:
        UserError: The file cannot be used; one line says why.
    """
    with EventsFile(path) as file:
        yield from file.chunks(chunk_size)


def read_events(path: Path, *, limit: int | None = None) -> Events:
    """Read a file of events into memory.

    Args:
        path: HDF5 file in the ADC2021 layout, its values stored as float64, float32 or float16.
        limit: Read the first so many events; None reads all.

    Raises:
        UserError: The file cannot be used, holds no events, or does not fit in memory; one line says why.
        ValueError: `limit` is below 1.
    """
    with EventsFile(path) as file:
        header = file.header
        count = header.events if limit is None else min(limit, header.events)
        if header.events == 0:
            raise UserError(f"{path} holds no events", "Give a file with at least one event")
        particles = _allocate(path, count)
        event_ids: list[NDArray[np.int64]] = []
        group_ids: list[NDArray[np.int64]] = []
        tally = OddityTally()
        for chunk in file.chunks(limit=limit):
            particles[chunk.start : chunk.start + len(chunk.particles)] = chunk.particles
            tally.add(chunk.stored)
            if chunk.event_id is not None:
                event_ids.append(chunk.event_id)
            if chunk.group_id is not None:
                group_ids.append(chunk.group_id)
    return Events(
        particles=particles,
        event_id=np.concatenate(event_ids) if event_ids else None,
        group_id=np.concatenate(group_ids) if group_ids else None,
        oddities=header.oddities + tally.result(),
        source=path.name,
    )


def _allocate(path: Path, events: int) -> NDArray[np.float64]:
    shape = (events, OBJECTS, len(FEATURES))
    try:
        return np.empty(shape, dtype=np.float64)
    except MemoryError as error:
        gigabytes = np.prod(shape, dtype=np.float64) * 8 / 1e9
        raise UserError(
            f"{path}: {events} events need {gigabytes:.1f} GB of memory, which is not available",
            "Read fewer of its events",
        ) from error


def concatenate_events(parts: Sequence[Events]) -> Events:
    """Join the events of several files, in order.

    Event ids are kept where every file has them. The oddities are those of each file in turn, with event indices
    that count from the start of the file they were found in.

    Raises:
        UserError: Some files have group ids and others have not, so that no split could respect both.
        ValueError: There is nothing to join.
    """
    event_ids = [part.event_id for part in parts if part.event_id is not None]
    group_ids = [part.group_id for part in parts if part.group_id is not None]
    if group_ids and len(group_ids) != len(parts):
        without = next(part.source for part in parts if part.group_id is None)
        raise UserError(
            f"{without} has no `{GROUP_ID}`, and other files given with it have",
            f"Give files that all have `{GROUP_ID}`, or none that has it",
        )
    return Events(
        particles=np.concatenate([part.particles for part in parts]),
        event_id=np.concatenate(event_ids) if len(event_ids) == len(parts) else None,
        group_id=np.concatenate(group_ids) if group_ids else None,
        oddities=tuple(oddity for part in parts for oddity in part.oddities),
        source=", ".join(part.source for part in parts),
    )
