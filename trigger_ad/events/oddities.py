"""Anomalies that do not stop a file from being used, counted event by event."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.content import content_hash, hash_of_zeroed, hash_without_objects
from trigger_ad.events.layout import ADC2021, ELECTRONS, ETA, LEPTON_FILTER_PT, MET, MUONS, EventLayout

SMALLEST_PT: Final = {"electron": 4.2, "muon": 5.2, "jet": 15.0}
"""GeV. The smallest pT of each class in the published files, rounded."""

BEAM_ENERGY: Final = 6500.0
"""GeV. No object of a 13 TeV collision has a larger pT."""

_ANGLE_ROUNDING: Final = 1e-6
"""The published values passed through 32-bit floats, which can lie just outside a limit."""
_PT_ROUNDING: Final = 0.05
"""GeV. Half of the last digit to which the smallest pT is known."""

_Values: TypeAlias = NDArray[np.float64]
_Mask: TypeAlias = NDArray[np.bool_]
_Check: TypeAlias = Callable[[_Values, _Mask, EventLayout], _Mask]


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


# Each check returns a mask with one row for each event and a column for each slot it looked at.


def _no_object(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    some: _Mask = np.any(present, axis=1, keepdims=True)
    return ~some


def _gap(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    gaps = [present[:, item.slots][:, 1:] & ~present[:, item.slots][:, :-1] for item in layout.classes]
    return np.concatenate(gaps, axis=1)


def _stray_values(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    not_zero: _Mask = np.any(stored != 0, axis=2)
    return not_zero & ~present


def _wrong_class(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    differs: _Mask = stored[..., layout.column("class")] != np.array(layout.class_of_slot)
    return differs & present


def _rising_pt(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    # an absent object says nothing about the order, so it never becomes the smallest pT so far
    pt = np.where(present, stored[..., layout.pt], np.inf)
    rising = []
    for slots in (item.slots for item in layout.classes):
        smallest_so_far = np.minimum.accumulate(pt[:, slots], axis=1)
        rising.append(present[:, slots][:, 1:] & (pt[:, slots][:, 1:] > smallest_so_far[:, :-1]))
    return np.concatenate(rising, axis=1)


def _eta_limit(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    eta = np.abs(stored[..., layout.column("eta")])
    beyond = [
        (eta[:, item.slots] > item.max_abs_eta + _ANGLE_ROUNDING) & present[:, item.slots]
        for item in layout.classes
        if item.max_abs_eta is not None
    ]
    return np.concatenate(beyond, axis=1)


def _phi_limit(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    return (np.abs(stored[..., layout.column("phi")]) > math.pi + _ANGLE_ROUNDING) & present


def _met_eta(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    not_zero: _Mask = stored[:, MET, ETA] != 0
    return not_zero & present[:, MET]


def _no_lepton(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    # the published filter is strict; a value just above it may have been rounded onto it
    leptons = stored[:, ELECTRONS.start : MUONS.stop, layout.pt]
    selected: _Mask = np.any(leptons >= LEPTON_FILTER_PT, axis=1, keepdims=True)
    return ~selected


def _small_pt(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    below = [
        (stored[:, item.slots, layout.pt] < SMALLEST_PT[item.name] - _PT_ROUNDING) & present[:, item.slots]
        for item in layout.classes
        if item.name in SMALLEST_PT
    ]
    return np.concatenate(below, axis=1)


def _large_pt(stored: _Values, present: _Mask, layout: EventLayout) -> _Mask:
    above: _Mask = stored[..., layout.pt] > BEAM_ENERGY
    return above


_DUPLICATES: Final = "events equal to an earlier one in every value"
_PUBLISHED_SELECTION: Final[dict[str, tuple[_Check, str]]] = {
    "met_eta_not_zero": (_met_eta, "the missing transverse energy has a pseudorapidity, which it cannot have"),
    "no_lepton_above_filter": (_no_lepton, "no electron or muon reaches the lepton filter of 23 GeV"),
    "pt_below_published": (
        _small_pt,
        "a pT is below the smallest published: 4.2 (electrons), 5.2 (muons), 15 GeV (jets)",
    ),
    "pt_above_beam_energy": (_large_pt, "a pT is above 6500 GeV; is it in MeV?"),
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

    def add(self, stored: NDArray[np.float64], zeroed: NDArray[np.float64] | None = None) -> None:
        """Count the next chunk.

        Args:
            stored: Shape (N, objects, features), as in the file: before absent objects are zeroed.
            zeroed: The same with absent objects zeroed, where that is at hand already.
        """
        present = stored[..., self._layout.pt] > 0
        for name, (check, _) in self._checks.items():
            affected = np.flatnonzero(np.any(check(stored, present, self._layout), axis=1))
            if len(affected):
                self._counts[name] += len(affected)
                self._first.setdefault(name, self._events + int(affected[0]))
        self._hashes.append(content_hash(stored, self._layout.pt) if zeroed is None else hash_of_zeroed(zeroed))
        self._events += len(stored)

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
        hashes = self.hashes
        repeated = _repetitions(hashes)
        measured: NDArray[np.bool_] = hashes[repeated] != hash_without_objects(self._layout.shape)
        return repeated[measured]


def _repetitions(hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return the indices (in no particular order) of the values that occurred before."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    repeated: NDArray[np.intp] = order[1:][ordered[1:] == ordered[:-1]]
    return repeated
