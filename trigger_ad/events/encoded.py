"""Events files as trigger words: read, checked and digitised once, by all cores, and kept in the cache.

A file of ten million events is never in memory as a whole. It is cut into stretches; each is read, checked and turned
into trigger words by one of the worker processes, which write into arrays on disk. Later runs map these arrays.
"""

from __future__ import annotations

import functools
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.arrays import allocate
from trigger_ad.config import InputsConfig, LayoutConfig
from trigger_ad.errors import UserError
from trigger_ad.events.cache import cached, code_digest, reading_entry
from trigger_ad.events.content import BLOCK, columns_of, hash_without_objects
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.files import EventChunk, EventsFile
from trigger_ad.events.layout import EventLayout
from trigger_ad.events.oddities import Oddity, OddityTally
from trigger_ad.events.quantities import QUANTITIES, available_quantities, quantities
from trigger_ad.progress import progress
from trigger_ad.run_directory import file_digest, text_digest
from trigger_ad.workers import in_processes

STRETCH_EVENTS: Final = 250_000
"""Events that one task of a worker covers, about."""

_SHARED_STORAGE_ROW: Final = 256 * 1024**2
"""Bytes of storage chunks that several processes may each have in memory; if they are larger, one process reads."""

_INDEX: Final = "index.json"
_OPTIONAL: Final = ("event_id", "group_id")


@dataclass(frozen=True, eq=False)
class EncodedFile:
    """An events file as trigger words; every array is mapped from the cache, not read.

    Attributes:
        path: The events file.
        digest: The SHA-256 of its content.
        layout: What its events consist of.
        words: Shape (N, inputs), the smallest integer type that holds them: see `InputEncoding.words`.
        hashes: Shape (N,), uint64: `content_hash` of each event.
        event_id: Shape (N,), or None where the file has no `EvtId`.
        group_id: Shape (N,), or None where the file has no `GroupId`.
        quantities: Shape (N,), float64, by the keys of `QUANTITIES` that the layout has objects for.
        saturated: For each feature, how many present objects lie beyond the range of its trigger word.
        present: Number of present objects.
        oddities: Anomalies found while reading.
    """

    path: Path
    digest: str
    layout: EventLayout
    words: NDArray[np.integer[Any]]
    hashes: NDArray[np.uint64]
    event_id: NDArray[np.int64] | None
    group_id: NDArray[np.int64] | None
    quantities: dict[str, NDArray[np.float64]]
    saturated: dict[str, int]
    present: int
    oddities: tuple[Oddity, ...]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def without_objects(self) -> NDArray[np.bool_]:
        """Which events have no object at all, shape (N,)."""
        empty: NDArray[np.bool_] = self.hashes == hash_without_objects(self.layout.shape)
        return empty


@dataclass(frozen=True)
class _Task:
    """What a worker needs: the file, the stretch of it, and where the arrays are."""

    path: Path
    layout: LayoutConfig
    inputs: InputsConfig
    folder: Path
    start: int
    stop: int


@dataclass(frozen=True)
class _Done:
    """What a worker found in its stretch."""

    events: int
    tally: OddityTally
    saturated: dict[str, int]
    present: int


def encode_file(path: Path, encoding: InputEncoding) -> EncodedFile:
    """Reads, checks and digitises a file of events, or takes the result from the cache.

    The entry of the cache belongs to the digest of the file's content, its layout, and the trigger words asked for.

    Args:
        path: The events file.
        encoding: How physical values become trigger words.

    Raises:
        UserError: The file cannot be used, holds no events, changes while it is read, or the cache cannot be written.
    """
    with EventsFile(path, encoding.layout) as file:
        events = file.header.events
    if events == 0:
        raise UserError(f"{path} holds no events", "Give a file with at least one event")
    digest = events_digest(path)
    key = text_digest(json.dumps([code_digest(), digest, encoding.layout.config.model_dump(), _words_asked(encoding)]))
    fill = functools.partial(_fill, path, encoding, digest)
    entry = cached(key, fill, what=f"encoding {path.name}", needed_bytes=events * _bytes_per_event(encoding))
    return _load(entry, path, digest, encoding.layout)


@functools.lru_cache(maxsize=256)
def _digest_of(path: Path, size: int, modified: int, changed: int, inode: int) -> str:
    return file_digest(path)


def events_digest(path: Path) -> str:
    """The SHA-256 of an events file; read once in a process, unless the file changes.

    Raises:
        UserError: The file cannot be read.
    """
    try:
        state = path.stat()
        # the time of modification can be set to what it was, that of the last change of any kind cannot
        return _digest_of(path.resolve(), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error})", "Check the path and the disk") from error


def _words_asked(encoding: InputEncoding) -> list[Any]:
    """What decides the trigger words: what the firmware does with them afterwards does not matter."""
    return [[item.name, item.lsb, item.word.width, item.word.signed] for item in encoding.features]


