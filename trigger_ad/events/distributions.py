"""Histograms of everything an event consists of, filled in one pass, and how far two files' histograms are apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.layout import ELECTRONS, ETA, JETS, MET, MUONS, PHI, PT

_ROUNDING: Final = 1e-6
"""A value that was rounded to 32 bits may lie this far outside the limit of its quantity."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """What a histogram is of.

    Attributes:
        name: For programs, such as `leading_jet_eta`.
        title: For people, such as "eta of the leading jet".
        unit: GeV, rad, or nothing.
        slots: The objects.
        feature: Position of the feature; None for the number of present objects in an event.
        edges: Edges of the bins, rising.
    """

    name: str
    title: str
    unit: str
    slots: slice
    feature: int | None
    edges: NDArray[np.float64]

    @property
    def tells_processes_apart(self) -> bool:
        """Whether it can differ between processes: collisions have no preferred azimuth, so phi cannot."""
        return self.feature != PHI

    def values(self, particles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Its values: one for each present object, or one for each event where it is a number of objects.

        Args:
            particles: Shape (N, 19, 4).
        """
        present = particles[:, self.slots, PT] > 0
        if self.feature is None:
            numbers: NDArray[np.float64] = present.sum(axis=1).astype(np.float64)
            return numbers
        values: NDArray[np.float64] = particles[:, self.slots, self.feature][present]
        return values


@dataclass(frozen=True, eq=False)
class Distribution:
    """A filled histogram.

    Attributes:
        quantity: What it is of.
        counts: int64 of shape (bins + 2,): values below the first edge, in each bin, and above the last edge.
    """

    quantity: Quantity
    counts: NDArray[np.int64]

    @property
    def entries(self) -> int:
        """Number of values: objects, or events where the quantity is a number of objects."""
        return int(self.counts.sum())

    @property
    def shares(self) -> NDArray[np.float64]:
        """The part of all values in each bin; with those outside they add up to 1, or to 0 without values."""
        shares: NDArray[np.float64] = self.counts / max(self.entries, 1)
        return shares

    @property
    def errors(self) -> NDArray[np.float64]:
        """Statistical standard errors of `shares`: the square root of each count, over all values."""
        errors: NDArray[np.float64] = np.sqrt(self.counts) / max(self.entries, 1)
        return errors


Distributions = Mapping[str, Distribution]
"""By name of the quantity, in the order of `QUANTITIES`."""


def _linear(low: float, high: float, bins: int) -> NDArray[np.float64]:
    return np.linspace(low, high, bins + 1)


def _within(limit: float, bins: int) -> NDArray[np.float64]:
    """Bins from -limit to limit, the outermost of which take what rounding has moved beyond it."""
    edges = _linear(-limit, limit, bins)
    edges[[0, -1]] += [-_ROUNDING, _ROUNDING]
    return edges


def _quantities() -> dict[str, Quantity]:
    turn = _within(math.pi, 32)
    found = [
        Quantity("met_pt", "missing transverse energy", "GeV", MET, PT, _linear(0, 200, 40)),
        Quantity("met_phi", "phi of the missing transverse energy", "rad", MET, PHI, turn),
    ]
    classes = (
        ("electron", ELECTRONS, _linear(0, 160, 40), _within(3.0, 30)),
        ("muon", MUONS, _linear(0, 160, 40), _within(2.1, 30)),
        ("jet", JETS, _linear(0, 300, 40), _within(4.0, 32)),
    )
    for name, slots, pt, eta in classes:
        size = slots.stop - slots.start
        # whole numbers stand in the middle of their bins
        numbers = _linear(-0.5, size + 0.5, size + 1)
        found.append(Quantity(f"{name}s_per_event", f"{name}s in an event", "", slots, None, numbers))
        leading = slice(slots.start, slots.start + 1)
        for prefix, of, which in (("", f"all {name}s", slots), ("leading_", f"the leading {name}", leading)):
            found += [
                Quantity(f"{prefix}{name}_pt", f"pT of {of}", "GeV", which, PT, pt),
                Quantity(f"{prefix}{name}_eta", f"eta of {of}", "", which, ETA, eta),
                Quantity(f"{prefix}{name}_phi", f"phi of {of}", "rad", which, PHI, turn),
            ]
    return {quantity.name: quantity for quantity in found}


