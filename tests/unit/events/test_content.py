"""The hash of an event: the published mixing function, and equality of events."""

from __future__ import annotations

import numpy as np
import pytest
from support.events import make_particles

from trigger_ad.events import content
from trigger_ad.events.content import (
    columns_of,
    content_hash,
    hash_of_columns,
    hash_without_objects,
    splitmix64,
    zero_absent,
    zero_absent_columns,
)
from trigger_ad.events.layout import PT

GOLDEN = 0x9E3779B97F4A7C15


def test_mixing_gives_the_published_sequence() -> None:
    # the first five outputs of SplitMix64 from seed 1234567, whose state grows by GOLDEN at each step
    states = np.array([(1234567 + step * GOLDEN) % 2**64 for step in range(5)], dtype=np.uint64)
    assert splitmix64(states).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_an_event_has_the_same_hash_wherever_it_stands() -> None:
    particles = make_particles(70_000)
    order = np.random.default_rng(3).permutation(len(particles))
    np.testing.assert_array_equal(content_hash(particles[order]), content_hash(particles)[order])


def test_every_value_counts() -> None:
    particles = make_particles(1)
    particles[..., PT] = 30.0
    changed = np.repeat(particles, 76, axis=0)
    changed.reshape(76, 76)[np.arange(76), np.arange(76)] += 0.5
    assert len(set(content_hash(np.concatenate([particles, changed])).tolist())) == 77


def test_two_values_that_swap_places_make_another_event() -> None:
    particles = make_particles(2)
    particles[1] = particles[0]
    particles[1, 0, 1:3] = particles[0, 0, 2:0:-1]
    one, other = content_hash(particles)
    assert one != other


def test_absent_objects_do_not_count_wherever_pt_stands() -> None:
    particles = np.ones((3, 2, 3))
    particles[:, 1, 2] = 0
    particles[1, 1, 0] = 5
    particles[2, 0, 0] = 5
    one, same, other = content_hash(particles, pt=2).tolist()
    assert one == same != other
    assert zero_absent(particles, pt=2)[1].tolist() == [[1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize("shape", [(19, 4), (2, 3), (1, 1)])
def test_the_hash_without_objects_is_that_of_an_event_of_zeros(shape: tuple[int, int]) -> None:
    events = np.ones((2, *shape))
    events[1] = 0
    one, nothing = content_hash(events)
    assert nothing == hash_without_objects(shape) != one


def test_zeroing_leaves_the_original_as_it_was() -> None:
    particles = make_particles(1)
    particles[0, 18] = [0, 1, 2, 4]
    assert zero_absent(particles)[0, 18].tolist() == [0, 0, 0, 0]
    assert particles[0, 18].tolist() == [0, 1, 2, 4]


def test_what_an_absent_object_holds_does_not_change_the_hash() -> None:
    stored = make_particles(300, 5)
    stored[::3, 10, 0] = 0.0
    np.testing.assert_array_equal(content_hash(zero_absent(stored)), content_hash(stored))


def test_the_hash_of_an_event_is_fixed() -> None:
    """Splits of events without group ids, and duplicates across files, rest on it."""
    particles = np.arange(1.0, 13.0).reshape(1, 3, 4)
    particles[0, 1, PT] = 0
    state = 0
    for value in [1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 9.0, 10.0, 11.0, 12.0]:
        (word,) = np.array([value]).view(np.uint64).tolist()
        (state,) = splitmix64(np.array([state ^ word], dtype=np.uint64)).tolist()
    assert content_hash(particles).tolist() == [state]


def test_hashing_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    particles = make_particles(100)
    whole = content_hash(particles)
    for block in (1, 33, 99, 100):
        monkeypatch.setattr(content, "BLOCK", block)
        np.testing.assert_array_equal(content_hash(particles), whole)


def test_mixing_leaves_the_words_as_they_were() -> None:
    words = np.arange(5, dtype=np.uint64)
    splitmix64(words)
    assert words.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("pt", [0, 1, 2])
def test_columns_are_the_events_turned_round(pt: int) -> None:
    particles = np.random.default_rng(pt).normal(size=(50, 5, 3))
    particles[::2] *= -0.0
    before = particles.copy()
    columns = columns_of(particles)
    assert (columns.shape, columns.flags.c_contiguous) == ((5, 3, 50), True)
    np.testing.assert_array_equal(columns.transpose(2, 0, 1), particles)
    zeroed = zero_absent(particles, pt)
    zero_absent_columns(columns, pt)
    # equal in every bit: no zero has a sign
    np.testing.assert_array_equal(columns.transpose(2, 0, 1).copy().view(np.uint64), zeroed.view(np.uint64))
    assert not np.signbit(columns[columns == 0]).any()
    np.testing.assert_array_equal(hash_of_columns(columns), content_hash(particles, pt))
    np.testing.assert_array_equal(particles.view(np.uint64), before.view(np.uint64))
