"""Intervals of proportions: exact for independent events, honest for grouped ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, norm

from trigger_ad.evaluation.intervals import Groups, clopper_pearson, effective_events, proportion_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_clopper_pearson_gives_the_values_published_by_newcombe_1998(
    successes: int, trials: int, low: float, high: float
) -> None:
    found = clopper_pearson(successes, trials)

    assert tuple(round(end, 4) for end in found) == (low, high)


@pytest.mark.parametrize("trials", [1, 2, 5, 10, 30, 100])
@pytest.mark.parametrize("level", [0.68, 0.95])
def test_clopper_pearson_covers_at_least_its_level_at_every_proportion(trials: int, level: float) -> None:
    ends = np.array([clopper_pearson(successes, trials, level) for successes in range(trials + 1)])
    proportions = np.linspace(0.001, 0.999, 999)
    inside = (ends[:, :1] <= proportions) & (proportions <= ends[:, 1:])

    coverage = (binom.pmf(np.arange(trials + 1)[:, None], trials, proportions) * inside).sum(axis=0)

    assert coverage.min() >= level


def test_clopper_pearson_ends_at_0_without_successes_and_at_1_without_failures() -> None:
    assert clopper_pearson(0, 7)[0] == 0.0
    assert clopper_pearson(7, 7)[1] == 1.0
    assert clopper_pearson(0, 7)[1] > 0.0
    assert clopper_pearson(7, 7)[0] < 1.0


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_proportion_is_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="is not a proportion"):
        clopper_pearson(successes, trials)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_outside_0_and_1_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        clopper_pearson(1, 5, level)


def test_groups_of_one_event_give_plain_clopper_pearson() -> None:
    accepted = np.array([True, False, True, True, False])

    assert proportion_interval(accepted) == clopper_pearson(3, 5)
    assert proportion_interval(accepted, np.array([9, 4, 7, 1, 0])) == clopper_pearson(3, 5)


def test_copies_of_an_event_tell_about_as_much_as_one_event() -> None:
    accepted = np.arange(50) % 3 == 0
    copies = np.repeat(accepted, 4)

    effective = effective_events(copies, Groups.of(np.repeat(np.arange(50), 4), 200))

    assert 45 < effective < 50


def test_groups_never_make_an_interval_narrower() -> None:
    # one accepted event in each group of two: the groups differ less than independent events would
    accepted = np.array([True, False] * 40)

    assert effective_events(accepted, Groups.of(np.repeat(np.arange(40), 2), 80)) <= 80


@pytest.mark.parametrize("value", [False, True])
def test_without_a_variance_a_group_counts_as_one_event(value: bool) -> None:
    accepted = np.full(30, value)

    found = proportion_interval(accepted, np.repeat(np.arange(10), 3))

    assert found == clopper_pearson(10 if value else 0, 10)


def test_one_group_is_one_event() -> None:
    low, high = proportion_interval(np.array([True, False, True]), np.array([5, 5, 5]))

    assert high - low > 0.9


def test_kish_number_of_groups_counts_uneven_groups_for_less() -> None:
    assert Groups.of(np.array([1, 1, 2, 2]), 4).effective_count == 2.0
    assert Groups.of(np.array([1, 1, 1, 2]), 4).effective_count == 1.6
    assert Groups.of(None, 4).effective_count == 4.0


@pytest.mark.parametrize("groups", [np.array([1, 2]), np.array([1.0, 2.0, 3.0])])
def test_group_ids_must_be_one_integer_for_each_event(groups: NDArray[np.int64]) -> None:
    with pytest.raises(ValueError, match="integer group ids"):
        proportion_interval(np.array([True, False, True]), groups)


def test_grouped_events_are_covered_where_the_plain_interval_is_too_narrow() -> None:
    generator = np.random.default_rng(20240601)
    experiments, groups, size, proportion = 1000, 100, 5, 0.1
    shared = generator.normal(size=(experiments, groups, 1))
    scores = np.sqrt(0.6) * shared + np.sqrt(0.4) * generator.normal(size=(experiments, groups, size))
    accepted = (scores > norm.isf(proportion)).reshape(experiments, groups * size)
    identifiers = np.repeat(np.arange(groups), size)

    plain = sum(low <= proportion <= high for low, high in map(proportion_interval, accepted))
    grouped = sum(low <= proportion <= high for low, high in (proportion_interval(a, identifiers) for a in accepted))

    assert plain < 0.9 * experiments
    assert grouped >= binom.ppf(0.001, experiments, 0.95)
