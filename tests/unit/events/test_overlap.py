"""Electrons that are also present as jets: near in eta and phi, across the seam of phi, in the same event."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from trigger_ad.config import LayoutConfig, ObjectsConfig
from trigger_ad.events.layout import CLASS_OF_SLOT, ELECTRONS, JETS, EventLayout
from trigger_ad.events.overlap import ElectronJetOverlap, electron_jet_overlap


def event(electrons: list[tuple[float, float]], jets: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Return one event with objects of 30 GeV at the given eta and phi."""
    particles = np.zeros((1, 19, 4))
    for start, objects in ((ELECTRONS.start, electrons), (JETS.start, jets)):
        for slot, (eta, phi) in enumerate(objects, start=start):
            particles[0, slot] = (30, eta, phi, CLASS_OF_SLOT[slot])
    return particles


@pytest.mark.parametrize(
    ("jet", "near"),
    [
        ((1.0, 0.5), 1),
        ((1.0, 0.699), 1),
        ((1.0, 0.701), 0),
        ((0.801, 0.5), 1),
        ((0.799, 0.5), 0),
        ((1.14, 0.64), 1),
        ((1.15, 0.65), 0),
        ((-1.0, 0.5), 0),
    ],
)
def test_a_jet_within_delta_r_counts(jet: tuple[float, float], near: int) -> None:
    assert electron_jet_overlap(event([(1.0, 0.5)], [jet])) == ElectronJetOverlap(1, near)


@pytest.mark.parametrize(("one", "other"), [(3.1, -3.1), (-3.1, 3.1), (np.pi, -np.pi)])
def test_phi_goes_round(one: float, other: float) -> None:
    assert electron_jet_overlap(event([(0.0, one)], [(0.0, other)])) == ElectronJetOverlap(1, 1)


def test_absent_objects_are_near_nothing() -> None:
    # an absent jet is at eta 0 and phi 0, where this electron is
    assert electron_jet_overlap(event([(0.0, 0.0)], [])) == ElectronJetOverlap(1, 0)
    assert electron_jet_overlap(event([], [(0.0, 0.0)])) == ElectronJetOverlap(0, 0)


def test_only_jets_of_the_same_event_count() -> None:
    both = np.concatenate([event([(0.5, 0.0)], []), event([], [(0.5, 0.0)])])
    assert electron_jet_overlap(both) == ElectronJetOverlap(1, 0)


def test_another_layout_is_asked_for_its_own_slots_and_features() -> None:
    objects = (ObjectsConfig(name="jet", count=2), ObjectsConfig(name="electron", count=1))
    layout = EventLayout(LayoutConfig(objects=objects, features=("phi", "pt", "eta")))
    particles = np.array([[[3.1, 30, 1.0], [0, 0, 0], [-3.1, 30, 1.0]], [[0, 30, 0], [1, 30, 0], [0.5, 30, 0]]])
    assert electron_jet_overlap(particles, layout) == ElectronJetOverlap(2, 1)


@pytest.mark.parametrize(
    ("names", "features"),
    [
        (("electron", "tau"), ("pt", "eta", "phi")),
        (("jet", "tau"), ("pt", "eta", "phi")),
        (("jet", "electron"), ("pt", "phi")),
    ],
)
def test_a_layout_without_electrons_or_jets_or_directions_has_no_answer(
    names: tuple[str, ...], features: tuple[str, ...]
) -> None:
    objects = tuple(ObjectsConfig(name=name, count=1) for name in names)
    layout = EventLayout(LayoutConfig(objects=objects, features=features))
    assert electron_jet_overlap(np.ones((3, *layout.shape)), layout) is None


def test_every_electron_counts_once() -> None:
    electrons = [(1.0, 0.0), (1.1, 0.0), (-2.0, 0.0)]
    assert electron_jet_overlap(event(electrons, [(1.05, 0.0), (1.0, 0.05)])) == ElectronJetOverlap(3, 2)


def test_the_fraction_is_of_the_electrons_and_unknown_without_any() -> None:
    assert (ElectronJetOverlap(3, 1) + ElectronJetOverlap(5, 1)).fraction == 0.25
    assert ElectronJetOverlap(0, 0).fraction is None
    assert electron_jet_overlap(np.zeros((0, 19, 4))) == ElectronJetOverlap(0, 0)
