"""Differences of two scores of the same events: exact values by hand, intervals by their definition and by coverage."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from trigger_ad.evaluation.differences import (
    NO_VARIANCE,
    PAIRED_CLUSTERED,
    PAIRED_DELONG,
    SAME_ORDER,
    Sample,
    auc_difference,
    rate_difference,
)
from trigger_ad.evaluation.metrics import area_under_curve, auc_interval, placements_of
from trigger_ad.evaluation.resampling import cuts
from trigger_ad.evaluation.working_points import tpr_at

Floats = NDArray[np.float64]


def _components(scores: Floats, others: Floats) -> Floats:
    """The share of the others below each score, by comparing all pairs."""
    return np.asarray(((scores[:, None] > others) + 0.5 * (scores[:, None] == others)).mean(axis=1))


def _rows(pair: Floats) -> tuple[Floats, Floats]:
    return pair[0], pair[1]


def test_the_difference_is_that_of_the_areas_and_its_variance_that_of_the_components() -> None:
    random = np.random.default_rng(1)
    background, signal = random.normal(0, 1, (2, 60)), random.normal(1, 1, (2, 40))
    background[1] += background[0]
    signal[1] += signal[0]

    found = auc_difference(Sample.of(*background), Sample.of(*signal))

    areas = [area_under_curve(background[which], signal[which]) for which in (0, 1)]
    assert math.isclose(found.difference, areas[0] - areas[1], abs_tol=1e-15)
    of_signal = _components(signal[0], background[0]) - _components(signal[1], background[1])
    of_background = _components(background[0], signal[0]) - _components(background[1], signal[1])
    deviation = math.sqrt(of_signal.var(ddof=1) / 40 + of_background.var(ddof=1) / 60)
    assert math.isclose(found.high - found.difference, norm.isf(0.025) * deviation, rel_tol=1e-12)
    assert math.isclose(found.difference - found.low, norm.isf(0.025) * deviation, rel_tol=1e-12)
    assert found.method == PAIRED_DELONG


def test_an_area_and_one_half_differ_as_the_area_varies() -> None:
    """A constant score has an area of one half that does not vary."""
    random = np.random.default_rng(2)
    background, signal = random.normal(0, 1, 300), random.normal(1, 1, 200)
    found = auc_difference(Sample.of(background, np.zeros(300)), Sample.of(signal, np.zeros(200)))
    area = auc_interval(background, signal)
    assert math.isclose(found.difference, area.auc - 0.5, rel_tol=1e-12)


def test_equal_differences_of_copies_count_once() -> None:
    random = np.random.default_rng(3)
    background, signal = random.normal(0, 1, (2, 60)), random.normal(1, 1, (2, 40))
    single = auc_difference(Sample.of(*background), Sample.of(*signal))

    copied = auc_difference(
        Sample.of(*_rows(np.repeat(background, 3, axis=1)), np.repeat(np.arange(60), 3)),
        Sample.of(*_rows(np.repeat(signal, 3, axis=1)), np.repeat(np.arange(40), 3)),
    )

    assert math.isclose(copied.low, single.low, rel_tol=1e-12)
    assert (copied.method, single.method) == (PAIRED_CLUSTERED, PAIRED_DELONG)


def test_words_and_floats_are_compared_by_the_order_they_give() -> None:
    words = np.arange(100)
    found = auc_difference(Sample.of(words, words / 8), Sample.of(words + 30, (words + 30) / 8))
    # the same order: up to q of the pairs may differ that 100 independent pairs do not show
    bound = 1 - 0.025 ** (1 / 100)
    assert (found.difference, found.low, found.high, found.method) == (0.0, -bound, bound, SAME_ORDER)


def test_equal_components_of_all_events_are_equal_orders_of_all_pairs() -> None:
    orders: dict[bytes, bytes] = {}
    # three background events and three of signal, with every kind of tie
    for scores in itertools.product(range(4), repeat=6):
        background, signal = np.array(scores[:3]), np.array(scores[3:])
        placed = placements_of(background, signal)
        components = np.concatenate([placed.background, placed.signal]).tobytes()
        pairs = np.sign(signal[:, None] - background[None, :]).tobytes()
        assert orders.setdefault(components, pairs) == pairs
    assert len(orders) == len(set(orders.values()))


def test_a_single_group_has_a_bound() -> None:
    one = np.zeros(4, dtype=np.int64)
    found = auc_difference(
        Sample.of(np.arange(4), np.arange(4)[::-1].copy(), one), Sample.of(np.arange(4), np.arange(4))
    )
    assert (found.low, found.high, found.method) == (-1.0, 1.0, NO_VARIANCE)


def test_scores_of_other_events_are_no_pair() -> None:
    with pytest.raises(ValueError, match="3 and 4 scores are not of the same events"):
        Sample.of(np.arange(3), np.arange(4))


def test_rates_differ_by_what_each_accepts_where_the_same_share_of_background_passes() -> None:
    random = np.random.default_rng(4)
    background, signal = random.normal(0, 1, (2, 5000)), random.normal(1, 1, (2, 3000))
    sample, other = Sample.of(*background), Sample.of(*signal)
    first, second = cuts(0.05, [sample.first, sample.second], sample.groups)

    found = rate_difference(first, second, other)

    expected = tpr_at(0.05, background[0], signal[0]) - tpr_at(0.05, background[1], signal[1])
    assert math.isclose(found.difference, expected, abs_tol=1e-12)
    assert math.isclose(found.high - found.difference, found.difference - found.low, rel_tol=1e-9)


def test_a_score_differs_from_itself_by_nothing_but_what_the_signal_could_hide() -> None:
    random = np.random.default_rng(5)
    background, signal = random.normal(0, 1, 5000), random.normal(1, 1, 98)
    first, second = cuts(0.05, [background, background], Sample.of(background, background).groups)
    found = rate_difference(first, second, Sample.of(signal, signal))
    # Agresti and Min: no event is decided differently, and one is added: a variance of 1 / (98 + 2)^2
    assert found.difference == 0.0
    assert math.isclose(found.high, norm.isf(0.025) / 100, rel_tol=1e-12)


def test_copies_of_signal_events_count_once() -> None:
    random = np.random.default_rng(6)
    background, signal = random.normal(0, 1, (2, 5000)), random.normal(1, 1, (2, 500))
    sample = Sample.of(*background)
    first, second = cuts(0.05, [sample.first, sample.second], sample.groups)
    ids = np.repeat(np.arange(500), 4)
    copies = np.repeat(signal, 4, axis=1)

    single, grouped = (
        rate_difference(first, second, Sample.of(*signal)),
        rate_difference(first, second, Sample.of(*_rows(copies), ids)),
    )
    blind = rate_difference(first, second, Sample.of(*copies))

    assert math.isclose(grouped.high - grouped.low, single.high - single.low, rel_tol=0.02)
    assert blind.high - blind.low < 0.9 * (single.high - single.low)


def _pair(random: np.random.Generator, events: int, mean: float, group: int) -> Sample:
    """Normal scores whose group and whose two readings they share; the second is smeared by one half."""
    shared = np.repeat(random.normal(0, math.sqrt(0.5), events // group), group)
    first = mean + shared + random.normal(0, math.sqrt(0.5), events)
    return Sample.of(first, first + random.normal(0, 0.5, events), np.arange(events) // group)


@pytest.mark.parametrize("group", [1, 4])
def test_intervals_cover_the_true_differences(group: int) -> None:
    """Of normal scores both true differences are known; 250 pseudo-experiments know the coverage to 1.4 %."""
    random, trials, smeared = np.random.default_rng(7), 250, math.sqrt(1.25)
    true_area = norm.cdf(1 / math.sqrt(2)) - norm.cdf(1 / (smeared * math.sqrt(2)))
    cut = norm.isf(0.05)
    true_rate = norm.sf(cut - 1) - norm.sf(cut - 1 / smeared)
    covered = np.zeros(2)
    for _ in range(trials):
        background, signal = _pair(random, 1200, 0.0, group), _pair(random, 600, 1.0, group)
        area = auc_difference(background, signal)
        first, second = cuts(0.05, [background.first, background.second], background.groups)
        rate = rate_difference(first, second, signal)
        covered += [area.low <= true_area <= area.high, rate.low <= true_rate <= rate.high]
    assert (covered / trials >= 0.91).all()
    assert covered[0] / trials <= 0.99
