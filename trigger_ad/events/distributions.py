"""Histograms of everything an event consists of, filled in one pass, and how far two files' histograms are apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.axes import BINS, linear, measured, whole_numbers, within
from trigger_ad.events.layout import ADC2021, EventLayout, ObjectClass

UNITS: Final = {"pt": "GeV", "phi": "rad"}
"""Of features; others have none that is known."""

_ANGLE_BINS: Final = 32
_PUBLISHED_PT: Final = {"met": 200.0, "electron": 160.0, "muon": 160.0, "jet": 300.0}
"""GeV. Where the axis of each class ends for events of the ADC2021 layout, so that all files can be compared."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """What a histogram is of.

    Attributes:
        name: For programs, such as `jet.pt`, `leading jet.eta` or `number of jet`.
        title: For people, such as "eta of the leading jet".
        unit: GeV, rad, or nothing.
        object_class: The class of its objects, by name.
        slots: The objects.
        feature: The feature; None for the number of present objects in an event.
        column: Where the feature stands in the last axis of the events; None for the number of objects.
        pt: Where pT stands.
        edges: Edges of the bins, rising.
    """

    name: str
    title: str
    unit: str
    object_class: str
    slots: slice
    feature: str | None
    column: int | None
    pt: int
    edges: NDArray[np.float64]

    @property
    def tells_processes_apart(self) -> bool:
        """Whether it can differ between processes: collisions have no preferred azimuth, so phi cannot."""
        return self.feature != "phi"

    def values(self, particles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Its values: one for each present object, or one for each event where it is a number of objects.

        Args:
            particles: Shape (N, objects, features).
        """
        present = particles[:, self.slots, self.pt] > 0
        if self.column is None:
            numbers: NDArray[np.float64] = present.sum(axis=1).astype(np.float64)
            return numbers
        values: NDArray[np.float64] = particles[:, self.slots, self.column][present]
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
"""By name of the quantity, in the order of the layout's quantities."""


def described_features(layout: EventLayout) -> tuple[str, ...]:
    """The features that are measured of an object: all but the number of its class."""
    return tuple(feature for feature in layout.features if feature != "class")


def plural(name: str) -> str:
    """Several objects of a class."""
    return name if name.endswith("s") else f"{name}s"


def layout_quantities(layout: EventLayout, events: NDArray[np.float64]) -> dict[str, Quantity]:
    """What events of a layout consist of.

    For each class the number in an event, and every feature of all objects and of the first slot; of a class with a
    single slot its features alone, and of the missing transverse energy no pseudorapidity.

    Args:
        layout: The layout.
        events: Shape (N, objects, features): typical events, from which the axes of quantities without natural limits
            are chosen. Those of the ADC2021 layout are fixed, and need none.

    Returns:
        The quantities by name, class by class.
    """
    found = (quantity for item in layout.classes for quantity in _class_quantities(layout, item, events))
    return {quantity.name: quantity for quantity in found}


def _class_quantities(layout: EventLayout, item: ObjectClass, events: NDArray[np.float64]) -> Iterator[Quantity]:
    features = [name for name in described_features(layout) if not (item.name == "met" and name == "eta")]
    places = [("", _all_of(item), item.slots)]
    if item.count > 1:
        title, edges = f"{plural(item.name)} in an event", whole_numbers(0, item.count)
        yield Quantity(f"number of {item.name}", title, "", item.name, item.slots, None, None, layout.pt, edges)
        leading = slice(item.slots.start, item.slots.start + 1)
        places.append(("leading ", f"the leading {item.name}", leading))
    axes = {feature: _axis(layout, item, feature, events) for feature in features}
    for prefix, of, slots in places:
        for feature, edges in axes.items():
            yield Quantity(
                name=f"{prefix}{item.name}.{feature}",
                title=_title(feature, of),
                unit=UNITS.get(feature, ""),
                object_class=item.name,
                slots=slots,
                feature=feature,
                column=layout.column(feature),
                pt=layout.pt,
                edges=edges,
            )


_MET_TITLE: Final = "the missing transverse energy"


def _all_of(item: ObjectClass) -> str:
    if item.count > 1:
        return f"all {plural(item.name)}"
    return _MET_TITLE if item.name == "met" else f"the {item.name}"


def _title(feature: str, of: str) -> str:
    if feature == "pt":
        # it is the momentum that is missing
        return of.removeprefix("the ") if of == _MET_TITLE else f"pT of {of}"
    return f"{feature} of {of}"


def _axis(layout: EventLayout, item: ObjectClass, feature: str, events: NDArray[np.float64]) -> NDArray[np.float64]:
    if feature == "phi":
        return within(math.pi, _ANGLE_BINS)
    if feature == "eta" and item.max_abs_eta is not None:
        return within(item.max_abs_eta, _ANGLE_BINS)
    if layout == ADC2021:
        return linear(0, _PUBLISHED_PT[item.name], BINS)
    present = events[:, item.slots, layout.pt] > 0
    return measured(events[:, item.slots, layout.column(feature)][present], from_zero=feature == "pt")


QUANTITIES: Final[Mapping[str, Quantity]] = layout_quantities(ADC2021, np.zeros((0, *ADC2021.shape)))
"""Those of the ADC2021 layout: MET, and for electrons, muons and jets the number in an event, and pT, eta and phi of
all and of the first slot. Their axes are fixed, so that any file can be laid over the shipped sample."""


class DistributionTally:
    """Fills the histogram of every quantity from events that arrive in parts; memory does not grow.

    Args:
        quantities: The quantities, by name.
    """

    def __init__(self, quantities: Mapping[str, Quantity] = QUANTITIES) -> None:
        self._quantities = quantities
        self._counts = {name: np.zeros(len(item.edges) + 1, dtype=np.int64) for name, item in quantities.items()}

    def add(self, particles: NDArray[np.float64]) -> None:
        """Fill in events.

        Args:
            particles: Shape (N, objects, features), every value of an absent object zero.
        """
        for name, quantity in self._quantities.items():
            # values on an edge belong to the bin above it; below the first edge is bin 0
            indices = np.searchsorted(quantity.edges, quantity.values(particles), side="right")
            self._counts[name] += np.bincount(indices, minlength=len(self._counts[name]))

    def result(self) -> dict[str, Distribution]:
        """The histograms so far."""
        return {name: Distribution(self._quantities[name], counts.copy()) for name, counts in self._counts.items()}


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
        references: Those of each reference, by its name, of the same quantities.
    """
    shared = [
        name
        for name, histogram in file.items()
        if histogram.quantity.tells_processes_apart
        and histogram.entries
        and all(reference[name].entries for reference in references.values())
    ]
    return {label: _resemblance(file, reference, shared) for label, reference in references.items()}


def closest(found: Mapping[str, Resemblance]) -> str | None:
    """The name of the reference with the smallest mean distance; None where nothing could be compared."""
    means = {name: item.mean for name, item in found.items() if item.mean is not None}
    return min(means, key=means.__getitem__) if means else None


def _resemblance(file: Distributions, reference: Distributions, shared: Iterable[str]) -> Resemblance:
    distances = {name: kolmogorov_smirnov(file[name], reference[name]) for name in file}
    chances = {name: expected_by_chance(file[name], reference[name]) for name in file}
    return Resemblance(distances, _mean(distances, shared), _mean(chances, shared))


def _mean(values: Mapping[str, float | None], names: Iterable[str]) -> float | None:
    chosen = [value for name in names if (value := values[name]) is not None]
    return math.fsum(chosen) / len(chosen) if chosen else None
