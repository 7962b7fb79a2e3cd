"""Stable particles as flat arrays: what the generator hands to the detector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

ELECTRON: Final = 0
MUON: Final = 1
CHARGED_HADRON: Final = 2
PHOTON: Final = 3
NEUTRAL_HADRON: Final = 4

_KIND_OF_ID = {11: ELECTRON, 13: MUON, 22: PHOTON}
_NEUTRAL_HADRON_IDS = frozenset({130, 310, 311, 2112, 3122, 3212, 3322, 421, 511, 531, 4132, 5122, 111})
_INVISIBLE_IDS = frozenset({12, 14, 16, 1000022})


@dataclass(frozen=True)
class Particles:
    """Visible stable particles.

    Attributes:
        kind: (n,) int8, one of ELECTRON, MUON, CHARGED_HADRON, PHOTON, NEUTRAL_HADRON.
        pt: (n,) transverse momentum in GeV.
        eta: (n,) pseudorapidity.
        phi: (n,) azimuth in radians, in [-pi, pi].
    """

    kind: npt.NDArray[np.int8]
    pt: FloatArray
    eta: FloatArray
    phi: FloatArray

    def __len__(self) -> int:
        return len(self.kind)

    def select(self, mask: npt.NDArray[Any]) -> Particles:
        """The particles for which the boolean mask (or the index array) holds."""
        return Particles(self.kind[mask], self.pt[mask], self.eta[mask], self.phi[mask])


def kind_of(particle_id: int) -> int | None:
    """The detector's view of a particle from its PDG number: its kind, or None for an invisible one."""
    absolute = abs(particle_id)
    if absolute in _INVISIBLE_IDS:
        return None
    if absolute in _NEUTRAL_HADRON_IDS:
        return NEUTRAL_HADRON
    return _KIND_OF_ID.get(absolute, CHARGED_HADRON)


def from_momenta(kinds: Sequence[int], momenta: Sequence[tuple[float, float, float]]) -> Particles:
    """Makes particles from Cartesian momenta.

    Args:
        kinds: n kinds.
        momenta: n times (px, py, pz) in GeV; those along the beam line are left out.

    Returns:
        The particles, in the order given.
    """
    momentum = np.asarray(momenta, dtype=np.float64).reshape(-1, 3)
    kind = np.asarray(kinds, dtype=np.int8)
    pt = np.hypot(momentum[:, 0], momentum[:, 1])
    keep = pt > 1e-6
    momentum, kind, pt = momentum[keep], kind[keep], pt[keep]
    return Particles(kind, pt, np.arcsinh(momentum[:, 2] / pt), np.arctan2(momentum[:, 1], momentum[:, 0]))


def from_records(records: Iterable[Any]) -> Particles:
    """Makes particles from the final, visible entries of Pythia's event record."""
    kinds: list[int] = []
    momenta: list[tuple[float, float, float]] = []
    for record in records:
        if not record.isFinal():
            continue
        kind = kind_of(record.id())
        if kind is not None:
            kinds.append(kind)
            momenta.append((record.px(), record.py(), record.pz()))
    return from_momenta(kinds, momenta)


def concatenate(parts: Sequence[Particles]) -> Particles:
    """Joins several groups of particles in order."""
    return Particles(
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.pt for part in parts]),
        np.concatenate([part.eta for part in parts]),
        np.concatenate([part.phi for part in parts]),
    )


def wrap_angle(angle: FloatArray) -> FloatArray:
    """Brings angles to [-pi, pi)."""
    wrapped: FloatArray = np.mod(angle + np.pi, 2 * np.pi) - np.pi
    return wrapped
