"""Anomalies that do not stop a file from being used, counted event by event."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.content import content_hash
from trigger_ad.events.layout import (
    CLASS,
    CLASS_OF_SLOT,
    ELECTRONS,
    ETA,
    JETS,
    LEPTON_FILTER_PT,
    MAX_ABS_ETA,
    MET,
    MUONS,
    PHI,
    PT,
)

SMALLEST_PT: Final = {"electron": 4.2, "muon": 5.2, "jet": 15.0}
"""GeV. The smallest pT of each class in the published files, rounded."""

BEAM_ENERGY: Final = 6500.0
"""GeV. No object of a 13 TeV collision has a larger pT."""

_SLOTS: Final = {"electron": ELECTRONS, "muon": MUONS, "jet": JETS}
_ANGLE_ROUNDING: Final = 1e-6
"""The published values passed through 32-bit floats, which can lie just outside a limit."""
_PT_ROUNDING: Final = 0.05
"""GeV. Half of the last digit to which the smallest pT is known."""

_Mask: TypeAlias = NDArray[np.bool_]


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


def _gap(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    gaps = [present[:, slots][:, 1:] & ~present[:, slots][:, :-1] for slots in _SLOTS.values()]
    return np.concatenate(gaps, axis=1)


def _stray_values(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    not_zero: _Mask = np.any(stored != 0, axis=2)
    return not_zero & ~present


def _wrong_class(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    differs: _Mask = stored[..., CLASS] != np.array(CLASS_OF_SLOT)
    return differs & present


def _rising_pt(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    # an absent object says nothing about the order, so it never becomes the smallest pT so far
    pt = np.where(present, stored[..., PT], np.inf)
    rising = []
    for slots in _SLOTS.values():
        smallest_so_far = np.minimum.accumulate(pt[:, slots], axis=1)
        rising.append(present[:, slots][:, 1:] & (pt[:, slots][:, 1:] > smallest_so_far[:, :-1]))
    return np.concatenate(rising, axis=1)


def _eta_limit(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    beyond = [
        (np.abs(stored[:, slots, ETA]) > MAX_ABS_ETA[kind] + _ANGLE_ROUNDING) & present[:, slots]
        for kind, slots in _SLOTS.items()
    ]
    return np.concatenate(beyond, axis=1)


def _phi_limit(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    return (np.abs(stored[..., PHI]) > math.pi + _ANGLE_ROUNDING) & present


def _met_eta(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    not_zero: _Mask = stored[:, MET, ETA] != 0
    return not_zero & present[:, MET]


def _no_lepton(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    # the published filter is strict; a value just above it may have been rounded onto it
    leptons = stored[:, ELECTRONS.start : MUONS.stop, PT]
    selected: _Mask = np.any(leptons >= LEPTON_FILTER_PT, axis=1, keepdims=True)
    return ~selected


def _small_pt(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    below = [
        (stored[:, slots, PT] < SMALLEST_PT[kind] - _PT_ROUNDING) & present[:, slots] for kind, slots in _SLOTS.items()
    ]
    return np.concatenate(below, axis=1)


def _large_pt(stored: NDArray[np.float64], present: _Mask) -> _Mask:
    above: _Mask = stored[..., PT] > BEAM_ENERGY
    return above


_CHECKS: Final[dict[str, tuple[Callable[[NDArray[np.float64], _Mask], _Mask], str]]] = {
    "gap_between_slots": (_gap, "an absent object stands before a present one of the same class"),
    "stray_values_in_absent_object": (_stray_values, "an object without pT has eta, phi or class; read as zero"),
    "class_does_not_fit_slot": (_wrong_class, "a present object has a class number other than its slot's"),
    "pt_not_falling": (_rising_pt, "the objects of a class are not ordered by falling pT"),
    "eta_beyond_limit": (_eta_limit, "|eta| is above 3.0 (electrons), 2.1 (muons) or 4.0 (jets)"),
    "phi_beyond_pi": (_phi_limit, "phi of a present object lies outside -pi to pi"),
    "met_eta_not_zero": (_met_eta, "the missing transverse energy has a pseudorapidity, which it cannot have"),
    "no_lepton_above_filter": (_no_lepton, "no electron or muon reaches the lepton filter of 23 GeV"),
    "pt_below_published": (
        _small_pt,
        "a pT is below the smallest published: 4.2 (electrons), 5.2 (muons), 15 GeV (jets)",
    ),
    "pt_above_beam_energy": (_large_pt, "a pT is above 6500 GeV; is it in MeV?"),
}
_DUPLICATES: Final = "events equal to an earlier one in every value"


class OddityTally:
    """Counts the oddities of a file that arrives in consecutive chunks.

    Memory: 8 bytes for each event, to find the duplicates.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = dict.fromkeys(_CHECKS, 0)
        self._first: dict[str, int] = {}
        self._hashes: list[NDArray[np.uint64]] = []
        self._events = 0

    def add(self, stored: NDArray[np.float64]) -> None:
        """Count the next chunk.

        Args:
            stored: Shape (N, 19, 4), as in the file: before absent objects are zeroed.
        """
        present = stored[..., PT] > 0
        for name, (check, _) in _CHECKS.items():
            affected = np.flatnonzero(np.any(check(stored, present), axis=1))
            if len(affected):
                self._counts[name] += len(affected)
                self._first.setdefault(name, self._events + int(affected[0]))
        self._hashes.append(content_hash(stored))
        self._events += len(stored)

    def result(self) -> tuple[Oddity, ...]:
        """Return the oddities that occurred, in a fixed order."""
        found = [
            Oddity(name, self._counts[name], self._first[name], explanation)
            for name, (_, explanation) in _CHECKS.items()
            if name in self._first
        ]
        repeated = _repetitions(np.concatenate(self._hashes)) if self._hashes else np.zeros(0, dtype=np.intp)
        if len(repeated):
            found.append(Oddity("duplicated_event", len(repeated), int(repeated.min()), _DUPLICATES))
        return tuple(found)


def _repetitions(hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return the indices (in no particular order) of the values that occurred before."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    repeated: NDArray[np.intp] = order[1:][ordered[1:] == ordered[:-1]]
    return repeated
