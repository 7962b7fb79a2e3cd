"""Multijet collisions with a lepton from a bottom or charm hadron.

A 23 GeV isolated lepton is so rare in multijet events that each parton-level event is used many times: its strings are
fragmented a few times over, and in each result the hard heavy hadrons are decayed again and again, with decays from
libraries, until the number of decay trials that this parton event is due has been spent. That number falls with the
transverse momentum of the hard scattering exactly as the bias with which the scattering was drawn rises, so that the
events come out unweighted. Everything else decays once in each fragmentation.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from trigger_ad.simulation import particles, processes
from trigger_ad.simulation.collisions import Collision, evolution_hooks, hadronise, may_trigger
from trigger_ad.simulation.decay_library import DecayLibrary, IntArray, boosted, decay_library, random_rotations
from trigger_ad.simulation.particles import FloatArray, Particles, wrap_angle

HEAVY_QUARK_PT: Final = 23.0
"""GeV: a parton event needs a final bottom or charm quark this hard, and trials are spent on hadrons this hard."""

TRIALS_AT_MINIMUM: Final = 1000.0
"""Decay trials for a parton event at the smallest transverse momentum of the hard scattering."""

FRAGMENTATIONS: Final = 5
"""At most so many fragmentations of one parton event are made."""

GENERATOR_ISOLATION: Final = 0.75
_CONE = 0.3
_MINIMUM_PT = 0.5


@functools.cache
def is_heavy_hadron(absolute_id: int) -> bool:
    """Whether the (positive) PDG number is that of a hadron with a bottom or charm quark."""
    digits = (absolute_id // 10 % 10, absolute_id // 100 % 10, absolute_id // 1000 % 10)
    return absolute_id > 100 and any(digit in (4, 5) for digit in digits)


@dataclass(frozen=True)
class Hadron:
    """A hadron that decays.

    Attributes:
        absolute_id: PDG number without its sign.
        velocity: (3,) momentum divided by mass.
    """

    absolute_id: int
    velocity: FloatArray

    @classmethod
    def read(cls, record: Any) -> Hadron:
        """Copies a record, which dies with its event."""
        return cls(record.idAbs(), np.array([record.px(), record.py(), record.pz()]) / record.m())


def has_heavy_quark(records: Iterable[Any]) -> bool:
    """Whether Pythia's records hold a final bottom or charm quark above `HEAVY_QUARK_PT`."""
    return any(record.idAbs() in (4, 5) and record.pT() > HEAVY_QUARK_PT and record.isFinal() for record in records)


def hard_heavy_hadrons(records: Iterable[Any]) -> list[int]:
    """Positions of the final bottom and charm hadrons above `HEAVY_QUARK_PT` in Pythia's records."""
    # of the many records hardly any is hard: this comes first
    return [
        index
        for index, record in enumerate(records)
        if record.pT() > HEAVY_QUARK_PT and record.isFinal() and is_heavy_hadron(record.idAbs())
    ]


def trials(pt_hat: float, rng: np.random.Generator) -> int:
    """Number of decay trials for a parton event: a fixed mean that undoes the bias, rounded up or down at random.

    Args:
        pt_hat: Transverse momentum of the hard scattering in GeV.
        rng: Source of randomness.
    """
    mean = TRIALS_AT_MINIMUM * (processes.QCD_MINIMUM_PT / pt_hat) ** processes.QCD_BIAS_POWER
    return int(mean + rng.random())


