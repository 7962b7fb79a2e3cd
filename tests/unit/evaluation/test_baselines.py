"""The trivial scores of an event that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from trigger_ad.evaluation.baselines import BASELINE_TITLES, baseline_scores


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


def test_every_trivial_score_has_its_value() -> None:
    inputs = np.zeros((2, 57))
    inputs[0, :3] = (1.5, -2.0, 0.5)

    scores = baseline_scores(events(), inputs)

    assert {name: values.tolist() for name, values in scores.items()} == {
        "zero_reconstruction": [6.5, 0.0],
        "leading_lepton_pt": [31.0, 24.0],
        "met": [40.0, 0.0],
        "ht": [80.0, 0.0],
    }
    assert list(scores) == list(BASELINE_TITLES)
    assert all(values.dtype == np.float64 for values in scores.values())


def test_input_codes_are_not_taken_for_values() -> None:
    with pytest.raises(ValueError, match="floats"):
        baseline_scores(events(), np.zeros((2, 57), dtype=np.int64))


@pytest.mark.parametrize(
    ("particles", "inputs", "said"),
    [((2, 19, 3), (2, 57), "particles are"), ((2, 19, 4), (2, 56), "inputs are"), ((2, 19, 4), (3, 57), "same events")],
)
def test_wrong_shapes_are_refused(particles: tuple[int, ...], inputs: tuple[int, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        baseline_scores(np.zeros(particles), np.zeros(inputs))
