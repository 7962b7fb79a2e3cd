"""Collisions that may pass the lepton filter, one stream for each process and seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trigger_ad.events import layout
from trigger_ad.simulation import packages, particles, processes
from trigger_ad.simulation.particles import Particles

ELECTRON_ID: Final = 11
MUON_ID: Final = 13
TAU_ID: Final = 15

EVOLUTION_SCALE: Final = 3.0
"""GeV: showers and multiparton interactions below this no longer move hard leptons or heavy quarks by much."""

HARD_LEPTON_PT: Final = 5.0
PARTON_LEPTON_PT: Final = 20.0
"""GeV: what a lepton or tau needs before and after showers to have a chance of 23 GeV reconstructed."""

HARD_LEPTON_ETA: Final = 5.0
PARTON_LEPTON_ETA: Final = 3.6
"""The same for the absolute pseudorapidity, which showers and the decay of a tau may still change."""

ELECTRON_PT: Final = 20.5
MUON_PT: Final = 21.5
"""GeV: what a stable lepton needs; muons are measured better than electrons."""

ELECTRON_ETA: Final = layout.MAX_ABS_ETA["electron"] + 0.05
MUON_ETA: Final = layout.MAX_ABS_ETA["muon"] + 0.05
"""Directions are measured well."""


@dataclass(frozen=True)
class Collision:
    """A hard collision that has a lepton worth looking at.

    Attributes:
        particles: Its visible stable particles.
        parton_event: Number of the parton-level event it was hadronised from, counted within the stream.
    """

    particles: Particles
    parton_event: int


def may_trigger(stable: Particles) -> npt.NDArray[np.bool_]:
    """Which particles, (n,), are electrons or muons that could pass the lepton filter once they are measured."""
    eta = np.abs(stable.eta)
    electron = (stable.kind == particles.ELECTRON) & (stable.pt > ELECTRON_PT) & (eta < ELECTRON_ETA)
    muon = (stable.kind == particles.MUON) & (stable.pt > MUON_PT) & (eta < MUON_ETA)
    return np.asarray(electron | muon)


def has_stable_lepton(records: Iterable[Any]) -> bool:
    """Whether Pythia's records hold a final electron or muon that could pass the lepton filter."""
    for record in records:
        identity = record.idAbs()
        if identity in (ELECTRON_ID, MUON_ID) and record.isFinal():
            pt, eta = (ELECTRON_PT, ELECTRON_ETA) if identity == ELECTRON_ID else (MUON_PT, MUON_ETA)
            if record.pT() > pt and abs(record.eta()) < eta:
                return True
    return False


def has_boson_lepton(records: Iterable[Any], minimum_pt: float, maximum_eta: float) -> bool:
    """Whether a final charged lepton, tau included, above this transverse momentum in GeV is in the records."""
    return any(
        record.idAbs() in (ELECTRON_ID, MUON_ID, TAU_ID)
        and record.isFinal()
        and record.pT() > minimum_pt
        and abs(record.eta()) < maximum_eta
        for record in records
    )


def evolution_hooks(worth_keeping: Callable[[Any], bool]) -> Any:
    """Pythia hooks that drop hopeless events before most of their showers and multiparton interactions.

    Args:
        worth_keeping: Called with the event once the interleaved evolution has come down to `EVOLUTION_SCALE`;
            decay products of resonances are not in it yet.

    Returns:
        A `pythia8mc.UserHooks`; whoever hands it to Pythia must keep it alive.
    """
    pythia8 = packages.load("pythia8mc")

    class EvolutionHooks(pythia8.UserHooks):  # type: ignore[misc, name-defined]
        """A veto at a fixed transverse momentum of the evolution."""

        def canVetoPT(self) -> bool:  # noqa: N802 (Pythia's name)
            return True

        def scaleVetoPT(self) -> float:  # noqa: N802 (Pythia's name)
            return EVOLUTION_SCALE

        def doVetoPT(self, position: int, event: Any) -> bool:  # noqa: N802 (Pythia's name)
            return not worth_keeping(event)

    return EvolutionHooks()


def _hard_process_hooks() -> Any:
    """Pythia hooks that drop an event before its showers when its boson gave no lepton to speak of."""
    pythia8 = packages.load("pythia8mc")

    class HardProcessHooks(pythia8.UserHooks):  # type: ignore[misc, name-defined]
        """A veto on the hard process, decays of resonances included."""

        def canVetoProcessLevel(self) -> bool:  # noqa: N802 (Pythia's name)
            return True

        def doVetoProcessLevel(self, process: Any) -> bool:  # noqa: N802 (Pythia's name)
            return not has_boson_lepton(process, HARD_LEPTON_PT, HARD_LEPTON_ETA)

    return HardProcessHooks()


def _tau_lepton(pythia: Any) -> bool:
    """Decays the taus of an event that is not yet hadronised; whether a lepton results that is worth keeping."""
    event = pythia.event
    size = event.size()
    return bool(pythia.moreDecays()) and has_stable_lepton(event[index] for index in range(size, event.size()))


def hadronise(pythia: Any) -> bool:
    """Hadronises the event of a Pythia object and decays what is unstable; whether that worked."""
    # junctions are in the event already: having them searched for again loses most events that have any
    return bool(pythia.forceHadronLevel(False))


def direct(process: processes.Process, seed: int) -> Iterator[Collision]:
    """Collisions of a process whose leptons need no heavy-flavour decays.

    Args:
        process: Any process without `heavy_flavour`.
        seed: Pythia's seed.

    Yields:
        Collisions with a stable lepton that may pass the lepton filter, without end.

    Raises:
        UserError: pythia8mc is not installed.
    """
    pythia = processes.make_pythia((*process.settings, "HadronLevel:all = off"), seed)
    hooks = _hard_process_hooks() if process.lepton_from_boson else None
    if hooks is not None:
        pythia.setUserHooksPtr(hooks)
    pythia.init()
    pythia8 = packages.load("pythia8mc")
    parton_event = 0
    while True:
        parton_event += 1
        if not pythia.next():
            continue
        if process.lepton_from_boson and not has_boson_lepton(pythia.event, PARTON_LEPTON_PT, PARTON_LEPTON_ETA):
            continue
        partons = pythia8.Event(pythia.event)
        prompt = not process.lepton_from_boson or has_stable_lepton(partons)
        for _ in range(process.hadronisations):
            pythia.event.assign(partons)
            # taus decay first: without a lepton from the boson there is no need to hadronise
            if not prompt and not _tau_lepton(pythia):
                continue
            if hadronise(pythia) and has_stable_lepton(pythia.event):
                yield Collision(particles.from_records(pythia.event), parton_event)
