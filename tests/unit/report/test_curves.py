"""ROC curves and histograms as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from trigger_ad.evaluation.metrics import area_under_curve
from trigger_ad.report.curves import code_edges, roc_curve, shares, thinned


def test_a_curve_has_a_point_for_each_distinct_threshold() -> None:
    curve = roc_curve(np.array([1, 2, 2, 5]), np.array([2, 5, 7, 7]))
    assert curve.fpr.tolist() == [0, 0, 0.25, 0.75, 1]
    assert curve.tpr.tolist() == [0, 0.5, 0.75, 1, 1]


def test_the_area_under_the_curve_is_the_area_that_is_measured() -> None:
    random = np.random.default_rng(1)
    background, signal = random.integers(0, 32, 256), random.integers(8, 64, 128)
    curve = roc_curve(background, signal)
    # every rate is a multiple of 1/256, so that the sum is exact
    area = float(np.sum(np.diff(curve.fpr) * (curve.tpr[1:] + curve.tpr[:-1]) / 2))
    assert area == area_under_curve(background, signal)


def test_a_thinned_curve_keeps_its_ends_and_adds_no_point() -> None:
    random = np.random.default_rng(1)
    curve = roc_curve(random.normal(0, 1, 50_000), random.normal(1, 1, 50_000))
    thin = thinned(curve)
    assert len(thin.fpr) < 3_000 < len(curve.fpr)
    assert (thin.fpr[0], thin.tpr[0], thin.fpr[-1], thin.tpr[-1]) == (0, 0, 1, 1)
    assert set(zip(thin.fpr, thin.tpr, strict=True)) <= set(zip(curve.fpr, curve.tpr, strict=True))


def test_edges_lie_between_codes_and_hold_every_positive_score() -> None:
    samples = [np.array([0, 3, 90]), np.array([2, 1_000])]
    edges = code_edges(samples, logarithmic=True)
    assert (edges % 1 == 0.5).all()
    assert edges[0] < 2
    assert edges[-1] > 1_000
    assert shares(samples[1], edges).sum() == 1
    assert shares(samples[0], edges).sum() == 2 / 3


def test_equal_edges_hold_every_score_negative_ones_too() -> None:
    samples = [np.array([-700, 3, 90]), np.array([2, 1_000])]
    edges = code_edges(samples, logarithmic=False)
    assert (edges % 1 == 0.5).all()
    assert all(shares(sample, edges).sum() == 1 for sample in samples)
    assert np.diff(edges).max() - np.diff(edges).min() <= 1


@pytest.mark.parametrize("logarithmic", [True, False])
def test_edges_exist_where_every_score_is_zero(logarithmic: bool) -> None:
    edges = code_edges([np.zeros(5, dtype=np.int64)], logarithmic=logarithmic)
    assert len(edges) >= 2
    assert shares(np.zeros(5, dtype=np.int64), edges).sum() == (0 if logarithmic else 1)
