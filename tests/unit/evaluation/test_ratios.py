"""The ratio of two areas of the same events, held against what independent repetitions of the experiment give."""

from __future__ import annotations

import numpy as np
import pytest

from trigger_ad.evaluation.differences import Sample
from trigger_ad.evaluation.metrics import area_under_curve
from trigger_ad.evaluation.ratios import RatioInterval, auc_ratio


def _samples(random: np.random.Generator, groups: int = 200, of: int = 1) -> tuple[Sample, Sample]:
    """Background and signal under a score, and under the same one with a little noise, in groups of equal events."""

    def sample(shift: float) -> Sample:
        own = np.repeat(random.normal(shift, 1, groups), of)
        noisy = own + np.repeat(random.normal(0, 0.3, groups), of)
        return Sample.of(noisy, own, np.repeat(np.arange(groups), of))

    return sample(0.0), sample(1.0)


def test_the_ratio_is_that_of_the_two_areas() -> None:
    background, signal = _samples(np.random.default_rng(1))
    found = auc_ratio(background, signal)
    areas = (
        area_under_curve(background.first, signal.first),
        area_under_curve(background.second, signal.second),
    )
    assert found.ratio == areas[0] / areas[1]
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.ratio < found.high


@pytest.mark.parametrize("of", [1, 3])
def test_the_interval_covers_as_often_as_it_says(of: int) -> None:
    random = np.random.default_rng(2)
    truth = auc_ratio(*_samples(random, 200_000)).ratio
    found = [auc_ratio(*_samples(random, 200, of)) for _ in range(400)]
    covered = sum((item.low or 0) <= truth <= (item.high or 9) for item in found)
    # 95 % of 400 is 380, with a standard deviation of 4.4
    assert 364 <= covered <= 396


def test_equal_scores_have_a_ratio_of_exactly_one() -> None:
    random = np.random.default_rng(3)
    background, signal = (Sample.of(values, values) for values in random.normal(0, 1, (2, 50)))
    assert auc_ratio(background, signal) == RatioInterval(1.0, 1.0, 1.0)


def test_codes_may_be_compared_with_floats() -> None:
    background, signal = (
        Sample.of(codes, codes / 8)
        for codes in (np.array([0, 3, 5, 9], dtype=np.int64), np.array([4, 8, 11], dtype=np.int64))
    )
    assert auc_ratio(background, signal).ratio == 1.0


def test_one_group_has_no_interval() -> None:
    one = Sample.of(np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.array([7, 7]))
    assert auc_ratio(Sample.of(np.array([0.0, 1.0]), np.array([0.0, 1.5])), one) == RatioInterval(
        0.875 / 0.75, None, None
    )


def test_an_area_of_zero_has_no_ratio() -> None:
    low, high = np.array([0.0, 1.0]), np.array([2.0, 3.0])
    with pytest.raises(ValueError, match="an area of 0"):
        auc_ratio(Sample.of(high, low), Sample.of(low, high))
