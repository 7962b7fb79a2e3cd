"""A parametrised detector response: from true particles to reconstructed objects.

Efficiencies and resolutions follow the numbers of the CMS Phase-II description that ships with Delphes
(arXiv:1307.6346); the code is this project's own. Charged particles are tracked, smeared, and attributed to the
primary collision or to pile-up without error; everything else ends in calorimeter towers that know no vertex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from trigger_ad.simulation import particles
from trigger_ad.simulation.particles import FloatArray, Particles

BoolArray = npt.NDArray[np.bool_]

TRACKER_ETA: Final = 4.0
CALORIMETER_ETA: Final = 5.0
CALORIMETER_MINIMUM_PT: Final = 0.75
"""GeV: a charged particle below this curls up in the solenoid before it reaches the calorimeter."""

ELECTROMAGNETIC_TOWER: Final = 0.0175
HADRONIC_TOWER: Final = 0.087
"""Tower sizes in pseudorapidity and azimuth."""

ELECTROMAGNETIC_MINIMUM: Final = 0.5
HADRONIC_MINIMUM: Final = 1.0
"""GeV: smallest tower energies that are read out."""

_ELECTROMAGNETIC_SIGNIFICANCE = 2.0
_HADRONIC_SIGNIFICANCE = 1.0

_TRACK_ETA = (1.2, 2.5, TRACKER_ETA)
_HADRON_TRACKS = (0.97, 0.87, 0.82)
_SOFT_HADRON_TRACKS = (0.96, 0.85, 0.80)
_ELECTRON_TRACKS = (0.97, 0.90, 0.85)
_ELECTRON_RESOLUTION_ETA = (1.5, 1.75, 2.15, 3.0, 4.0)
_ELECTRON_RESOLUTION = (0.028, 0.037, 0.038, 0.044, 0.10)


@dataclass(frozen=True)
class Leptons:
    """Identified electrons or muons of one event, not yet isolated.

    Attributes:
        pt: (n,) GeV.
        eta: (n,).
        phi: (n,) radians.
    """

    pt: FloatArray
    eta: FloatArray
    phi: FloatArray


@dataclass(frozen=True)
class Flow:
    """Particle-flow-like objects of one event, leptons among them.

    Attributes:
        pt: (n,) GeV.
        eta: (n,).
        phi: (n,) radians.
        charged: (n,) True for tracks of the primary collision, False for calorimeter towers.
        electron: (n,) index of the identified electron that this object is, or -1.
        muon: (n,) index of the identified muon that this object is, or -1.
    """

    pt: FloatArray
    eta: FloatArray
    phi: FloatArray
    charged: BoolArray
    electron: npt.NDArray[np.int64]
    muon: npt.NDArray[np.int64]


@dataclass(frozen=True)
class DetectorEvent:
    """What the detector has seen of one bunch crossing."""

    electrons: Leptons
    muons: Leptons
    flow: Flow


def by_eta(eta: FloatArray, edges: tuple[float, ...], values: tuple[float, ...]) -> FloatArray:
    """Looks a value up in bins of |eta|; zero beyond the last edge.

    Args:
        eta: (n,) pseudorapidities.
        edges: Upper edges of the bins.
        values: One value for each bin.
    """
    table = np.array([*values, 0.0])
    return np.asarray(table[np.searchsorted(np.array(edges), np.abs(eta))], dtype=np.float64)


def track_efficiency(true: Particles) -> FloatArray:
    """Probability that a charged particle is tracked, (n,); zero for neutral particles."""
    hadron = by_eta(true.eta, _TRACK_ETA, _HADRON_TRACKS)
    soft = by_eta(true.eta, _TRACK_ETA, _SOFT_HADRON_TRACKS) * true.pt
    hadron = np.where(true.pt > 1.0, hadron, np.where(true.pt > 0.2, soft, 0.0))
    electron = np.where(true.pt > 10.0, by_eta(true.eta, _TRACK_ETA, _ELECTRON_TRACKS), hadron)
    muon = np.where(true.pt > 0.2, by_eta(true.eta, (2.8,), (1.0,)), 0.0)
    efficiency = np.zeros(len(true))
    for kind, value in (
        (particles.ELECTRON, electron),
        (particles.MUON, muon),
        (particles.CHARGED_HADRON, hadron),
    ):
        efficiency = np.where(true.kind == kind, value, efficiency)
    return efficiency


def identification_efficiency(true: Particles) -> FloatArray:
    """Probability that a tracked electron or muon is identified as one, (n,); zero for all other particles."""
    steps = np.searchsorted(np.array([10.0, 30.0, 50.0, 70.0]), true.pt)
    barrel = np.array([0.70, 0.94, 0.97, 0.98, 1.0])[steps]
    endcap = np.array([0.55, 0.75, 0.90, 0.90, 0.90])[steps]
    electron = np.where(np.abs(true.eta) <= 2.0, barrel, by_eta(true.eta, (TRACKER_ETA,), (1.0,)) * endcap)
    muon = by_eta(true.eta, (2.4,), (0.985,))
    return np.where(true.kind == particles.ELECTRON, electron, np.where(true.kind == particles.MUON, muon, 0.0))


def track_resolution(true: Particles) -> FloatArray:
    """Relative resolution of the momentum of a track, (n,)."""
    central = 0.00518 + 6.4e-5 * np.maximum(true.pt - 10.0, 0.0)
    hadron = central * (1.0 + 0.6 * np.abs(true.eta) ** 1.5)
    muon = np.interp(np.abs(true.eta), [0.0, 1.0, 2.5, 4.0], [0.0056, 0.01, 0.04, 0.1])
    electron = by_eta(true.eta, _ELECTRON_RESOLUTION_ETA, _ELECTRON_RESOLUTION)
    return np.where(true.kind == particles.ELECTRON, electron, np.where(true.kind == particles.MUON, muon, hadron))


def electromagnetic_resolution(energy: FloatArray, eta: FloatArray) -> FloatArray:
    """Resolution of electromagnetic towers in GeV, (n,)."""
    edges = (1.5, 1.75, 2.15, 3.0, CALORIMETER_ETA)
    constant = by_eta(eta, edges, (0.009, 0.006, 0.007, 0.008, 0.08))
    stochastic = by_eta(eta, edges, (0.12, 0.20, 0.21, 0.24, 1.98))
    noise = by_eta(eta, edges, (0.45, 0.0, 0.0, 0.0, 0.0))
    return np.sqrt((constant * energy) ** 2 + stochastic**2 * energy + noise**2)


def hadronic_resolution(energy: FloatArray, eta: FloatArray) -> FloatArray:
    """Resolution of hadronic towers in GeV, (n,)."""
    edges = (3.0, CALORIMETER_ETA)
    constant = by_eta(eta, edges, (0.05, 0.11))
    stochastic = by_eta(eta, edges, (1.0, 2.8))
    return np.sqrt((constant * energy) ** 2 + stochastic**2 * energy)


def smear_log_normal(mean: FloatArray, sigma: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draws positive values with the given means and standard deviations from log-normal distributions."""
    variance = np.log1p((sigma / mean) ** 2)
    return np.exp(np.log(mean) - 0.5 * variance + np.sqrt(variance) * rng.standard_normal(len(mean)))


