"""What an event consists of: classes of objects, each with a fixed number of slots, and the features of an object.

The layout of the dataset paper (arXiv:2107.02157) is `ADC2021`: slot 0 is the missing transverse energy, slots 1-4
are electrons, 5-8 muons and 9-18 jets, each class ordered by falling transverse momentum; an absent object is zero.
Another experiment's layout is a description in the configuration. The constants below belong to ADC2021 alone;
those that are part of its description are taken from there.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from trigger_ad.config import LayoutConfig


@dataclass(frozen=True)
class ObjectClass:
    """One class of objects.

    Attributes:
        name: Such as `electron`; `met`, `electron`, `muon` and `jet` are the names that trivial scores know.
        slots: Where it stands among the objects of an event.
        max_abs_eta: The largest |eta| that the selection admits, or None where that is not known.
    """

    name: str
    slots: slice
    max_abs_eta: float | None

    @property
    def count(self) -> int:
        """Number of slots."""
        return int(self.slots.stop - self.slots.start)


@dataclass(frozen=True)
class EventLayout:
    """The shape of an event: `Particles` has the shape (events, objects, features).

    Args:
        config: The description; the default one is that of ADC2021.
    """

    config: LayoutConfig = field(default_factory=LayoutConfig)

    @cached_property
    def classes(self) -> tuple[ObjectClass, ...]:
        """The classes in the order of their slots."""
        stops = list(itertools.accumulate(item.count for item in self.config.objects))
        return tuple(
            ObjectClass(item.name, slice(stop - item.count, stop), item.max_abs_eta)
            for item, stop in zip(self.config.objects, stops, strict=True)
        )

    @property
    def objects(self) -> int:
        """Number of slots of an event."""
        return sum(item.count for item in self.config.objects)

    @property
    def features(self) -> tuple[str, ...]:
        """What is stored of each object, in the order of the last axis: `pt` and others."""
        return self.config.features

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of one event: objects and features."""
        return self.objects, len(self.features)

    def column(self, feature: str) -> int:
        """Where a feature stands in the last axis.

        Raises:
            ValueError: The layout has no such feature.
        """
        return self.features.index(feature)

    @cached_property
    def pt(self) -> int:
        """Where pT stands in the last axis."""
        return self.column("pt")

    def slots(self, *names: str) -> list[int]:
        """The slots of the classes with these names, in their order; none for a class that the layout lacks."""
        return [
            slot for item in self.classes if item.name in names for slot in range(item.slots.start, item.slots.stop)
        ]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What `Particles_Names` of a file says, in whatever case."""
        return NAMES if self.features == FEATURES else self.features

    @property
    def class_names(self) -> tuple[str, ...]:
        """What `Particles_Classes` of a file says, in whatever case."""
        return CLASSES if self == ADC2021 else tuple(item.name for item in self.classes)

    def __str__(self) -> str:
        """Such as "1 met, 4 electron, 4 muon, 10 jet, each with Pt, Eta, Phi, Class"."""
        counts = ", ".join(f"{item.count} {item.name}" for item in self.classes)
        return f"{counts}, each with {', '.join(self.feature_names)}"

    @cached_property
    def class_of_slot(self) -> tuple[int, ...]:
        """The class number of each slot when the object is present: classes count from 1."""
        return tuple(number for number, item in enumerate(self.classes, start=1) for _ in range(item.count))


ADC2021: Final = EventLayout()

OBJECTS: Final = ADC2021.objects
FEATURES: Final = ADC2021.features
KINEMATICS: Final = ("pt", "eta", "phi")
"""The features that enter a network: pT in GeV, eta, phi in radians."""

PT: Final = ADC2021.column("pt")
ETA: Final = ADC2021.column("eta")
PHI: Final = ADC2021.column("phi")
CLASS: Final = ADC2021.column("class")

_BY_NAME: Final = {item.name: item for item in ADC2021.classes}
MET: Final = _BY_NAME["met"].slots
ELECTRONS: Final = _BY_NAME["electron"].slots
MUONS: Final = _BY_NAME["muon"].slots
JETS: Final = _BY_NAME["jet"].slots

CLASS_OF_SLOT: Final = ADC2021.class_of_slot
"""The class number of each slot when the object is present."""

MAX_ABS_ETA: Final = {item.name: item.max_abs_eta for item in ADC2021.classes if item.max_abs_eta is not None}
"""The largest |eta| that the published selection admits."""

SMALLEST_PT: Final = {"electron": 4.2, "muon": 5.2, "jet": 15.0}
"""GeV. The smallest pT of each class in the published files, rounded."""

LEPTON_FILTER_PT: Final = 23.0
"""GeV. Every event has an electron in slot 1 or a muon in slot 5 above this."""

PARTICLES: Final = "Particles"
PARTICLE_NAMES: Final = "Particles_Names"
PARTICLE_CLASSES: Final = "Particles_Classes"
EVENT_ID: Final = "EvtId"
GROUP_ID: Final = "GroupId"
"""Written by this project only: events with equal ids share a parton-level collision and must stay together."""

NAMES: Final = ("Pt", "Eta", "Phi", "Class")
CLASSES: Final = ("MET_class_1", "Four_Ele_class_2", "Four_Mu_class_3", "Ten_Jet_class_4")

BACKGROUND_MIX: Final = {"w": 0.592, "qcd": 0.338, "z": 0.067, "ttbar": 0.003}
"""Fractions of the published background mix (arXiv:2107.02157)."""

SIGNALS: Final = ("ato4l", "leptoquark", "htotautau", "hchtotaunu")
SIGNAL_TITLES: Final = {
    "ato4l": "A → 4l",
    "leptoquark": "LQ → bτ",
    "htotautau": "h⁰ → ττ",
    "hchtotaunu": "h± → τν",
}
