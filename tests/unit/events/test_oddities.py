"""Oddities: each is found alone, counted and located, and none is seen in sound events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.events import OTHER, encode, make_other_particles, make_particles, read_particles, write_events

from trigger_ad.config import LayoutConfig, ObjectsConfig
from trigger_ad.events import oddities as module
from trigger_ad.events.content import columns_of, content_hash, zero_absent
from trigger_ad.events.layout import CLASS, ELECTRONS, ETA, JETS, MUONS, NAMES, PHI, PT, EventLayout
from trigger_ad.events.oddities import Oddity, OddityTally


def oddities(path: Path) -> dict[str, Oddity]:
    return {oddity.name: oddity for oddity in encode(path).oddities}


def test_stray_values_of_an_absent_object_are_zeroed_and_counted(tmp_path: Path) -> None:
    clean = make_particles(6)
    clean[:, 17:] = 0
    stray = clean.copy()
    stray[2, 17, PHI] = 1.5
    stray[2, 17, CLASS] = 4
    stray[4, 18, ETA] = -0.3
    path = write_events(tmp_path / "stray.h5", stray)
    np.testing.assert_array_equal(read_particles(path), clean)
    found = oddities(path)
    assert found.keys() == {"stray_values_in_absent_object"}
    assert found["stray_values_in_absent_object"].count == 2
    assert found["stray_values_in_absent_object"].first_event == 2


def test_a_gap_between_slots_is_kept_where_it_is_and_counted(tmp_path: Path) -> None:
    particles = make_particles(6)
    particles[3, 9:12] = [[40, 0, 0, 4], [0, 0, 0, 0], [30, 0, 0, 4]]
    path = write_events(tmp_path / "gap.h5", particles)
    np.testing.assert_array_equal(read_particles(path), particles)
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


def test_events_without_any_object_are_counted_and_are_no_duplicates(tmp_path: Path) -> None:
    particles = make_particles(9)
    particles[[3, 5, 8]] = 0
    found = oddities(write_events(tmp_path / "nothing.h5", particles))
    # such an event has no lepton either
    assert found.keys() == {"no_object", "no_lepton_above_filter"}
    assert (found["no_object"].count, found["no_object"].first_event) == (3, 3)


def test_nothing_is_odd_in_sound_events_of_another_layout() -> None:
    tally = OddityTally(OTHER)
    tally.add(make_other_particles(200))
    assert tally.result() == ()


PHI_, ISOLATION_, PT_, ETA_ = range(4)


@pytest.mark.parametrize(
    ("name", "values", "explanation"),
    [
        ("gap_between_slots", {(4, PT_): 0, (4, PHI_): 0, (4, ETA_): 0}, "an absent object"),
        ("stray_values_in_absent_object", {(8, PHI_): 1}, "phi or isolation or eta"),
        ("pt_not_falling", {(5, PT_): 500}, "falling pT"),
        ("eta_beyond_limit", {(0, ETA_): -2.51}, "2.5 (tau) or 4.5 (jet)"),
        ("phi_beyond_pi", {(3, PHI_): 3.2}, "-pi to pi"),
    ],
)
def test_generic_oddities_are_found_in_another_layout(
    name: str, values: dict[tuple[int, int], float], explanation: str
) -> None:
    particles = make_other_particles(3)
    # a tau, MET with a pseudorapidity and a pT beyond any beam's energy, three jets with small pT, and room
    particles[1] = 0
    particles[1, [0, 3, 4, 5, 6]] = [
        (1.0, 0.1, 30.0, 2.5),
        (2.0, 0.0, 9000.0, 1.0),
        (1.0, 0.0, 40.0, -4.5),
        (1.0, 0.0, 3.0, 0.0),
        (1.0, 0.0, 2.0, 0.0),
    ]
    tally = OddityTally(OTHER)
    tally.add(particles)
    assert tally.result() == ()
    for (slot, feature), value in values.items():
        particles[1, slot, feature] = value
    tally = OddityTally(OTHER)
    tally.add(particles)
    (found,) = tally.result()
    assert (found.name, found.count, found.first_event) == (name, 1, 1)
    assert explanation in found.explanation


def test_class_numbers_are_those_of_the_layout() -> None:
    layout = EventLayout(
        LayoutConfig(
            objects=(ObjectsConfig(name="jet", count=1), ObjectsConfig(name="tau", count=1)), features=("class", "pt")
        )
    )
    tally = OddityTally(layout)
    tally.add(np.array([[[1.0, 30.0], [2.0, 20.0]], [[2.0, 30.0], [2.0, 20.0]], [[0.0, 0.0], [2.0, 21.0]]]))
    (found,) = tally.result()
    assert (found.name, found.count, found.first_event) == ("class_does_not_fit_slot", 1, 1)


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


def test_a_tally_of_the_first_events_is_extended_by_one_of_those_that_follow() -> None:
    particles = make_particles(60)
    particles[[7, 41, 42], 0, ETA] = 1.0
    particles[33, 0, PHI] = 4.0
    particles[55] = particles[3]
    particles[58] = particles[50]
    particles[[20, 59]] = 0
    whole = OddityTally()
    whole.add(particles)
    joined = OddityTally()
    for start, stop in ((0, 30), (30, 31), (31, 60)):
        later = OddityTally()
        later.add(particles[start:stop])
        joined.extend(later)
    assert joined.result() == whole.result()
    assert {oddity.name for oddity in whole.result()} >= {"met_eta_not_zero", "phi_beyond_pi", "duplicated_event"}
    np.testing.assert_array_equal(joined.hashes, whole.hashes)
    np.testing.assert_array_equal(whole.hashes, content_hash(particles))


def test_columns_are_counted_like_events_and_zeroed_on_the_way() -> None:
    particles = make_particles(60)
    particles[7, 0, ETA] = 1.0
    particles[33, 18] = (0.0, 1.0, -0.0, 4.0)
    particles[[20, 59]] = 0
    events, columns = OddityTally(), OddityTally()
    events.add(particles)
    turned = columns_of(particles)
    columns.add_columns(turned)
    assert columns.result() == events.result()
    np.testing.assert_array_equal(columns.hashes, events.hashes)
    np.testing.assert_array_equal(turned, columns_of(zero_absent(particles)))


def test_events_are_counted_in_blocks_that_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    particles = make_particles(60)
    particles[[7, 8, 41], 0, ETA] = 1.0
    particles[50, 9:12] = [[20, 0, 0, 4], [30, 0, 0, 4], [25, 0, 0, 4]]
    particles[55] = particles[3]
    whole = OddityTally()
    whole.add(particles)
    for block in (1, 8, 59, 60):
        monkeypatch.setattr(module, "BLOCK", block)
        tally = OddityTally()
        tally.add(particles)
        assert tally.result() == whole.result()
        np.testing.assert_array_equal(tally.hashes, whole.hashes)


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(0, 7))
def test_repetitions_are_all_values_that_occurred_before(values: list[int], ignored: int) -> None:
    hashes = np.array(values, dtype=np.uint64) * np.uint64(2**61)
    found = module._repetitions(hashes, np.uint64(ignored * 2**61))
    expected = [index for index, value in enumerate(values) if value in values[:index] and value != ignored]
    assert sorted(found.tolist()) == expected


def test_a_tally_of_nothing_has_no_hashes() -> None:
    assert (OddityTally().hashes.tolist(), OddityTally().result()) == ([], ())