def share(total: int, parts: int) -> list[int]:
    """Splits `total` trials over `parts` fragmentations as evenly as whole numbers allow."""
    return [(total + parts - 1 - part) // parts for part in range(parts)]


def is_isolated_enough(all_particles: Particles) -> bool:
    """Whether a lepton among the particles of one collision could still pass the filter after detection.

    More particles can only add to the activity around a lepton: what fails without them fails with them.
    """
    leptons = all_particles.select(may_trigger(all_particles))
    counted = all_particles.select(all_particles.pt > _MINIMUM_PT)
    squared = (leptons.eta[:, None] - counted.eta) ** 2 + wrap_angle(leptons.phi[:, None] - counted.phi) ** 2
    activity = (squared < _CONE**2) @ counted.pt - leptons.pt
    return bool(np.any(activity < GENERATOR_ISOLATION * leptons.pt))


class DecayTrials:
    """Many independent decays of the hard heavy hadrons of one fragmentation, taken from libraries.

    Args:
        hadrons: The hadrons.
        libraries: The library of each hadron.
        count: Number of trials.
        rng: Source of randomness.
    """

    def __init__(
        self, hadrons: Sequence[Hadron], libraries: Sequence[DecayLibrary], count: int, rng: np.random.Generator
    ) -> None:
        self._hadrons = hadrons
        self._libraries = libraries
        self._picks = [library.pick(count, rng) for library in libraries]
        self._rotations = [random_rotations(count, rng) for _ in hadrons]
        self._count = count

    def with_lepton(self) -> IntArray:
        """Numbers of the trials with a lepton that could pass the lepton filter, in rising order."""
        found = np.zeros(self._count, dtype=np.bool_)
        for number, library in enumerate(self._libraries):
            picks = self._picks[number]
            leptons = library.leptons[picks]
            trial = np.repeat(np.arange(self._count), leptons)
            # the leptons of a decay are its first products
            nth = np.arange(len(trial)) - np.repeat(np.cumsum(leptons) - leptons, leptons)
            leptons_seen = self._products_in_flight(number, trial, library.starts[picks[trial]] + nth)
            found[trial[may_trigger(leptons_seen)]] = True
        return np.flatnonzero(found)

    def products(self, trial: int) -> Particles:
        """Visible decay products of all hard heavy hadrons in one trial."""
        parts = []
        for number, library in enumerate(self._libraries):
            pick = self._picks[number][trial]
            rows = np.arange(library.starts[pick], library.starts[pick + 1])
            parts.append(self._products_in_flight(number, np.full(len(rows), trial), rows))
        return particles.concatenate(parts)

    def _products_in_flight(self, number: int, trial: IntArray, rows: IntArray) -> Particles:
        """Turns and boosts products, given by their rows in the library of hadron `number` and their trials."""
        library = self._libraries[number]
        at_rest = library.momentum[rows].astype(np.float64)
        turned = np.einsum("nij,nj->ni", self._rotations[number][trial], at_rest[:, :3])
        momentum = boosted(turned, at_rest[:, 3], self._hadrons[number].velocity)
        pt = np.hypot(momentum[:, 0], momentum[:, 1])
        phi = np.arctan2(momentum[:, 1], momentum[:, 0])
        return Particles(library.kind[rows], pt, np.arcsinh(momentum[:, 2] / pt), phi)


class HeavyFlavourSource:
    """Generates parton events, fragments them and decays their heavy hadrons."""

    def __init__(self, process: processes.Process, seed: int, library_seed: int, rng: np.random.Generator) -> None:
        self._partons = processes.make_pythia((*process.settings, "HadronLevel:all = off"), seed)
        self._strings = processes.make_pythia(("ProcessLevel:all = off", "HadronLevel:Decay = off"), seed + 1)
        self._decays = processes.make_pythia(("ProcessLevel:all = off",), seed + 2)
        self._hooks = evolution_hooks(has_heavy_quark)
        self._partons.setUserHooksPtr(self._hooks)
        for pythia in (self._partons, self._strings, self._decays):
            pythia.init()
        self._library_seed = library_seed
        self._rng = rng

    def collisions(self) -> Iterator[Collision]:
        """Collisions with a reasonably isolated stable lepton, without end."""
        parton_event = 0
        while True:
            parton_event += 1
            if not self._partons.next() or not has_heavy_quark(self._partons.event):
                continue
            total = trials(self._partons.infoPython().pTHat(), self._rng)
            for collision in self._collisions_of_parton_event(total):
                yield Collision(collision, parton_event)

    def _collisions_of_parton_event(self, total: int) -> Iterator[Particles]:
        for count in share(total, min(total, FRAGMENTATIONS)) if total else ():
            self._strings.event.assign(self._partons.event)
            if not hadronise(self._strings):
                continue
            hard = hard_heavy_hadrons(self._strings.event)
            if hard:
                yield from self._decay(hard, count)

    def _decay(self, hard: list[int], count: int) -> Iterator[Particles]:
        """Decays the hard heavy hadrons `count` times; where a lepton results, decays all the rest as well."""
        hadrons = [Hadron.read(self._strings.event[index]) for index in hard]
        libraries = [decay_library(hadron.absolute_id, self._library_seed) for hadron in hadrons]
        trials_here = DecayTrials(hadrons, libraries, count, self._rng)
        rest: Particles | None = None
        for trial in trials_here.with_lepton():
            products = trials_here.products(trial)
            if not is_isolated_enough(products):
                continue
            if rest is None:
                rest = self._decayed_rest(hard)
            if rest is None:
                return
            decayed = particles.concatenate((products, rest))
            if is_isolated_enough(decayed):
                yield decayed

    def _decayed_rest(self, hard: list[int]) -> Particles | None:
        """Decays all but the hard heavy hadrons; None when Pythia fails."""
        event = self._decays.event
        event.assign(self._strings.event)
        for index in hard:
            event[index].statusNeg()
        return particles.from_records(event) if self._decays.moreDecays() else None
