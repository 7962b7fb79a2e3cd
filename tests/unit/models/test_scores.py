"""The anomaly score of the float models."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trigger_ad.models.scores import squared_error

# sums of squares of numbers with so few bits are exact in float64
rows = st.lists(st.lists(st.integers(-1000, 1000), min_size=6, max_size=6), min_size=1, max_size=5)


@given(rows)
def test_the_score_is_the_sum_of_squared_errors_of_each_event(codes: list[list[int]]) -> None:
    values = np.array(codes) / 8
    expected = [sum((Fraction(a - b, 8)) ** 2 for a, b in zip(row[:3], row[3:], strict=True)) for row in codes]
    score = squared_error(values[:, :3], values[:, 3:])
    assert [Fraction(value) for value in score.tolist()] == expected


def test_a_perfect_reconstruction_scores_zero() -> None:
    values = np.random.default_rng(1).normal(size=(4, 57))
    assert squared_error(values, values).tolist() == [0.0] * 4
    assert squared_error(values[:0], values[:0]).shape == (0,)
