"""The area under the ROC curve and its interval, against definitions, published values and pseudo-experiments."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.stats import binom, norm

from trigger_ad.evaluation.metrics import (
    CLUSTERED_DELONG,
    DELONG,
    HOEFFDING,
    SEPARATED,
    Scores,
    area_under_curve,
    auc_interval,
    auc_variance,
)

SMALL_SCORES = st.lists(st.integers(-4, 4), min_size=1, max_size=12)


def kernel(background: Scores, signal: Scores) -> NDArray[np.float64]:
    """Every pair, (m, n): 1 in the right order, 1/2 tied, 0 in the wrong one."""
    return np.asarray((signal[:, None] > background) + 0.5 * (signal[:, None] == background))


def direct_variance(background: Scores, signal: Scores) -> float:
    """DeLong's variance by its definition, from all n · m pairs."""
    pairs = kernel(background, signal)
    return float(pairs.mean(axis=1).var(ddof=1) / len(signal) + pairs.mean(axis=0).var(ddof=1) / len(background))


def variance_of(
    background: Scores,
    signal: Scores,
    background_groups: NDArray[np.int64] | None = None,
    signal_groups: NDArray[np.int64] | None = None,
) -> float:
    """The variance of samples that have one."""
    variance = auc_variance(background, signal, background_groups, signal_groups)
    assert variance is not None
    return variance


