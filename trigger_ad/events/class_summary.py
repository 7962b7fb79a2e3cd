"""The objects of one class of a file: how many there are, and how their features are distributed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.distributions import described_features
from trigger_ad.events.layout import EventLayout, ObjectClass
from trigger_ad.events.quartiles import BinnedQuartiles, Binning, ExactQuartiles, Quartiles


@dataclass(frozen=True)
class FeatureRange:
    """How a feature is distributed over the present objects of a class.

    In GeV for pT and in radians for phi, and otherwise in the unit of the file.

    Attributes:
        minimum: Exact, as is `maximum`.
        quartiles: Lower quartile, median and upper quartile, exact or to `Inspection.quartile_bin_widths`; None where
            one of them lies outside the histogram of a large file.
        maximum: The largest value.
    """

    minimum: float
    quartiles: Quartiles | None
    maximum: float


@dataclass(frozen=True)
class ClassSummary:
    """The objects of one class.

    Attributes:
        name: As in the layout; MET for `met`.
        objects: Number of present objects.
        occupancy: For each slot of the class, the fraction of events in which it is present; empty without events.
        events_by_number: How many events have 0, 1, 2, ... present objects.
        mean: Mean number of present objects in an event; None without events.
        sd: Its standard deviation over the events; None without events.
        features: The range of each feature; empty where no object is present.
    """

    name: str
    objects: int
    occupancy: tuple[float, ...]
    events_by_number: tuple[int, ...]
    mean: float | None
    sd: float | None
    features: dict[str, FeatureRange]


class ClassTally:
    """Gathers what `ClassSummary` says of one class.

    Args:
        item: The class.
        layout: The layout that it belongs to.
        binnings: For each feature the histogram that quartiles are from; None for exact ones.
    """

    def __init__(self, item: ObjectClass, layout: EventLayout, binnings: Mapping[str, Binning] | None) -> None:
        self._class = item
        self._features = described_features(layout)
        self._columns = [layout.column(feature) for feature in self._features]
        self._pt = layout.pt
        self._present = np.zeros(item.count, dtype=np.int64)
        self._numbers = np.zeros(item.count + 1, dtype=np.int64)
        self._minimum = np.full(len(self._features), np.inf)
        self._maximum = np.full(len(self._features), -np.inf)
        self._quartiles = [
            ExactQuartiles() if binnings is None else BinnedQuartiles(binnings[feature]) for feature in self._features
        ]

    def add(self, particles: NDArray[np.float64]) -> None:
        """Take note of events.

        Args:
            particles: Shape (N, objects, features), every value of an absent object zero.
        """
        objects = particles[:, self._class.slots]
        present = objects[..., self._pt] > 0
        self._present += present.sum(axis=0)
        self._numbers += np.bincount(present.sum(axis=1), minlength=len(self._numbers))
        values = objects[present][:, self._columns]
        self._minimum = np.minimum(self._minimum, values.min(axis=0, initial=np.inf))
        self._maximum = np.maximum(self._maximum, values.max(axis=0, initial=-np.inf))
        for position, quartiles in enumerate(self._quartiles):
            quartiles.add(values[:, position])

    def summary(self, events: int) -> ClassSummary:
        """What was found.

        Args:
            events: The number of events.
        """
        objects = int(self._present.sum())
        mean, sd = _mean_and_deviation(self._numbers)
        return ClassSummary(
            name="MET" if self._class.name == "met" else self._class.name,
            objects=objects,
            occupancy=tuple(float(count) / events for count in self._present) if events else (),
            events_by_number=tuple(int(count) for count in self._numbers),
            mean=mean,
            sd=sd,
            features=self._ranges() if objects else {},
        )

    def _ranges(self) -> dict[str, FeatureRange]:
        return {
            feature: FeatureRange(
                minimum=float(self._minimum[position]),
                quartiles=self._quartiles[position].result(),
                maximum=float(self._maximum[position]),
            )
            for position, feature in enumerate(self._features)
        }


def _mean_and_deviation(counts: NDArray[np.int64]) -> tuple[float, float] | tuple[None, None]:
    """Return mean and standard deviation of a number that occurs `counts[number]` times."""
    events = int(counts.sum())
    if events == 0:
        return None, None
    numbers = np.arange(len(counts))
    mean = float((counts * numbers).sum()) / events
    return mean, math.sqrt(float((counts * (numbers - mean) ** 2).sum()) / events)
