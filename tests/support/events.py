"""Small events and files for tests, in the ADC2021 layout and in another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from trigger_ad.config import InputsConfig, LayoutConfig, ObjectsConfig
from trigger_ad.events.encoded import EncodedFile, encode_file
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.files import EventChunk, EventsFile
from trigger_ad.events.layout import (
    ADC2021,
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
    EventLayout,
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


OTHER = EventLayout(
    LayoutConfig(
        objects=(
            ObjectsConfig(name="tau", count=3, max_abs_eta=2.5),
            ObjectsConfig(name="met", count=1),
            ObjectsConfig(name="jet", count=5, max_abs_eta=4.5),
        ),
        features=("phi", "isolation", "pt", "eta"),
    )
)
"""Another experiment's layout: other counts, taus, no class numbers, isolation, and features in another order."""


def make_other_particles(events: int, seed: int = 1) -> NDArray[np.float64]:
    """Make sound events of `OTHER`, no two alike: shape (events, 9, 4), MET in each."""
    random = np.random.default_rng(seed)
    phi, isolation, pt, eta = (OTHER.column(name) for name in ("phi", "isolation", "pt", "eta"))
    particles = np.zeros((events, *OTHER.shape))
    particles[..., phi] = random.uniform(-3.14, 3.14, (events, OTHER.objects))
    for item in OTHER.classes:
        smallest, mean = (1.0, 30.0) if item.name == "met" else (20.0, 15.0)
        momenta = -np.sort(-(smallest + random.exponential(mean, (events, item.count))), axis=1)
        filled = np.arange(item.count) < random.integers(0, item.count + 1, (events, 1))
        particles[:, item.slots, pt] = momenta * (filled | (item.name == "met"))
        if item.max_abs_eta is not None:
            particles[:, item.slots, eta] = random.uniform(-1, 1, (events, item.count)) * item.max_abs_eta
        if item.name == "tau":
            particles[:, item.slots, isolation] = random.exponential(0.3, (events, item.count))
    particles[particles[..., pt] == 0] = 0.0
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


def write_other_events(path: Path, particles: NDArray[Any]) -> Path:
    """Write a file of events of `OTHER`."""
    return write_events(path, particles, names=OTHER.feature_names, classes=OTHER.class_names)


def read_chunks(path: Path, layout: EventLayout = ADC2021) -> list[EventChunk]:
    """Read a whole file."""
    with EventsFile(path, layout) as file:
        return list(file.chunks())


def read_particles(path: Path, layout: EventLayout = ADC2021) -> NDArray[np.float64]:
    """Read the particles of a whole file, absent objects zeroed."""
    return np.concatenate([np.zeros((0, *layout.shape)), *(chunk.particles for chunk in read_chunks(path, layout))])


def encode(path: Path, layout: EventLayout = ADC2021) -> EncodedFile:
    """Digitise a file with the default encoding."""
    return encode_file(path, InputEncoding(InputsConfig(), layout))


def spoil(path: Path, *first_events: int, dataset: str = PARTICLES) -> None:
    """Write garbage over the storage chunks that begin with these events."""
    with h5py.File(path, "r") as file:
        chunks = [file[dataset].id.get_chunk_info(index) for index in range(file[dataset].id.get_num_chunks())]
    with path.open("r+b") as stream:
        for chunk in chunks:
            if chunk.chunk_offset[0] in first_events:
                stream.seek(chunk.byte_offset)
                stream.write(b"\xff" * chunk.size)
