"""Quartiles of values that arrive in parts: exact for a small file, from a fine histogram for a large one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.axes import bulk, round_step, spread

Quartiles: TypeAlias = tuple[float, float, float]
"""Lower quartile, median and upper quartile."""

_FRACTIONS: Final = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Binning:
    """Bins of equal width.

    Attributes:
        lowest: Where the first bin begins.
        width: Of every bin.
        bins: Their number.
    """

    lowest: float
    width: float
    bins: int


FINE_BINNINGS: Final = {
    # to above the beam energy, beyond which no pT of a 13 TeV collision lies
    "pt": Binning(0.0, 0.1, 65_536),
    # wide enough for an azimuth from 0 to 2 pi, which is odd and still has quartiles
    "eta": Binning(-10.0, 0.001, 20_000),
    "phi": Binning(-10.0, 0.001, 20_000),
}
"""The histograms of large files, in GeV for pT and radians for phi."""

_FINE_BINS: Final = 20_000
_FINE_BINS_OF_THE_BULK: Final = 2_000


def fine_binning(feature: str, values: NDArray[np.float64]) -> Binning:
    """The histogram of a large file for a feature.

    Args:
        feature: Its name; pT, eta and phi have a histogram that is the same for every file.
        values: Shape (n,), typical ones of any other feature. The histogram reaches five times as far as they do.
    """
    if feature in FINE_BINNINGS:
        return FINE_BINNINGS[feature]
    low, high = bulk(values) if len(values) else (0.0, 1.0)
    width = round_step(spread(low, high) / _FINE_BINS_OF_THE_BULK)
    lowest = (math.floor((low + high) / 2 / width) - _FINE_BINS // 2) * width
    return Binning(lowest, width, _FINE_BINS)


class ExactQuartiles:
    """Keeps every value: 8 bytes each."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.float64]] = []

    def add(self, values: NDArray[np.float64]) -> None:
        """Take note of values of shape (n,)."""
        self._parts.append(values.copy())

    def result(self) -> Quartiles | None:
        """Return the quartiles, interpolated linearly between neighbouring values; None without values."""
        values = np.concatenate(self._parts) if self._parts else np.zeros(0)
        if not len(values):
            return None
        lower, median, upper = np.quantile(values, _FRACTIONS)
        return float(lower), float(median), float(upper)


class BinnedQuartiles:
    """Counts values in bins: memory does not grow, and each quartile is within one bin's width of the exact one.

    Args:
        binning: The bins.
    """

    def __init__(self, binning: Binning) -> None:
        self._binning = binning
        # one more at each end for what lies outside
        self._counts = np.zeros(binning.bins + 2, dtype=np.int64)
        self._smallest = math.inf
        self._largest = -math.inf

    def add(self, values: NDArray[np.float64]) -> None:
        """Take note of values of shape (n,)."""
        binning = self._binning
        with np.errstate(over="ignore"):
            position = np.floor((values - binning.lowest) / binning.width)
        indices = np.clip(position, -1, binning.bins).astype(np.intp) + 1
        self._counts += np.bincount(indices, minlength=len(self._counts))
        self._smallest = min(self._smallest, float(values.min(initial=math.inf)))
        self._largest = max(self._largest, float(values.max(initial=-math.inf)))

    def result(self) -> Quartiles | None:
        """Return the quartiles; None without values, or where one of them lies outside the bins."""
        total = int(self._counts.sum())
        if total == 0:
            return None
        cumulative = np.cumsum(self._counts)
        found = [self._quantile(fraction * (total - 1), cumulative) for fraction in _FRACTIONS]
        lower, median, upper = found
        if lower is None or median is None or upper is None:
            return None
        return self._within(lower), self._within(median), self._within(upper)

    def _within(self, quartile: float) -> float:
        """Values that are all equal, such as MET's eta, have quartiles equal to them."""
        return min(max(quartile, self._smallest), self._largest)

    def _quantile(self, position: float, cumulative: NDArray[np.int64]) -> float | None:
        """The value at a position among the sorted values, between two of which it may lie."""
        rank = math.floor(position)
        before = self._value(rank, cumulative)
        after = self._value(min(rank + 1, int(cumulative[-1]) - 1), cumulative)
        return None if before is None or after is None else before + (position - rank) * (after - before)

    def _value(self, rank: int, cumulative: NDArray[np.int64]) -> float | None:
        """The sorted values' `rank`-th, from 0, as if the values of a bin were spread evenly over it."""
        index = int(np.searchsorted(cumulative, rank, side="right"))
        if not 0 < index <= self._binning.bins:
            return None
        inside = int(self._counts[index])
        first = int(cumulative[index]) - inside
        return self._binning.lowest + self._binning.width * (index - 1 + (rank - first + 0.5) / inside)
