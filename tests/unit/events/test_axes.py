"""Axes: round edges around the bulk of any values, a bin for each of a few whole numbers, never an empty axis."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from trigger_ad.events.axes import BINS, linear, measured, round_step, whole_numbers, within


def test_whole_numbers_stand_in_the_middle_of_their_bins() -> None:
    assert whole_numbers(0, 3).tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5]
    assert whole_numbers(-1, -1).tolist() == [-1.5, -0.5]


def test_a_limit_that_was_rounded_is_inside() -> None:
    edges = within(2.5, 4)
    assert edges[1:-1].tolist() == [-1.25, 0.0, 1.25]
    rounded = float(np.nextafter(np.float32(2.5), np.float32(3)))
    assert edges[0] < -rounded < -2.5
    assert edges[-1] > rounded > 2.5


@pytest.mark.parametrize(
    ("width", "step"), [(1, 1), (1.01, 2), (2.01, 2.5), (2.6, 5), (5.1, 10), (0.03, 0.05), (1e-30, 1e-30), (700, 1000)]
)
def test_steps_are_round_numbers_not_below_the_width(width: float, step: float) -> None:
    assert round_step(width) == step


RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.normal(0, 1, 10_000),
        RANDOM.exponential(3e-7, 10_000),
        RANDOM.normal(1e6, 20, 10_000),
        RANDOM.uniform(-1e300, 1e300, 10_000),
        np.array([1.5e308, -1.5e308]),
        np.array([3.75]),
        np.array([-0.25, 0.25]),
        np.full(1000, 1e-310),
    ],
    ids=["normal", "small", "far", "large", "largest", "one", "two", "denormal"],
)
def test_the_edges_rise_and_the_bulk_lies_between_them(values: NDArray[np.float64]) -> None:
    edges = measured(values)
    low, high = np.quantile(np.clip(values, -1e300, 1e300), (0.005, 0.995))
    assert np.isfinite(edges).all()
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= low <= high <= edges[-1]
    assert 2 <= len(edges) <= BINS + 3


def test_a_few_values_far_away_do_not_stretch_the_axis() -> None:
    values = np.concatenate([np.linspace(0, 10, 1000), [1e9]])
    assert measured(values)[-1] < 11


def test_an_axis_may_begin_at_zero() -> None:
    assert measured(np.linspace(20.5, 100.5, 100), from_zero=True)[0] == 0


@pytest.mark.parametrize("values", [[-1, 1, 1, -1], [0], [5, 7, 45]])
def test_few_whole_numbers_have_a_bin_each(values: list[int]) -> None:
    expected = whole_numbers(min(values), max(values))
    np.testing.assert_array_equal(measured(np.repeat(np.array(values, dtype=np.float64), 1000)), expected)


def test_many_whole_numbers_share_bins() -> None:
    edges = measured(np.arange(1000, dtype=np.float64))
    assert np.unique(np.diff(edges)).tolist() == [25]


def test_without_values_there_is_still_an_axis() -> None:
    np.testing.assert_array_equal(measured(np.zeros(0)), linear(0, 1, BINS))
