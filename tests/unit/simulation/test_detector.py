"""The detector response: efficiencies, moments of the resolutions, and what happens to pile-up."""

from __future__ import annotations

import numpy as np
import pytest

from trigger_ad.simulation import detector, particles
from trigger_ad.simulation.particles import Particles

MANY = 200_000


def beam_of(kind: int, pt: float, eta: float, count: int = MANY) -> Particles:
    """Equal particles all around in azimuth, at one pseudorapidity."""
    phi = np.linspace(-np.pi, np.pi, count, endpoint=False)
    return Particles(np.full(count, kind, dtype=np.int8), np.full(count, pt), np.full(count, eta), phi)


def nobody(true: Particles) -> detector.BoolArray:
    return np.zeros(len(true), dtype=np.bool_)


def test_a_table_is_read_by_the_absolute_pseudorapidity_with_its_upper_edges_included() -> None:
    eta = np.array([0.0, -1.2, 1.3, -2.5, 4.0, 4.1])
    assert detector.by_eta(eta, (1.2, 2.5, 4.0), (1.0, 2.0, 3.0)).tolist() == [1.0, 1.0, 2.0, 2.0, 3.0, 0.0]


@pytest.mark.parametrize(
    ("kind", "pt", "eta", "expected"),
    [
        (particles.CHARGED_HADRON, 5.0, 0.0, 0.97),
        (particles.CHARGED_HADRON, 5.0, -2.0, 0.87),
        (particles.CHARGED_HADRON, 0.5, 0.0, 0.48),
        (particles.CHARGED_HADRON, 0.1, 0.0, 0.0),
        (particles.CHARGED_HADRON, 5.0, 4.5, 0.0),
        (particles.ELECTRON, 20.0, 3.0, 0.85),
        (particles.MUON, 20.0, 2.7, 1.0),
        (particles.MUON, 20.0, 2.9, 0.0),
        (particles.PHOTON, 20.0, 0.0, 0.0),
        (particles.NEUTRAL_HADRON, 20.0, 0.0, 0.0),
    ],
)
def test_tracking_efficiency(kind: int, pt: float, eta: float, expected: float) -> None:
    assert detector.track_efficiency(beam_of(kind, pt, eta, 1)).tolist() == [expected]


@pytest.mark.parametrize(
    ("kind", "pt", "eta", "expected"),
    [
        (particles.ELECTRON, 20.0, 0.0, 0.94),
        (particles.ELECTRON, 80.0, 0.0, 1.0),
        (particles.ELECTRON, 20.0, -2.5, 0.75),
        (particles.ELECTRON, 20.0, 4.5, 0.0),
        (particles.MUON, 20.0, 2.0, 0.985),
        (particles.MUON, 20.0, 2.5, 0.0),
        (particles.CHARGED_HADRON, 20.0, 0.0, 0.0),
    ],
)
def test_identification_efficiency(kind: int, pt: float, eta: float, expected: float) -> None:
    assert detector.identification_efficiency(beam_of(kind, pt, eta, 1)).tolist() == [expected]


def test_log_normal_smearing_has_the_mean_and_the_width_asked_for() -> None:
    rng = np.random.default_rng(1)
    smeared = detector.smear_log_normal(np.full(MANY, 10.0), np.full(MANY, 4.0), rng)
    assert smeared.min() > 0
    # five standard errors of the mean and, generously, of the width
    assert abs(smeared.mean() - 10.0) < 5 * 4.0 / np.sqrt(MANY)
    assert abs(smeared.std() - 4.0) < 0.1


def test_the_barrel_photon_resolution_is_the_quadratic_sum_of_its_terms() -> None:
    expected = np.sqrt((0.009 * 40.0) ** 2 + 0.12**2 * 40.0 + 0.45**2)
    assert detector.electromagnetic_resolution(np.array([40.0]), np.array([0.5])).tolist() == [expected]


def test_electrons_are_found_and_smeared_as_the_tables_say() -> None:
    true = beam_of(particles.ELECTRON, 40.0, 0.5, 20_000)
    seen = detector.respond(true, nobody(true), np.random.default_rng(2))
    efficiency = 0.97 * 0.97
    found = len(seen.electrons.pt)
    assert abs(found / 20_000 - efficiency) < 5 * np.sqrt(efficiency * (1 - efficiency) / 20_000)
    assert abs(seen.electrons.pt.mean() - 40.0) < 5 * 0.028 * 40.0 / np.sqrt(found)
    assert abs(seen.electrons.pt.std() / 40.0 - 0.028) < 0.001
    assert len(seen.muons.pt) == 0


def test_each_lepton_is_one_object_of_the_flow_and_knows_its_number() -> None:
    true = beam_of(particles.MUON, 30.0, 1.0, 50)
    seen = detector.respond(true, nobody(true), np.random.default_rng(3))
    own = seen.flow.muon[seen.flow.muon >= 0]
    assert own.tolist() == list(range(len(seen.muons.pt)))
    assert seen.flow.pt[seen.flow.muon >= 0].tolist() == seen.muons.pt.tolist()


def test_tracks_and_leptons_of_pile_up_vanish_but_its_photons_stay() -> None:
    charged = beam_of(particles.MUON, 30.0, 0.0, 100)
    photons = beam_of(particles.PHOTON, 30.0, 0.0, 100)
    true = particles.concatenate((charged, photons))
    seen = detector.respond(true, np.ones(len(true), dtype=np.bool_), np.random.default_rng(4))
    assert not seen.flow.charged.any()
    assert len(seen.muons.pt) == 0
    assert len(seen.flow.pt) == 100


def test_photons_in_one_tower_are_read_out_together_at_their_weighted_position() -> None:
    true = Particles(
        np.full(2, particles.PHOTON, dtype=np.int8), np.array([30.0, 10.0]), np.array([0.004, 0.008]), np.full(2, 0.01)
    )
    pt, eta, phi = detector.read_out(true, np.zeros(2), np.random.default_rng(5), electromagnetic=True)
    assert len(pt) == 1
    assert eta.tolist() == [(30.0 * 0.004 + 10.0 * 0.008) / 40.0]
    assert phi.tolist() == [0.01]


def test_what_tracks_have_measured_is_taken_off_the_towers() -> None:
    true = beam_of(particles.CHARGED_HADRON, 20.0, 0.0, 2000)
    # in cells of their own
    spread = Particles(true.kind, true.pt, np.linspace(-1.4, 1.4, 2000), true.phi)
    unknown = detector.read_out(spread, np.zeros(2000), np.random.default_rng(6), electromagnetic=False)[0].sum()
    known = detector.read_out(spread, np.ones(2000), np.random.default_rng(6), electromagnetic=False)[0].sum()
    assert abs(unknown / (2000 * 20.0) - 1.0) < 0.03
    assert 0.0 < known < 0.15 * unknown


def test_soft_neutral_particles_below_the_thresholds_are_not_seen() -> None:
    true = beam_of(particles.PHOTON, 0.05, 0.0, 30)
    seen = detector.respond(true, nobody(true), np.random.default_rng(7))
    assert len(seen.flow.pt) == 0
