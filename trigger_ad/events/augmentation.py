"""Copies of training events that are as likely as the events themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.layout import EventLayout
from trigger_ad.fixed_point import Values


def turned(particles: Values, layout: EventLayout, generator: np.random.Generator) -> Values:
    """Each event turned by a random angle in phi, and half of them reflected in eta.

    Proton-proton collisions are exactly symmetric under both. For training events only, never for those that measure.

    Args:
        particles: Shape (events, objects, features).
        layout: What the events consist of; events without phi are not turned, those without eta not reflected.
        generator: Source of the angles.

    Returns:
        The same shape.

    Raises:
        ValueError: The layout has neither phi nor eta: no copy could differ from its event.
    """
    if not {"phi", "eta"} & set(layout.features):
        raise ValueError("a layout with neither phi nor eta has no copies that differ")
    copy = particles.copy()
    if "phi" in layout.features:
        column = layout.column("phi")
        present = particles[:, :, layout.pt] > 0
        angles: NDArray[np.float64] = generator.uniform(-np.pi, np.pi, (len(particles), 1))
        phi = np.remainder(particles[:, :, column] + angles + np.pi, 2 * np.pi) - np.pi
        copy[:, :, column] = np.where(present, phi, 0.0)
    if "eta" in layout.features:
        column = layout.column("eta")
        # adding zero makes the reflected eta of an absent object, and of the missing energy, a positive zero again
        copy[:, :, column] = copy[:, :, column] * generator.choice([-1.0, 1.0], (len(particles), 1)) + 0.0
    return copy
