"""Opening an events file and checking everything that can be known before a value is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.events.layout import (
    ADC2021,
    EVENT_ID,
    GROUP_ID,
    PARTICLE_CLASSES,
    PARTICLE_NAMES,
    PARTICLES,
    EventLayout,
)
from trigger_ad.events.oddities import Oddity

_HDF5_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_CHUNK_CACHE_BYTES: Final = 128 * 1024**2
"""Of a dataset that is opened in the ordinary way."""
_CHUNK_CACHE_SLOTS: Final = 100_003
"""A prime number, many times the number of storage chunks in memory."""
_EVICT_READ_CHUNKS_FIRST: Final = 0.75
"""HDF5's own choice."""
_SMALLEST_CHUNK_CACHE: Final = 1024**2
LARGEST_STORAGE_ROW: Final = 1024**3
"""Bytes in which one reader of a file keeps what it has decompressed."""
_FILTER_NAMES: Final = {1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 32000: "lzf"}


@dataclass(frozen=True)
class Header:
    """What an events file says about itself.

    Attributes:
        events: Number of events.
        dtype: Type in which the values are stored, such as float64.
        compression: The storage filters, such as "gzip"; None where there are none.
        has_event_id: Whether the file carries `EvtId`.
        has_group_id: Whether the file carries `GroupId`.
        oddities: Anomalies of the file as a whole.
    """

    events: int
    dtype: str
    compression: str | None
    has_event_id: bool
    has_group_id: bool
    oddities: tuple[Oddity, ...]


def open_hdf5(path: Path, layout: EventLayout = ADC2021) -> h5py.File:
    """Open an HDF5 file for reading.

    Args:
        path: The file.
        layout: What its events should consist of, which an error tells.

    Raises:
        UserError: The path is not a readable, whole HDF5 file.
    """
    signature = _first_bytes(path)
    try:
        return h5py.File(
            path, "r", locking="best-effort", rdcc_nbytes=_CHUNK_CACHE_BYTES, rdcc_nslots=_CHUNK_CACHE_SLOTS
        )
    except BlockingIOError as error:
        raise UserError(f"{path} is being written by another program", "Wait until it has finished") from error
    except (OSError, RuntimeError) as error:
        if signature != _HDF5_SIGNATURE:
            raise UserError(f"{path} is not an HDF5 file", _layout_remedy(layout)) from error
        raise UserError(
            f"{path} is truncated or damaged: HDF5 cannot open it", "Download it, or make it, again"
        ) from error


def storage_row_bytes(dataset: h5py.Dataset) -> int:
    """Memory that all storage chunks take which hold values of one and the same event; 0 without chunks."""
    if dataset.chunks is None:
        return 0
    across = (math.ceil(size / chunk) for size, chunk in zip(dataset.shape[1:], dataset.chunks[1:], strict=True))
    return int(math.prod(dataset.chunks) * dataset.dtype.itemsize * math.prod(across))


def open_dataset(file: h5py.File, path: Path, name: str) -> h5py.Dataset:
    """Open a dataset to be read from its beginning to its end, so that no storage chunk is decompressed twice.

    Consecutive reads share the storage chunks in which one ends and the next begins. HDF5 keeps them in between if they
    all have room in the dataset's cache.

    Args:
        file: The open file, whose header has been checked.
        path: Its path.
        name: The dataset.

    Raises:
        UserError: They need more memory than `LARGEST_STORAGE_ROW`.
    """
    dataset = file[name]
    needed = storage_row_bytes(dataset)
    if needed > LARGEST_STORAGE_ROW:
        chunk = "x".join(str(size) for size in (min(10_000, dataset.chunks[0]), *dataset.shape[1:]))
        raise UserError(
            f"{path}: `{name}` is stored in chunks of {dataset.chunks[0]:,} events, which take {needed / 1e9:.1f} GB "
            "of memory at once",
            f"Rewrite the file with smaller chunks: h5repack -l {name}:CHUNK={chunk} {path.name} new.h5",
        )
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(_CHUNK_CACHE_SLOTS, max(needed, _SMALLEST_CHUNK_CACHE), _EVICT_READ_CHUNKS_FIRST)
    # HDF5 takes the size of the cache from whoever opens the dataset first
    del dataset
    return h5py.Dataset(h5py.h5d.open(file.id, name.encode(), access))


def _first_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder", "Give the events file inside it")
        if path.exists() and not path.is_file():
            raise UserError(f"{path} is not a regular file", "Give an HDF5 file of events")
        with path.open("rb") as handle:
            return handle.read(len(_HDF5_SIGNATURE))
    except FileNotFoundError as error:
        raise UserError(
            f"{path} does not exist", "Check the path; `trigger-ad simulate` makes a file of events"
        ) from error
    except PermissionError as error:
        raise UserError(f"{path} may not be read by this user", f"Change its permissions: chmod u+r {path}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})", "Check the path and the disk") from error


