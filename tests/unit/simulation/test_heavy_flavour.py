"""The bookkeeping that makes biased multijet collisions come out unweighted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from trigger_ad.simulation import heavy_flavour, particles
from trigger_ad.simulation.collisions import may_trigger
from trigger_ad.simulation.decay_library import DecayLibrary, assemble
from trigger_ad.simulation.heavy_flavour import DecayTrials, Hadron
from trigger_ad.simulation.particles import Particles
from trigger_ad.simulation.processes import QCD_BIAS_POWER, QCD_MINIMUM_PT


@pytest.mark.parametrize("hadron", [411, 421, 431, 511, 531, 541, 4122, 5122, 5332, 413, 513, 443, 553, 10411])
def test_hadrons_with_bottom_or_charm(hadron: int) -> None:
    assert heavy_flavour.is_heavy_hadron(hadron)


@dataclass(frozen=True)
class Record:
    """As much of Pythia's record of a particle as the selection of hadrons looks at."""

    identity: int
    transverse: float
    final: bool = True

    def idAbs(self) -> int:  # noqa: N802 (Pythia's name)
        return abs(self.identity)

    def pT(self) -> float:  # noqa: N802 (Pythia's name)
        return self.transverse

    def isFinal(self) -> bool:  # noqa: N802 (Pythia's name)
        return self.final


def test_only_final_hard_bottom_and_charm_hadrons_get_trials() -> None:
    records = [Record(90, 0.0), Record(511, 30.0), Record(-411, 22.9), Record(211, 40.0), Record(-5122, 24.0)]
    assert heavy_flavour.hard_heavy_hadrons([*records, Record(511, 30.0, final=False)]) == [1, 4]


def two_decays(total: int) -> DecayLibrary:
    """Of `total` decays the first gives a muon of 2 GeV and a photon of 1 GeV back to back, all others a photon."""
    muon, photon = [0.0, 0.0, 2.0, 2.0], [0.0, 0.0, -1.0, 1.0]
    decay = np.array([0, 0, *range(1, total)])
    kind = np.array([particles.PHOTON, particles.MUON, *[particles.PHOTON] * (total - 1)], dtype=np.int8)
    return assemble(total, decay, kind, np.array([photon, muon, *[photon] * (total - 1)]))


def test_trials_with_a_lepton_are_found_with_all_products() -> None:
    hadrons = [Hadron(511, np.array([30.0, 0.0, 0.0])), Hadron(511, np.array([0.0, 30.0, 0.0]))]
    libraries = [two_decays(1), two_decays(5)]
    found = DecayTrials(hadrons, libraries, 400, np.random.default_rng(1))
    chosen = found.with_lepton()
    assert 0 < len(chosen) < 400
    for trial in range(400):
        products = found.products(trial)
        muons = products.kind == particles.MUON
        assert 1 <= muons.sum() <= 2
        assert len(products) == 2 + muons.sum()
        assert may_trigger(products).any() == (trial in chosen)


def test_decay_products_of_a_fast_hadron_share_its_momentum() -> None:
    hadron = Hadron(511, np.array([10.0, 0.0, 0.0]))
    found = DecayTrials([hadron], [two_decays(1)], 20_000, np.random.default_rng(2))
    along = np.array([np.sum(p.pt * np.cos(p.phi)) for p in map(found.products, range(20_000))])
    # on average all of the energy at rest, 3 GeV, is carried along; its spread is |p1 + p2| gamma / sqrt(3)
    spread = np.sqrt(101.0) / np.sqrt(3.0)
    assert abs(along.mean() - 30.0) < 5 * spread / np.sqrt(20_000)


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
