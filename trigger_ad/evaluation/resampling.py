"""Thresholds that a given share of background passes, and how they move when the background is drawn again.

The bootstrap of groups by Poisson frequencies: J. Hanley and B. MacGibbon, Computer Methods and Programs in Biomedicine
83 (2006) 57.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.evaluation.intervals import Groups
from trigger_ad.evaluation.metrics import Scores

RESAMPLES: Final = 400
"""A standard deviation that is estimated from so many is off by 1 / sqrt(2 · 400), 3.5 %."""

_SEED: Final = 20_210_702
_MARGIN: Final = 3
"""So many times the events that pass are looked at: no threshold of a resample lies below them."""
_SOME_EVENTS: Final = 100
_BLOCK: Final = 2**23
"""Weights in memory at a time."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A threshold that an exact share of some events passes, and those of resamples of the events.

    Attributes:
        threshold: Events above pass.
        tied_share: The share of the events at the threshold that passes too.
        thresholds: The same for each resample, (R,).
        tied_shares: The same for each resample, (R,).
    """

    threshold: int | float
    tied_share: float
    thresholds: Scores
    tied_shares: NDArray[np.float64]

    def decide(self, scores: Scores) -> NDArray[np.float64]:
        """How far each event passes: 1 above the threshold, 0 below, the share of those at it; (N,) float64."""
        decided = (scores > self.threshold).astype(np.float64)
        decided[scores == self.threshold] = self.tied_share
        return decided

    def resampled_rates(self, scores: Scores) -> NDArray[np.float64]:
        """The share of events that passes each resample's threshold: (N,) to (R,), in O(N log N)."""
        ordered = np.sort(scores)
        below, not_above = (np.searchsorted(ordered, self.thresholds, side) for side in ("left", "right"))
        passing = len(ordered) - not_above + self.tied_shares * (not_above - below)
        return np.asarray(passing / len(ordered), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Tail:
    """The largest of some scores, the largest first.

    Attributes:
        events: Which events they are of.
        values: The different scores among them.
        ends: For each of these the position of its last event.
    """

    events: NDArray[np.int64]
    values: Scores
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, scores: Scores, number: int) -> _Tail:
        """At least so many; events that tie with the last of them are there too."""
        place = len(scores) - min(number, len(scores))
        events = np.flatnonzero(scores >= np.partition(scores, place)[place])
        events = events[np.argsort(-scores[events], kind="stable")]
        ordered = scores[events]
        ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
        return cls(events, ordered[ends], ends)

    def cut(self, weights: NDArray[np.int16], wanted: NDArray[np.float64]) -> tuple[Scores, NDArray[np.float64]]:
        """The threshold that so much weight is above, and the share of what is at it.

        Args:
            weights: Of its events, (R, events).
            wanted: How much weight passes, (R,).
        """
        summed = np.cumsum(weights, axis=1, dtype=np.int64)[:, self.ends]
        # the last, if the weight is not reached
        place = np.minimum((summed <= wanted[:, None]).sum(axis=1), len(self.ends) - 1)
        rows = np.arange(len(wanted))
        above = np.where(place > 0, summed[rows, place - 1], 0)
        return self.values[place], np.clip((wanted - above) / np.maximum(summed[rows, place] - above, 1), 0, 1)


def cuts(fpr: float, scores: Sequence[Scores], groups: Groups) -> list[Cut]:
    """Thresholds that the same share of the same events passes; each resample is the same for all scores.

    A group is drawn, with all its events, as often as a Poisson variable of mean 1 says. Only groups that have an event
    near a threshold are drawn one by one. Of the others the number of events alone matters, and the sum of equally
    many Poisson variables is one. So this costs what passes, and not what there is.

    Args:
        fpr: The share, in (0, 1).
        scores: Scores of the same events, (N,) each.
        groups: The groups of the events.

    Returns:
        A cut of each score: with a fixed seed, so that equal events give equal cuts.
    """
    events = len(groups.index)
    tails = [_Tail.of(values, int(_MARGIN * fpr * events) + _SOME_EVENTS) for values in scores]
    found: list[tuple[list[NDArray[Any]], list[NDArray[np.float64]]]] = [([], []) for _ in scores]
    for weights, total in _resamples(tails, groups):
        for tail, (thresholds, shares) in zip(tails, found, strict=True):
            threshold, share = tail.cut(weights(tail.events), np.asarray(fpr * total, dtype=np.float64))
            thresholds.append(threshold)
            shares.append(share)
    return [
        Cut(*_own_cut(tail, fpr * events), np.concatenate(thresholds), np.concatenate(shares))
        for tail, (thresholds, shares) in zip(tails, found, strict=True)
    ]


def _own_cut(tail: _Tail, wanted: float) -> tuple[int | float, float]:
    """The cut of the events as they are."""
    threshold, share = tail.cut(np.ones((1, len(tail.events)), dtype=np.int16), np.array([wanted]))
    return threshold[0].item(), float(share[0])


@dataclass(frozen=True, eq=False)
class _Weights:
    """How often each drawn group is in each resample."""

    drawn: NDArray[np.int64]
    index: NDArray[np.int64]
    frequencies: NDArray[np.int16]

    def __call__(self, events: NDArray[np.int64]) -> NDArray[np.int16]:
        """The weights of some events, (R, events)."""
        return self.frequencies[:, np.searchsorted(self.drawn, self.index[events])]


def _resamples(tails: Sequence[_Tail], groups: Groups) -> Iterator[tuple[_Weights, NDArray[np.int64]]]:
    """Some resamples at a time: the weights of the tails' events, and the number of all events in each."""
    generator = np.random.default_rng(_SEED)
    drawn = np.unique(groups.index[np.unique(np.concatenate([tail.events for tail in tails]))])
    # how many of the other groups there are of each size
    others = np.bincount(np.delete(groups.sizes, drawn), minlength=1)
    size = max(1, _BLOCK // len(drawn))
    for start in range(0, RESAMPLES, size):
        number = min(size, RESAMPLES - start)
        frequencies = generator.poisson(1.0, (number, len(drawn))).astype(np.int16)
        rest = generator.poisson(others, (number, len(others))) @ np.arange(len(others))
        yield _Weights(drawn, groups.index, frequencies), frequencies @ groups.sizes[drawn] + rest
