"""How much of the area under the ROC curve one score keeps of another's, on the same events.

Both areas are of the same events, and go up and down together: the interval is of their ratio, and is far narrower than
those of the two areas. Sources: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837 for the covariance of two
areas; Obuchowski, Biometrics 53 (1997) 567 for grouped events; the delta method on the logarithm of the ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from trigger_ad.evaluation.intervals import Groups, tail_probability
from trigger_ad.evaluation.metrics import Scores, area_under_curve, placements_of


@dataclass(frozen=True)
class Sample:
    """The same events under two scores.

    Attributes:
        score: Of each event, (N,) int64 or float64.
        reference: The score that it is compared with, (N,) int64 or float64.
        groups: Group id of each event, (N,) int64, or None where all are independent.
    """

    score: Scores
    reference: Scores
    groups: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class RatioInterval:
    """A ratio of two areas, with the ends of its interval; both None where a sample has fewer than two groups."""

    ratio: float
    low: float | None
    high: float | None


def auc_ratio(background: Sample, signal: Sample, level: float = 0.95) -> RatioInterval:
    """The area under the ROC curve of a score, over that of its reference on the same events.

    Args:
        background: Background events.
        signal: Signal events.
        level: Confidence level.

    Raises:
        ValueError: A sample is empty or has a value that is not finite, or one of the areas is 0.
    """
    area = area_under_curve(background.score, signal.score)
    reference = area_under_curve(background.reference, signal.reference)
    if 0 in (area, reference):
        raise ValueError("an area of 0 has no ratio")
    ratio = area / reference
    memberships = [Groups.of(sample.groups, len(sample.score)) for sample in (background, signal)]
    if min(membership.count for membership in memberships) < 2:
        return RatioInterval(ratio, None, None)
    own, other = (
        _shares(background.score, signal.score, area),
        _shares(background.reference, signal.reference, reference),
    )
    variance = sum(
        _mean_variance(one - two, membership) for one, two, membership in zip(own, other, memberships, strict=True)
    )
    factor = math.exp(norm.isf(tail_probability(level)) * math.sqrt(variance))
    return RatioInterval(ratio, ratio / factor, ratio * factor)


def _shares(background: Scores, signal: Scores, area: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """DeLong's structural component of each background and each signal event, over the area."""
    placements = placements_of(background, signal)
    return placements.background / (2.0 * len(signal) * area), placements.signal / (2.0 * len(background) * area)


def _mean_variance(values: NDArray[np.float64], groups: Groups) -> float:
    """The variance of a mean, summed over each group first."""
    sums = np.bincount(groups.index, weights=values - values.mean())
    return groups.count / (groups.count - 1) * float((sums**2).sum()) / len(values) ** 2
