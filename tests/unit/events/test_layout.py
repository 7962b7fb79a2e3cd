"""The published layout: its constants are parts of its description."""

from __future__ import annotations

from trigger_ad.events import layout


def test_the_constants_are_those_of_the_published_dataset() -> None:
    assert layout.ADC2021.shape == (layout.OBJECTS, len(layout.FEATURES)) == (19, 4)
    assert layout.FEATURES == ("pt", "eta", "phi", "class")
    assert layout.KINEMATICS == ("pt", "eta", "phi")
    assert (layout.PT, layout.ETA, layout.PHI, layout.CLASS) == (0, 1, 2, 3)
    classes = [layout.MET, layout.ELECTRONS, layout.MUONS, layout.JETS]
    assert classes == [slice(0, 1), slice(1, 5), slice(5, 9), slice(9, 19)]
    assert layout.CLASS_OF_SLOT == (1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4)
    assert layout.MAX_ABS_ETA == {"electron": 3.0, "muon": 2.1, "jet": 4.0}
    assert layout.SMALLEST_PT == {"electron": 4.2, "muon": 5.2, "jet": 15.0}


def test_a_smallest_pt_is_known_of_classes_of_the_layout_alone() -> None:
    assert set(layout.SMALLEST_PT) < {item.name for item in layout.ADC2021.classes}
