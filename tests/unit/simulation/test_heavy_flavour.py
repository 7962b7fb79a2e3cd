"""The bookkeeping that makes biased multijet collisions come out unweighted."""

from __future__ import annotations

import numpy as np
import pytest

from trigger_ad.simulation import heavy_flavour, particles
from trigger_ad.simulation.particles import Particles
from trigger_ad.simulation.processes import QCD_BIAS_POWER, QCD_MINIMUM_PT


@pytest.mark.parametrize("hadron", [411, 421, 431, 511, 531, 541, 4122, 5122, 5332, 413, 513, 443, 553, 10411])
def test_hadrons_with_bottom_or_charm(hadron: int) -> None:
    assert heavy_flavour.is_heavy_hadron(hadron)


@pytest.mark.parametrize("other", [4, 5, 11, 22, 111, 211, 321, 130, 310, 2212, 3122, 3334, 40, 54])
def test_everything_else(other: int) -> None:
    assert not heavy_flavour.is_heavy_hadron(other)


def test_the_mean_number_of_trials_undoes_the_bias() -> None:
    rng = np.random.default_rng(1)
    pt_hat = QCD_MINIMUM_PT * 40.3
    expected = heavy_flavour.TRIALS_AT_MINIMUM * 40.3**-QCD_BIAS_POWER
    drawn = np.array([heavy_flavour.trials(pt_hat, rng) for _ in range(20_000)])
    assert set(drawn.tolist()) <= {int(expected), int(expected) + 1}
    assert abs(drawn.mean() - expected) < 5 * 0.5 / np.sqrt(20_000)


def test_at_the_smallest_scale_the_number_of_trials_is_the_constant() -> None:
    assert heavy_flavour.trials(QCD_MINIMUM_PT, np.random.default_rng(1)) == heavy_flavour.TRIALS_AT_MINIMUM


@pytest.mark.parametrize(("total", "parts"), [(1, 1), (3, 3), (7, 5), (1000, 5), (5, 5)])
def test_trials_are_shared_without_loss_and_evenly(total: int, parts: int) -> None:
    shares = heavy_flavour.share(total, parts)
    assert sum(shares) == total
    assert len(shares) == parts
    assert max(shares) - min(shares) <= 1


def collision(kinds: list[int], pt: list[float], eta: list[float]) -> Particles:
    return Particles(np.array(kinds, dtype=np.int8), np.array(pt), np.array(eta), np.zeros(len(kinds)))


def test_a_lepton_drowned_in_its_jet_is_given_up_before_detection() -> None:
    kinds = [particles.MUON, particles.CHARGED_HADRON]
    assert not heavy_flavour.is_isolated_enough(collision(kinds, [25.0, 20.0], [0.0, 0.1]))
    assert heavy_flavour.is_isolated_enough(collision(kinds, [25.0, 20.0], [0.0, 0.5]))
    assert heavy_flavour.is_isolated_enough(collision(kinds, [25.0, 5.0], [0.0, 0.1]))


def test_a_collision_without_a_hard_lepton_is_given_up() -> None:
    assert not heavy_flavour.is_isolated_enough(collision([particles.ELECTRON], [15.0], [0.0]))
