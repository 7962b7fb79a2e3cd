"""Differences of two scores of the same events, with intervals that know that the events are the same.

Separate intervals of two such scores overlap although the difference is sure: both rise and fall with the events that
happen to be in the sample. Here the variance is that of the difference, event by event, summed over each group of
related events first. Sources: E. DeLong, D. DeLong and D. Clarke-Pearson, Biometrics 44 (1988) 837, and N. Obuchowski,
Biometrics 53 (1997) 567 for areas; K. Linnet, Statistics in Medicine 6 (1987) 147, and R. Platt, J. Hanley and H. Yang,
Statistics in Medicine 19 (2000) 313 for true-positive rates whose threshold is estimated too; A. Agresti and Y. Min,
Statistics in Medicine 24 (2005) 729 for few events that the scores decide differently.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from trigger_ad.evaluation.intervals import Groups, tail_probability
from trigger_ad.evaluation.metrics import Scores, checked_scores, mean_variance, placements_of
from trigger_ad.evaluation.resampling import Cut

PAIRED_DELONG = "paired DeLong"
PAIRED_CLUSTERED = "paired DeLong by group (Obuchowski)"
SAME_ORDER = "no pair is ordered differently, bound from independent pairs"
NO_VARIANCE = "no variance estimate, Hoeffding bound"
RATE_METHOD: Final = "threshold by bootstrap of groups, signal by adjusted paired variance"


@dataclass(frozen=True)
class Difference:
    """A difference with its confidence interval.

    Attributes:
        difference: The first score's less the second's.
        low: Lower end of the interval.
        high: Upper end.
        method: How the interval was made.
    """

    difference: float
    low: float
    high: float
    method: str

    def to_json(self) -> dict[str, Any]:
        """The fields under their names."""
        return asdict(self)


@dataclass(frozen=True)
class Sample:
    """Test events as two scores see them, and which of them belong together.

    Attributes:
        first: One score for each event, (N,) int64 or float64.
        second: The other's, of the same events in the same order; the two need not be of the same kind.
        groups: The groups of the events.

    Raises:
        ValueError: The scores are not of as many events.
    """

    first: Scores
    second: Scores
    groups: Groups

    def __post_init__(self) -> None:
        if not len(self.first) == len(self.second) == len(self.groups.index):
            raise ValueError(f"{len(self.first)} and {len(self.second)} scores are not of the same events")

    @classmethod
    def of(cls, first: Scores, second: Scores, group_id: NDArray[np.int64] | None = None) -> Sample:
        """Pairs scores, whose events have group ids or are independent."""
        (one,), (other,) = checked_scores(first), checked_scores(second)
        return cls(one, other, Groups.of(group_id, len(one)))

    def __len__(self) -> int:
        return len(self.first)


def auc_difference(background: Sample, signal: Sample, level: float = 0.95) -> Difference:
    """The area under the first score's ROC curve less that under the second's.

    The variance is DeLong's for the difference of two areas: for each event the difference of its two structural
    components, summed over each group (Obuchowski). Exact to compute, in O((n + m) log (n + m)). Where no event's
    component differs, or too few groups show how they vary, a bound stands in: see `_no_difference`.

    Args:
        background: Background events.
        signal: Signal events; equal group ids in the two are unrelated.
        level: Confidence level.
    """
    one, other = (
        placements_of(background.first, signal.first),
        placements_of(background.second, signal.second),
    )
    gained = one.won_doubled - other.won_doubled
    value = gained / one.pairs_doubled
    differing = one.signal - other.signal, one.background - other.background
    pairs = math.floor(min(background.groups.effective_count, signal.groups.effective_count))
    if not any(part.any() for part in differing):
        return _no_difference(pairs, level)
    variance = 0.0
    if min(background.groups.count, signal.groups.count) > 1:
        of_signal, of_background = differing
        variance += mean_variance(of_signal, signal.groups, len(background))
        variance += mean_variance(of_background, background.groups, len(signal))
    if not variance:
        # each pair counts -1, 0 or 1: Hoeffding's bound for values in an interval of length 2
        half_width = math.sqrt(-2 * math.log(tail_probability(level)) / pairs)
        return Difference(value, max(-1.0, value - half_width), min(1.0, value + half_width), NO_VARIANCE)
    half_width = float(norm.isf(tail_probability(level))) * math.sqrt(variance)
    independent = background.groups.independent and signal.groups.independent
    return Difference(value, value - half_width, value + half_width, PAIRED_DELONG if independent else PAIRED_CLUSTERED)


def _no_difference(pairs: int, level: float) -> Difference:
    """Where both scores order every pair alike: as many independent pairs do so, so that few pairs in all can differ.

    Equal components of all events say that they do. Of the highest equal scores the events and their kinds follow from
    the components: signal with the largest, background with the smallest, how many of each from the two values. What is
    below them follows in the same way.

    With a share q of pairs that the scores order differently, k independent pairs show none with a probability of
    (1 - q)^k; the areas differ by at most q.
    """
    bound = 1 - tail_probability(level) ** (1 / pairs)
    return Difference(0.0, -bound, bound, SAME_ORDER)


def rate_difference(first: Cut, second: Cut, signal: Sample, level: float = 0.95) -> Difference:
    """The first score's true-positive rate less the second's, where each accepts the same share of test background.

    Two independent samples make it uncertain. The background: both thresholds are quantiles of it, and resamples of
    its groups, the same for both scores, show how the difference moves with them. The signal at given thresholds: the
    variance of the paired decisions by group, with half an event added to each of the four ways that two decisions
    can fall (Agresti and Min), so that it is never zero. The variances add up, and the interval is normal.

    Args:
        first: The first score's threshold on background, with its resamples.
        second: The second's, of the same resamples.
        signal: Signal events.
        level: Confidence level.
    """
    decided = first.decide(signal.first) - second.decide(signal.second)
    moved = first.resampled_rates(signal.first) - second.resampled_rates(signal.second)
    value = float(decided.sum()) / len(signal)
    variance = float(np.var(moved, ddof=1)) + _paired_variance(decided, signal.groups)
    half_width = float(norm.isf(tail_probability(level))) * math.sqrt(variance)
    return Difference(value, max(-1.0, value - half_width), min(1.0, value + half_width), RATE_METHOD)


def _paired_variance(decided: NDArray[np.float64], groups: Groups) -> float:
    """The variance of a mean of differences of decisions, each between -1 and 1, that come in groups.

    (Σ d² + 1 - (Σ d)² / (n + 2)) / (n + 2)², Agresti and Min's for independent events, times the design effect: the
    variance from group sums over that of independent events, where it is more than 1.
    """
    events, total, squares = len(decided), float(decided.sum()), float((decided**2).sum())
    adjusted = (squares + 1 - total**2 / (events + 2)) / (events + 2) ** 2
    independent = squares - total**2 / events
    if groups.independent:
        return adjusted
    if groups.count < 2 or independent <= 0:
        return adjusted * events / groups.effective_count
    sums = groups.sums(decided) - total / events * groups.sizes
    clustered = groups.count / (groups.count - 1) * float((sums**2).sum())
    return adjusted * max(1.0, clustered / independent)
