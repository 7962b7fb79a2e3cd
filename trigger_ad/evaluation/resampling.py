"""Thresholds that a given share of background passes, and how they move when the background is drawn again.

The bootstrap of groups by Poisson frequencies: J. Hanley and B. MacGibbon, Computer Methods and Programs in Biomedicine
83 (2006) 57.
"""

from __future__ import annotations

import math
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
_DEVIATIONS: Final = 8
"""Of the number of events that pass: no threshold of a resample is further off, in events, than so many."""
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
    """The largest of some scores.

    Attributes:
        core: The events so large that they are above every threshold.
        near: Those that thresholds can fall among, the largest first.
        values: The different scores among these.
        ends: For each of the values the position of its last event.
    """

    core: NDArray[np.int64]
    near: NDArray[np.int64]
    values: Scores
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, scores: Scores, passing: float, margin: int) -> _Tail:
        """Those around the place of a threshold.

        Args:
            scores: All of them.
            passing: How many are to pass.
            margin: How many more or fewer thresholds may let pass; events that tie stay together.
        """
        last = len(scores) - 1
        places = [max(0, last - int(passing) - margin), min(last, last - int(passing) + margin)]
        low, high = np.partition(scores, places)[places]
        near = np.flatnonzero((scores >= low) & (scores <= high))
        near = near[np.argsort(-scores[near], kind="stable")]
        ordered = scores[near]
        ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
        return cls(np.flatnonzero(scores > high), near, ordered[ends], ends)

    def cut(
        self, core: NDArray[np.float64], near: NDArray[np.int16], wanted: NDArray[np.float64]
    ) -> tuple[Scores, NDArray[np.float64]]:
        """The threshold that so much weight is above, and the share of what is at it.

        Args:
            core: The weight of all events of the core, (R,).
            near: That of each near event, (R, events).
            wanted: How much weight passes, (R,).
        """
        summed = core[:, None] + np.cumsum(near, axis=1, dtype=np.int64)[:, self.ends]
        # the last, if the weight is not reached
        place = np.minimum((summed <= wanted[:, None]).sum(axis=1), len(self.ends) - 1)
        rows = np.arange(len(wanted))
        above = np.where(place > 0, summed[rows, place - 1], core)
        return self.values[place], np.clip((wanted - above) / np.maximum(summed[rows, place] - above, 1), 0, 1)


def cuts(fpr: float, scores: Sequence[Scores], groups: Groups) -> list[Cut]:
    """Thresholds that the same share of the same events passes; each resample is the same for all scores.

    A group is drawn, with all its events, as often as a Poisson variable of mean 1 says. Only groups that have an event
    above a threshold or near it are drawn one by one. Of the others the number of events alone matters, and the sum of
    equally many Poisson variables is one. So this costs what passes, and not what there is.

    Args:
        fpr: The share, in (0, 1).
        scores: Scores of the same events, (N,) each.
        groups: The groups of the events.

    Returns:
        A cut of each score: with a fixed seed, so that equal events give equal cuts.
    """
    passing = fpr * len(groups.index)
    # at most so many events pass together
    together = len(groups.index) / groups.effective_count
    margin = int(_DEVIATIONS * math.sqrt(passing * together)) + _SOME_EVENTS
    tails = [_Tail.of(values, passing, margin) for values in scores]
    found: list[tuple[list[NDArray[Any]], list[NDArray[np.float64]]]] = [([], []) for _ in scores]
    for weights in _resamples(tails, groups):
        for tail, (thresholds, shares) in zip(tails, found, strict=True):
            threshold, share = tail.cut(weights.summed(tail.core), weights.of(tail.near), fpr * weights.total)
            thresholds.append(threshold)
            shares.append(share)
    return [
        Cut(*_own_cut(tail, passing), np.concatenate(thresholds), np.concatenate(shares))
        for tail, (thresholds, shares) in zip(tails, found, strict=True)
    ]


def _own_cut(tail: _Tail, wanted: float) -> tuple[int | float, float]:
    """The cut of the events as they are."""
    near = np.ones((1, len(tail.near)), dtype=np.int16)
    threshold, share = tail.cut(np.array([float(len(tail.core))]), near, np.array([wanted]))
    return threshold[0].item(), float(share[0])


@dataclass(frozen=True, eq=False)
class _Weights:
    """How often each group is in each of some resamples.

    Attributes:
        drawn: The groups that were drawn one by one, rising.
        index: The group of each event.
        frequencies: How often each drawn group is there, (R, drawn).
        total: The number of all events, (R,).
    """

    drawn: NDArray[np.int64]
    index: NDArray[np.int64]
    frequencies: NDArray[np.int16]
    total: NDArray[np.float64]

    def of(self, events: NDArray[np.int64]) -> NDArray[np.int16]:
        """The weights of some events, (R, events)."""
        return self.frequencies[:, np.searchsorted(self.drawn, self.index[events])]

    def summed(self, events: NDArray[np.int64]) -> NDArray[np.float64]:
        """The weight of some events together, (R,)."""
        counts = np.bincount(np.searchsorted(self.drawn, self.index[events]), minlength=len(self.drawn))
        return np.asarray(self.frequencies @ counts.astype(np.float64))


def _resamples(tails: Sequence[_Tail], groups: Groups) -> Iterator[_Weights]:
    """All resamples, some at a time."""
    generator = np.random.default_rng(_SEED)
    is_drawn = np.zeros(groups.count, dtype=np.bool_)
    for tail in tails:
        is_drawn[groups.index[tail.core]] = True
        is_drawn[groups.index[tail.near]] = True
    drawn = np.flatnonzero(is_drawn)
    # how many of the other groups there are of each size
    others = np.bincount(groups.sizes[~is_drawn], minlength=1)
    size = max(1, _BLOCK // len(drawn))
    for start in range(0, RESAMPLES, size):
        number = min(size, RESAMPLES - start)
        frequencies = generator.poisson(1.0, (number, len(drawn))).astype(np.int16)
        rest = generator.poisson(others, (number, len(others))) @ np.arange(len(others))
        total = frequencies @ groups.sizes[drawn].astype(np.float64) + rest
        yield _Weights(drawn, groups.index, frequencies, total)
