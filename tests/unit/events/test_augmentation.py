"""Copies of events: turned and reflected, and nothing that physics measures is different in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.events import OTHER, make_other_particles, make_particles

from trigger_ad.config import LayoutConfig, ObjectsConfig
from trigger_ad.events.augmentation import turned
from trigger_ad.events.layout import ADC2021, CLASS, ETA, MET, PHI, PT, EventLayout
from trigger_ad.fixed_point import Values

seeds = st.integers(0, 2**31 - 1)


def copy_of(particles: Values, seed: int, layout: EventLayout = ADC2021) -> Values:
    return turned(particles, layout, np.random.default_rng(seed))


def pair_masses(particles: Values) -> NDArray[np.float64]:
    """The invariant mass of each pair of massless objects of each event, shape (events, objects, objects)."""
    pt, eta, phi = (particles[:, :, column] for column in (PT, ETA, PHI))
    apart = np.cosh(eta[:, :, None] - eta[:, None]) - np.cos(phi[:, :, None] - phi[:, None])
    masses: NDArray[np.float64] = np.sqrt(2 * pt[:, :, None] * pt[:, None] * np.maximum(apart, 0))
    return masses


@given(seeds)
def test_the_events_themselves_stay_as_they_were(seed: int) -> None:
    particles = make_particles(6)
    before = particles.copy()
    found = copy_of(particles, seed)
    assert found.shape == (6, 19, 4)
    np.testing.assert_array_equal(particles, before)
    assert not np.array_equal(found, particles)


@given(seeds)
def test_pt_class_and_the_size_of_eta_stay(seed: int) -> None:
    particles = make_particles(6)
    copy = copy_of(particles, seed)
    np.testing.assert_array_equal(copy[:, :, [PT, CLASS]], particles[:, :, [PT, CLASS]])
    np.testing.assert_array_equal(np.abs(copy[:, :, ETA]), np.abs(particles[:, :, ETA]))


@given(seeds)
def test_eta_is_reflected_in_whole_events(seed: int) -> None:
    particles = make_particles(40)
    copy = copy_of(particles, seed)[:, :, ETA]
    same = (copy == particles[:, :, ETA]).all(axis=1)
    reflected = (copy == -particles[:, :, ETA]).all(axis=1)
    assert (same | reflected).all()
    assert same.any()
    assert reflected.any()


@given(seeds)
def test_one_angle_turns_a_whole_event(seed: int) -> None:
    particles = make_particles(6)
    copy = copy_of(particles, seed)
    present = particles[:, :, PT] > 0
    angle = np.exp(1j * (copy[:, :, PHI] - particles[:, :, PHI]))
    for event in range(6):
        # adding an angle to phi rounds to about 1e-15
        assert np.abs(angle[event, present[event]] - angle[event, 0]).max() < 1e-14
    assert np.abs(copy[:, :, PHI]).max() <= np.pi


@given(seeds)
def test_masses_of_pairs_stay(seed: int) -> None:
    particles = make_particles(6)
    before, after = pair_masses(particles), pair_masses(copy_of(particles, seed))
    assert before.max() > 0
    # a mass is the root of a difference that rounds to about 1e-15
    scale = np.sqrt(particles[:, :, None, PT] * particles[:, None, :, PT])
    assert (np.abs(after - before) <= 1e-6 * scale).all()


@given(seeds)
def test_angles_differ_from_event_to_event(seed: int) -> None:
    particles = make_particles(6)
    copy = copy_of(particles, seed)
    assert len({round(angle, 6) for angle in np.mod(copy[:, 0, PHI] - particles[:, 0, PHI], 2 * np.pi).tolist()}) == 6


def test_every_angle_is_as_likely_as_any_other() -> None:
    particles = np.zeros((8000, 19, 4))
    particles[:, MET, PT] = 30.0
    found, _ = np.histogram(copy_of(particles, 1)[:, 0, PHI], 8, (-np.pi, np.pi))
    # five standard deviations
    assert np.abs(found - 1000).max() < 5 * np.sqrt(1000 * 7 / 8)


@given(seeds)
def test_absent_objects_stay_positive_zeros(seed: int) -> None:
    particles = make_particles(20)
    copy = copy_of(particles, seed)
    absent = copy[particles[:, :, PT] == 0]
    assert not absent.any()
    assert not np.signbit(absent).any()
    # MET, which has no eta, is there
    assert not np.signbit(copy[:, MET, ETA]).any()


def test_events_without_objects_stay_as_they_are() -> None:
    copy = copy_of(np.zeros((5, 19, 4)), 1)
    assert not copy.any()
    assert not np.signbit(copy).any()


def test_no_events_have_no_copies() -> None:
    assert copy_of(np.zeros((0, 19, 4)), 1).shape == (0, 19, 4)


def test_the_generator_fixes_the_copies() -> None:
    particles = make_particles(6)
    np.testing.assert_array_equal(copy_of(particles, 7), copy_of(particles, 7))
    assert not np.array_equal(copy_of(particles, 7), copy_of(particles, 8))
    generator = np.random.default_rng(7)
    assert not np.array_equal(turned(particles, ADC2021, generator), turned(particles, ADC2021, generator))


@given(seeds)
def test_a_layout_of_ones_own_is_turned_and_reflected_where_its_angles_stand(seed: int) -> None:
    particles = make_other_particles(20, seed)
    phi, eta = OTHER.column("phi"), OTHER.column("eta")
    copy = copy_of(particles, seed, OTHER)
    rest = [OTHER.column("isolation"), OTHER.pt]
    np.testing.assert_array_equal(copy[:, :, rest], particles[:, :, rest])
    np.testing.assert_array_equal(np.abs(copy[:, :, eta]), np.abs(particles[:, :, eta]))
    assert (copy[:, :, phi] != particles[:, :, phi]).any()
    assert (copy[:, :, eta] != particles[:, :, eta]).any()
    assert not copy[particles[:, :, OTHER.pt] == 0].any()


@pytest.mark.parametrize("feature", ["eta", "phi"])
def test_a_layout_without_one_of_the_angles_keeps_to_the_other(feature: str) -> None:
    layout = EventLayout(LayoutConfig(objects=(ObjectsConfig(name="jet", count=1),), features=(feature, "pt")))
    copy = copy_of(np.array([[[1.0, 20.0]]] * 50), 1, layout)[:, 0]
    assert set(copy[:, 1]) == {20.0}
    assert len(set(copy[:, 0])) == (2 if feature == "eta" else 50)


def test_copies_that_could_not_differ_are_a_programming_error() -> None:
    layout = EventLayout(LayoutConfig(objects=(ObjectsConfig(name="jet", count=1),), features=("pt",)))
    with pytest.raises(ValueError, match="no copies that differ"):
        copy_of(np.ones((2, 1, 1)), 1, layout)