def direct_clustered_part(components: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """One sample's part of Obuchowski's variance, by its definition."""
    identifiers, events = np.unique(groups), len(groups)
    total = sum((components[groups == i].sum() - (groups == i).sum() * components.mean()) ** 2 for i in identifiers)
    return float(len(identifiers) / ((len(identifiers) - 1) * events) * total / events)


@given(SMALL_SCORES, SMALL_SCORES)
def test_the_area_is_the_share_of_ordered_pairs_with_ties_counting_one_half(
    background: list[int], signal: list[int]
) -> None:
    won = sum(Fraction(2 * (s > b) + (s == b), 2) for s in signal for b in background)

    assert area_under_curve(np.array(background), np.array(signal)) == float(won / (len(signal) * len(background)))


def test_score_words_beyond_the_precision_of_a_float_are_ordered_exactly() -> None:
    word = 2**60

    assert area_under_curve(np.array([word]), np.array([word + 1])) == 1.0
    assert area_under_curve(np.array([word + 1]), np.array([word])) == 0.0


def test_the_radiology_example_gives_its_published_area_and_standard_error() -> None:
    # 109 CT images of Hanley and McNeil, Radiology 143 (1982) 29; standard error and interval as Stata's manual prints
    ratings = np.arange(1, 6)
    normal, abnormal = np.repeat(ratings, [33, 6, 6, 11, 2]), np.repeat(ratings, [3, 2, 2, 11, 33])

    area, error = area_under_curve(normal, abnormal), np.sqrt(variance_of(normal, abnormal))

    assert (round(area, 4), round(error, 4)) == (0.8932, 0.0307)
    assert (round(area - 1.959964 * error, 5), round(area + 1.959964 * error, 5)) == (0.83295, 0.95339)


def test_an_example_small_enough_for_the_hand() -> None:
    # components of the signal 1/2, 1 and of the background 1, 3/4 and 1/2: variance (1/8) / 2 + (1/16) / 3
    background, signal = np.array([1, 2, 3]), np.array([2, 4])

    assert area_under_curve(background, signal) == 0.75
    assert_allclose(variance_of(background, signal), 1 / 16 + 1 / 48, rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("tied", [False, True])
def test_the_variance_is_delongs_by_definition(seed: int, tied: bool) -> None:
    generator = np.random.default_rng(seed)
    background, signal = generator.normal(size=57), generator.normal(1.0, 1.5, size=31)
    if tied:
        background, signal = np.round(background), np.round(signal)

    assert_allclose(variance_of(background, signal), direct_variance(background, signal), rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_the_clustered_variance_is_obuchowskis_by_definition(seed: int) -> None:
    generator = np.random.default_rng(seed)
    background, signal = generator.normal(size=57), generator.normal(1.0, 1.5, size=31)
    background_groups, signal_groups = generator.integers(0, 20, size=57), generator.integers(0, 12, size=31)
    pairs = kernel(background, signal)

    found = variance_of(background, signal, background_groups, signal_groups)

    expected = direct_clustered_part(pairs.mean(axis=0), background_groups)
    assert_allclose(found, expected + direct_clustered_part(pairs.mean(axis=1), signal_groups), rtol=1e-12)


def test_groups_of_one_event_change_nothing() -> None:
    generator = np.random.default_rng(3)
    background, signal = generator.normal(size=40), generator.normal(1.0, size=30)

    grouped = auc_interval(background, signal, 0.95, np.arange(40), np.arange(30))

    assert grouped == auc_interval(background, signal)
    assert grouped.method == DELONG


def test_copies_of_an_event_in_its_group_tell_nothing_new() -> None:
    generator = np.random.default_rng(4)
    background, signal = generator.normal(size=40), generator.normal(1.0, size=30)
    copied = auc_interval(
        np.repeat(background, 5), np.repeat(signal, 3), 0.95, np.repeat(np.arange(40), 5), np.repeat(np.arange(30), 3)
    )
    once = auc_interval(background, signal)

    assert copied.method == CLUSTERED_DELONG
    assert copied.auc == once.auc
    assert_allclose((copied.low, copied.high), (once.low, once.high), rtol=1e-12)


def test_swapping_the_samples_mirrors_the_interval() -> None:
    generator = np.random.default_rng(5)
    background, signal = generator.normal(size=40), generator.normal(1.0, size=30)

    there, back = auc_interval(background, signal), auc_interval(signal, background)

    assert_allclose((1 - back.high, 1 - back.low), (there.low, there.high), rtol=1e-12)


@given(SMALL_SCORES, SMALL_SCORES)
def test_every_interval_holds_the_area_within_0_and_1_and_is_never_a_point(
    background: list[int], signal: list[int]
) -> None:
    found = auc_interval(np.array(background), np.array(signal))

    assert 0.0 <= found.low <= found.auc <= found.high <= 1.0
    assert found.low < found.high


def test_complete_separation_is_bounded_by_the_number_of_independent_pairs() -> None:
    found = auc_interval(np.arange(50), np.arange(100, 120))

    assert (found.auc, found.high, found.method) == (1.0, 1.0, SEPARATED)
    # an area of `low` would give 20 pairs in the right order with this probability
    assert_allclose(found.low**20, 0.025, rtol=1e-12)


def test_complete_separation_the_wrong_way_is_bounded_alike() -> None:
    right, wrong = auc_interval(np.arange(50), np.arange(100, 120)), auc_interval(np.arange(100, 120), np.arange(50))

    assert (wrong.auc, wrong.low, wrong.high) == (0.0, 0.0, 1 - right.low)


def test_separated_groups_count_once() -> None:
    background, signal, groups = np.arange(50), np.arange(100, 120), np.repeat(np.arange(5), 4)

    found = auc_interval(background, signal, signal_groups=groups)

    assert found.low == auc_interval(background, np.arange(100, 105)).low


def test_a_constant_score_has_an_interval_although_its_variance_is_zero() -> None:
    found = auc_interval(np.zeros(200), np.zeros(100))

    assert (found.auc, found.method) == (0.5, HOEFFDING)
    assert found.low < 0.4
    assert found.high > 0.6


def test_one_event_says_nothing_about_the_area() -> None:
    found = auc_interval(np.arange(100), np.array([50]))

    assert (found.low, found.high, found.method) == (0.0, 1.0, HOEFFDING)
    assert auc_variance(np.arange(100), np.array([50])) is None


@pytest.mark.parametrize("bad", [np.array([]), np.array([np.nan]), np.array([np.inf]), np.ones((2, 2))])
def test_scores_that_are_none_are_refused(bad: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="scores"):
        area_under_curve(np.array([1.0]), bad)


def test_integers_are_not_compared_with_floats() -> None:
    with pytest.raises(TypeError, match="all be signed integers or all be floats"):
        area_under_curve(np.array([1]), np.array([1.0]))


@pytest.mark.parametrize("separation", [0.0, 1.0, 2.5])
def test_the_interval_covers_a_known_area_as_often_as_it_says(separation: float) -> None:
    generator = np.random.default_rng(20240602)
    experiments, truth = 2000, norm.cdf(separation / np.sqrt(2))
    background = generator.normal(size=(experiments, 300))
    signal = generator.normal(separation, 1.0, size=(experiments, 200))

    found = [auc_interval(b, s) for b, s in zip(background, signal, strict=True)]

    low, high = binom.interval(0.999, experiments, 0.95)
    assert low <= sum(interval.low <= truth <= interval.high for interval in found) <= high


def test_grouped_events_are_covered_where_the_plain_interval_is_too_narrow() -> None:
    generator = np.random.default_rng(20240603)
    experiments, groups, size, truth = 1500, 120, 4, norm.cdf(1 / np.sqrt(2))
    identifiers = np.repeat(np.arange(groups), size)

    def scores() -> NDArray[np.float64]:
        shared = np.repeat(generator.normal(size=(experiments, groups)), size, axis=1)
        return np.asarray(np.sqrt(0.6) * shared + np.sqrt(0.4) * generator.normal(size=shared.shape))

    pairs = list(zip(scores(), scores() + 1.0, strict=True))
    plain = [auc_interval(b, s) for b, s in pairs]
    grouped = [auc_interval(b, s, 0.95, identifiers, identifiers) for b, s in pairs]

    low, high = binom.interval(0.999, experiments, 0.95)
    assert sum(interval.low <= truth <= interval.high for interval in plain) < 0.9 * experiments
    assert low <= sum(interval.low <= truth <= interval.high for interval in grouped) <= high
