"""Multijet collisions with a lepton from a bottom or charm hadron.

A 23 GeV isolated lepton is so rare in multijet events that each parton-level event is used many times: its strings are
fragmented a few times over, and in each result the hard heavy hadrons are decayed again and again until the number of
decay trials that this parton event is due has been spent. That number falls with the transverse momentum of the hard
scattering exactly as the bias with which the scattering was drawn rises, so that the events come out unweighted.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from trigger_ad.simulation import particles, processes
from trigger_ad.simulation.collisions import Collision, evolution_hooks, has_stable_lepton
from trigger_ad.simulation.particles import Particles, wrap_angle

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


def has_heavy_quark(records: Iterable[Any]) -> bool:
    """Whether Pythia's records hold a final bottom or charm quark above `HEAVY_QUARK_PT`."""
    return any(record.idAbs() in (4, 5) and record.pT() > HEAVY_QUARK_PT and record.isFinal() for record in records)


def is_hard_heavy_hadron(record: Any) -> bool:
    """Whether a record is a final bottom or charm hadron above `HEAVY_QUARK_PT`."""
    return bool(record.pT() > HEAVY_QUARK_PT and record.isFinal() and is_heavy_hadron(record.idAbs()))


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
    """Whether a hard lepton among the particles of one collision could still pass the isolation after detection."""
    leptons = all_particles.select((all_particles.kind <= particles.MUON) & (all_particles.pt > HEAVY_QUARK_PT - 2.0))
    counted = all_particles.select(all_particles.pt > _MINIMUM_PT)
    squared = (leptons.eta[:, None] - counted.eta) ** 2 + wrap_angle(leptons.phi[:, None] - counted.phi) ** 2
    activity = (squared < _CONE**2) @ counted.pt - leptons.pt
    return bool(np.any(activity < GENERATOR_ISOLATION * leptons.pt))


@dataclass
class _Hadron:
    """What is needed to put a hadron into another event record."""

    fields: tuple[float, ...]
    identity: int

    @classmethod
    def read(cls, record: Any) -> _Hadron:
        """Copies a record, which dies with its event."""
        return cls((record.px(), record.py(), record.pz(), record.e(), record.m()), record.id())

    def append_to(self, event: Any) -> None:
        """Adds the hadron as a final, colourless particle."""
        event.append(self.identity, 81, 0, 0, *self.fields)


class HeavyFlavourSource:
    """Generates parton events, fragments them and decays their heavy hadrons, with three Pythia objects."""

    def __init__(self, process: processes.Process, seed: int, rng: np.random.Generator) -> None:
        self._partons = processes.make_pythia((*process.settings, "HadronLevel:all = off"), seed)
        self._strings = processes.make_pythia(("ProcessLevel:all = off", "HadronLevel:Decay = off"), seed + 1)
        self._decays = processes.make_pythia(("ProcessLevel:all = off",), seed + 2)
        self._hooks = evolution_hooks(has_heavy_quark)
        self._partons.setUserHooksPtr(self._hooks)
        for pythia in (self._partons, self._strings, self._decays):
            pythia.init()
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
            if not self._strings.forceHadronLevel():
                continue
            hard = [_Hadron.read(record) for record in self._strings.event if is_hard_heavy_hadron(record)]
            if hard:
                yield from self._decay(hard, count)

    def _decay(self, hard: list[_Hadron], count: int) -> Iterator[Particles]:
        """Decays the hard heavy hadrons `count` times; where a lepton results, decays all the rest as well."""
        event = self._decays.event
        for _ in range(count):
            event.reset()
            for hadron in hard:
                hadron.append_to(event)
            if not self._decays.moreDecays() or not has_stable_lepton(event):
                continue
            for record in self._strings.event:
                if record.isFinal() and not is_hard_heavy_hadron(record):
                    _Hadron.read(record).append_to(event)
            if not self._decays.moreDecays():
                continue
            decayed = particles.from_records(event)
            if is_isolated_enough(decayed):
                yield decayed
