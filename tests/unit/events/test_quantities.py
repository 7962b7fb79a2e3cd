"""The quantities of events that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from support.events import OTHER

from trigger_ad.config import LayoutConfig, ObjectsConfig
from trigger_ad.events.layout import ADC2021, EventLayout
from trigger_ad.events.quantities import QUANTITIES, available_quantities, quantities


def events() -> NDArray[np.float64]:
    """An event with a gap before its muon, and one with nothing but a lepton."""
    particles = np.zeros((2, 19, 4))
    particles[0, 0] = (40.0, 0.0, 1.0, 1.0)
    particles[0, 1] = (25.0, -1.0, 0.5, 2.0)
    particles[0, 6] = (31.0, 1.0, 0.5, 3.0)
    particles[0, 9] = (60.0, 2.0, 2.0, 4.0)
    particles[0, 11] = (20.0, -2.0, 1.0, 4.0)
    # an absent jet that kept its azimuth and class
    particles[0, 12] = (0.0, 0.0, 3.0, 4.0)
    particles[1, 5] = (24.0, 0.0, 0.0, 3.0)
    return particles


def test_every_quantity_has_its_value() -> None:
    found = quantities(events(), ADC2021)
    assert {name: values.tolist() for name, values in found.items()} == {
        "leading_lepton_pt": [31.0, 24.0],
        "lepton_number": [2 + 56 / 57, 1 + 24 / 25],
        "met": [40.0, 0.0],
        "ht": [80.0, 0.0],
        "jet_number": [2 + 80 / 81, 0.0],
        "sum_of_pt": [176.0, 24.0],
        "object_number": [4 + 136 / 137, 1 + 24 / 25],
    }
    assert list(found) == list(QUANTITIES) == list(available_quantities(ADC2021))
    assert all(values.dtype == np.float64 for values in found.values())


def test_an_event_without_objects_has_quantities_of_zero() -> None:
    found = quantities(np.zeros((2, 19, 4)), ADC2021)
    assert {name: values.tolist() for name, values in found.items()} == {name: [0.0, 0.0] for name in QUANTITIES}


def test_no_events_have_no_quantities() -> None:
    found = quantities(np.zeros((0, 19, 4)), ADC2021)
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(QUANTITIES, (0,))


def test_a_layout_without_electrons_and_muons_has_no_leading_lepton() -> None:
    assert available_quantities(OTHER) == ("met", "ht", "jet_number", "sum_of_pt", "object_number")
    particles = np.zeros((1, *OTHER.shape))
    # taus, MET and jets
    particles[0, :, OTHER.pt] = [90, 80, 70, 33, 50, 40, 0, 0, 3]
    found = quantities(particles, OTHER)
    assert {name: values.tolist() for name, values in found.items()} == {
        "met": [33.0],
        "ht": [93.0],
        "jet_number": [3 + 93 / 94],
        "sum_of_pt": [366.0],
        "object_number": [6 + 333 / 334],
    }


@pytest.mark.parametrize("name", ["electron", "muon"])
def test_one_kind_of_lepton_is_enough(name: str) -> None:
    layout = EventLayout(LayoutConfig(objects=(ObjectsConfig(name=name, count=2),), features=("pt",)))
    assert available_quantities(layout) == ("leading_lepton_pt", "lepton_number", "sum_of_pt", "object_number")
    assert quantities(np.array([[[20.0], [30.0]]]), layout)["leading_lepton_pt"].tolist() == [30.0]


def test_a_layout_of_other_objects_alone_has_their_number_and_sum() -> None:
    layout = EventLayout(LayoutConfig(objects=(ObjectsConfig(name="tau", count=2),), features=("pt",)))
    assert available_quantities(layout) == ("sum_of_pt", "object_number")
    found = quantities(np.array([[[20.0], [30.0]]]), layout)
    assert {name: values.tolist() for name, values in found.items()} == {
        "sum_of_pt": [50.0],
        "object_number": [2 + 50 / 51],
    }


def test_the_number_decides_before_the_sum() -> None:
    momenta = np.zeros((3, 19, 4))
    momenta[0, 1:3, 0] = 5.0
    momenta[1, 1, 0] = 500.0
    momenta[2, 1:3, 0] = 6.0
    assert np.argsort(quantities(momenta, ADC2021)["lepton_number"]).tolist() == [1, 0, 2]


@pytest.mark.parametrize("shape", [(2, 19, 3), (2, 18, 4), (19, 4), (2, 76)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="events of the layout are"):
        quantities(np.zeros(shape), ADC2021)
