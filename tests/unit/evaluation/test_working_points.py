"""Thresholds come from validation background, rates from test events, and ties never exceed a target."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trigger_ad.evaluation.intervals import clopper_pearson
from trigger_ad.evaluation.working_points import (
    false_positive_rate_targets,
    supported_targets,
    threshold_for,
    tpr_at,
    unsupported_targets,
    working_points,
)

TARGETS = st.one_of(st.sampled_from([0.1, 0.01, 0.001]), st.floats(0.001, 0.999))
TIED_CODES = st.lists(st.integers(-5, 5), min_size=1, max_size=60)
FLOATS = st.lists(st.floats(-10, 10), min_size=1, max_size=60)


def share_above(scores: NDArray[np.int64] | NDArray[np.float64], threshold: float) -> float:
    return int((scores > threshold).sum()) / len(scores)


def check_threshold(scores: NDArray[np.int64] | NDArray[np.float64], target: float) -> None:
    threshold = threshold_for(scores, target)

    assert threshold == min(value for value in scores.tolist() if share_above(scores, value) <= target)


@given(TIED_CODES, TARGETS)
def test_the_threshold_is_the_smallest_code_whose_share_above_does_not_exceed_the_target(
    scores: list[int], target: float
) -> None:
    check_threshold(np.array(scores), target)


@given(FLOATS, TARGETS)
def test_the_threshold_is_the_smallest_float_whose_share_above_does_not_exceed_the_target(
    scores: list[float], target: float
) -> None:
    check_threshold(np.array(scores), target)


@pytest.mark.parametrize("exponent", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("multiple", [1, 3, 7, 10])
def test_a_target_of_a_round_number_of_events_accepts_exactly_that_many(exponent: int, multiple: int) -> None:
    scores = np.arange(multiple * 10**exponent)

    assert int((scores > threshold_for(scores, float(f"1e-{exponent}"))).sum()) == multiple


def test_a_target_whose_product_rounds_down_still_accepts_its_events() -> None:
    # 0.29 * 100 is 28.999999999999996, yet 29 of 100 do not exceed 0.29
    assert threshold_for(np.arange(100), 0.29) == 70


def test_an_event_at_the_threshold_is_rejected() -> None:
    scores = np.array([0] * 8 + [5] * 2)

    assert threshold_for(scores, 0.2) == 0
    assert threshold_for(scores, 0.1) == 5
    assert share_above(scores, threshold_for(scores, 0.1)) == 0.0


def test_a_threshold_of_codes_is_an_integer_even_beyond_the_precision_of_a_float() -> None:
    threshold = threshold_for(2**60 + np.arange(100), 0.1)

    assert isinstance(threshold, int)
    assert threshold == 2**60 + 89
    assert isinstance(threshold_for(np.arange(100.0), 0.1), float)


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1])
def test_a_target_outside_0_and_1_is_refused(target: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        threshold_for(np.arange(10), target)


def test_the_targets_are_the_powers_of_ten_downwards() -> None:
    assert list(islice(false_positive_rate_targets(), 6)) == [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]


@pytest.mark.parametrize(
    ("test_events", "targets"), [(99, []), (100, [1e-1]), (9999, [1e-1, 1e-2]), (10000, [1e-1, 1e-2, 1e-3])]
)
def test_a_target_needs_ten_test_background_events(test_events: int, targets: list[float]) -> None:
    # validation a little below, so that every threshold accepts the ten events it needs
    assert supported_targets(np.arange(10000) - 5000, np.arange(10000)[-test_events:]) == targets


def test_a_target_needs_a_validation_event_to_set_its_threshold() -> None:
    test = np.arange(1_000_000) + 1_000_000

    assert supported_targets(np.arange(99), test) == [1e-1]
    assert supported_targets(np.arange(100), test) == [1e-1, 1e-2]


def test_each_unsupported_target_says_why() -> None:
    validation, test = np.arange(5000), np.concatenate([np.arange(9900), np.full(100, 4950)])

    refused = unsupported_targets(validation, np.where(test > 4990, 0, test), down_to=1e-5)

    assert [entry.fpr_target for entry in refused] == [1e-3, 1e-4, 1e-5]
    assert refused[0].reason == "the threshold accepts 0 test background events, fewer than 10"
    assert refused[1].reason == "10000 test background events leave fewer than 10 at this rate"


def test_a_validation_sample_too_small_is_named() -> None:
    refused = unsupported_targets(np.arange(50), np.arange(100_000), down_to=1e-2)

    assert [entry.reason for entry in refused] == ["50 validation background events leave fewer than 1 at this rate"]


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_supported_and_unsupported_targets_are_all_targets(seed: int, values: int) -> None:
    generator = np.random.default_rng(seed)
    validation, test = generator.integers(0, values, 1000), generator.integers(0, values, 3000)

    refused = [entry.fpr_target for entry in unsupported_targets(validation, test, down_to=1e-5)]

    assert supported_targets(validation, test) + refused == [1e-1, 1e-2, 1e-3, 1e-4, 1e-5]


def test_rates_are_measured_on_test_events_with_clopper_pearson_intervals() -> None:
    validation, test, signal = np.arange(1000), np.arange(2000) // 2 + 20, np.arange(500) + 600

    (point,) = working_points(validation, test, signal)[:1]

    assert (point.fpr_target, point.threshold) == (0.1, 899)
    assert (point.background_accepted, point.fpr) == (240, 0.12)
    assert (point.fpr_low, point.fpr_high) == clopper_pearson(240, 2000)
    assert point.tpr == 0.4
    assert (point.low, point.high) == clopper_pearson(200, 500)


def test_at_a_target_the_share_of_the_signal_is_that_above_the_same_share_of_the_test_background() -> None:
    validation, test, signal = np.arange(1000), np.arange(2000), np.arange(500) + 1700

    (point,) = working_points(validation, test, signal)[:1]

    # 200 of 2000 lie above 1799, and 400 of the signal
    assert (point.fpr, point.tpr, point.tpr_at_target) == (0.55, 1.0, 0.8)


def test_of_events_that_tie_there_as_large_a_share_counts_of_the_signal_as_of_the_background() -> None:
    background, signal = np.array([0] * 80 + [1] * 16 + [2] * 4), np.array([0] * 2 + [1] * 4 + [2] * 4)

    # 4 of 100 are above the tie, and a half of its 16 make up the rest
    assert tpr_at(0.12, background, signal) == (4 + 2) / 10
    assert tpr_at(0.2, background, signal) == (4 + 4) / 10
    assert tpr_at(0.04, background, signal) == 4 / 10


def test_ties_show_as_an_achieved_rate_far_below_the_target() -> None:
    codes = np.array([0] * 700 + [1] * 190 + [2] * 90 + [3] * 20)

    points = working_points(codes, codes, codes)

    assert [(point.fpr_target, point.threshold, point.fpr) for point in points] == [(0.1, 2, 0.02)]


def test_a_score_that_saturates_does_not_support_the_target_it_saturates_at() -> None:
    codes = np.array([0] * 850 + [127] * 150)

    assert working_points(codes, codes, codes) == []
    (refused,) = unsupported_targets(codes, codes, down_to=0.1)
    assert refused.reason == "the threshold accepts 0 test background events, fewer than 10"


def test_groups_widen_the_intervals_and_leave_the_rates() -> None:
    generator = np.random.default_rng(7)
    validation, test, signal = generator.normal(size=1000), generator.normal(size=250), generator.normal(1, size=100)
    copied_test, copied_signal = np.repeat(test, 4), np.repeat(signal, 4)

    (plain, *_) = working_points(validation, copied_test, copied_signal)
    (grouped, *_) = working_points(
        validation,
        copied_test,
        copied_signal,
        background_groups=np.repeat(np.arange(250), 4),
        signal_groups=np.repeat(np.arange(100), 4),
    )

    assert (grouped.fpr, grouped.tpr, grouped.threshold) == (plain.fpr, plain.tpr, plain.threshold)
    assert grouped.fpr_low < plain.fpr_low < plain.fpr_high < grouped.fpr_high
    assert grouped.low < plain.low < plain.high < grouped.high


def test_a_point_is_written_with_the_names_of_the_report() -> None:
    (point,) = working_points(np.arange(100), np.arange(100), np.arange(50))

    keys = ["fpr_target", "threshold", "fpr", "fpr_low", "fpr_high", "tpr", "low", "high", "background_accepted"]
    keys += ["background_events", "tpr_at_target"]
    assert list(point.to_json()) == keys
