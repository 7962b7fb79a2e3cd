"""The trivial scores of an event that can be checked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.events import OTHER

from trigger_ad.config import LayoutConfig, ObjectsConfig
from trigger_ad.evaluation.baselines import BASELINE_TITLES, FITTED_BASELINES, available_baselines, zero_reconstruction
from trigger_ad.events.layout import ADC2021, EventLayout
from trigger_ad.events.quantities import QUANTITIES


def test_zero_reconstruction_is_the_sum_of_squared_inputs() -> None:
    inputs = np.zeros((2, 57))
    inputs[0, :3] = (1.5, -2.0, 0.5)
    scores = zero_reconstruction(inputs)
    assert scores.tolist() == [6.5, 0.0]
    assert scores.dtype == np.float64
    assert zero_reconstruction(np.full((1, 18), 0.5)).tolist() == [4.5]


def test_inputs_of_32_bits_are_summed_in_64() -> None:
    # 2**24 + 1 is no float32
    inputs: NDArray[Any] = np.array([[4096.0, 1.0]], dtype=np.float32)
    assert zero_reconstruction(inputs).tolist() == [2.0**24 + 1]


def test_input_codes_are_not_taken_for_values() -> None:
    with pytest.raises(ValueError, match="floats"):
        zero_reconstruction(np.zeros((2, 57), dtype=np.int64))


@pytest.mark.parametrize("shape", [(2, 19, 3), (57,)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="inputs are"):
        zero_reconstruction(np.zeros(shape))


def test_every_trivial_score_is_the_network_without_an_answer_or_a_quantity() -> None:
    assert list(BASELINE_TITLES) == ["zero_reconstruction", *QUANTITIES, *FITTED_BASELINES]


def test_the_published_layout_has_every_trivial_score() -> None:
    assert available_baselines(ADC2021, 57) == tuple(BASELINE_TITLES)


def test_a_layout_without_electrons_and_muons_has_no_lepton_score() -> None:
    found = available_baselines(OTHER, 45)
    assert found == ("zero_reconstruction", "met", "ht", "jet_number", "sum_of_pt", "object_number", *FITTED_BASELINES)


@pytest.mark.parametrize("name", ["electron", "muon"])
def test_one_kind_of_lepton_is_enough(name: str) -> None:
    layout = EventLayout(LayoutConfig(objects=(ObjectsConfig(name=name, count=2),), features=("pt",)))
    assert available_baselines(layout, 2) == (
        "zero_reconstruction",
        "leading_lepton_pt",
        "lepton_number",
        "sum_of_pt",
        "object_number",
        *FITTED_BASELINES,
    )


def test_a_single_input_has_no_principal_component_but_itself() -> None:
    assert "pca" not in available_baselines(ADC2021, 1)
    assert "isolation_forest" in available_baselines(ADC2021, 1)
