"""What is in an events file: counts, occupancies, ranges and oddities, found in one pass with bounded memory."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import InputsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.damage import damage_error
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.files import CHUNK_SIZE, EventChunk, EventsFile
from trigger_ad.events.header import Header
from trigger_ad.events.layout import ELECTRONS, JETS, KINEMATICS, MET, MUONS, PT
from trigger_ad.events.oddities import Oddity, OddityTally
from trigger_ad.events.overlap import ElectronJetOverlap, electron_jet_overlap
from trigger_ad.events.quartiles import FINE_BINNINGS, BinnedQuartiles, ExactQuartiles, Quartiles
from trigger_ad.progress import progress

EXACT_EVENTS: Final = 500_000
"""Quartiles of a larger file are taken from fine histograms, whose memory does not grow."""

_CLASSES: Final = {"MET": MET, "electron": ELECTRONS, "muon": MUONS, "jet": JETS}


@dataclass(frozen=True)
class FeatureRange:
    """How a feature is distributed over the present objects of a class (GeV for pT, radians for phi).

    Attributes:
        minimum: Exact, as is `maximum`.
        quartiles: Lower quartile, median and upper quartile, exact or to `Inspection.quartile_bin_widths`; None where
            one of them lies outside the histogram of a large file.
        maximum: The largest value.
    """

    minimum: float
    quartiles: Quartiles | None
    maximum: float


@dataclass(frozen=True)
class ClassSummary:
    """The objects of one class.

    Attributes:
        name: MET, electron, muon or jet.
        objects: Number of present objects.
        occupancy: For each slot of the class, the fraction of events in which it is present; empty without events.
        events_by_number: How many events have 0, 1, 2, ... present objects.
        mean: Mean number of present objects in an event; None without events.
        sd: Its standard deviation over the events; None without events.
        features: The range of pt, eta and phi; empty where no object is present.
    """

    name: str
    objects: int
    occupancy: tuple[float, ...]
    events_by_number: tuple[int, ...]
    mean: float | None
    sd: float | None
    features: dict[str, FeatureRange]


@dataclass(frozen=True)
class EventIds:
    """The `EvtId` of a file.

    Attributes:
        smallest: None without events, as is `largest`.
        largest: The largest id.
        repeated: Number of events whose id an earlier event has.
    """

    smallest: int | None
    largest: int | None
    repeated: int


@dataclass(frozen=True)
class Inspection:
    """Everything found in an events file.

    Attributes:
        source: Name of the file without its folder.
        events: Number of events.
        dtype: Type in which the values are stored.
        compression: Storage filters; None where there are none.
        has_event_id: Whether the events carry `EvtId`.
        event_ids: The `EvtId`; None where the events carry none.
        groups: Number of different `GroupId`; None where the events carry none.
        classes: MET, electrons, muons and jets.
        jets_mean: Mean number of jets in an event; None without events.
        jets_sd: Its standard deviation over the events.
        met_mean: Mean missing transverse energy in GeV; None without events.
        quartile_bin_widths: For each feature the width of the bins that quartiles are from (GeV, radians); None where
            they are exact.
        electrons_as_jets: Electrons that are also present as jets.
        saturated: For each feature, present objects beyond the range of the default configuration's trigger words.
        oddities: Anomalies that do not stop the file from being used.
    """

    source: str
    events: int
    dtype: str
    compression: str | None
    has_event_id: bool
    event_ids: EventIds | None
    groups: int | None
    classes: tuple[ClassSummary, ...]
    jets_mean: float | None
    jets_sd: float | None
    met_mean: float | None
    quartile_bin_widths: dict[str, float] | None
    electrons_as_jets: ElectronJetOverlap
    saturated: dict[str, int]
    oddities: tuple[Oddity, ...]

    @property
    def verdict(self) -> Literal["sound", "sound with oddities", "empty"]:
        """Whether the file can be used: an empty one cannot."""
        if self.events == 0:
            return "empty"
        return "sound with oddities" if self.oddities else "sound"

    def affected(self, oddity: str) -> int:
        """Number of events that an oddity occurs in."""
        return sum(found.count for found in self.oddities if found.name == oddity)

    def to_json(self) -> dict[str, Any]:
        """Return everything as a dictionary that `json.dumps` accepts."""
        data = {"verdict": self.verdict, **dataclasses.asdict(self)}
        data["electrons_as_jets"]["fraction"] = self.electrons_as_jets.fraction
        return data


class _ClassTally:
    """Gathers what `ClassSummary` says of one class."""

    def __init__(self, name: str, slots: slice, *, exact: bool) -> None:
        self._name = name
        self._slots = slots
        size = slots.stop - slots.start
        self._present = np.zeros(size, dtype=np.int64)
        self._numbers = np.zeros(size + 1, dtype=np.int64)
        self._minimum = np.full(len(KINEMATICS), np.inf)
        self._maximum = np.full(len(KINEMATICS), -np.inf)
        self._quartiles = [
            ExactQuartiles() if exact else BinnedQuartiles(FINE_BINNINGS[feature]) for feature in KINEMATICS
        ]

    def add(self, particles: NDArray[np.float64]) -> None:
        objects = particles[:, self._slots, : len(KINEMATICS)]
        present = objects[..., PT] > 0
        self._present += present.sum(axis=0)
        self._numbers += np.bincount(present.sum(axis=1), minlength=len(self._numbers))
        values = objects[present]
        self._minimum = np.minimum(self._minimum, values.min(axis=0, initial=np.inf))
        self._maximum = np.maximum(self._maximum, values.max(axis=0, initial=-np.inf))
        for position, quartiles in enumerate(self._quartiles):
            quartiles.add(values[:, position])

    def summary(self, events: int) -> ClassSummary:
        objects = int(self._present.sum())
        mean, sd = _mean_and_deviation(self._numbers)
        return ClassSummary(
            name=self._name,
            objects=objects,
            occupancy=tuple(float(count) / events for count in self._present) if events else (),
            events_by_number=tuple(int(count) for count in self._numbers),
            mean=mean,
            sd=sd,
            features=self._features() if objects else {},
        )

    def _features(self) -> dict[str, FeatureRange]:
        return {
            feature: FeatureRange(
                minimum=float(self._minimum[position]),
                quartiles=self._quartiles[position].result(),
                maximum=float(self._maximum[position]),
            )
            for position, feature in enumerate(KINEMATICS)
        }


class _FileTally:
    """Gathers what `Inspection` says of the events of a file.

    Memory: 8 bytes for each event to find the duplicates, and as many again for `EvtId` and for `GroupId`.
    """

    def __init__(self, *, exact: bool) -> None:
        self._exact = exact
        self._classes = [_ClassTally(name, slots, exact=exact) for name, slots in _CLASSES.items()]
        self._encoding = InputEncoding(InputsConfig())
        self._saturated: dict[str, int] = dict.fromkeys(KINEMATICS, 0)
        self._overlap = ElectronJetOverlap()
        self._met_sum = 0.0
        self._event_ids: list[NDArray[np.int64]] = []
        self._group_ids: list[NDArray[np.int64]] = []
        self._oddities = OddityTally()

    def add(self, chunk: EventChunk) -> None:
        particles = chunk.particles
        for tally in self._classes:
            tally.add(particles)
        for feature, count in self._encoding.saturated(particles).items():
            self._saturated[feature] += count
        self._overlap += electron_jet_overlap(particles)
        self._met_sum += float(particles[:, MET, PT].sum())
        if chunk.event_id is not None:
            self._event_ids.append(chunk.event_id)
        if chunk.group_id is not None:
            self._group_ids.append(np.unique(chunk.group_id))
        self._oddities.add(chunk.stored, chunk.particles)

    def result(self, header: Header, source: str) -> Inspection:
        classes = tuple(tally.summary(header.events) for tally in self._classes)
        jets = classes[-1]
        return Inspection(
            source=source,
            events=header.events,
            dtype=header.dtype,
            compression=header.compression,
            has_event_id=header.has_event_id,
            event_ids=_event_ids(self._event_ids) if header.has_event_id else None,
            groups=len(_distinct(self._group_ids)) if header.has_group_id else None,
            classes=classes,
            jets_mean=jets.mean,
            jets_sd=jets.sd,
            met_mean=self._met_sum / header.events if header.events else None,
            quartile_bin_widths=None if self._exact else {name: bins.width for name, bins in FINE_BINNINGS.items()},
            electrons_as_jets=self._overlap,
            saturated=self._saturated,
            oddities=header.oddities + self._oddities.result(),
        )


def _distinct(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The different values of all parts, rising; the parts are used up."""
    values = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    parts.clear()
    # in place: these are the largest arrays of all
    values.sort()
    is_new = np.ones(len(values), dtype=np.bool_)
    is_new[1:] = values[1:] != values[:-1]
    distinct: NDArray[np.int64] = values[is_new]
    return distinct


