"""The area under the ROC curve and its confidence interval.

The area is the probability that a signal event scores above a background event, a tie counting one half. Sources:
E. DeLong, D. DeLong and D. Clarke-Pearson, Biometrics 44 (1988) 837; X. Sun and W. Xu, IEEE Signal Processing Letters
21 (2014) 1389; N. Obuchowski, Biometrics 53 (1997) 567 for grouped events; M. Pepe, The Statistical Evaluation of
Medical Tests (2003), section 5.2 for the logit scale; W. Hoeffding, JASA 58 (1963) 13 for the bound without a variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from trigger_ad.evaluation.intervals import Groups, Number, tail_probability

Scores = NDArray[np.int64] | NDArray[np.float64]
"""One score for each event, (N,): integer score words or float64. The larger, the more anomalous."""

DELONG = "DeLong, logit scale"
CLUSTERED_DELONG = "DeLong by group (Obuchowski), logit scale"
SEPARATED = "complete separation, bound from independent pairs"
HOEFFDING = "no variance estimate, Hoeffding bound"


@dataclass(frozen=True)
class AucInterval:
    """An area under the ROC curve with its confidence interval.

    Attributes:
        auc: The area.
        low: Lower end of the interval.
        high: Upper end.
        method: How the interval was made: one of this module's four names.
    """

    auc: float
    low: float
    high: float
    method: str


@dataclass(frozen=True)
class Placements:
    """For each event, twice the number of events of the other kind that it is ordered rightly against.

    Doubled so that a tie counts 1 and everything stays an integer: areas are correctly rounded, and a variance of
    zero is exactly zero. Halved and divided by the number of other events these are DeLong's structural components;
    they equal the differences of midranks in Sun and Xu's algorithm.
    """

    signal: NDArray[np.int64]
    background: NDArray[np.int64]

    @property
    def pairs_doubled(self) -> int:
        """Twice the number of pairs."""
        return 2 * len(self.signal) * len(self.background)

    @property
    def won_doubled(self) -> int:
        """Twice the number of pairs in the right order, a tie counting 1."""
        return int(self.signal.sum())


def checked_scores(*samples: Scores) -> tuple[Scores, ...]:
    """Gives the samples as int64 or float64 where their comparison is exact.

    Raises:
        ValueError: A sample is empty, is not one score for each event, or has a value that is not finite.
        TypeError: Integers are mixed with floats, whose comparison would round, or the type is neither.
    """
    kinds = {np.asarray(sample).dtype.kind for sample in samples}
    if kinds not in ({"i"}, {"f"}):
        raise TypeError(f"scores to compare must all be signed integers or all be floats, not of kinds {sorted(kinds)}")
    wide: tuple[Scores, ...] = tuple(np.asarray(sample, dtype=np.float64) for sample in samples)
    if kinds == {"i"}:
        wide = tuple(np.asarray(sample, dtype=np.int64) for sample in samples)
    for sample in wide:
        if sample.ndim != 1 or not len(sample):
            raise ValueError(f"scores are one number for each of at least one event, not of shape {sample.shape}")
        if not np.isfinite(sample).all():
            raise ValueError("scores must be finite")
    return wide


def _doubled_counts(values: Scores, others: Scores) -> NDArray[np.int64]:
    """Twice the number of others below each value, a tie counting one: O((n + m) log m)."""
    ordered = np.sort(others)
    below, not_above = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return below.astype(np.int64) + not_above.astype(np.int64)


def placements_of(background: Scores, signal: Scores) -> Placements:
    """How each event is ordered against those of the other kind, in O((n + m) log (n + m)).

    Raises:
        ValueError: A sample is empty or has a value that is not finite.
        TypeError: Integers are compared with floats.
    """
    background, signal = checked_scores(background, signal)
    return Placements(
        signal=_doubled_counts(signal, background),
        background=2 * len(signal) - _doubled_counts(background, signal),
    )


def area_under_curve(background_scores: Scores, signal_scores: Scores) -> float:
    """The area under the ROC curve: the share of signal-background pairs in the right order, a tie counting one half.

    Exact (Mann and Whitney's count in integers, divided once), in O(n log n).

    Args:
        background_scores: (n,) int64 or float64.
        signal_scores: (m,), of the same kind.

    Raises:
        ValueError: A sample is empty or has a value that is not finite.
        TypeError: Integers are compared with floats.
    """
    placements = placements_of(background_scores, signal_scores)
    return placements.won_doubled / placements.pairs_doubled


def mean_variance(placements: NDArray[Number], groups: Groups, others: int) -> float:
    """The variance of the mean structural component of one sample, summed over each group first (Obuchowski 1997).

    The components may be differences of two scores' own, or of shares in their areas.

    G / (G - 1) · Σ over groups of (Σ over its events of (component - area))² / n²: with one event in a group the
    usual sample variance over n.
    """
    events = len(placements)
    deviations = groups.sums(events * placements - placements.sum()) / (2.0 * others * events)
    return groups.count / (groups.count - 1) * float((deviations**2).sum()) / events**2


def auc_variance(
    background: Scores,
    signal: Scores,
    background_groups: NDArray[np.int64] | None = None,
    signal_groups: NDArray[np.int64] | None = None,
) -> float | None:
    """DeLong's variance of the area under the curve, or its clustered form where groups are given.

    Background and signal are different processes, so no group has events of both: equal ids in the two are unrelated.

    Returns:
        The variance, or None where either sample has fewer than two groups and it cannot be estimated.
    """
    placements = placements_of(background, signal)
    signal_membership = Groups.of(signal_groups, len(signal))
    background_membership = Groups.of(background_groups, len(background))
    if min(signal_membership.count, background_membership.count) < 2:
        return None
    return mean_variance(placements.signal, signal_membership, len(background)) + mean_variance(
        placements.background, background_membership, len(signal)
    )


def auc_interval(
    background: Scores,
    signal: Scores,
    level: float = 0.95,
    background_groups: NDArray[np.int64] | None = None,
    signal_groups: NDArray[np.int64] | None = None,
) -> AucInterval:
    """The area under the ROC curve with DeLong's confidence interval.

    The interval is symmetric in log(area / (1 - area)): it stays within 0 and 1, and covers better near 1 than one
    that is symmetric in the area. Where the variance is zero or cannot be estimated the interval is a bound that needs
    no variance, never a point: see `_separation_bound` and `_hoeffding_bound`.

    Args:
        background: Scores of background events, (n,) int64 or float64.
        signal: Scores of signal events, (m,), of the same kind.
        level: Confidence level.
        background_groups: Group id of each background event, (n,) int64, or None where all are independent.
        signal_groups: The same for the signal, (m,).

    Raises:
        ValueError: A sample is empty, has a value that is not finite, or has not one group id for each event.
        TypeError: Integers are compared with floats.
    """
    area = area_under_curve(background, signal)
    memberships = Groups.of(background_groups, len(background)), Groups.of(signal_groups, len(signal))
    pairs = math.floor(min(membership.effective_count for membership in memberships))
    if area in (0.0, 1.0):
        return _separation_bound(area, pairs, level)
    variance = auc_variance(background, signal, background_groups, signal_groups)
    if not variance:
        return _hoeffding_bound(area, pairs, level)
    half_width = norm.isf(tail_probability(level)) * math.sqrt(variance) / (area * (1 - area))
    method = DELONG if all(membership.independent for membership in memberships) else CLUSTERED_DELONG
    return AucInterval(area, float(expit(logit(area) - half_width)), float(expit(logit(area) + half_width)), method)


def _separation_bound(area: float, pairs: int, level: float) -> AucInterval:
    """The bound where every pair is in the right order, or every pair in the wrong one.

    Match signal events to different background events: k = min(n, m) independent pairs, all in the right order with a
    probability of at most area^k. Areas below tail^(1/k) are thus excluded, whatever the distributions. For grouped
    events k is Kish's number of groups, and the bound approximate.
    """
    bound = tail_probability(level) ** (1 / pairs)
    if area == 1.0:
        return AucInterval(area, bound, 1.0, SEPARATED)
    return AucInterval(area, 0.0, 1 - bound, SEPARATED)


def _hoeffding_bound(area: float, pairs: int, level: float) -> AucInterval:
    """Hoeffding's (1963, section 5) bound: area ± sqrt(-log(tail) / 2k) within 0 and 1, k as for separation."""
    half_width = math.sqrt(-math.log(tail_probability(level)) / (2 * pairs))
    return AucInterval(area, max(0.0, area - half_width), min(1.0, area + half_width), HOEFFDING)
