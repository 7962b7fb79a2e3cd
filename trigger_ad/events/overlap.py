"""Electrons that are also present as jets: a detector simulation makes one object twice unless it takes care not to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.layout import ADC2021, EventLayout

SAME_OBJECT_DELTA_R: Final = 0.2
"""An electron and a jet closer than this, in sqrt(delta eta^2 + delta phi^2), are taken for one object."""


@dataclass(frozen=True)
class ElectronJetOverlap:
    """How many electrons are also present as jets.

    Attributes:
        electrons: Present electrons.
        with_jet: Those that have a present jet within `SAME_OBJECT_DELTA_R`.
    """

    electrons: int = 0
    with_jet: int = 0

    @property
    def fraction(self) -> float | None:
        """Of the electrons; None without electrons."""
        return self.with_jet / self.electrons if self.electrons else None

    def __add__(self, other: ElectronJetOverlap) -> ElectronJetOverlap:
        return ElectronJetOverlap(self.electrons + other.electrons, self.with_jet + other.with_jet)


def electron_jet_overlap(particles: NDArray[np.float64], layout: EventLayout = ADC2021) -> ElectronJetOverlap | None:
    """Count the electrons that are also present as jets; None where the layout lacks either, or their directions.

    Args:
        particles: Shape (N, objects, features).
        layout: What the events consist of.
    """
    electron_slots, jet_slots = layout.slots("electron"), layout.slots("jet")
    if not electron_slots or not jet_slots or not {"eta", "phi"} <= set(layout.features):
        return None
    eta, phi = layout.column("eta"), layout.column("phi")
    event, slot = np.nonzero(particles[:, electron_slots, layout.pt] > 0)
    # one row for each electron: itself, and the jets of its event
    electrons = particles[event, np.array(electron_slots)[slot]][:, np.newaxis]
    jets = particles[event][:, jet_slots]
    delta_eta = jets[..., eta] - electrons[..., eta]
    delta_phi = np.remainder(jets[..., phi] - electrons[..., phi] + math.pi, 2 * math.pi) - math.pi
    near = (np.hypot(delta_eta, delta_phi) < SAME_OBJECT_DELTA_R) & (jets[..., layout.pt] > 0)
    return ElectronJetOverlap(len(event), int(near.any(axis=1).sum()))
