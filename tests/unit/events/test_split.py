"""The fixed split: nothing is in two parts, and an event's part depends on itself alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.events import make_particles

from trigger_ad.errors import UserError
from trigger_ad.events.content import content_hash
from trigger_ad.events.encoded import EncodedFile
from trigger_ad.events.layout import ADC2021
from trigger_ad.events.split import (
    BACKGROUND_FRACTIONS,
    SIGNAL_FRACTIONS,
    Parts,
    assign_parts,
    parts_of_groups,
)

seeds = st.integers(0, 2**32 - 1)
either = st.sampled_from([BACKGROUND_FRACTIONS, SIGNAL_FRACTIONS])


def make_file(
    particles: NDArray[np.float64], group_id: NDArray[np.int64] | None = None, name: str = "events.h5"
) -> EncodedFile:
    """What the split sees of a file: who is equal to whom, and the groups."""
    return EncodedFile(
        path=Path("folder", name),
        digest="",
        layout=ADC2021,
        words=np.zeros((len(particles), 0), dtype=np.int8),
        hashes=content_hash(particles),
        event_id=None,
        group_id=group_id,
        quantities={},
        saturated={},
        present=0,
        oddities=(),
    )


def parts_of(file: EncodedFile, fractions: Mapping[str, float]) -> Parts:
    """The part of each event, of events that may be too few for every part."""
    beside = make_file(make_particles(60, 2**32), np.arange(2**40, 2**40 + 60) if file.group_id is not None else None)
    return assign_parts([file, beside], fractions)[0]


@given(groups=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50), fractions=either, seed=seeds)
def test_a_group_is_in_one_part(groups: list[int], fractions: Mapping[str, float], seed: int) -> None:
    events = make_file(make_particles(3 * len(groups), seed), np.array(groups * 3, dtype=np.int64))
    parts = parts_of(events, fractions).reshape(3, len(groups))
    assert {(group, part) for row in parts.tolist() for group, part in zip(groups, row, strict=True)} == set(
        zip(groups, parts[0].tolist(), strict=True)
    )
    assert len({(group, part) for group, part in zip(groups, parts[0].tolist(), strict=True)}) == len(set(groups))


@given(fractions=either, seed=seeds)
def test_equal_events_are_in_one_part(fractions: Mapping[str, float], seed: int) -> None:
    particles = make_particles(20, seed)
    parts = parts_of(make_file(np.concatenate([particles, particles])), fractions)
    np.testing.assert_array_equal(parts[:20], parts[20:])


@given(fractions=either, seed=seeds, grouped=st.booleans())
def test_the_part_depends_neither_on_the_order_nor_on_the_other_events(
    fractions: Mapping[str, float], seed: int, grouped: bool
) -> None:
    random = np.random.default_rng(seed)
    particles, groups = make_particles(40, seed), random.integers(0, 15, 40) if grouped else None
    parts = parts_of(make_file(particles, groups), fractions)
    some = random.permutation(40)[:25]
    fewer = make_file(particles[some], None if groups is None else groups[some])
    np.testing.assert_array_equal(parts_of(fewer, fractions), parts[some])


@settings(max_examples=20)
@given(fractions=either, seed=seeds, grouped=st.booleans())
def test_fractions_are_met_within_binomial_expectation(
    fractions: Mapping[str, float], seed: int, grouped: bool
) -> None:
    count = 4000
    # group ids are usually consecutive numbers
    events = make_file(make_particles(count, seed), np.arange(seed, seed + count) if grouped else None)
    found = np.bincount(assign_parts([events], fractions)[0], minlength=len(fractions))
    for events_in_part, fraction in zip(found, fractions.values(), strict=True):
        # five standard deviations
        assert abs(events_in_part - count * fraction) < 5 * math.sqrt(count * fraction * (1 - fraction))


def test_the_split_never_changes() -> None:
    # the expected parts come from a plain-integer calculation of the same hash
    groups = make_file(make_particles(12), np.arange(12))
    background, signal = [2, 1, 1, 0, 0, 0, 2, 0, 1, 1, 0, 0], [1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1]
    for fractions, expected in ((BACKGROUND_FRACTIONS, background), (SIGNAL_FRACTIONS, signal)):
        assert assign_parts([groups], fractions)[0].tolist() == expected
        assert parts_of_groups(np.arange(12), fractions).tolist() == expected
    contents = make_file(np.arange(1, 12 * 76 + 1, dtype=np.float64).reshape(12, 19, 4) / 2)
    assert parts_of(contents, BACKGROUND_FRACTIONS).tolist() == [0, 1, 0, 0, 2, 0, 2, 0, 0, 0, 2, 0]


@given(fractions=either, seed=seeds, grouped=st.booleans(), cut=st.integers(1, 199))
def test_a_file_that_is_cut_in_two_is_split_like_the_whole(
    fractions: Mapping[str, float], seed: int, grouped: bool, cut: int
) -> None:
    particles, groups = make_particles(200, seed), np.arange(200) // 5 if grouped else None
    (whole,) = assign_parts([make_file(particles, groups)], fractions)
    halves = [
        make_file(particles[some], None if groups is None else groups[some]) for some in (slice(cut), slice(cut, None))
    ]
    found = assign_parts(halves, fractions)
    assert [len(parts) for parts in found] == [cut, 200 - cut]
    np.testing.assert_array_equal(np.concatenate(found), whole)


def test_signals_have_no_training_part() -> None:
    assert list(SIGNAL_FRACTIONS) == ["validation", "test"]
    (parts,) = assign_parts([make_file(make_particles(200))], SIGNAL_FRACTIONS)
    assert set(parts.tolist()) == {0, 1}


def test_too_few_events_for_every_part_are_refused() -> None:
    with pytest.raises(UserError, match=r"events\.h5: none of the 1 events falls in the"):
        assign_parts([make_file(make_particles(1))], BACKGROUND_FRACTIONS)
    two = [make_file(make_particles(1, seed), name=f"{seed}.h5") for seed in (1, 2)]
    with pytest.raises(
        UserError, match=r"^1\.h5, 2\.h5: none of the 2 events falls in the (train|validation|test) part"
    ):
        assign_parts(two, BACKGROUND_FRACTIONS)


def test_files_with_and_without_groups_are_refused_together() -> None:
    one, two = make_file(make_particles(100), np.arange(100)), make_file(make_particles(100, 2), name="two.h5")
    for files in ([one, two], [two, one], [one, two, two]):
        with pytest.raises(UserError, match=r"folder/two\.h5 has no `GroupId`"):
            assign_parts(files, SIGNAL_FRACTIONS)


def test_equal_events_whose_groups_fall_apart_are_refused() -> None:
    particles = make_particles(100)
    particles[:] = particles[0]
    with pytest.raises(UserError, match=r"events \d+ and \d+ \(the first of all is 0\) are equal, but"):
        assign_parts([make_file(particles, np.arange(100))], BACKGROUND_FRACTIONS)


def test_equal_events_of_two_files_whose_groups_fall_apart_are_refused() -> None:
    # groups 0 and 1 are in the test and in the validation part
    one, two = make_particles(100), make_particles(100, 2)
    two[0] = one[0]
    files = [make_file(one, np.arange(100)), make_file(two, np.arange(1, 101), name="two.h5")]
    with pytest.raises(UserError, match=r"^events\.h5, two\.h5: events 0 and 100 \(the first of all is 0\) are equal"):
        assign_parts(files, BACKGROUND_FRACTIONS)


def test_equal_events_in_one_group_are_not_refused() -> None:
    particles = np.repeat(make_particles(100), 2, axis=0)
    (parts,) = assign_parts([make_file(particles, np.arange(200) // 2)], BACKGROUND_FRACTIONS)
    np.testing.assert_array_equal(parts[::2], parts[1::2])


@settings(max_examples=20)
@given(fractions=either, seed=seeds)
def test_events_without_objects_are_spread_like_all_others(fractions: Mapping[str, float], seed: int) -> None:
    count = 4000
    particles = make_particles(2 * count, seed)
    empty = np.random.default_rng(seed).permutation(2 * count)[:count]
    (before,) = assign_parts([make_file(particles)], fractions)
    particles[empty] = 0
    (parts,) = assign_parts([make_file(particles)], fractions)
    # the others stay where they are
    np.testing.assert_array_equal(np.delete(parts, empty), np.delete(before, empty))
    for events_in_part, fraction in zip(np.bincount(parts[empty]), fractions.values(), strict=True):
        assert abs(events_in_part - count * fraction) < 5 * math.sqrt(count * fraction * (1 - fraction))


def test_events_without_objects_are_not_refused_for_being_equal() -> None:
    particles = make_particles(100)
    particles[::2] = 0
    (parts,) = assign_parts([make_file(particles, np.arange(100))], BACKGROUND_FRACTIONS)
    for part in range(3):
        assert particles[parts == part].any(axis=(1, 2)).any()


def test_a_file_of_events_without_objects_alone_is_split() -> None:
    (parts,) = assign_parts([make_file(np.zeros((100, 19, 4)))], BACKGROUND_FRACTIONS)
    assert np.bincount(parts, minlength=3).min() > 0


@pytest.mark.parametrize("fractions", [{}, {"train": 0.5}, {"train": 1.5, "test": -0.5}, {"train": 0.9, "test": 0.2}])
def test_fractions_that_do_not_add_up_are_a_programming_error(fractions: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        assign_parts([make_file(make_particles(2))], fractions)
    with pytest.raises(ValueError, match="add up to 1"):
        parts_of_groups(np.arange(2), fractions)
