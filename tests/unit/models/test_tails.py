"""How far out in the tail of training background a score is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trigger_ad.errors import UserError
from trigger_ad.models.scores import LOG_OFFSET
from trigger_ad.models.tails import FEWEST_EVENTS, Tail


def _exponential(events: int) -> Tail:
    """Of scores whose share beyond x is exp(-x), without chance."""
    shares = (np.arange(events) + 0.5) / events
    return Tail.of(-np.log(shares))


def test_it_is_minus_the_logarithm_of_the_share_of_background_beyond() -> None:
    scores = np.array([1.0, 2.0, 3.0, 5.0])
    # between knots a line in log x stands for x
    assert _exponential(100_000)(scores) == pytest.approx(scores, rel=0.07)


def test_it_is_exact_where_half_of_the_background_is_beyond() -> None:
    tail = Tail.of(np.arange(1, 402, dtype=np.float64))
    assert tail(np.array([201.0])).tolist() == [math.log(2)]


def test_every_knot_but_the_last_leaves_twice_the_fewest_events_beyond() -> None:
    assert len(Tail.of(np.arange(1.0, 2 * FEWEST_EVENTS + 1)).knots) == 2
    assert len(Tail.of(np.arange(1.0, 16 * FEWEST_EVENTS + 1)).knots) == 5


def test_a_larger_score_is_further_out_whatever_the_background_has_seen() -> None:
    background = np.random.default_rng(1).exponential(1.0, 3000)
    exponents = Tail.of(background)(np.array([0.0, *np.sort(background), 2 * background.max(), 1e6]))
    assert np.isfinite(exponents).all()
    assert (np.diff(exponents) > 0).all()


def test_beyond_the_last_knot_it_goes_on_as_between_the_last_two() -> None:
    tail = _exponential(100_000)
    last, step = tail.knots[-1], tail.knots[-1] - tail.knots[-2]
    exponents = tail(np.exp(last + step * np.arange(3)) - LOG_OFFSET)
    assert np.diff(exponents) == pytest.approx(math.log(2))


def test_scores_that_tie_are_no_reason_to_divide_by_zero() -> None:
    background = np.repeat([1.0, 2.0, 3.0], [9000, 900, 100])
    exponents = Tail.of(background)(np.array([0.5, 1.0, 2.0, 3.0, 4.0]))
    assert np.isfinite(exponents).all()
    assert (np.diff(exponents) > 0).all()


@pytest.mark.parametrize("scores", [np.arange(99.0), np.ones(1000)])
def test_too_few_events_are_one_clear_line(scores: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    with pytest.raises(UserError, match=r"model\.teaches: smaller_tail needs scores that differ between at least 100"):
        Tail.of(scores)
