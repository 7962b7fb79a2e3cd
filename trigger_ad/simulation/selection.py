"""From detector objects to a 19 x 4 event: isolation, missing transverse energy, jets and the lepton filter."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from trigger_ad.events import layout
from trigger_ad.simulation import jets as jet_finding
from trigger_ad.simulation.detector import DetectorEvent, Flow, Leptons
from trigger_ad.simulation.particles import FloatArray, wrap_angle

ISOLATION_CONE: Final = 0.3
ISOLATION_MAXIMUM: Final = 0.45
"""Of the lepton that passes the filter; further leptons need not be isolated."""

ISOLATION_MINIMUM_PT: Final = 1.0
"""GeV: softer objects do not count against a lepton."""

JET_CHARGED_FRACTION: Final = 0.1
"""Jets with less of their transverse momentum in tracks of the primary collision are taken for pile-up."""


def relative_isolation(leptons: Leptons, flow: Flow, own: npt.NDArray[np.int64], densities: FloatArray) -> FloatArray:
    """Activity around each lepton relative to its transverse momentum.

    Charged objects of the primary collision, plus towers less the mean pile-up in the cone.

    Args:
        leptons: n leptons.
        flow: All objects.
        own: For each object of `flow` the index of the lepton that it is, or -1.
        densities: From `jets.neutral_density`.

    Returns:
        (n,) sums over the cone divided by the lepton's transverse momentum.
    """
    distance_phi = wrap_angle(leptons.phi[:, None] - flow.phi[None, :])
    squared = distance_phi**2 + (leptons.eta[:, None] - flow.eta[None, :]) ** 2
    near = (squared < ISOLATION_CONE**2) & (flow.pt > ISOLATION_MINIMUM_PT)
    near &= own[None, :] != np.arange(len(leptons.pt))[:, None]
    charged = (near & flow.charged) @ flow.pt
    neutral = (near & ~flow.charged) @ flow.pt
    expected = np.pi * ISOLATION_CONE**2 * jet_finding.density_at(leptons.eta, densities)
    relative: FloatArray = (charged + np.maximum(neutral - expected, 0.0)) / leptons.pt
    return relative


def chosen_leptons(leptons: Leptons, minimum_pt: float, maximum_eta: float) -> npt.NDArray[np.int64]:
    """Indices of the leptons in acceptance, isolated or not, in falling order of transverse momentum."""
    good = (leptons.pt > minimum_pt) & (np.abs(leptons.eta) < maximum_eta)
    order = np.argsort(-leptons.pt, kind="stable")
    return np.asarray(order[good[order]], dtype=np.int64)


def _fill(event: FloatArray, slots: slice, pt: FloatArray, eta: FloatArray, phi: FloatArray) -> None:
    """Writes objects, already ordered, into their slots; those that do not fit are dropped."""
    count = min(len(pt), slots.stop - slots.start)
    rows = slice(slots.start, slots.start + count)
    event[rows, layout.PT] = pt[:count]
    event[rows, layout.ETA] = eta[:count]
    event[rows, layout.PHI] = phi[:count]
    event[rows, layout.CLASS] = layout.CLASS_OF_SLOT[slots.start]


def missing_transverse_energy(flow: Flow) -> tuple[float, float]:
    """Size in GeV and azimuth of the momentum that balances all objects, towers from pile-up included."""
    x = -float(np.sum(flow.pt * np.cos(flow.phi)))
    y = -float(np.sum(flow.pt * np.sin(flow.phi)))
    return float(np.hypot(x, y)), float(np.arctan2(y, x))


def reconstruct(seen: DetectorEvent) -> FloatArray | None:
    """Makes the ADC2021 event out of what the detector has seen.

    Args:
        seen: Leptons and particle-flow objects of one bunch crossing.

    Returns:
        (19, 4) kinematics in the layout's order, rounded to single precision; None when no isolated electron or muon
        passes the lepton filter.
    """
    flow = seen.flow
    towers = ~flow.charged
    densities = jet_finding.neutral_density(flow.pt[towers], flow.eta[towers], flow.phi[towers])
    event = np.zeros((layout.OBJECTS, len(layout.FEATURES)))
    selected = np.zeros(len(flow.pt), dtype=np.bool_)
    passed = False
    for leptons, own, slots, name in (
        (seen.electrons, flow.electron, layout.ELECTRONS, "electron"),
        (seen.muons, flow.muon, layout.MUONS, "muon"),
    ):
        chosen = chosen_leptons(leptons, layout.SMALLEST_PT[name], layout.MAX_ABS_ETA[name])
        isolation = relative_isolation(leptons, flow, own, densities)
        hard = leptons.pt[chosen] > layout.LEPTON_FILTER_PT
        passed |= bool(np.any(hard & (isolation[chosen] < ISOLATION_MAXIMUM)))
        _fill(event, slots, leptons.pt[chosen], leptons.eta[chosen], leptons.phi[chosen])
        selected |= np.isin(own, chosen)
    if not passed:
        return None
    size, azimuth = missing_transverse_energy(flow)
    _fill(event, layout.MET, np.array([size]), np.array([0.0]), np.array([azimuth]))
    rest = ~selected
    found = jet_finding.cluster(flow.pt[rest], flow.eta[rest], flow.phi[rest], layout.SMALLEST_PT["jet"])
    found = jet_finding.subtract(found, densities)
    tracks = rest & flow.charged
    fraction = jet_finding.charged_fraction(found, flow.pt[tracks], flow.eta[tracks], flow.phi[tracks])
    good = (
        (fraction > JET_CHARGED_FRACTION)
        & (found.pt > layout.SMALLEST_PT["jet"])
        & (np.abs(found.eta) < layout.MAX_ABS_ETA["jet"])
    )
    _fill(event, layout.JETS, found.pt[good], found.eta[good], found.phi[good])
    return event.astype(np.float32).astype(np.float64)
