"""How much of the area under the ROC curve one score keeps of another's, on the same events.

Both areas are of the same events, and go up and down together: the interval is of their ratio, and is far narrower than
those of the two areas. Sources: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837 for the covariance of two
areas; Obuchowski, Biometrics 53 (1997) 567 for grouped events; the delta method on the logarithm of the ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import norm

from trigger_ad.evaluation.differences import Sample
from trigger_ad.evaluation.intervals import tail_probability
from trigger_ad.evaluation.metrics import mean_variance, placements_of


@dataclass(frozen=True)
class RatioInterval:
    """A ratio of two areas, with the ends of its interval; both None where a sample has fewer than two groups."""

    ratio: float
    low: float | None
    high: float | None


def auc_ratio(background: Sample, signal: Sample, level: float = 0.95) -> RatioInterval:
    """The area under the first score's ROC curve over that under the second's.

    Args:
        background: Background events.
        signal: Signal events; equal group ids in the two are unrelated.
        level: Confidence level.

    Raises:
        ValueError: One of the areas is 0.
    """
    one, other = placements_of(background.first, signal.first), placements_of(background.second, signal.second)
    area, reference = (placements.won_doubled / placements.pairs_doubled for placements in (one, other))
    if 0 in (area, reference):
        raise ValueError("an area of 0 has no ratio")
    ratio = area / reference
    if min(background.groups.count, signal.groups.count) < 2:
        return RatioInterval(ratio, None, None)
    variance = sum(
        mean_variance(own / area - its / reference, sample.groups, len(others))
        for own, its, sample, others in (
            (one.background, other.background, background, signal),
            (one.signal, other.signal, signal, background),
        )
    )
    factor = math.exp(norm.isf(tail_probability(level)) * math.sqrt(variance))
    return RatioInterval(ratio, ratio / factor, ratio * factor)