def _layout_remedy(layout: EventLayout) -> str:
    """What an events file is, and where another layout is described."""
    shape = f"(events, {layout.objects}, {len(layout.features)})"
    if layout == ADC2021:
        return (
            f"An events file has a float64 dataset `{PARTICLES}` of shape {shape} with "
            f"{', '.join(layout.feature_names)} in the last axis; `events.layout` of a configuration describes another"
        )
    return f"`events.layout` in the configuration says {shape}: {layout}. Correct it, or give another file"


def read_header(file: h5py.File, path: Path, layout: EventLayout = ADC2021) -> Header:
    """Check names, shapes and types.

    Args:
        file: The open file.
        path: Its path.
        layout: What its events should consist of.

    Raises:
        UserError: The file does not have this layout.
    """
    try:
        particles = _particles(file, path, layout)
        oddities = (*_check_feature_names(file, path, layout), *_check_class_names(file, layout))
        return Header(
            events=int(particles.shape[0]),
            dtype=str(particles.dtype.newbyteorder("=")),
            compression=" + ".join(name for _, name in storage_filters(particles)) or None,
            has_event_id=_has_ids(file, path, EVENT_ID, particles.shape[0]),
            has_group_id=_has_ids(file, path, GROUP_ID, particles.shape[0]),
            oddities=oddities,
        )
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        # h5py meets damaged metadata with any of these
        raise UserError(f"{path} is damaged: HDF5 cannot read its header", "Download it, or make it, again") from error


def storage_filters(dataset: h5py.Dataset) -> list[tuple[int, str]]:
    """Return the number and the name of each filter that a dataset's values went through."""
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(position) for position in range(properties.get_nfilters())]
    return [
        (number, _FILTER_NAMES.get(number) or name.decode("utf-8", "replace") or f"filter {number}")
        for number, _, _, name in filters
    ]


def _particles(file: h5py.File, path: Path, layout: EventLayout) -> Any:
    dataset = _dataset(file, PARTICLES)
    if dataset is None:
        found = ", ".join(sorted(str(name) for name in file)[:8]) or "nothing"
        raise UserError(f"{path} has no dataset `{PARTICLES}` (it has: {found})", _layout_remedy(layout))
    if dataset.shape is None or len(dataset.shape) != 3 or tuple(dataset.shape[1:]) != layout.shape:
        raise UserError(f"{path}: `{PARTICLES}` has the shape {dataset.shape}", _layout_remedy(layout))
    if dataset.dtype.kind != "f" or dataset.dtype.itemsize > 8:
        raise UserError(
            f"{path}: `{PARTICLES}` has the type {dataset.dtype}, which is not float64, float32 or float16",
            "Store pT in GeV and phi in radians as float64",
        )
    return dataset


def _dataset(file: h5py.File, name: str) -> Any:
    """Return a dataset, or None where the name is missing, a group, or a link that leads nowhere."""
    found = file.get(name)
    return found if isinstance(found, h5py.Dataset) else None


def _has_ids(file: h5py.File, path: Path, name: str, events: int) -> bool:
    dataset = _dataset(file, name)
    if dataset is None:
        return False
    if dataset.shape not in {(events,), (events, 1)}:
        raise UserError(
            f"{path}: `{name}` has the shape {dataset.shape}, and the file has {events} events",
            f"Store one whole number for each event, or leave `{name}` out",
        )
    if not (dataset.dtype.kind in "iu" and np.can_cast(dataset.dtype, np.int64)):
        raise UserError(f"{path}: `{name}` has the type {dataset.dtype}", "Store it as int64")
    return True


def _texts(dataset: h5py.Dataset) -> list[str]:
    return [
        (item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)).strip()
        for item in np.ravel(dataset[()])
    ]


def _same_names(found: Sequence[str], expected: Sequence[str]) -> bool:
    return [name.casefold() for name in found] == [name.casefold() for name in expected]


def _check_feature_names(file: h5py.File, path: Path, layout: EventLayout) -> tuple[Oddity, ...]:
    dataset = _dataset(file, PARTICLE_NAMES)
    expected = ", ".join(layout.feature_names)
    if dataset is None:
        explanation = f"the file has no `{PARTICLE_NAMES}`; the order {expected} is assumed"
        return (Oddity("no_feature_names", 1, None, explanation),)
    names = _texts(dataset)
    if not _same_names(names, layout.feature_names):
        remedy = f"Store {expected} in this order, or describe the file's own under `events.layout`"
        raise UserError(f"{path}: `{PARTICLE_NAMES}` says {', '.join(names)}", remedy)
    return ()


def _check_class_names(file: h5py.File, layout: EventLayout) -> tuple[Oddity, ...]:
    dataset = _dataset(file, PARTICLE_CLASSES)
    if dataset is not None and _same_names(_texts(dataset), layout.class_names):
        return ()
    state = "has no" if dataset is None else "has another text in"
    whose = "published" if layout == ADC2021 else "configuration's"
    explanation = f"the file {state} `{PARTICLE_CLASSES}`; the {whose} slots of each class are assumed"
    return (Oddity("class_names_differ", 1, None, explanation),)
