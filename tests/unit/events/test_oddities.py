"""Oddities: each is found alone, counted and located, and none is seen in sound events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from support.events import make_particles, write_events

from trigger_ad.events.files import read_events
from trigger_ad.events.layout import CLASS, ELECTRONS, ETA, JETS, MUONS, NAMES, PHI, PT
from trigger_ad.events.oddities import Oddity


def oddities(path: Path) -> dict[str, Oddity]:
    return {oddity.name: oddity for oddity in read_events(path).oddities}


def test_stray_values_of_an_absent_object_are_zeroed_and_counted(tmp_path: Path) -> None:
    clean = make_particles(6)
    clean[:, 17:] = 0
    stray = clean.copy()
    stray[2, 17, PHI] = 1.5
    stray[2, 17, CLASS] = 4
    stray[4, 18, ETA] = -0.3
    path = write_events(tmp_path / "stray.h5", stray)
    np.testing.assert_array_equal(read_events(path).particles, clean)
    found = oddities(path)
    assert found.keys() == {"stray_values_in_absent_object"}
    assert found["stray_values_in_absent_object"].count == 2
    assert found["stray_values_in_absent_object"].first_event == 2


def test_a_gap_between_slots_is_kept_where_it_is_and_counted(tmp_path: Path) -> None:
    particles = make_particles(6)
    particles[3, 9:12] = [[40, 0, 0, 4], [0, 0, 0, 0], [30, 0, 0, 4]]
    path = write_events(tmp_path / "gap.h5", particles)
    np.testing.assert_array_equal(read_events(path).particles, particles)
    found = oddities(path)
    assert found.keys() == {"gap_between_slots"}
    assert (found["gap_between_slots"].count, found["gap_between_slots"].first_event) == (1, 3)


def test_missing_names_are_oddities_of_the_file(tmp_path: Path) -> None:
    found = oddities(write_events(tmp_path / "bare.h5", make_particles(3), names=None, classes=None))
    assert found.keys() == {"no_feature_names", "class_names_differ"}
    assert {oddity.first_event for oddity in found.values()} == {None}


def test_other_class_names_are_an_oddity(tmp_path: Path) -> None:
    found = oddities(write_events(tmp_path / "classes.h5", make_particles(3), classes=("a", "b", "c", "d")))
    assert found.keys() == {"class_names_differ"}


def test_names_stored_as_variable_length_text_are_read(tmp_path: Path) -> None:
    path = write_events(tmp_path / "text.h5", make_particles(3), names=None)
    with h5py.File(path, "a") as file:
        file.create_dataset("Particles_Names", data=list(NAMES), dtype=h5py.string_dtype())
    assert oddities(path) == {}


def changed(name: str) -> tuple[NDArray[Any], int]:
    """Return sound events of which one was given the named oddity, and the index of that event."""
    particles = make_particles(9)
    event = particles[6]
    if name == "class_does_not_fit_slot":
        event[1, CLASS] = 3
    elif name == "pt_not_falling":
        event[9:12] = [[20, 0, 0, 4], [30, 0, 0, 4], [25, 0, 0, 4]]
    elif name == "eta_beyond_limit":
        event[MUONS.start] = [30, -2.11, 0, 3]
    elif name == "phi_beyond_pi":
        event[0, PHI] = 3.15
    elif name == "met_eta_not_zero":
        event[0, ETA] = 0.01
    elif name == "no_lepton_above_filter":
        event[ELECTRONS, PT] = np.minimum(event[ELECTRONS, PT], 22.9)
        event[MUONS, PT] = np.minimum(event[MUONS, PT], 22.9)
    elif name == "pt_below_published":
        event[JETS] = 0
        event[JETS.start] = [14.9, 0, 0, 4]
    elif name == "pt_above_beam_energy":
        event[0, PT] = 35_000
    elif name == "duplicated_event":
        particles[6] = particles[2]
    return particles, 6


@pytest.mark.parametrize(
    "name",
    [
        "class_does_not_fit_slot",
        "pt_not_falling",
        "eta_beyond_limit",
        "phi_beyond_pi",
        "met_eta_not_zero",
        "no_lepton_above_filter",
        "pt_below_published",
        "pt_above_beam_energy",
        "duplicated_event",
    ],
)
def test_each_oddity_is_found_alone_and_located(tmp_path: Path, name: str) -> None:
    particles, event = changed(name)
    found = oddities(write_events(tmp_path / "odd.h5", particles))
    assert found.keys() == {name}
    assert (found[name].count, found[name].first_event) == (1, event)
    assert found[name].explanation


def test_the_order_of_pt_is_judged_across_a_gap(tmp_path: Path) -> None:
    particles = make_particles(2)
    particles[1, 9:12] = [[30, 0, 0, 4], [0, 0, 0, 0], [40, 0, 0, 4]]
    assert oddities(write_events(tmp_path / "gap.h5", particles)).keys() == {"gap_between_slots", "pt_not_falling"}


@pytest.mark.parametrize("limit", [np.pi, float(np.float32(np.pi))])
def test_pi_rounded_to_32_bits_is_not_beyond_pi(tmp_path: Path, limit: float) -> None:
    particles = make_particles(2)
    particles[:, 0, PHI] = [limit, -limit]
    assert oddities(write_events(tmp_path / "pi.h5", particles)) == {}


def test_oddities_are_counted_across_chunks(tmp_path: Path) -> None:
    particles = make_particles(120_000)
    particles[[49_999, 50_000, 119_999], 0, ETA] = 1.0
    particles[110_000] = particles[3]
    particles[70_000] = particles[3]
    found = oddities(write_events(tmp_path / "long.h5", particles, compression=None))
    assert found.keys() == {"met_eta_not_zero", "duplicated_event"}
    assert (found["met_eta_not_zero"].count, found["met_eta_not_zero"].first_event) == (3, 49_999)
    assert (found["duplicated_event"].count, found["duplicated_event"].first_event) == (2, 70_000)


def test_stray_values_do_not_make_an_event_different(tmp_path: Path) -> None:
    particles = make_particles(4)
    particles[:, 18] = 0
    particles[3] = particles[0]
    particles[3, 18, PHI] = 2.0
    found = oddities(write_events(tmp_path / "same.h5", particles))
    assert found.keys() == {"stray_values_in_absent_object", "duplicated_event"}
