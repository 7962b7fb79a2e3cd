"""Axes of histograms: fixed where a quantity has natural limits, and otherwise chosen for the values there are."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

BINS: Final = 40
"""About so many bins has an axis that is chosen for its values."""

_ROUNDING: Final = 1e-6
"""A value that was rounded to 32 bits may lie this far outside the limit of its quantity."""
_TAILS: Final = (0.005, 0.995)
"""The quantiles between which the bulk of the values lies."""
_LARGEST: Final = 1e300
"""Differences of larger numbers may not be finite."""
_SMALLEST_SPREAD: Final = 1e-30
_RELATIVE_SPREAD: Final = 1e-6
"""Of the largest value: the edges of narrower bins could not be told apart."""


def linear(low: float, high: float, bins: int) -> NDArray[np.float64]:
    """Edges of bins of equal width."""
    return np.linspace(low, high, bins + 1)


def within(limit: float, bins: int) -> NDArray[np.float64]:
    """Bins from -limit to limit, the outermost of which take what rounding has moved beyond it."""
    edges = linear(-limit, limit, bins)
    edges[[0, -1]] += [-_ROUNDING, _ROUNDING]
    return edges


def whole_numbers(first: int, last: int) -> NDArray[np.float64]:
    """A bin for each whole number, which stands in its middle."""
    return linear(first - 0.5, last + 0.5, last - first + 1)


def measured(values: NDArray[np.float64], *, from_zero: bool = False) -> NDArray[np.float64]:
    """Edges for values of which nothing else is known: all but half a per cent at each end lie between them.

    Args:
        values: Shape (n,), finite.
        from_zero: Whether the axis begins at 0, wherever the values begin.

    Returns:
        Edges on round numbers; a bin for each number where the values are whole and few; 0 to 1 without values.
    """
    if not len(values):
        return linear(0, 1, BINS)
    low, high = bulk(values)
    if from_zero:
        low = 0.0
    if high - low <= BINS and (values == np.rint(values)).all():
        return whole_numbers(math.floor(low), math.ceil(high))
    step = round_step(spread(low, high) / BINS)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return step * np.arange(first, last + 1, dtype=np.float64)


def bulk(values: NDArray[np.float64]) -> tuple[float, float]:
    """Between which the values lie, but for half a per cent at each end."""
    low, high = np.quantile(np.clip(values, -_LARGEST, _LARGEST), _TAILS)
    return float(low), float(high)


def spread(low: float, high: float) -> float:
    """Their difference, but wide enough for bins that can be told apart."""
    return max(high - low, _RELATIVE_SPREAD * max(abs(low), abs(high)), _SMALLEST_SPREAD)


def round_step(width: float) -> float:
    """The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is not below a width."""
    unit = 10.0 ** math.floor(math.log10(width))
    return next((unit * factor for factor in (1, 2, 2.5, 5) if unit * factor >= width), 10 * unit)
