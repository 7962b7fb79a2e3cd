"""Confidence intervals of proportions, for independent events and for events that come in groups.

A group is a set of events that share a parton-level collision: they resemble each other, so that n events of fewer
groups tell less than n independent events. Sources: C. Clopper and E. Pearson, Biometrika 26 (1934) 404;
E. Korn and B. Graubard, Survey Methodology 24 (1998) 193; L. Kish, Survey Sampling (1965).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, t

Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True)
class Groups:
    """Which events belong together.

    Attributes:
        index: Group number of each event, (N,) int64, from 0 to the number of groups less one.
        sizes: Number of events of each group, (G,) int64.
    """

    index: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, identifiers: NDArray[np.int64] | None, events: int) -> Groups:
        """Numbers the groups.

        Args:
            identifiers: Group id of each event, (N,) integers, or None where all events are independent.
            events: N.

        Raises:
            ValueError: There is not one integer id for each event.
        """
        if identifiers is None:
            return cls(np.arange(events, dtype=np.int64), np.ones(events, dtype=np.int64))
        if identifiers.shape != (events,) or identifiers.dtype.kind not in "iu":
            raise ValueError(f"{events} events need {events} integer group ids, not {identifiers.shape}")
        _, index, sizes = np.unique(identifiers, return_inverse=True, return_counts=True)
        return cls(index.astype(np.int64), sizes.astype(np.int64))

    @property
    def count(self) -> int:
        """The number of groups."""
        return len(self.sizes)

    @property
    def independent(self) -> bool:
        """Whether every group has one event."""
        return self.count == len(self.index)

    @property
    def effective_count(self) -> float:
        """Kish's number of equally large groups, n² / Σ size²: the worth of n events that repeat within a group."""
        return float(self.sizes.sum()) ** 2 / float((self.sizes.astype(np.float64) ** 2).sum())

    def sums(self, values: NDArray[Number]) -> NDArray[Number]:
        """Sums over each group, of integers exactly: (N,) to (G,), of the same type."""
        totals = np.zeros(self.count, dtype=values.dtype)
        np.add.at(totals, self.index, values)
        return totals


def clopper_pearson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a proportion (Clopper and Pearson 1934), which covers at least `level` at any proportion.

    Args:
        successes: Accepted events.
        trials: All events, at least one.
        level: Confidence level, between 0 and 1.

    Returns:
        Lower and upper end; exactly 0 without successes and exactly 1 without failures.

    Raises:
        ValueError: There are no trials, successes outside 0..trials, or a level outside (0, 1).
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials is not a proportion")
    return _beta_interval(float(successes), float(trials), level)


def _beta_interval(successes: float, trials: float, level: float) -> tuple[float, float]:
    """Clopper-Pearson through the quantiles of beta distributions, which also admit effective, fractional counts."""
    tail = tail_probability(level)
    low = float(beta.ppf(tail, successes, trials - successes + 1)) if successes > 0 else 0.0
    high = float(beta.isf(tail, successes + 1, trials - successes)) if successes < trials else 1.0
    return low, high


def tail_probability(level: float) -> float:
    """The probability outside each end of a central interval.

    Raises:
        ValueError: The level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    return (1 - level) / 2


def proportion_interval(
    accepted: NDArray[np.bool_], groups: NDArray[np.int64] | None = None, level: float = 0.95
) -> tuple[float, float]:
    """The interval of the fraction of accepted events, wider where events of a group are accepted together.

    Without groups, or when every group has one event, this is `clopper_pearson`. Otherwise the number of events is
    replaced by the effective number (`effective_events`) at the same fraction, as Korn and Graubard (1998) propose.

    Args:
        accepted: Whether each event is accepted, (N,) bool.
        groups: Group id of each event, (N,) int64, or None.
        level: Confidence level.

    Raises:
        ValueError: There is no event, or not one group id for each.
    """
    events, successes = len(accepted), int(np.count_nonzero(accepted))
    membership = Groups.of(groups, events)
    if membership.independent:
        return clopper_pearson(successes, events, level)
    effective = effective_events(accepted, membership, level)
    if successes in (0, events):
        # a product with the fraction would be exact too, but says less plainly that an end of the interval is 0 or 1
        return _beta_interval(effective if successes else 0.0, effective, level)
    return _beta_interval(effective * (successes / events), effective, level)


def effective_events(accepted: NDArray[np.bool_], membership: Groups, level: float = 0.95) -> float:
    """How many independent events would fix the accepted fraction as well as these grouped events do.

    n / D · (t(n - 1) / t(G - 1))², where t are quantiles of Student's distribution (few groups estimate D badly) and
    D is the design effect: the variance of the fraction estimated from the G group sums, G / (G - 1) · Σ (accepted in
    group - fraction · size)² / n², over its value for independent events, p (1 - p) / (n - 1). The result never
    exceeds n. Where no or every event is accepted, or there is one group only, D cannot be estimated, and Kish's
    number of groups stands in: as if the events of a group were copies of each other.

    Args:
        accepted: Whether each event is accepted, (N,) bool.
        membership: The groups of the N events.
        level: Confidence level of the interval that will use the number.
    """
    events, successes = len(accepted), int(np.count_nonzero(accepted))
    if successes in (0, events) or membership.count == 1:
        return membership.effective_count
    fraction = successes / events
    excess = membership.sums(accepted.astype(np.int64)) - fraction * membership.sizes
    count = membership.count
    variance = count / (count - 1) * float((excess**2).sum()) / events**2
    design_effect = max(1.0, variance * (events - 1) / (fraction * (1 - fraction)))
    tail = tail_probability(level)
    return events / design_effect * float(t.isf(tail, events - 1) / t.isf(tail, count - 1)) ** 2
