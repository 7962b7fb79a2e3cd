"""Pile-up density and anti-kt jets; the only importer of fastjet."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trigger_ad.simulation import packages
from trigger_ad.simulation.particles import FloatArray, wrap_angle

RADIUS: Final = 0.4
AREA: Final = float(np.pi * RADIUS**2)

DENSITY_EDGES: Final = (-4.0, -2.5, 2.5, 4.0)
_CELLS_IN_ETA = (3, 10, 3)
_CELLS_IN_PHI = 12


@dataclass(frozen=True)
class Jets:
    """Jets in falling order of transverse momentum.

    Attributes:
        pt: (n,) GeV.
        eta: (n,).
        phi: (n,) radians, in [-pi, pi).
    """

    pt: FloatArray
    eta: FloatArray
    phi: FloatArray


def neutral_density(pt: FloatArray, eta: FloatArray, phi: FloatArray) -> FloatArray:
    """Median transverse momentum of towers per unit area in three bands of pseudorapidity.

    The median over cells of about 0.5 x 0.5 is the estimate of diffuse activity of Cacciari and Salam
    (arXiv:0707.1378): hard jets touch few cells and hardly move it.

    Args:
        pt: (n,) transverse momenta of towers in GeV.
        eta: (n,).
        phi: (n,) radians, in [-pi, pi).

    Returns:
        (3,) densities in GeV between consecutive `DENSITY_EDGES`.
    """
    densities = []
    column = np.clip(np.floor((phi + np.pi) / (2 * np.pi) * _CELLS_IN_PHI), 0, _CELLS_IN_PHI - 1)
    for low, high, rows in zip(DENSITY_EDGES[:-1], DENSITY_EDGES[1:], _CELLS_IN_ETA, strict=True):
        inside = (eta >= low) & (eta < high)
        row = np.clip(np.floor((eta[inside] - low) / (high - low) * rows), 0, rows - 1)
        cell = (row * _CELLS_IN_PHI + column[inside]).astype(np.int64)
        sums = np.bincount(cell, weights=pt[inside], minlength=rows * _CELLS_IN_PHI)
        area = (high - low) / rows * 2 * np.pi / _CELLS_IN_PHI
        densities.append(float(np.median(sums)) / area)
    return np.array(densities)


def density_at(eta: FloatArray, densities: FloatArray) -> FloatArray:
    """Density at given pseudorapidities, (n,), from what `neutral_density` returned."""
    band = np.clip(np.searchsorted(np.array(DENSITY_EDGES), eta, side="right") - 1, 0, len(densities) - 1)
    return np.asarray(densities[band], dtype=np.float64)


@functools.cache
def _tools() -> tuple[Any, Any]:
    """FastJet's module and the jet definition, with its start-up banner kept off standard output."""
    fastjet = packages.load("fastjet")
    swig = fastjet._swig
    swig.ClusterSequence.set_fastjet_banner_stream(None)
    return swig, swig.JetDefinition(swig.antikt_algorithm, RADIUS)


def cluster(pt: FloatArray, eta: FloatArray, phi: FloatArray, minimum_pt: float) -> Jets:
    """Clusters massless objects with the anti-kt algorithm (arXiv:0802.1189), radius `RADIUS`.

    Args:
        pt: (n,) GeV.
        eta: (n,).
        phi: (n,) radians.
        minimum_pt: Jets below this, in GeV, are dropped.

    Raises:
        UserError: fastjet is not installed.
    """
    swig, definition = _tools()
    components = (pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta))
    objects = [swig.PseudoJet(*momentum) for momentum in zip(*(c.tolist() for c in components), strict=True)]
    sequence = swig.ClusterSequence(objects, definition)
    found = [(jet.pt(), jet.eta(), jet.phi()) for jet in sequence.inclusive_jets(minimum_pt)]
    table: npt.NDArray[np.float64] = np.array(found, dtype=np.float64).reshape(-1, 3)
    table = table[np.argsort(-table[:, 0], kind="stable")]
    return Jets(table[:, 0], table[:, 1], wrap_angle(table[:, 2]))


def charged_fraction(jets: Jets, pt: FloatArray, eta: FloatArray, phi: FloatArray) -> FloatArray:
    """Transverse momentum of tracks of the primary collision within `RADIUS` of each jet, relative to the jet's.

    Args:
        jets: n jets.
        pt: (m,) transverse momenta of the tracks in GeV.
        eta: (m,).
        phi: (m,) radians.

    Returns:
        (n,) fractions; small for jets that pile-up has made.
    """
    squared = (jets.eta[:, None] - eta) ** 2 + wrap_angle(jets.phi[:, None] - phi) ** 2
    fraction: FloatArray = (squared < RADIUS**2) @ pt / jets.pt
    return fraction


def subtract(jets: Jets, densities: FloatArray) -> Jets:
    """Takes density times `AREA` off every jet, and orders them anew; jets that vanish are dropped."""
    pt = jets.pt - AREA * density_at(jets.eta, densities)
    order = np.argsort(-pt, kind="stable")
    order = order[pt[order] > 0]
    return Jets(pt[order], jets.eta[order], jets.phi[order])
