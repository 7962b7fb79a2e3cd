"""The fixed split: nothing is in two parts, and an event's part depends on itself alone."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.events import make_particles

from trigger_ad.errors import UserError
from trigger_ad.events.content import content_hash
from trigger_ad.events.files import Events
from trigger_ad.events.split import (
    BACKGROUND_FRACTIONS,
    SIGNAL_FRACTIONS,
    assign_parts,
    split_background,
    split_signal,
)

seeds = st.integers(0, 2**32 - 1)
either = st.sampled_from([BACKGROUND_FRACTIONS, SIGNAL_FRACTIONS])


def make_events(particles: NDArray[np.float64], group_id: NDArray[np.int64] | None = None) -> Events:
    return Events(particles=particles, event_id=None, group_id=group_id, oddities=(), source="events.h5")


@given(groups=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50), fractions=either, seed=seeds)
def test_a_group_is_in_one_part(groups: list[int], fractions: Mapping[str, float], seed: int) -> None:
    events = make_events(make_particles(3 * len(groups), seed), np.array(groups * 3, dtype=np.int64))
    parts = assign_parts(events, fractions).reshape(3, len(groups))
    assert {(group, part) for row in parts.tolist() for group, part in zip(groups, row, strict=True)} == set(
        zip(groups, parts[0].tolist(), strict=True)
    )
    assert len({(group, part) for group, part in zip(groups, parts[0].tolist(), strict=True)}) == len(set(groups))


@given(fractions=either, seed=seeds)
def test_equal_events_are_in_one_part(fractions: Mapping[str, float], seed: int) -> None:
    particles = make_particles(20, seed)
    parts = assign_parts(make_events(np.concatenate([particles, particles])), fractions)
    np.testing.assert_array_equal(parts[:20], parts[20:])


@given(fractions=either, seed=seeds, grouped=st.booleans())
def test_the_part_depends_neither_on_the_order_nor_on_the_other_events(
    fractions: Mapping[str, float], seed: int, grouped: bool
) -> None:
    random = np.random.default_rng(seed)
    events = make_events(make_particles(40, seed), random.integers(0, 15, 40) if grouped else None)
    parts = assign_parts(events, fractions)
    some = random.permutation(40)[:25]
    np.testing.assert_array_equal(assign_parts(events.take(some), fractions), parts[some])


@settings(max_examples=20, deadline=None)
@given(fractions=either, seed=seeds, grouped=st.booleans())
def test_fractions_are_met_within_binomial_expectation(
    fractions: Mapping[str, float], seed: int, grouped: bool
) -> None:
    count = 4000
    # group ids are usually consecutive numbers
    events = make_events(make_particles(count, seed), np.arange(seed, seed + count) if grouped else None)
    found = np.bincount(assign_parts(events, fractions), minlength=len(fractions))
    for events_in_part, fraction in zip(found, fractions.values(), strict=True):
        # five standard deviations
        assert abs(events_in_part - count * fraction) < 5 * math.sqrt(count * fraction * (1 - fraction))


def test_the_split_never_changes() -> None:
    # the expected parts come from a plain-integer calculation of the same hash
    groups = make_events(make_particles(12), np.arange(12))
    assert assign_parts(groups, BACKGROUND_FRACTIONS).tolist() == [2, 1, 1, 0, 0, 0, 2, 0, 1, 1, 0, 0]
    assert assign_parts(groups, SIGNAL_FRACTIONS).tolist() == [1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1]
    contents = make_events(np.arange(1, 12 * 76 + 1, dtype=np.float64).reshape(12, 19, 4) / 2)
    assert assign_parts(contents, BACKGROUND_FRACTIONS).tolist() == [0, 1, 0, 0, 2, 0, 2, 0, 0, 0, 2, 0]


@pytest.mark.parametrize("grouped", [False, True])
def test_parts_are_disjoint_complete_and_in_order(grouped: bool) -> None:
    events = make_events(make_particles(500), np.arange(500) // 3 if grouped else None)
    parts = split_background(events)
    assert list(parts) == ["train", "validation", "test"]
    hashes = [content_hash(part.particles).tolist() for part in parts.values()]
    everything = content_hash(events.particles).tolist()
    position = {value: index for index, value in enumerate(everything)}
    assert sorted(value for part in hashes for value in part) == sorted(everything)
    for part in hashes:
        assert [position[value] for value in part] == sorted(position[value] for value in part)
    if grouped:
        groups = [set(part.group_id.tolist()) for part in parts.values() if part.group_id is not None]
        assert len(groups) == 3
        assert sum(len(part) for part in groups) == len(set.union(*groups)) == 167


def test_signals_have_no_training_part() -> None:
    parts = split_signal(make_events(make_particles(200)))
    assert list(parts) == ["validation", "test"]
    assert sum(len(part) for part in parts.values()) == 200


def test_too_few_events_for_every_part_are_refused() -> None:
    with pytest.raises(UserError, match=r"events\.h5: none of its 1 events falls in the"):
        split_background(make_events(make_particles(1)))


def test_equal_events_whose_groups_fall_apart_are_refused() -> None:
    particles = make_particles(100)
    particles[:] = particles[0]
    with pytest.raises(UserError, match=r"events \d+ and \d+ are equal, but their `GroupId`"):
        split_background(make_events(particles, np.arange(100)))


def test_equal_events_in_one_group_are_not_refused() -> None:
    particles = np.repeat(make_particles(100), 2, axis=0)
    parts = split_background(make_events(particles, np.arange(200) // 2))
    assert sum(len(part) for part in parts.values()) == 200


@pytest.mark.parametrize("fractions", [{}, {"train": 0.5}, {"train": 1.5, "test": -0.5}, {"train": 0.9, "test": 0.2}])
def test_fractions_that_do_not_add_up_are_a_programming_error(fractions: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        assign_parts(make_events(make_particles(2)), fractions)
