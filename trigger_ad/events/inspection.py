"""What is in an events file: counts, occupancies, ranges and oddities, found in one pass with bounded memory."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.files import CHUNK_SIZE, EventChunk, EventsFile
from trigger_ad.events.layout import ELECTRONS, JETS, KINEMATICS, MET, MUONS, PT
from trigger_ad.events.oddities import Oddity, OddityTally
from trigger_ad.progress import progress

QUARTILE_EVENTS: Final = 500_000
"""Quartiles of a larger file are taken over evenly spaced events, at most so many."""

_CLASSES: Final = {"MET": MET, "electron": ELECTRONS, "muon": MUONS, "jet": JETS}


@dataclass(frozen=True)
class FeatureRange:
    """How a feature is distributed over the present objects of a class (GeV for pT, radians for phi).

    Attributes:
        minimum: Over all events, as is `maximum`.
        quartiles: Lower quartile, median and upper quartile over the events that `Inspection.quartile_stride`
            names; None where no object is present in them.
        maximum: Over all events.
    """

    minimum: float
    quartiles: tuple[float, float, float] | None
    maximum: float


@dataclass(frozen=True)
class ClassSummary:
    """The objects of one class.

    Attributes:
        name: MET, electron, muon or jet.
        objects: Number of present objects.
        occupancy: For each slot of the class, the fraction of events in which it is present; empty without events.
        features: The range of pt, eta and phi; empty where no object is present.
    """

    name: str
    objects: int
    occupancy: tuple[float, ...]
    features: dict[str, FeatureRange]


@dataclass(frozen=True)
class Inspection:
    """Everything found in an events file.

    Attributes:
        source: Name of the file without its folder.
        events: Number of events.
        dtype: Type in which the values are stored.
        compression: Storage filters; None where there are none.
        has_event_id: Whether the events carry `EvtId`.
        groups: Number of different `GroupId`; None where the events carry none.
        classes: MET, electrons, muons and jets.
        jets_mean: Mean number of jets in an event; None without events.
        jets_sd: Its standard deviation over the events.
        met_mean: Mean missing transverse energy in GeV; None without events.
        quartile_stride: Quartiles are taken over every event whose index is a multiple of this.
        oddities: Anomalies that do not stop the file from being used.
    """

    source: str
    events: int
    dtype: str
    compression: str | None
    has_event_id: bool
    groups: int | None
    classes: tuple[ClassSummary, ...]
    jets_mean: float | None
    jets_sd: float | None
    met_mean: float | None
    quartile_stride: int
    oddities: tuple[Oddity, ...]

    @property
    def verdict(self) -> Literal["sound", "sound with oddities", "empty"]:
        """Whether the file can be used: an empty one cannot."""
        if self.events == 0:
            return "empty"
        return "sound with oddities" if self.oddities else "sound"

    def to_json(self) -> dict[str, Any]:
        """Return everything as a dictionary that `json.dumps` accepts."""
        return {"verdict": self.verdict, **dataclasses.asdict(self)}


class _ClassTally:
    """Gathers what `ClassSummary` says of one class."""

    def __init__(self, name: str, slots: slice) -> None:
        self._name = name
        self._slots = slots
        self._present = np.zeros(slots.stop - slots.start, dtype=np.int64)
        self._minimum = np.full(len(KINEMATICS), np.inf)
        self._maximum = np.full(len(KINEMATICS), -np.inf)
        self._sampled: list[NDArray[np.float64]] = []

    def add(self, particles: NDArray[np.float64], sampled: slice) -> None:
        objects = particles[:, self._slots, : len(KINEMATICS)]
        present = objects[..., PT] > 0
        self._present += present.sum(axis=0)
        values = objects[present]
        self._minimum = np.minimum(self._minimum, values.min(axis=0, initial=np.inf))
        self._maximum = np.maximum(self._maximum, values.max(axis=0, initial=-np.inf))
        self._sampled.append(objects[sampled][present[sampled]])

    def summary(self, events: int) -> ClassSummary:
        objects = int(self._present.sum())
        return ClassSummary(
            name=self._name,
            objects=objects,
            occupancy=tuple(float(count) / events for count in self._present) if events else (),
            features=self._features() if objects else {},
        )

    def _features(self) -> dict[str, FeatureRange]:
        values = np.concatenate(self._sampled)
        return {
            feature: FeatureRange(
                minimum=float(self._minimum[position]),
                quartiles=_quartiles(values[:, position]) if len(values) else None,
                maximum=float(self._maximum[position]),
            )
            for position, feature in enumerate(KINEMATICS)
        }


def _quartiles(values: NDArray[np.float64]) -> tuple[float, float, float]:
    lower, median, upper = np.quantile(values, (0.25, 0.5, 0.75))
    return float(lower), float(median), float(upper)


class _FileTally:
    """Gathers what `Inspection` says of the events of a file."""

    def __init__(self, stride: int) -> None:
        self._stride = stride
        self._classes = [_ClassTally(name, slots) for name, slots in _CLASSES.items()]
        self._jets = np.zeros(JETS.stop - JETS.start + 1, dtype=np.int64)
        self._met_sum = 0.0
        self._groups: list[NDArray[np.int64]] = []
        self._oddities = OddityTally()

    def add(self, chunk: EventChunk) -> None:
        sampled = slice(-chunk.start % self._stride, None, self._stride)
        for tally in self._classes:
            tally.add(chunk.particles, sampled)
        jets = (chunk.particles[:, JETS, PT] > 0).sum(axis=1)
        self._jets += np.bincount(jets, minlength=len(self._jets))
        self._met_sum += float(chunk.particles[:, MET, PT].sum())
        if chunk.group_id is not None:
            self._groups.append(np.unique(chunk.group_id))
        self._oddities.add(chunk.stored)

    def result(self, file: EventsFile, source: str) -> Inspection:
        header = file.header
        jets_mean, jets_sd = _mean_and_deviation(self._jets)
        groups = len(np.unique(np.concatenate(self._groups))) if self._groups else 0
        return Inspection(
            source=source,
            events=header.events,
            dtype=header.dtype,
            compression=header.compression,
            has_event_id=header.has_event_id,
            groups=groups if header.has_group_id else None,
            classes=tuple(tally.summary(header.events) for tally in self._classes),
            jets_mean=jets_mean,
            jets_sd=jets_sd,
            met_mean=self._met_sum / header.events if header.events else None,
            quartile_stride=self._stride,
            oddities=header.oddities + self._oddities.result(),
        )


def _mean_and_deviation(counts: NDArray[np.int64]) -> tuple[float, float] | tuple[None, None]:
    """Return mean and standard deviation of a number that occurs `counts[number]` times."""
    events = int(counts.sum())
    if events == 0:
        return None, None
    numbers = np.arange(len(counts))
    mean = float((counts * numbers).sum()) / events
    return mean, math.sqrt(float((counts * (numbers - mean) ** 2).sum()) / events)


def inspect_file(path: Path, *, chunk_size: int = CHUNK_SIZE) -> Inspection:
    """Read a whole events file, a chunk at a time, and say what is in it.

    Args:
        path: The file.
        chunk_size: Events held in memory at a time.

    Raises:
        UserError: The file cannot be used; one line says why. A file without events is not an error here.
    """
    with EventsFile(path) as file:
        events = file.header.events
        tally = _FileTally(stride=max(1, math.ceil(events / QUARTILE_EVENTS)))
        with progress("inspecting", events, "events") as advance:
            for chunk in file.chunks(chunk_size):
                tally.add(chunk)
                advance(chunk.start + len(chunk.particles), "")
        return tally.result(file, path.name)
