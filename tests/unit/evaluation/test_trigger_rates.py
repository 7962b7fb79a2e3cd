"""Working points of a trigger menu, by hand: what a rate's threshold is, who carries it, and what is not supported."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trigger_ad.evaluation.intervals import clopper_pearson, proportion_interval
from trigger_ad.evaluation.trigger_rates import (
    CURVE_POINTS,
    MINIMUM_CARRYING,
    rate_curve,
    rate_points,
    rate_threshold,
)
from trigger_ad.fixed_point import FixedPoint

KIND = FixedPoint.parse("ufixed<12,10>")
"""Score words whose one unit is a quarter, up to 4095."""


def test_a_rate_becomes_a_code_and_what_it_accepts() -> None:
    validation, background = np.arange(1000), np.arange(0, 2000, 2)
    signal = np.array([979, 980, 1500, 3])

    (point,) = rate_points(5000.0, [100.0], validation, background, {"a": signal}, KIND)

    # 100 Hz of 5000 Hz are 2 %: 20 of the 1000 events, 980 to 999, score above 979
    assert (point.fpr_target, point.threshold_code, point.threshold) == (0.02, 979, 979 / 4)
    assert (point.validation_accepted, point.validation_events, point.reason) == (20, 1000, None)
    # of 0, 2, ..., 1998 those from 980 on
    assert (point.background_accepted, point.background_events, point.fpr) == (510, 1000, 0.51)
    assert (point.fpr_low, point.fpr_high) == clopper_pearson(510, 1000)
    assert point.achieved_rate_hz == 0.51 * 5000
    assert (point.rate_low_hz, point.rate_high_hz) == tuple(5000 * end for end in clopper_pearson(510, 1000))
    assert point.tpr is not None
    assert (point.tpr["a"].tpr, point.tpr["a"].accepted, point.tpr["a"].events) == (0.5, 2, 4)
    assert (point.tpr["a"].low, point.tpr["a"].high) == clopper_pearson(2, 4)


def test_points_keep_the_order_of_the_menu() -> None:
    words = np.arange(1000)
    points = rate_points(1000.0, [20.0, 500.0, 100.0], words, words, {}, KIND)
    assert [point.rate_hz for point in points] == [20.0, 500.0, 100.0]
    assert [point.threshold_code for point in points] == [979, 499, 899]


def test_a_rate_that_ten_events_carry_is_supported_and_one_that_nine_do_is_said() -> None:
    words = np.arange(1000)
    ten, nine = rate_points(1000.0, [10.0, 9.0], words, words, {"a": words}, KIND)

    assert MINIMUM_CARRYING == 10
    assert (ten.threshold_code, ten.validation_accepted, ten.reason) == (989, 10, None)
    assert nine.reason == (
        "of 1000 validation background events 9 may pass at this rate; a threshold needs 10 to carry it"
    )
    unknown = {name for name, value in nine.to_json().items() if value is None}
    assert unknown == set(nine.to_json()) - {
        "rate_hz",
        "fpr_target",
        "validation_accepted",
        "validation_events",
        "reason",
    }


def test_a_score_word_that_saturates_carries_no_threshold() -> None:
    validation = np.concatenate([np.arange(900), np.full(100, KIND.code_max)])
    found = rate_threshold(validation, 0.05, KIND)
    assert (found.code, found.accepted) == (4095, 0)
    assert found.reason is not None
    assert found.reason.startswith("more than 50 validation background events have the largest score word there is")


def test_score_words_that_tie_carry_no_threshold_between_them() -> None:
    validation = np.concatenate([np.arange(900), np.full(97, 1000), np.full(3, 1001)])
    found = rate_threshold(validation, 0.05, KIND)
    assert (found.code, found.accepted) == (1000, 3)
    assert found.reason is not None
    assert found.reason.startswith("3 validation background events score above 1000 and 97 exactly that;")


def test_ties_lower_a_rate_and_never_raise_it() -> None:
    validation = np.concatenate([np.arange(900), np.full(60, 1000), np.full(40, 1001)])
    (point,) = rate_points(1000.0, [70.0], validation, validation, {}, KIND)
    assert (point.threshold_code, point.validation_accepted, point.achieved_rate_hz) == (1000, 40, 40.0)


def test_groups_widen_the_interval_of_a_rate_and_of_its_signal() -> None:
    words, groups = np.repeat(np.arange(500), 2), np.repeat(np.arange(500), 2)
    (plain,) = rate_points(1000.0, [100.0], words, words, {"a": words}, KIND)
    (grouped,) = rate_points(
        1000.0, [100.0], words, words, {"a": words}, KIND, background_groups=groups, signal_groups={"a": groups}
    )
    assert plain.rate_low_hz is not None
    assert grouped.rate_low_hz is not None
    assert plain.tpr is not None
    assert grouped.tpr is not None
    assert grouped.rate_low_hz < plain.rate_low_hz
    assert grouped.tpr["a"].high > plain.tpr["a"].high


def test_a_point_is_what_json_can_hold() -> None:
    words = np.arange(1000)
    for point in rate_points(1000.0, [100.0, 1.0], words, words, {"a": words}, KIND):
        assert json.loads(json.dumps(point.to_json(), allow_nan=False)) == point.to_json()


def test_no_background_is_no_rate() -> None:
    words = np.arange(1000)
    with pytest.raises(ValueError, match="at least one event"):
        rate_points(1000.0, [100.0], words[:0], words, {}, KIND)
    with pytest.raises(ValueError, match="at least one event"):
        rate_curve(1000.0, words[:0], KIND)


def test_a_curve_counts_the_events_above_each_threshold() -> None:
    words = np.array([7, 3, 3, 9])
    curve = rate_curve(100.0, words, KIND)
    # one event is above 8, two are above 6, all are above 2
    assert curve["threshold_code"] == [2, 6, 8]
    assert curve["rate_hz"] == [100.0, 50.0, 25.0]
    assert curve["low"][1:] == [100 * clopper_pearson(count, 4)[0] for count in (2, 1)]


def test_no_threshold_of_a_curve_is_below_the_smallest_word() -> None:
    assert rate_curve(100.0, np.array([0, 5]), KIND)["threshold_code"] == [0, 4]
    assert rate_curve(100.0, np.array([0, 5]), KIND)["rate_hz"] == [50.0, 50.0]


def test_a_curve_of_many_events_has_few_points_and_their_intervals() -> None:
    words, groups = np.random.default_rng(1).integers(0, 100_000, 20_000), np.arange(20_000) // 4
    curve = rate_curve(1000.0, words, FixedPoint.parse("fixed<20,20>"), groups)
    assert 40 < len(curve["threshold_code"]) <= CURVE_POINTS
    assert curve["rate_hz"] == sorted(curve["rate_hz"], reverse=True)
    code = curve["threshold_code"][10]
    low, high = proportion_interval(words > code, groups)
    assert (curve["low"][10], curve["high"][10]) == (1000 * low, 1000 * high)
