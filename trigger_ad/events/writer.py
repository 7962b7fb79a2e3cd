"""Writing event files in the ADC2021 layout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from trigger_ad.errors import UserError
from trigger_ad.events import layout
from trigger_ad.run_directory import written_whole

_COMPRESSION_LEVEL = 9
_ROWS_IN_CHUNK = 1024


def write_events(path: Path, events: npt.NDArray[np.float64], group_ids: npt.NDArray[np.int64]) -> None:
    """Writes a file whole: it appears under its name only when it is complete.

    Equal arguments give equal bytes: HDF5's time stamps are switched off.

    Args:
        path: The file; one of that name is replaced.
        events: (n, 19, 4) pT in GeV, eta, phi in radians and class: this project simulates no other layout.
        group_ids: (n,) equal for events that share a parton-level collision.

    Raises:
        ValueError: The shapes do not fit the layout or each other.
        UserError: The file cannot be written.
    """
    if events.shape[1:] != (layout.OBJECTS, len(layout.NAMES)) or group_ids.shape != events.shape[:1]:
        raise ValueError(f"events of shape {events.shape} with group ids of shape {group_ids.shape}")
    with hdf5_written_whole(path) as file:
        _fill(file, events, group_ids)


@contextmanager
def hdf5_written_whole(path: Path) -> Iterator[h5py.File]:
    """Gives an empty HDF5 file in memory, and writes it under its name when the block ends well.

    HDF5 does not write to the disk itself: it cannot close a file on a full one, and crashes later. The bytes are those
    that it would have written. Memory: twice the file.

    Args:
        path: The file; one of that name is replaced.

    Raises:
        UserError: The file cannot be written; nothing is left behind.
    """
    with written_whole(path) as temporary, temporary.open("wb") as stream:
        # a folder that cannot be written has shown by now, before anything is computed
        with h5py.File(temporary, "w", driver="core", backing_store=False) as file:
            yield file
            file.flush()
            content = file.id.get_file_image()
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _fill(file: h5py.File, events: npt.NDArray[np.float64], group_ids: npt.NDArray[np.int64]) -> None:
    """Creates the four datasets of the layout and the group ids."""
    rows = max(1, min(_ROWS_IN_CHUNK, len(events)))
    file.create_dataset(
        layout.PARTICLES,
        data=events.astype(np.float64, copy=False),
        chunks=(rows, *events.shape[1:]),
        maxshape=(None, *events.shape[1:]),
        compression="gzip",
        compression_opts=_COMPRESSION_LEVEL,
        shuffle=True,
        track_times=False,
    )
    file.create_dataset(
        layout.GROUP_ID,
        data=group_ids.astype(np.int64, copy=False),
        chunks=(rows,),
        maxshape=(None,),
        compression="gzip",
        compression_opts=_COMPRESSION_LEVEL,
        shuffle=True,
        track_times=False,
    )
    for name, values in ((layout.PARTICLE_NAMES, layout.NAMES), (layout.PARTICLE_CLASSES, layout.CLASSES)):
        file.create_dataset(name, data=np.array(values, dtype="S"), track_times=False)


def read_events(path: Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Reads back, unchecked, what `write_events` wrote: (n, 19, 4) events and (n,) group ids.

    Raises:
        UserError: The file is not one that `write_events` has finished.
    """
    try:
        with h5py.File(path, "r") as file:
            return np.asarray(file[layout.PARTICLES]), np.asarray(file[layout.GROUP_ID])
    except (OSError, KeyError) as error:
        raise UserError(f"cannot read {path} ({error})", "Delete it and run the command again") from error
