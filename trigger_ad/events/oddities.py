"""Anomalies that do not stop a file from being used, counted event by event."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.content import (
    BLOCK,
    columns_of,
    hash_of_columns,
    hash_without_objects,
    zero_absent_columns,
)
from trigger_ad.events.layout import ADC2021, ELECTRONS, ETA, LEPTON_FILTER_PT, MET, MUONS, SMALLEST_PT, EventLayout

BEAM_ENERGY: Final = 6500.0
"""GeV. No object of a 13 TeV collision has a larger pT."""

_ANGLE_ROUNDING: Final = 1e-6
"""The published values passed through 32-bit floats, which can lie just outside a limit."""
_PT_ROUNDING: Final = 0.05
"""GeV. Half of the last digit to which the smallest pT is known."""

_Columns: TypeAlias = NDArray[np.float64]
_Mask: TypeAlias = NDArray[np.bool_]
_Check: TypeAlias = Callable[[_Columns, _Mask, EventLayout], Iterable[_Mask]]
"""From columns, shape (objects, features, N), and which objects are present, shape (objects, N), to masks."""


@dataclass(frozen=True)
class Oddity:
    """An anomaly found in a file.

    Attributes:
        name: Short fixed name, for programs.
        count: Number of events it occurs in; 1 for an anomaly of the file as a whole.
        first_event: Index of the first of these events, from 0; None for an anomaly of the file as a whole.
        explanation: One sentence for a person.
    """

    name: str
    count: int
    first_event: int | None
    explanation: str


# Each check gives masks of shape (slots it looked at, N). An event has the oddity if any of them says so of any slot.


def _no_object(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    yield ~np.any(present, axis=0, keepdims=True)


def _gap(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    for slots in (item.slots for item in layout.classes):
        yield present[slots][1:] & ~present[slots][:-1]


def _stray_values(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    for feature in range(len(layout.features)):
        yield (columns[:, feature] != 0) & ~present


def _wrong_class(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    expected = np.array(layout.class_of_slot)[:, np.newaxis]
    yield (columns[:, layout.column("class")] != expected) & present


def _rising_pt(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    for slots in (item.slots for item in layout.classes):
        pt = np.where(present[slots], columns[slots, layout.pt], 0.0)
        # seldom does anything rise at all, be it after an absent object alone
        if not np.any(pt[1:] > pt[:-1]):
            continue
        # an absent object says nothing about the order, so it never becomes the smallest pT so far
        smallest_so_far = np.minimum.accumulate(np.where(present[slots], pt, np.inf), axis=0)
        yield present[slots][1:] & (pt[1:] > smallest_so_far[:-1])


def _eta_limit(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    eta = layout.column("eta")
    for item in layout.classes:
        if item.max_abs_eta is not None:
            yield (np.abs(columns[item.slots, eta]) > item.max_abs_eta + _ANGLE_ROUNDING) & present[item.slots]


def _phi_limit(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    yield (np.abs(columns[:, layout.column("phi")]) > math.pi + _ANGLE_ROUNDING) & present


def _met_eta(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    yield (columns[MET, ETA] != 0) & present[MET]


def _no_lepton(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    # the published filter is strict; a value just above it may have been rounded onto it
    leptons = columns[ELECTRONS.start : MUONS.stop, layout.pt]
    yield ~np.any(leptons >= LEPTON_FILTER_PT, axis=0, keepdims=True)


def _small_pt(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    for item in layout.classes:
        if item.name in SMALLEST_PT:
            limit = SMALLEST_PT[item.name] - _PT_ROUNDING
            yield (columns[item.slots, layout.pt] < limit) & present[item.slots]


def _large_pt(columns: _Columns, present: _Mask, layout: EventLayout) -> Iterator[_Mask]:
    yield columns[:, layout.pt] > BEAM_ENERGY


def _affected(masks: Iterable[_Mask], events: int) -> _Mask:
    """Which events any of the masks marks in any slot, shape (events,)."""
    affected = np.zeros(events, dtype=np.bool_)
    for mask in masks:
        # nearly always nothing is odd, which is known much sooner than in which events
        if mask.any():
            affected |= mask.any(axis=0)
    return affected


_DUPLICATES: Final = "events equal to an earlier one in every value"
_PUBLISHED_SELECTION: Final[dict[str, tuple[_Check, str]]] = {
    "met_eta_not_zero": (_met_eta, "the missing transverse energy has a pseudorapidity, which it cannot have"),
    "no_lepton_above_filter": (
        _no_lepton,
        f"no electron or muon reaches the lepton filter of {LEPTON_FILTER_PT:g} GeV",
    ),
    "pt_below_published": (
        _small_pt,
        f"a pT is below the smallest published: {SMALLEST_PT['electron']:g} (electrons), "
        f"{SMALLEST_PT['muon']:g} (muons), {SMALLEST_PT['jet']:g} GeV (jets)",
    ),
    "pt_above_beam_energy": (_large_pt, f"a pT is above {BEAM_ENERGY:g} GeV; is it in MeV?"),
}
"""What holds for the published dataset alone."""


def _checks(layout: EventLayout) -> dict[str, tuple[_Check, str]]:
    """The checks that make sense for a layout, by name, each with its explanation."""
    others = " or ".join(feature for feature in layout.features if feature != "pt") or "other values"
    limits = " or ".join(
        f"{item.max_abs_eta:g} ({item.name})" for item in layout.classes if item.max_abs_eta is not None
    )
    checks: dict[str, tuple[_Check, str]] = {
        "no_object": (_no_object, "no object is present at all"),
        "gap_between_slots": (_gap, "an absent object stands before a present one of the same class"),
        "stray_values_in_absent_object": (_stray_values, f"an object without pT has {others}; read as zero"),
        "pt_not_falling": (_rising_pt, "the objects of a class are not ordered by falling pT"),
    }
    if "class" in layout.features:
        checks["class_does_not_fit_slot"] = (_wrong_class, "a present object has a class number other than its slot's")
    if limits:
        checks["eta_beyond_limit"] = (_eta_limit, f"|eta| is above {limits}")
    if "phi" in layout.features:
        checks["phi_beyond_pi"] = (_phi_limit, "phi of a present object lies outside -pi to pi")
    return checks | _PUBLISHED_SELECTION if layout == ADC2021 else checks


class OddityTally:
    """Counts the oddities of a file that arrives in consecutive chunks.

    Memory: 8 bytes for each event, to find the duplicates.

    Args:
        layout: What the events consist of; the selection of the published dataset is checked for its own layout only.
    """

    def __init__(self, layout: EventLayout = ADC2021) -> None:
        self._layout = layout
        self._checks = _checks(layout)
        self._counts: dict[str, int] = dict.fromkeys(self._checks, 0)
        self._first: dict[str, int] = {}
        self._hashes: list[NDArray[np.uint64]] = []
        self._events = 0

    def add(self, stored: NDArray[np.float64]) -> None:
        """Count the next chunk.

        Args:
            stored: Shape (N, objects, features), as in the file: before absent objects are zeroed.
        """
        for start in range(0, len(stored), BLOCK):
            self.add_columns(columns_of(stored[start : start + BLOCK]))

    def add_columns(self, columns: NDArray[np.float64]) -> None:
        """Count the next chunk; its absent objects are zeroed on the way.

        Args:
            columns: Shape (objects, features, N), from `content.columns_of`: before absent objects are zeroed.
        """
        events = columns.shape[-1]
        present = columns[:, self._layout.pt] > 0
        for name, (check, _) in self._checks.items():
            affected = np.flatnonzero(_affected(check(columns, present, self._layout), events))
            if len(affected):
                self._counts[name] += len(affected)
                self._first.setdefault(name, self._events + int(affected[0]))
        self._events += events
        zero_absent_columns(columns, self._layout.pt)
        self._hashes.append(hash_of_columns(columns))

    def extend(self, later: OddityTally) -> None:
        """Count the chunks that follow, which another tally has counted."""
        for name, count in later._counts.items():
            self._counts[name] += count
        for name, first in later._first.items():
            self._first.setdefault(name, self._events + first)
        self._hashes += later._hashes
        self._events += later._events

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """The content hash of every event so far, shape (N,)."""
        return np.concatenate(self._hashes) if self._hashes else np.zeros(0, dtype=np.uint64)

    def result(self) -> tuple[Oddity, ...]:
        """Return the oddities that occurred, in a fixed order."""
        found = [
            Oddity(name, self._counts[name], self._first[name], explanation)
            for name, (_, explanation) in self._checks.items()
            if name in self._first
        ]
        repeated = self._repeated()
        if len(repeated):
            found.append(Oddity("duplicated_event", len(repeated), int(repeated.min()), _DUPLICATES))
        return tuple(found)

    def _repeated(self) -> NDArray[np.intp]:
        """The indices of events equal to an earlier one; events without any object are equal without being copies."""
        return _repetitions(self.hashes, hash_without_objects(self._layout.shape))


def _repetitions(hashes: NDArray[np.uint64], ignored: np.uint64) -> NDArray[np.intp]:
    """Return the indices (in no particular order) of the values, other than one, that occurred before."""
    # sorting values is ten times faster than sorting their indices, which only those that occur twice need
    ordered = np.sort(hashes)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    twice = twice[twice != ignored]
    if not len(twice):
        return np.zeros(0, dtype=np.intp)
    nearest = np.minimum(np.searchsorted(twice, hashes), len(twice) - 1)
    candidates = np.flatnonzero(twice[nearest] == hashes)
    order = candidates[np.argsort(hashes[candidates], kind="stable")]
    values = hashes[order]
    repeated: NDArray[np.intp] = order[1:][values[1:] == values[:-1]]
    return repeated