def _bytes_per_event(encoding: InputEncoding) -> int:
    return encoding.inputs * encoding.word_dtype.itemsize + 8 * (3 + len(QUANTITIES))


def _fill(path: Path, encoding: InputEncoding, digest: str, folder: Path) -> None:
    """Makes an entry of the cache."""
    with EventsFile(path, encoding.layout) as file:
        header, step, storage_row = file.header, file.aligned(STRETCH_EVENTS), file.storage_row
    _allocate(folder, header.events, encoding, header.has_event_id, header.has_group_id)
    tasks = [
        _Task(path, encoding.layout.config, encoding.config, folder, start, min(start + step, header.events))
        for start in range(0, header.events, step)
    ]
    tally, saturated, present = OddityTally(encoding.layout), dict.fromkeys(encoding.names, 0), 0
    with progress(f"encoding {path.name}", header.events, "events") as advance:
        started, done = time.perf_counter(), 0
        # every process keeps storage chunks of its own in memory
        done_in_order = map if storage_row > _SHARED_STORAGE_ROW else in_processes
        for result in done_in_order(_encode_stretch, tasks):
            tally.extend(result.tally)
            saturated = {name: count + result.saturated[name] for name, count in saturated.items()}
            present += result.present
            done += result.events
            advance(done, f"{done / (time.perf_counter() - started):,.0f} events/s")
    if events_digest(path) != digest:
        raise UserError(f"{path} changed while it was read", "Wait until it is complete, and run again")
    np.load(folder / "hashes.npy", mmap_mode="r+")[:] = tally.hashes
    oddities = [asdict(oddity) for oddity in (*header.oddities, *tally.result())]
    arrays = sorted(file.stem for file in folder.glob("*.npy"))
    index = {"arrays": arrays, "saturated": saturated, "present": present, "oddities": oddities}
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")


def _allocate(folder: Path, events: int, encoding: InputEncoding, event_ids: bool, group_ids: bool) -> None:
    """Makes the arrays that the workers fill, with their blocks on the disk, so that a full one shows now."""
    columns = {"hashes": "u8"} | {f"quantity_{name}": "f8" for name in available_quantities(encoding.layout)}
    columns |= {name: "i8" for name, wanted in zip(_OPTIONAL, (event_ids, group_ids), strict=True) if wanted}
    allocate(folder / "words.npy", (events, encoding.inputs), encoding.word_dtype)
    for name, kind in columns.items():
        allocate(folder / f"{name}.npy", (events,), np.dtype(kind))


def _encode_stretch(task: _Task) -> _Done:
    """Encodes one stretch of a file into the arrays."""
    layout = EventLayout(task.layout)
    encoding = InputEncoding(task.inputs, layout)
    arrays = {path.stem: np.load(path, mmap_mode="r+") for path in task.folder.glob("*.npy")}
    tally, saturated, present = OddityTally(layout), dict.fromkeys(encoding.names, 0), 0
    with EventsFile(task.path, layout) as file:
        # no more events at a time than stay in the processor's cache, from reading to writing
        for chunk in file.chunks(BLOCK, start=task.start, stop=task.stop):
            _copy_ids(chunk, arrays)
            rows = slice(chunk.start, chunk.start + len(chunk.stored))
            columns = columns_of(chunk.stored)
            tally.add_columns(columns)
            arrays["words"][rows], beyond = encoding.digitised(columns)
            saturated = {name: count + beyond[name] for name, count in saturated.items()}
            present += int(np.count_nonzero(columns[:, layout.pt]))
            for name, values in quantities(columns.transpose(2, 0, 1), layout).items():
                arrays[f"quantity_{name}"][rows] = values
    return _Done(task.stop - task.start, tally, saturated, present)


def _copy_ids(chunk: EventChunk, arrays: dict[str, NDArray[Any]]) -> None:
    rows = slice(chunk.start, chunk.start + len(chunk.stored))
    for name in _OPTIONAL:
        values = getattr(chunk, name)
        # a file that gets ids while it is read is found out at the end
        if values is not None and name in arrays:
            arrays[name][rows] = values


def _load(entry: Path, path: Path, digest: str, layout: EventLayout) -> EncodedFile:
    with reading_entry(entry):
        index = json.loads((entry / _INDEX).read_text(encoding="utf-8"))
        arrays = {name: np.load(entry / f"{name}.npy", mmap_mode="r") for name in index["arrays"]}
        if len({len(array) for array in arrays.values()}) != 1:
            raise ValueError("the arrays are not equally long")
        return EncodedFile(
            path=path,
            digest=digest,
            layout=layout,
            words=arrays["words"],
            hashes=arrays["hashes"],
            event_id=arrays.get("event_id"),
            group_id=arrays.get("group_id"),
            quantities={name: arrays[f"quantity_{name}"] for name in available_quantities(layout)},
            saturated=index["saturated"],
            present=index["present"],
            oddities=tuple(Oddity(**oddity) for oddity in index["oddities"]),
        )
