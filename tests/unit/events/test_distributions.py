"""Distributions: every value is in one bin, shares add up, and distances order files by what they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from support.events import make_particles

from trigger_ad.events.distributions import (
    QUANTITIES,
    Distribution,
    Distributions,
    DistributionTally,
    Resemblance,
    closest,
    expected_by_chance,
    kolmogorov_smirnov,
    resemblances,
)
from trigger_ad.events.layout import ELECTRONS, JETS, MET, PHI, PT


def filled(particles: NDArray[np.float64]) -> dict[str, Distribution]:
    tally = DistributionTally()
    tally.add(particles)
    return tally.result()


def jets(*pt: float) -> NDArray[np.float64]:
    """Return one event with jets of these pT and nothing else."""
    particles = np.zeros((1, 19, 4))
    for slot, value in enumerate(pt, start=JETS.start):
        particles[0, slot] = (value, 0.0, 0.0, 4)
    return particles


def test_every_object_has_its_quantities() -> None:
    kinds = [
        f"{prefix}{name}_{feature}"
        for name in ("electron", "muon", "jet")
        for prefix in ("", "leading_")
        for feature in ("pt", "eta", "phi")
    ]
    numbers = ["electrons_per_event", "muons_per_event", "jets_per_event"]
    assert sorted(QUANTITIES) == sorted([*kinds, *numbers, "met_pt", "met_phi"])


@pytest.mark.parametrize("name", list(QUANTITIES))
def test_every_value_is_in_one_bin_and_shares_add_up(name: str) -> None:
    found = filled(make_particles(500))[name]
    assert found.entries == len(QUANTITIES[name].values(make_particles(500))) > 0
    assert len(found.counts) == len(found.quantity.edges) + 1
    assert math.fsum(found.shares) == pytest.approx(1, abs=1e-14)  # sums of rounded quotients
    np.testing.assert_array_equal(found.errors, np.sqrt(found.counts) / found.entries)


@pytest.mark.parametrize("parts", [2, 7, 100])
def test_parts_give_what_the_whole_gives(parts: int) -> None:
    particles = make_particles(100)
    tally = DistributionTally()
    for part in np.array_split(particles, parts):
        tally.add(part)
    for name, whole in filled(particles).items():
        np.testing.assert_array_equal(tally.result()[name].counts, whole.counts)


def test_a_result_does_not_change_when_more_is_added() -> None:
    tally = DistributionTally()
    tally.add(make_particles(10))
    before = tally.result()["met_pt"]
    tally.add(make_particles(10))
    assert (before.entries, tally.result()["met_pt"].entries) == (10, 20)


def test_absent_objects_are_counted_in_numbers_alone() -> None:
    found = filled(np.concatenate([jets(40, 30), jets()]))
    assert found["jet_pt"].entries == 2
    assert found["leading_jet_pt"].entries == 1
    assert found["jets_per_event"].counts.tolist() == [0, 1, 0, 1, *[0] * 8, 0]
    assert found["muons_per_event"].counts.tolist() == [0, 2, 0, 0, 0, 0, 0]
    assert found["met_pt"].entries == found["electron_eta"].entries == 0
    assert found["met_pt"].shares.tolist() == [0] * len(found["met_pt"].counts)


def test_values_beyond_the_edges_are_kept_in_the_outer_bins() -> None:
    particles = jets(1e6, 40, 30)
    particles[0, JETS.start : JETS.start + 3, 1] = [-5, 5, 4.0]
    found = filled(particles)
    assert (found["jet_pt"].counts[-1], found["jet_pt"].counts[0]) == (1, 0)
    assert (found["jet_eta"].counts[0], found["jet_eta"].counts[-1]) == (1, 1)


@pytest.mark.parametrize("limit", [np.pi, float(np.float32(np.pi))])
def test_pi_rounded_to_32_bits_is_inside(limit: float) -> None:
    particles = make_particles(2)
    particles[:, MET, PHI] = [[limit], [-limit]]
    counts = filled(particles)["met_phi"].counts
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (0, 1, 1, 0)


def test_the_distance_is_the_largest_difference_of_cumulative_shares() -> None:
    one = filled(np.concatenate([jets(20), jets(20), jets(100), jets(200)]))["jet_pt"]
    other = filled(np.concatenate([jets(20), jets(100), jets(100), jets(100)]))["jet_pt"]
    assert kolmogorov_smirnov(one, other) == kolmogorov_smirnov(other, one) == 0.25
    assert kolmogorov_smirnov(one, one) == 0
    assert kolmogorov_smirnov(one, filled(jets(1e6))["jet_pt"]) == 1


def test_nothing_has_no_distance_from_anything() -> None:
    found = filled(jets(20))
    assert kolmogorov_smirnov(found["jet_pt"], filled(jets())["jet_pt"]) is None
    assert expected_by_chance(filled(jets())["jet_pt"], found["jet_pt"]) is None


def test_the_expectation_by_chance_is_what_samples_of_one_distribution_give() -> None:
    # 200 pairs of samples: their mean distance is known to 3 %, and bins make it a little smaller
    random = np.random.default_rng(3)
    distances = []
    for _ in range(200):
        pair = []
        for events in (400, 1600):
            particles = np.zeros((events, 19, 4))
            particles[:, 0, PT] = random.uniform(0, 200, events)
            pair.append(filled(particles)["met_pt"])
        distances.append(kolmogorov_smirnov(*pair))
    expected = expected_by_chance(*pair)
    assert expected is not None
    assert 0.8 * expected < np.mean([value for value in distances if value is not None]) < expected


def test_events_resemble_others_of_their_kind_most() -> None:
    soft, hard = make_particles(4000, seed=2), make_particles(4000, seed=3)
    hard[..., PT] *= 1.3
    references = {"soft": filled(soft), "hard": filled(hard)}
    found = resemblances(filled(make_particles(1000, seed=4)), references)
    assert closest(found) == "soft"
    assert found["soft"].mean is not None
    assert found["hard"].mean is not None
    assert found["soft"].by_chance is not None
    assert found["soft"].mean < found["soft"].by_chance < found["hard"].mean


def test_the_mean_is_over_what_all_have_and_without_phi() -> None:
    with_jets, without = make_particles(50), make_particles(50)
    without[:, JETS] = 0
    # a reference without jets takes them out of every mean
    references = {"with": filled(with_jets), "without": filled(without)}
    found = resemblances(filled(make_particles(30, seed=5)), references)
    assert found["without"].distances["jet_pt"] is None
    assert found["with"].distances["jet_pt"] is not None
    counted = [
        found["with"].distances[name]
        for name in QUANTITIES
        if not name.endswith("_phi") and not name.endswith("jet_pt") and not name.endswith("jet_eta")
    ]
    assert len(counted) == 12
    assert found["with"].mean == math.fsum(value for value in counted if value is not None) / 12


def test_a_file_turned_in_phi_is_as_close_as_it_was() -> None:
    particles = make_particles(200)
    references = {"itself": filled(particles)}
    turned = particles.copy()
    turned[:, ELECTRONS, PHI] = 0
    assert resemblances(filled(turned), references)["itself"].mean == 0


def test_what_cannot_be_compared_is_close_to_nothing() -> None:
    empty: Distributions = filled(make_particles(0))
    found = resemblances(empty, {"some": filled(make_particles(5))})
    assert found["some"] == Resemblance(dict.fromkeys(QUANTITIES), None, None)
    assert closest(found) is None
    assert closest({}) is None