def _event_ids(parts: list[NDArray[np.int64]]) -> EventIds:
    events = sum(map(len, parts))
    distinct = _distinct(parts)
    smallest, largest = (int(distinct[0]), int(distinct[-1])) if events else (None, None)
    return EventIds(smallest, largest, events - len(distinct))


def _mean_and_deviation(counts: NDArray[np.int64]) -> tuple[float, float] | tuple[None, None]:
    """Return mean and standard deviation of a number that occurs `counts[number]` times."""
    events = int(counts.sum())
    if events == 0:
        return None, None
    numbers = np.arange(len(counts))
    mean = float((counts * numbers).sum()) / events
    return mean, math.sqrt(float((counts * (numbers - mean) ** 2).sum()) / events)


def inspect_file(
    path: Path,
    *,
    chunk_size: int = CHUNK_SIZE,
    observers: Sequence[Callable[[EventChunk], None]] = (),
    title: str = "inspecting",
) -> Inspection:
    """Read a whole events file, a chunk at a time, and say what is in it.

    Args:
        path: The file.
        chunk_size: Events held in memory at a time.
        observers: Called with every chunk, for what else is wanted of the same pass.
        title: What progress is called.

    Raises:
        UserError: The file cannot be used; one line says why. Of a damaged file it names the events that cannot be
            read. A file without events is not an error here.
    """
    with EventsFile(path) as file:
        header = file.header
        tally = _FileTally(exact=header.events <= EXACT_EVENTS)
        read = 0
        with progress(title, header.events, "events") as advance:
            try:
                for chunk in file.chunks(chunk_size):
                    tally.add(chunk)
                    for observer in observers:
                        observer(chunk)
                    read = chunk.start + len(chunk.particles)
                    advance(read, "")
            except UserError as error:
                damage = damage_error(path, read, error)
                if damage is None:
                    raise
                raise damage from error
    # sorting needs much memory for a moment: by now the file's cache is closed
    return tally.result(header, path.name)