def tower_numbers(eta: FloatArray, phi: FloatArray, size: float) -> npt.NDArray[np.int64]:
    """Number of the square cell of pseudorapidity and azimuth in which each particle lands, (n,)."""
    row = np.floor(eta / size).astype(np.int64)
    return row * 100_000 + np.floor(phi / size).astype(np.int64)


def read_out(
    deposits: Particles, track_share: FloatArray, rng: np.random.Generator, *, electromagnetic: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums deposits in towers, smears them, and takes off what tracks have measured better.

    A tower that fluctuates above the tracks that point to it leaves a neutral excess, also when nothing neutral
    was there: this is what limits the missing transverse energy.

    Args:
        deposits: n particles that reach this calorimeter.
        track_share: (n,) 1 for a particle whose track is known, else 0.
        rng: Source of randomness.
        electromagnetic: Which of the two calorimeters.

    Returns:
        pt in GeV, eta and phi of the neutral excess of towers above threshold; positions are weighted with
        transverse momentum.
    """
    size = ELECTROMAGNETIC_TOWER if electromagnetic else HADRONIC_TOWER
    minimum = ELECTROMAGNETIC_MINIMUM if electromagnetic else HADRONIC_MINIMUM
    significance = _ELECTROMAGNETIC_SIGNIFICANCE if electromagnetic else _HADRONIC_SIGNIFICANCE
    resolution = electromagnetic_resolution if electromagnetic else hadronic_resolution
    _, which = np.unique(tower_numbers(deposits.eta, deposits.phi, size), return_inverse=True)
    pt: FloatArray = np.bincount(which, weights=deposits.pt).astype(np.float64)
    eta = np.bincount(which, weights=deposits.pt * deposits.eta) / pt
    phi = np.bincount(which, weights=deposits.pt * deposits.phi) / pt
    true_energy = pt * np.cosh(eta)
    from_tracks = np.bincount(which, weights=deposits.pt * track_share) * np.cosh(eta)
    excess = smear_log_normal(true_energy, resolution(true_energy, eta), rng) - from_tracks
    seen = (excess > minimum) & (excess > significance * resolution(np.maximum(excess + from_tracks, 0.0), eta))
    return (excess / np.cosh(eta))[seen], eta[seen], phi[seen]


def _identified(tracks: Particles, measured: FloatArray, chosen: BoolArray) -> tuple[Leptons, npt.NDArray[np.int64]]:
    """The chosen leptons, and for each track its index among them or -1."""
    index = np.where(chosen, np.cumsum(chosen) - 1, -1).astype(np.int64)
    return Leptons(measured[chosen], tracks.eta[chosen], tracks.phi[chosen]), index


def _calorimeters(
    true: Particles, tracked: BoolArray, rng: np.random.Generator
) -> tuple[tuple[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray, FloatArray]]:
    """Neutral objects of the electromagnetic and of the hadronic calorimeter: pt, eta, phi each."""
    neutral = (true.kind == particles.PHOTON) | (true.kind == particles.NEUTRAL_HADRON)
    inside = (np.abs(true.eta) < CALORIMETER_ETA) & (neutral | (true.pt > CALORIMETER_MINIMUM_PT))
    # a tracked electron is taken from its track alone, and a muon deposits nothing
    light = inside & ~tracked & ((true.kind == particles.PHOTON) | (true.kind == particles.ELECTRON))
    heavy = inside & ((true.kind == particles.NEUTRAL_HADRON) | (true.kind == particles.CHARGED_HADRON))
    share = tracked.astype(np.float64)
    return (
        read_out(true.select(light), share[light], rng, electromagnetic=True),
        read_out(true.select(heavy), share[heavy], rng, electromagnetic=False),
    )


def respond(true: Particles, from_pile_up: BoolArray, rng: np.random.Generator) -> DetectorEvent:
    """Simulates one bunch crossing.

    Args:
        true: All visible particles, pile-up included.
        from_pile_up: (n,) True for particles of pile-up collisions.
        rng: Source of randomness.

    Returns:
        The identified leptons of the primary collision and all particle-flow objects.
    """
    tracked = rng.random(len(true)) < track_efficiency(true)
    primary = tracked & ~from_pile_up
    tracks = true.select(primary)
    smearing = 1.0 + track_resolution(tracks) * rng.standard_normal(len(tracks))
    track_pt = tracks.pt * np.maximum(smearing, 0.05)
    identified = rng.random(len(tracks)) < identification_efficiency(tracks)
    electrons, electron = _identified(tracks, track_pt, identified & (tracks.kind == particles.ELECTRON))
    muons, muon = _identified(tracks, track_pt, identified & (tracks.kind == particles.MUON))

    light, heavy = _calorimeters(true, tracked, rng)

    count = len(light[0]) + len(heavy[0])
    absent = np.full(count, -1, dtype=np.int64)
    flow = Flow(
        pt=np.concatenate((track_pt, light[0], heavy[0])),
        eta=np.concatenate((tracks.eta, light[1], heavy[1])),
        phi=np.concatenate((tracks.phi, light[2], heavy[2])),
        charged=np.concatenate((np.ones(len(tracks), dtype=np.bool_), np.zeros(count, dtype=np.bool_))),
        electron=np.concatenate((electron, absent)),
        muon=np.concatenate((muon, absent)),
    )
    return DetectorEvent(electrons, muons, flow)
