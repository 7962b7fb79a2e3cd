"""Distributions: every value is in one bin, shares add up, and distances order files by what they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from support.events import OTHER, make_other_particles, make_particles

from trigger_ad.config import LayoutConfig, ObjectsConfig
from trigger_ad.events.distributions import (
    QUANTITIES,
    Distribution,
    Distributions,
    DistributionTally,
    Resemblance,
    closest,
    expected_by_chance,
    kolmogorov_smirnov,
    layout_quantities,
    resemblances,
)
from trigger_ad.events.layout import ADC2021, ELECTRONS, JETS, MET, PHI, PT, EventLayout


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
        f"{prefix}{name}.{feature}"
        for name in ("electron", "muon", "jet")
        for prefix in ("", "leading ")
        for feature in ("pt", "eta", "phi")
    ]
    numbers = ["number of electron", "number of muon", "number of jet"]
    assert sorted(QUANTITIES) == sorted([*kinds, *numbers, "met.pt", "met.phi"])


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
    before = tally.result()["met.pt"]
    tally.add(make_particles(10))
    assert (before.entries, tally.result()["met.pt"].entries) == (10, 20)


def test_absent_objects_are_counted_in_numbers_alone() -> None:
    found = filled(np.concatenate([jets(40, 30), jets()]))
    assert found["jet.pt"].entries == 2
    assert found["leading jet.pt"].entries == 1
    assert found["number of jet"].counts.tolist() == [0, 1, 0, 1, *[0] * 8, 0]
    assert found["number of muon"].counts.tolist() == [0, 2, 0, 0, 0, 0, 0]
    assert found["met.pt"].entries == found["electron.eta"].entries == 0
    assert found["met.pt"].shares.tolist() == [0] * len(found["met.pt"].counts)


def test_values_beyond_the_edges_are_kept_in_the_outer_bins() -> None:
    particles = jets(1e6, 40, 30)
    particles[0, JETS.start : JETS.start + 3, 1] = [-5, 5, 4.0]
    found = filled(particles)
    assert (found["jet.pt"].counts[-1], found["jet.pt"].counts[0]) == (1, 0)
    assert (found["jet.eta"].counts[0], found["jet.eta"].counts[-1]) == (1, 1)


@pytest.mark.parametrize("limit", [np.pi, float(np.float32(np.pi))])
def test_pi_rounded_to_32_bits_is_inside(limit: float) -> None:
    particles = make_particles(2)
    particles[:, MET, PHI] = [[limit], [-limit]]
    counts = filled(particles)["met.phi"].counts
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (0, 1, 1, 0)


def test_the_distance_is_the_largest_difference_of_cumulative_shares() -> None:
    one = filled(np.concatenate([jets(20), jets(20), jets(100), jets(200)]))["jet.pt"]
    other = filled(np.concatenate([jets(20), jets(100), jets(100), jets(100)]))["jet.pt"]
    assert kolmogorov_smirnov(one, other) == kolmogorov_smirnov(other, one) == 0.25
    assert kolmogorov_smirnov(one, one) == 0
    assert kolmogorov_smirnov(one, filled(jets(1e6))["jet.pt"]) == 1


def test_nothing_has_no_distance_from_anything() -> None:
    found = filled(jets(20))
    assert kolmogorov_smirnov(found["jet.pt"], filled(jets())["jet.pt"]) is None
    assert expected_by_chance(filled(jets())["jet.pt"], found["jet.pt"]) is None


def test_the_expectation_by_chance_is_what_samples_of_one_distribution_give() -> None:
    # 200 pairs of samples: their mean distance is known to 3 %, and bins make it a little smaller
    random = np.random.default_rng(3)
    distances = []
    for _ in range(200):
        pair = []
        for events in (400, 1600):
            particles = np.zeros((events, 19, 4))
            particles[:, 0, PT] = random.uniform(0, 200, events)
            pair.append(filled(particles)["met.pt"])
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
    assert found["without"].distances["jet.pt"] is None
    assert found["with"].distances["jet.pt"] is not None
    counted = [
        found["with"].distances[name]
        for name in QUANTITIES
        if not name.endswith(".phi") and not name.endswith("jet.pt") and not name.endswith("jet.eta")
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


# Another layout


def test_another_layout_has_the_quantities_of_its_classes_and_features() -> None:
    found = layout_quantities(OTHER, make_other_particles(200))
    features = ("phi", "isolation", "pt", "eta")
    several = [
        name
        for item in ("tau", "jet")
        for name in (
            f"number of {item}",
            *(f"{item}.{feature}" for feature in features),
            *(f"leading {item}.{feature}" for feature in features),
        )
    ]
    # no leading one of a single slot, and missing energy has no pseudorapidity
    assert sorted(found) == sorted([*several, "met.phi", "met.isolation", "met.pt"])
    assert list(found)[:2] == ["number of tau", "tau.phi"]
    titles = {name: (quantity.title, quantity.unit) for name, quantity in found.items()}
    assert titles["number of tau"] == ("taus in an event", "")
    assert titles["tau.pt"] == ("pT of all taus", "GeV")
    assert titles["leading tau.isolation"] == ("isolation of the leading tau", "")
    assert titles["met.pt"] == ("missing transverse energy", "GeV")
    assert titles["met.phi"] == ("phi of the missing transverse energy", "rad")


def test_values_of_another_layout_are_those_of_its_columns() -> None:
    particles = make_other_particles(300)
    present = particles[..., OTHER.pt] > 0
    found = {name: quantity.values(particles) for name, quantity in layout_quantities(OTHER, particles).items()}
    tau, isolation = OTHER.classes[0].slots, OTHER.column("isolation")
    np.testing.assert_array_equal(found["tau.isolation"], particles[:, tau, isolation][present[:, tau]])
    np.testing.assert_array_equal(found["leading tau.pt"], particles[:, 0, OTHER.pt][present[:, 0]])
    np.testing.assert_array_equal(found["number of tau"], present[:, tau].sum(axis=1))


def test_axes_of_another_layout_hold_nearly_all_of_its_values() -> None:
    particles = make_other_particles(3000)
    tally = DistributionTally(layout_quantities(OTHER, particles))
    tally.add(particles)
    for name, found in tally.result().items():
        outside = int(found.counts[0] + found.counts[-1])
        assert found.entries > 0
        # half a per cent at an end of all objects, which are more of those that lead
        assert outside <= (0 if name.endswith((".phi", ".eta")) else 0.02 * found.entries)


def test_the_number_of_a_class_is_no_quantity_and_names_never_meet() -> None:
    objects = tuple(ObjectsConfig(name=name, count=2) for name in ("jet", "leading_jet", "jets"))
    layout = EventLayout(LayoutConfig(objects=objects, features=("class", "pt", "number")))
    found = layout_quantities(layout, np.zeros((0, *layout.shape)))
    assert len(found) == 3 * 5
    assert not [name for name in found if name.endswith("class")]


def test_the_axes_of_the_published_layout_do_not_depend_on_the_events() -> None:
    hard = make_particles(50)
    hard[..., PT] *= 100
    for name, quantity in layout_quantities(ADC2021, hard).items():
        np.testing.assert_array_equal(quantity.edges, QUANTITIES[name].edges)
