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
    return None if momenta is None else _sum(momenta)


def jet_activity(particles: NDArray[np.float64], layout: EventLayout) -> NDArray[np.float64] | None:
    """HT, the scalar sum of the jets' transverse momenta in GeV, 0 without a jet."""
    momenta = _transverse_momenta(particles, layout, "jet")
    return None if momenta is None else _sum(momenta)


def jet_number(particles: NDArray[np.float64], layout: EventLayout) -> NDArray[np.float64] | None:
    """How many jets there are; see `_number`."""
    return _number(_transverse_momenta(particles, layout, "jet"))


def lepton_number(particles: NDArray[np.float64], layout: EventLayout) -> NDArray[np.float64] | None:
    """How many electrons and muons there are; see `_number`."""
    return _number(_transverse_momenta(particles, layout, "electron", "muon"))


def object_number(particles: NDArray[np.float64], layout: EventLayout) -> NDArray[np.float64] | None:
    """How many objects there are, the missing transverse energy not counted; see `_number`."""
    return _number(_transverse_momenta(particles, layout, *_visible(layout)))


def sum_of_pt(particles: NDArray[np.float64], layout: EventLayout) -> NDArray[np.float64] | None:
    """The scalar sum of the transverse momenta of all objects in GeV, the missing transverse energy among them."""
    momenta = _transverse_momenta(particles, layout, *(item.name for item in layout.classes))
    return None if momenta is None else _sum(momenta)


def _visible(layout: EventLayout) -> list[str]:
    return [item.name for item in layout.classes if item.name != "met"]


def _number(momenta: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """How many momenta are positive, plus S/(1 + S) with their sum S in GeV.

    Whole numbers alone would leave a threshold few places to stand; so of two events with as many objects the one with
    the larger sum counts for more, by less than one object.
    """
    if momenta is None:
        return None
    total = _sum(momenta)
    return np.asarray((momenta > 0).sum(axis=1) + total / (1 + total))


def _sum(momenta: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum over the slots, in their order: NumPy's own depends in its last bits on how an array lies in memory."""
    total = np.zeros(len(momenta))
    for column in momenta.T:
        total += column
    return total


def _transverse_momenta(
    particles: NDArray[np.float64], layout: EventLayout, *classes: str
) -> NDArray[np.float64] | None:
    slots = layout.slots(*classes)
    if not slots:
        return None
    return np.asarray(particles[:, slots, layout.column("pt")], dtype=np.float64)


QUANTITIES: Final[Mapping[str, Quantity]] = MappingProxyType(
    {
        "leading_lepton_pt": leading_lepton_pt,
        "lepton_number": lepton_number,
        "met": missing_transverse_energy,
        "ht": jet_activity,
        "jet_number": jet_number,
        "sum_of_pt": sum_of_pt,
        "object_number": object_number,
    }
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
