"""Reading events from HDF5 files, in chunks that need little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.events.content import zero_absent
from trigger_ad.events.header import Header, open_dataset, open_hdf5, read_header, storage_filters, storage_row_bytes
from trigger_ad.events.layout import ADC2021, EVENT_ID, GROUP_ID, PARTICLES, EventLayout

CHUNK_SIZE: Final = 50_000
"""Events read at a time: about 30 MB."""


@dataclass(frozen=True, eq=False)
class EventChunk:
    """Consecutive events of a file.

    Attributes:
        start: Index of the first event in the file.
        stored: Shape (n, objects, features), as in the file.
        pt: Where pT stands among the features.
        event_id: Shape (n,), or None.
        group_id: Shape (n,), or None.
    """

    start: int
    stored: NDArray[np.float64]
    pt: int
    event_id: NDArray[np.int64] | None
    group_id: NDArray[np.int64] | None

    @cached_property
    def particles(self) -> NDArray[np.float64]:
        """As stored, but with every value of an absent object set to zero; made when it is first asked for."""
        return zero_absent(self.stored, self.pt)


class EventsFile:
    """An open events file whose layout has been checked. Use it in a `with` statement.

    Args:
        path: The file.
        layout: What its events should consist of.

    Raises:
        UserError: The file cannot be read, or does not have this layout.
    """

    def __init__(self, path: Path, layout: EventLayout = ADC2021) -> None:
        self._path = path
        self._layout = layout
        self._file = open_hdf5(path, layout)
        try:
            self.header: Header = read_header(self._file, path, layout)
            # kept open from read to read: what a dataset has decompressed is forgotten when it is closed
            wanted = {PARTICLES: True, EVENT_ID: self.header.has_event_id, GROUP_ID: self.header.has_group_id}
            self._datasets = {name: open_dataset(self._file, path, name) for name, there in wanted.items() if there}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def storage_row(self) -> int:
        """Bytes of memory in which a reader keeps the storage chunks of the events that it has come to."""
        return storage_row_bytes(self._datasets[PARTICLES])

    def aligned(self, events: int) -> int:
        """About so many events, but whole storage chunks, so that no chunk is decompressed for two readers."""
        rows = self._datasets[PARTICLES].chunks
        return events if rows is None else max(1, round(events / rows[0])) * int(rows[0])

    def chunks(self, chunk_size: int = CHUNK_SIZE, *, start: int = 0, stop: int | None = None) -> Iterator[EventChunk]:
        """Yield events in order, `chunk_size` at a time.

        Args:
            chunk_size: Events in memory at a time.
            start: Index of the first event.
            stop: Index after the last event; None for the end of the file.

        Raises:
            UserError: A part of the file cannot be read, or a value is NaN, infinite, or a negative pT; what is
                counted is counted from `start` to the end of the file.
            ValueError: `chunk_size` is below 1.
        """
        if chunk_size < 1:
            raise ValueError(f"chunk_size ({chunk_size}) must be at least 1")
        stop = self.header.events if stop is None else min(stop, self.header.events)
        for first in range(start, stop, chunk_size):
            end = min(first + chunk_size, stop)
            stored = self._particles(first, end)
            if not np.isfinite(stored).all():
                self._refuse(_not_finite, "NaN or infinite", first, "Remove these events from the file")
            if (stored[..., self._layout.pt] < 0).any():
                remedy = "Give pT in GeV; values that were standardised cannot be used"
                self._refuse(self._negative_pt, "a negative pT", first, remedy)
            yield EventChunk(
                start=first,
                stored=stored,
                pt=self._layout.pt,
                event_id=self._ids(EVENT_ID, first, end) if self.header.has_event_id else None,
                group_id=self._ids(GROUP_ID, first, end) if self.header.has_group_id else None,
            )

    def _negative_pt(self, stored: NDArray[np.float64]) -> NDArray[np.bool_]:
        negative = np.zeros(stored.shape, dtype=np.bool_)
        negative[..., self._layout.pt] = stored[..., self._layout.pt] < 0
        return negative

    def _particles(self, start: int, end: int) -> NDArray[np.float64]:
        rows: NDArray[np.float64] = self._rows(PARTICLES, start, end).astype(np.float64, copy=False)
        return rows

    def _ids(self, name: str, start: int, end: int) -> NDArray[np.int64]:
        identifiers: NDArray[np.int64] = self._rows(name, start, end).reshape(-1).astype(np.int64, copy=False)
        return identifiers

    def _rows(self, name: str, start: int, end: int) -> NDArray[Any]:
        dataset = self._datasets[name]
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
        remedy: str,
    ) -> NoReturn:
        """Count the bad values from `start` on, where the first of them is known to be near, and refuse the file."""
        values = events = 0
        where = ""
        for begin in range(start, self.header.events, CHUNK_SIZE):
            bad = is_bad(self._particles(begin, min(begin + CHUNK_SIZE, self.header.events)))
            values += int(bad.sum())
            events += int(bad.any(axis=(1, 2)).sum())
            if not where and bad.any():
                event, slot, feature = np.argwhere(bad)[0]
                where = f"event {begin + event} (the first is 0), slot {slot}, {self._layout.features[feature]}"
        plural = "value is" if values == 1 else "values are"
        in_events = "1 event" if events == 1 else f"{events} events"
        raise UserError(f"{self._path}: {values} {plural} {description}, in {in_events}; the first at {where}", remedy)


def _not_finite(stored: NDArray[np.float64]) -> NDArray[np.bool_]:
    return ~np.isfinite(stored)
