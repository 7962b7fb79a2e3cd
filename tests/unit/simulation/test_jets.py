"""Pile-up density, its subtraction, and the charged fraction of jets."""

from __future__ import annotations

import numpy as np
import pytest

from trigger_ad.simulation import jets
from trigger_ad.simulation.jets import Jets


def jets_at(pt: list[float], eta: list[float], phi: list[float]) -> Jets:
    return Jets(np.array(pt), np.array(eta), np.array(phi))


def test_the_density_of_uniform_towers_is_their_momentum_for_each_unit_of_area() -> None:
    eta, phi = np.meshgrid(np.linspace(-4, 4, 800, endpoint=False) + 0.005, np.linspace(-np.pi, np.pi, 360, False))
    pt = np.full(eta.size, 0.01)
    expected = 0.01 * eta.size / (8 * 2 * np.pi)
    found = jets.neutral_density(pt, eta.ravel(), phi.ravel())
    # the grid of towers does not divide evenly into cells
    assert np.all(np.abs(found / expected - 1) < 0.03)


def test_a_hard_jet_does_not_move_the_density() -> None:
    rng = np.random.default_rng(1)
    eta, phi = rng.uniform(-4, 4, 5000), rng.uniform(-np.pi, np.pi, 5000)
    quiet = jets.neutral_density(np.full(5000, 0.1), eta, phi)
    loud = jets.neutral_density(np.append(np.full(5000, 0.1), 500.0), np.append(eta, 0.1), np.append(phi, 0.1))
    assert loud.max() < quiet.max() * 1.05


def test_no_towers_no_density() -> None:
    empty = np.array([])
    assert jets.neutral_density(empty, empty, empty).tolist() == [0.0, 0.0, 0.0]


def test_the_density_is_looked_up_by_band_and_the_outermost_band_reaches_beyond_its_edge() -> None:
    densities = np.array([1.0, 2.0, 3.0])
    found = jets.density_at(np.array([-4.5, -3.0, 0.0, 2.6, 4.5]), densities)
    assert found.tolist() == [1.0, 1.0, 2.0, 3.0, 3.0]


def test_subtraction_takes_density_times_area_and_orders_anew() -> None:
    before = jets_at([30.0, 29.0, 1.0], [0.0, 3.0, 0.0], [0.1, 0.2, 0.3])
    after = jets.subtract(before, np.array([0.0, 10.0, 0.0]))
    assert after.pt.tolist() == [29.0, 30.0 - 10.0 * jets.AREA]
    assert after.eta.tolist() == [3.0, 0.0]
    assert after.phi.tolist() == [0.2, 0.1]


def test_the_charged_fraction_counts_tracks_within_the_radius_across_the_seam_in_azimuth() -> None:
    found = jets_at([20.0, 10.0], [0.0, 2.0], [np.pi - 0.05, 0.0])
    tracks_pt, tracks_eta = np.array([5.0, 4.0, 8.0]), np.array([0.0, 0.1, 2.5])
    tracks_phi = np.array([-np.pi + 0.05, np.pi - 0.1, 0.0])
    assert jets.charged_fraction(found, tracks_pt, tracks_eta, tracks_phi).tolist() == [9.0 / 20.0, 0.0]


def test_anti_kt_joins_what_is_close_and_keeps_its_banner_to_itself(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastjet")
    pt = np.array([40.0, 10.0, 20.0, 3.0])
    eta, phi = np.array([0.0, 0.1, 2.0, -2.0]), np.array([3.1, -3.1, 0.0, 1.0])
    found = jets.cluster(pt, eta, phi, 15.0)
    assert len(found.pt) == 2
    assert 49.0 < found.pt[0] < 50.0
    assert abs(found.pt[1] - 20.0) < 1e-9
    assert np.all(np.abs(found.phi) <= np.pi)
    assert capfd.readouterr().out == ""
