"""Thresholds at an exact share of background, and how they move with the background that happened to be drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from trigger_ad.evaluation.intervals import Groups
from trigger_ad.evaluation.resampling import RESAMPLES, cuts


def test_the_cut_is_the_threshold_that_the_share_is_above() -> None:
    (cut,) = cuts(0.25, [np.array([5, 1, 9, 7])], Groups.of(None, 4))
    # one of four is above 7, and of the one at 7 nothing passes
    assert (cut.threshold, cut.tied_share) == (7, 0.0)
    assert cut.decide(np.array([6, 7, 8])).tolist() == [0.0, 0.0, 1.0]


def test_of_events_that_tie_a_share_passes() -> None:
    (cut,) = cuts(0.5, [np.array([1, 3, 3, 3, 3, 3, 3, 9])], Groups.of(None, 8))
    # four of eight: the 9, and three of the six at 3
    assert (cut.threshold, cut.tied_share) == (3, 0.5)
    assert cut.decide(np.array([3.0, 4.0])).tolist() == [0.5, 1.0]


def test_the_same_resamples_are_drawn_for_all_scores_and_every_time() -> None:
    scores = np.random.default_rng(1).normal(size=2000)
    groups = Groups.of(None, 2000)
    one, same, turned = cuts(0.02, [scores, scores, np.exp(scores)], groups)
    (again,) = cuts(0.02, [scores], groups)
    assert np.array_equal(one.thresholds, same.thresholds)
    assert np.array_equal(np.exp(one.thresholds), turned.thresholds)
    assert np.array_equal(one.thresholds, again.thresholds)
    assert len(one.thresholds) == RESAMPLES


def test_a_resampled_rate_counts_the_events_above_the_resampled_threshold() -> None:
    background = np.random.default_rng(2).integers(0, 50, 3000)
    signal = np.random.default_rng(3).integers(20, 60, 200)
    (cut,) = cuts(0.1, [background], Groups.of(None, 3000))
    for index in range(0, RESAMPLES, 50):
        threshold, share = cut.thresholds[index], cut.tied_shares[index]
        expected = ((signal > threshold).sum() + share * (signal == threshold).sum()) / 200
        assert math.isclose(cut.resampled_rates(signal)[index], expected, rel_tol=1e-12)


@pytest.mark.parametrize("size", [1, 5])
def test_thresholds_scatter_as_a_quantile_of_the_groups_does(size: int) -> None:
    """The standard deviation of a quantile is sqrt(f (1 - f) / groups) over the density, groups being copies."""
    scores = np.repeat(np.random.default_rng(4).normal(size=20_000 // size), size)
    (cut,) = cuts(0.05, [scores], Groups.of(np.arange(20_000) // size, 20_000))
    expected = math.sqrt(0.05 * 0.95 / (20_000 / size)) / norm.pdf(norm.isf(0.05))
    assert math.isclose(float(np.std(cut.thresholds)), expected, rel_tol=0.2)


def test_groups_far_from_a_threshold_make_resamples_vary_in_size_too() -> None:
    """With all events drawn one by one the scatter is the same as with those of the tail alone."""
    scores = np.random.default_rng(5).normal(size=20_000)
    (tail,) = cuts(0.01, [scores], Groups.of(None, 20_000))
    # a second score in the opposite order puts most events into one of the two tails
    both = cuts(0.3, [scores, -scores], Groups.of(None, 20_000))
    assert float(np.std(tail.thresholds)) > 0
    assert math.isclose(float(np.std(both[0].thresholds)), float(np.std(both[1].thresholds)), rel_tol=0.2)


def test_a_constant_score_passes_by_its_share() -> None:
    (cut,) = cuts(0.2, [np.full(500, 7)], Groups.of(None, 500))
    assert (cut.threshold, cut.tied_share) == (7, 0.2)
    assert np.allclose(cut.tied_shares, 0.2, rtol=0, atol=1e-12)
