"""Trivial scores: what a trigger could cut on without any network.

A network that does not beat them is not worth its place in the firmware.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.layout import ELECTRONS, FEATURES, JETS, KINEMATICS, MET, MUONS, OBJECTS, PT

BASELINE_TITLES: Final = MappingProxyType(
    {
        "zero_reconstruction": "Zero reconstruction",
        "leading_lepton_pt": "Leading lepton pT",
        "met": "MET",
        "ht": "HT",
    }
)
"""The trivial scores by key, as people read them."""


def zero_reconstruction(inputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The score of an autoencoder that answers 0 to everything: the sum of squared network inputs.

    Args:
        inputs: Network input values, (N, 57) float64: values and not codes, whose units differ between features.

    Returns:
        (N,) float64.
    """
    if inputs.shape[1:] != (OBJECTS * len(KINEMATICS),) or inputs.dtype.kind != "f":
        raise ValueError(f"network inputs are (N, 57) floats, not {inputs.shape} of type {inputs.dtype}")
    return np.asarray((inputs.astype(np.float64) ** 2).sum(axis=1))


def leading_lepton_pt(particles: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest transverse momentum of the electrons and muons in GeV, 0 where there is none: (N, 19, 4) to (N,).

    The maximum over all slots: slots of a file are not always filled from the front.
    """
    return np.asarray(_transverse_momenta(particles)[:, ELECTRONS.start : MUONS.stop].max(axis=1))


def missing_transverse_energy(particles: NDArray[np.float64]) -> NDArray[np.float64]:
    """The missing transverse energy in GeV: (N, 19, 4) to (N,)."""
    return np.asarray(_transverse_momenta(particles)[:, MET].sum(axis=1))


def jet_activity(particles: NDArray[np.float64]) -> NDArray[np.float64]:
    """HT, the scalar sum of the jets' transverse momenta in GeV, 0 without a jet: (N, 19, 4) to (N,)."""
    return np.asarray(_transverse_momenta(particles)[:, JETS].sum(axis=1))


def _transverse_momenta(particles: NDArray[np.float64]) -> NDArray[np.float64]:
    if particles.shape[1:] != (OBJECTS, len(FEATURES)):
        raise ValueError(f"particles are (N, {OBJECTS}, {len(FEATURES)}), not {particles.shape}")
    return particles[:, :, PT].astype(np.float64)


def baseline_scores(particles: NDArray[np.float64], inputs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Every trivial score of each event.

    Args:
        particles: Events in the ADC2021 layout, (N, 19, 4) float64, GeV.
        inputs: The same events as network input values, (N, 57) float64.

    Returns:
        (N,) float64 under each key of `BASELINE_TITLES`, in its order.

    Raises:
        ValueError: A shape is wrong, or the two are not of the same events.
    """
    if len(particles) != len(inputs):
        raise ValueError(f"{len(particles)} events of particles and {len(inputs)} of inputs are not the same events")
    return {
        "zero_reconstruction": zero_reconstruction(inputs),
        "leading_lepton_pt": leading_lepton_pt(particles),
        "met": missing_transverse_energy(particles),
        "ht": jet_activity(particles),
    }