QUANTITIES: Final[Mapping[str, Quantity]] = _quantities()
"""MET, and for electrons, muons and jets the number in an event, and pT, eta and phi of all and of the first slot."""


class DistributionTally:
    """Fills the histogram of every quantity from events that arrive in parts; memory does not grow."""

    def __init__(self) -> None:
        self._counts = {name: np.zeros(len(item.edges) + 1, dtype=np.int64) for name, item in QUANTITIES.items()}

    def add(self, particles: NDArray[np.float64]) -> None:
        """Fill in events.

        Args:
            particles: Shape (N, 19, 4), every value of an absent object zero.
        """
        for name, quantity in QUANTITIES.items():
            # values on an edge belong to the bin above it; below the first edge is bin 0
            indices = np.searchsorted(quantity.edges, quantity.values(particles), side="right")
            self._counts[name] += np.bincount(indices, minlength=len(self._counts[name]))

    def result(self) -> dict[str, Distribution]:
        """The histograms so far."""
        return {name: Distribution(QUANTITIES[name], counts.copy()) for name, counts in self._counts.items()}


def kolmogorov_smirnov(one: Distribution, other: Distribution) -> float | None:
    """The largest difference between two cumulative distributions, at the edges of the bins.

    This is the two-sample Kolmogorov-Smirnov statistic of the binned values: from 0, the same shares in every bin, to
    1, no overlap. None where either is empty, so that there is nothing to compare.
    """
    if not one.entries or not other.entries:
        return None
    return float(np.abs(np.cumsum(one.shares) - np.cumsum(other.shares)).max())


def expected_by_chance(one: Distribution, other: Distribution) -> float | None:
    """The mean of `kolmogorov_smirnov` for two independent samples of one continuous distribution.

    sqrt(pi / 2) ln 2 sqrt(1/n + 1/m): the mean of Kolmogorov's limiting distribution. Bins make the true mean smaller,
    and values of one event that depend on each other make it larger. None where either is empty.
    """
    if not one.entries or not other.entries:
        return None
    return math.sqrt(math.pi / 2) * math.log(2) * math.sqrt(1 / one.entries + 1 / other.entries)


@dataclass(frozen=True)
class Resemblance:
    """How far a file is from one reference.

    Attributes:
        distances: The Kolmogorov-Smirnov distance of each quantity; None where either has no such object.
        mean: Their mean over the quantities other than phi that the file and every reference has; None where there
            is none. Collisions have no preferred azimuth, so phi would only add the same noise to every mean.
        by_chance: What the mean would be, on average, if both were samples of the same distributions.
    """

    distances: Mapping[str, float | None]
    mean: float | None
    by_chance: float | None


def resemblances(file: Distributions, references: Mapping[str, Distributions]) -> dict[str, Resemblance]:
    """Compare a file with each of several references, over the same quantities for all.

    Args:
        file: The file's histograms.
        references: Those of each reference, by its name.
    """
    shared = [
        name
        for name, quantity in QUANTITIES.items()
        if quantity.tells_processes_apart
        and file[name].entries
        and all(reference[name].entries for reference in references.values())
    ]
    return {label: _resemblance(file, reference, shared) for label, reference in references.items()}


def closest(found: Mapping[str, Resemblance]) -> str | None:
    """The name of the reference with the smallest mean distance; None where nothing could be compared."""
    means = {name: item.mean for name, item in found.items() if item.mean is not None}
    return min(means, key=means.__getitem__) if means else None


def _resemblance(file: Distributions, reference: Distributions, shared: Iterable[str]) -> Resemblance:
    distances = {name: kolmogorov_smirnov(file[name], reference[name]) for name in QUANTITIES}
    chances = {name: expected_by_chance(file[name], reference[name]) for name in QUANTITIES}
    return Resemblance(distances, _mean(distances, shared), _mean(chances, shared))


def _mean(values: Mapping[str, float | None], names: Iterable[str]) -> float | None:
    chosen = [value for name in names if (value := values[name]) is not None]
    return math.fsum(chosen) / len(chosen) if chosen else None
