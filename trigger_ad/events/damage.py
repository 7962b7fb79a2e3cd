"""Which events of a damaged file cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import h5py

from trigger_ad.errors import UserError
from trigger_ad.events.header import open_hdf5, storage_filters
from trigger_ad.events.layout import EVENT_ID, GROUP_ID, PARTICLES

_STEP: Final = 50_000
"""Events read at a time while nothing is wrong with them."""
_LISTED: Final = 4
"""Stretches that the error names."""


def damage_error(path: Path, start: int, original: UserError) -> UserError | None:
    """Find what cannot be read of a file, and return an error that names the events; None where none is found.

    Args:
        path: The file.
        start: The events before this one can be read.
        original: The error that was met.
    """
    if not isinstance(original.__cause__, OSError | RuntimeError):
        return None
    with open_hdf5(path) as file:
        datasets = [file[name] for name in (PARTICLES, EVENT_ID, GROUP_ID) if name in file]
        if not all(_can_be_decompressed(dataset) for dataset in datasets):
            return None
        stretches = {dataset.name.lstrip("/"): unreadable(dataset, start) for dataset in datasets}
        events = int(file[PARTICLES].shape[0])
    told = [f"of `{name}`, {_told(found, events)}" for name, found in stretches.items() if found]
    if not told:
        return None
    return UserError(
        f"{path} is damaged: {'; '.join(told)} cannot be read (events are counted from 0)",
        "Download it, or make it, again",
    )


def unreadable(dataset: h5py.Dataset, start: int = 0) -> list[tuple[int, int]]:
    """Return the stretches of a dataset's first axis that cannot be read, as first and last index.

    Args:
        dataset: The dataset.
        start: What comes before this index is taken to be readable.
    """
    rows = int(dataset.shape[0])
    unit = int(dataset.chunks[0]) if dataset.chunks else min(4096, max(rows, 1))
    step = max(_STEP // unit, 1) * unit
    found: list[tuple[int, int]] = []
    for begin in range(start // unit * unit, rows, step):
        end = min(begin + step, rows)
        if not _is_readable(dataset, begin, end):
            bad = [
                first for first in range(begin, end, unit) if not _is_readable(dataset, first, min(first + unit, end))
            ]
            for first in bad:
                last = min(first + unit, end) - 1
                if found and found[-1][1] == first - 1:
                    found[-1] = (found[-1][0], last)
                else:
                    found.append((first, last))
    return found


def _is_readable(dataset: h5py.Dataset, begin: int, end: int) -> bool:
    try:
        dataset[begin:end]
    except (OSError, RuntimeError):
        return False
    return True


def _can_be_decompressed(dataset: h5py.Dataset) -> bool:
    return all(h5py.h5z.filter_avail(number) for number, _ in storage_filters(dataset))


def _told(stretches: list[tuple[int, int]], events: int) -> str:
    """Such as "events 400 to 499 and 800 to 899, 200 of 10,000,"."""
    named = [f"{first:,} to {last:,}" for first, last in stretches[:_LISTED]]
    if len(stretches) > _LISTED:
        named.append(f"{len(stretches) - _LISTED} further stretches")
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    lost = sum(last - first + 1 for first, last in stretches)
    return f"events {listed}, {lost:,} of {events:,},"
