"""Quantities of an event that a trigger could cut on without any network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.layout import EventLayout

Quantity = Callable[[NDArray[np.float64], EventLayout], NDArray[np.float64] | None]
"""From events of shape (N, objects, features) to shape (N,), or None where the layout lacks the objects."""


def leading_lepton_pt(particles: NDArray[np.float64], layout: EventLayout) -> NDArray[np.float64] | None:
    """The largest transverse momentum of the electrons and muons in GeV, 0 where there is none.

    The maximum over all slots: slots of a file are not always filled from the front.
    """
    momenta = _transverse_momenta(particles, layout, "electron", "muon")
    return None if momenta is None else np.asarray(momenta.max(axis=1, initial=0.0))


def missing_transverse_energy(particles: NDArray[np.float64], layout: EventLayout) -> NDArray[np.float64] | None:
    """The missing transverse energy in GeV."""
    momenta = _transverse_momenta(particles, layout, "met")
    return None if momenta is None else np.asarray(momenta.sum(axis=1))


def jet_activity(particles: NDArray[np.float64], layout: EventLayout) -> NDArray[np.float64] | None:
    """HT, the scalar sum of the jets' transverse momenta in GeV, 0 without a jet."""
    momenta = _transverse_momenta(particles, layout, "jet")
    return None if momenta is None else np.asarray(momenta.sum(axis=1))


def _transverse_momenta(
    particles: NDArray[np.float64], layout: EventLayout, *classes: str
) -> NDArray[np.float64] | None:
    slots = layout.slots(*classes)
    if not slots:
        return None
    return np.asarray(particles[:, slots, layout.column("pt")], dtype=np.float64)


QUANTITIES: Final[Mapping[str, Quantity]] = MappingProxyType(
    {"leading_lepton_pt": leading_lepton_pt, "met": missing_transverse_energy, "ht": jet_activity}
)
"""The quantities by key."""


def available_quantities(layout: EventLayout) -> tuple[str, ...]:
    """The quantities that a layout has the objects for, in the order of `QUANTITIES`."""
    return tuple(quantities(np.zeros((0, *layout.shape)), layout))


def quantities(particles: NDArray[np.float64], layout: EventLayout) -> dict[str, NDArray[np.float64]]:
    """Every quantity that the layout has the objects for.

    Args:
        particles: Shape (N, objects, features), GeV and radians.
        layout: What the events consist of.

    Returns:
        Shape (N,), float64, by the keys of `QUANTITIES`.

    Raises:
        ValueError: The events are not of this layout.
    """
    if particles.shape[1:] != layout.shape:
        raise ValueError(f"events of the layout are {('N', *layout.shape)}, not {particles.shape}")
    found = {name: quantity(particles, layout) for name, quantity in QUANTITIES.items()}
    return {name: values for name, values in found.items() if values is not None}
