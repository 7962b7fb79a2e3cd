"""Small ADC2021-like events and files for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from trigger_ad.events.layout import (
    CLASS,
    CLASS_OF_SLOT,
    CLASSES,
    ELECTRONS,
    ETA,
    EVENT_ID,
    GROUP_ID,
    JETS,
    MET,
    MUONS,
    NAMES,
    OBJECTS,
    PARTICLE_CLASSES,
    PARTICLE_NAMES,
    PARTICLES,
    PHI,
    PT,
)

_CLASSES = ((ELECTRONS, 5.0, 2.9), (MUONS, 6.0, 2.0), (JETS, 16.0, 3.9))
"""Slots, smallest pT in GeV and largest |eta|."""


def make_particles(events: int, seed: int = 1) -> NDArray[np.float64]:
    """Make sound events, no two alike: shape (events, 19, 4), a lepton above the filter in each."""
    random = np.random.default_rng(seed)
    particles = np.zeros((events, OBJECTS, len(NAMES)))
    particles[:, MET, PT] = 1 + random.exponential(30, (events, 1))
    for slots, smallest_pt, largest_eta in _CLASSES:
        width = slots.stop - slots.start
        pt = -np.sort(-(smallest_pt + random.exponential(15, (events, width))), axis=1)
        filled = np.arange(width) < random.integers(0, 3, (events, 1))
        particles[:, slots, PT] = pt * filled
        particles[:, slots, ETA] = random.uniform(-1, 1, (events, width)) * largest_eta
    # at least one electron, the first of them above the filter and above all others
    particles[:, ELECTRONS.start, PT] += 24
    particles[..., PHI] = random.uniform(-3.14, 3.14, (events, OBJECTS))
    particles[..., CLASS] = CLASS_OF_SLOT
    particles[particles[..., PT] == 0] = 0.0
    return particles


def write_events(
    path: Path,
    particles: NDArray[Any],
    *,
    dtype: DTypeLike = np.float64,
    event_id: NDArray[Any] | None = None,
    group_id: NDArray[Any] | None = None,
    names: tuple[str, ...] | None = NAMES,
    classes: tuple[str, ...] | None = CLASSES,
    compression: str | None = "gzip",
    chunks: tuple[int, int, int] | bool | None = None,
) -> Path:
    """Write a file in the ADC2021 layout, or nearly so: nothing is checked, None leaves a dataset out."""
    with h5py.File(path, "w") as file:
        file.create_dataset(PARTICLES, data=particles.astype(dtype), compression=compression, chunks=chunks)
        for name, texts in ((PARTICLE_NAMES, names), (PARTICLE_CLASSES, classes)):
            if texts is not None:
                file.create_dataset(name, data=np.array([text.encode() for text in texts]))
        for name, identifiers in ((EVENT_ID, event_id), (GROUP_ID, group_id)):
            if identifiers is not None:
                file.create_dataset(name, data=identifiers)
    return path
