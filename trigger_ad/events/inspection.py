"""What is in an events file: counts, occupancies, ranges and oddities, found in one pass with bounded memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import InputsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.class_summary import ClassSummary, ClassTally
from trigger_ad.events.damage import damage_error
from trigger_ad.events.distributions import described_features
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.files import CHUNK_SIZE, EventChunk, EventsFile
from trigger_ad.events.header import Header
from trigger_ad.events.layout import EventLayout
from trigger_ad.events.oddities import Oddity, OddityTally
from trigger_ad.events.overlap import ElectronJetOverlap, electron_jet_overlap
from trigger_ad.events.quantities import missing_transverse_energy
from trigger_ad.events.quartiles import FINE_BINNINGS, Binning, fine_binning
from trigger_ad.progress import progress

EXACT_EVENTS: Final = 500_000
"""Quartiles of a larger file are taken from fine histograms, whose memory does not grow."""

TYPICAL_EVENTS: Final = 50_000
"""At the beginning of a file: what decides the axes and histograms of quantities of which nothing is known."""

DEFAULT_ENCODING: Final = InputEncoding(InputsConfig())
"""That of the default configuration, for events of the ADC2021 layout."""


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
        layout: What its events consist of.
        events: Number of events.
        dtype: Type in which the values are stored.
        compression: Storage filters; None where there are none.
        has_event_id: Whether the events carry `EvtId`.
        event_ids: The `EvtId`; None where the events carry none.
        groups: Number of different `GroupId`; None where the events carry none.
        classes: The classes of the layout.
        jets_mean: Mean number of jets in an event; None without events, or where the layout has none.
        jets_sd: Its standard deviation over the events.
        met_mean: Mean missing transverse energy in GeV; None without events, or where the layout has none.
        quartile_bin_widths: For each feature the width of the bins that quartiles are from (GeV, radians); None where
            they are exact.
        electrons_as_jets: Electrons that are also present as jets; None where the layout cannot tell.
        saturated: For each feature of the configuration's trigger words, present objects beyond their range.
        oddities: Anomalies that do not stop the file from being used.
    """

    source: str
    layout: EventLayout
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
    electrons_as_jets: ElectronJetOverlap | None
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
        data["layout"] = self.layout.config.model_dump(mode="json")
        if self.electrons_as_jets is not None:
            data["electrons_as_jets"]["fraction"] = self.electrons_as_jets.fraction
        return data


class _FileTally:
    """Gathers what `Inspection` says of the events of a file.

    Memory: 8 bytes for each event to find the duplicates, and as many again for `EvtId` and for `GroupId`.
    """

    def __init__(self, encoding: InputEncoding, binnings: Mapping[str, Binning] | None) -> None:
        self._encoding = encoding
        self._binnings = binnings
        layout = encoding.layout
        self._classes = [ClassTally(item, layout, binnings) for item in layout.classes]
        self._saturated: dict[str, int] = dict.fromkeys(encoding.names, 0)
        nothing = np.zeros((0, *layout.shape))
        self._overlap = electron_jet_overlap(nothing, layout)
        self._met_sum = None if missing_transverse_energy(nothing, layout) is None else 0.0
        self._event_ids: list[NDArray[np.int64]] = []
        self._group_ids: list[NDArray[np.int64]] = []
        self._oddities = OddityTally(layout)

    def add(self, chunk: EventChunk) -> None:
        particles = chunk.particles
        for tally in self._classes:
            tally.add(particles)
        for feature, count in self._encoding.saturated(particles).items():
            self._saturated[feature] += count
        self._add_what_only_some_layouts_have(particles)
        if chunk.event_id is not None:
            self._event_ids.append(chunk.event_id)
        if chunk.group_id is not None:
            self._group_ids.append(np.unique(chunk.group_id))
        self._oddities.add(chunk.stored)

    def _add_what_only_some_layouts_have(self, particles: NDArray[np.float64]) -> None:
        overlap = electron_jet_overlap(particles, self._encoding.layout)
        if self._overlap is not None and overlap is not None:
            self._overlap += overlap
        met = missing_transverse_energy(particles, self._encoding.layout)
        if self._met_sum is not None and met is not None:
            self._met_sum += float(met.sum())

    def result(self, header: Header, source: str) -> Inspection:
        classes = tuple(tally.summary(header.events) for tally in self._classes)
        jets = next((summary for summary in classes if summary.name == "jet"), None)
        widths = None if self._binnings is None else {name: bins.width for name, bins in self._binnings.items()}
        return Inspection(
            source=source,
            layout=self._encoding.layout,
            events=header.events,
            dtype=header.dtype,
            compression=header.compression,
            has_event_id=header.has_event_id,
            event_ids=_event_ids(self._event_ids) if header.has_event_id else None,
            groups=len(_distinct(self._group_ids)) if header.has_group_id else None,
            classes=classes,
            jets_mean=None if jets is None else jets.mean,
            jets_sd=None if jets is None else jets.sd,
            met_mean=None if self._met_sum is None or not header.events else self._met_sum / header.events,
            quartile_bin_widths=widths,
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


def typical_events(path: Path, layout: EventLayout) -> NDArray[np.float64]:
    """The events at the beginning of a file, for `layout_quantities`.

    Args:
        path: The file.
        layout: What its events should consist of.

    Returns:
        Shape (N, objects, features), N at most `TYPICAL_EVENTS`.

    Raises:
        UserError: The file cannot be used.
    """
    with EventsFile(path, layout) as file:
        return _first_events(file, layout)


def _first_events(file: EventsFile, layout: EventLayout) -> NDArray[np.float64]:
    chunk = next(file.chunks(TYPICAL_EVENTS), None)
    return np.zeros((0, *layout.shape)) if chunk is None else chunk.particles


def inspect_file(
    path: Path,
    encoding: InputEncoding = DEFAULT_ENCODING,
    *,
    chunk_size: int = CHUNK_SIZE,
    observers: Sequence[Callable[[EventChunk], None]] = (),
    title: str = "inspecting",
) -> Inspection:
    """Read a whole events file, a chunk at a time, and say what is in it.

    Args:
        path: The file.
        encoding: The trigger words, beyond whose range objects are counted, and the layout of the events.
        chunk_size: Events held in memory at a time.
        observers: Called with every chunk, for what else is wanted of the same pass.
        title: What progress is called.

    Raises:
        UserError: The file cannot be used; one line says why. Of a damaged file it names the events that cannot be
            read. A file without events is not an error here.
    """
    with EventsFile(path, encoding.layout) as file:
        header = file.header
        read = 0
        with progress(title, header.events, "events") as advance:
            try:
                tally = _FileTally(encoding, _binnings(file, encoding.layout))
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


def _binnings(file: EventsFile, layout: EventLayout) -> dict[str, Binning] | None:
    """For each feature the histogram that quartiles are from; None where they are exact."""
    if file.header.events <= EXACT_EVENTS:
        return None
    features = described_features(layout)
    known = FINE_BINNINGS.keys() >= set(features)
    events = np.zeros((0, *layout.shape)) if known else _first_events(file, layout)
    present = events[events[..., layout.pt] > 0]
    return {name: fine_binning(name, present[:, layout.column(name)]) for name in features}
