"""The ADC2021 event: 19 objects with transverse momentum, pseudorapidity, azimuth and class.

The layout is that of the dataset paper (arXiv:2107.02157): slot 0 is the missing transverse energy, slots 1-4
are electrons, 5-8 muons and 9-18 jets, each class ordered by falling transverse momentum; an absent object is zero.
"""

from __future__ import annotations

from typing import Final

OBJECTS: Final = 19
FEATURES: Final = ("pt", "eta", "phi", "class")
KINEMATICS: Final = FEATURES[:3]
"""The features that enter a network: pT in GeV, eta, phi in radians."""

PT: Final = 0
ETA: Final = 1
PHI: Final = 2
CLASS: Final = 3

MET: Final = slice(0, 1)
ELECTRONS: Final = slice(1, 5)
MUONS: Final = slice(5, 9)
JETS: Final = slice(9, 19)

CLASS_OF_SLOT: Final = (1,) + (2,) * 4 + (3,) * 4 + (4,) * 10
"""The class number of each slot when the object is present."""

MAX_ABS_ETA: Final = {"electron": 3.0, "muon": 2.1, "jet": 4.0}
"""The largest |eta| that the published selection admits."""

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
