"""Anomaly scores in software, on float values; the firmware's is computed by the network itself."""

from __future__ import annotations

from typing import Final

import numpy as np

from trigger_ad.fixed_point import Values

SQUARED_ERROR: Final = "squared_error"
"""The name of the sum of squared reconstruction errors in configurations and reports."""


def squared_error(inputs: Values, reconstruction: Values) -> Values:
    """The sum over inputs of the squared reconstruction error, shape (events,).

    Args:
        inputs: Shape (events, inputs).
        reconstruction: The same shape.
    """
    difference = inputs - reconstruction
    total: Values = np.einsum("ij,ij->i", difference, difference)
    return total
