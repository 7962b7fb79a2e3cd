"""The hash of an event: the published mixing function, and equality of events."""

from __future__ import annotations

import numpy as np
import pytest
from support.events import make_particles

from trigger_ad.events.content import content_hash, hash_of_zeroed, hash_without_objects, splitmix64, zero_absent
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


def test_what_is_zeroed_already_is_hashed_as_it_is() -> None:
    stored = make_particles(300, 5)
    stored[::3, 10, 0] = 0.0
    np.testing.assert_array_equal(hash_of_zeroed(zero_absent(stored)), content_hash(stored))
