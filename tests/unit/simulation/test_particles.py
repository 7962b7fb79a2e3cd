"""Particles as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from trigger_ad.simulation import particles


@pytest.mark.parametrize(
    ("identity", "kind"),
    [
        (-11, particles.ELECTRON),
        (13, particles.MUON),
        (22, particles.PHOTON),
        (211, particles.CHARGED_HADRON),
        (-2212, particles.CHARGED_HADRON),
        (130, particles.NEUTRAL_HADRON),
        (-2112, particles.NEUTRAL_HADRON),
        (12, None),
        (-16, None),
    ],
)
def test_how_the_detector_sees_a_particle(identity: int, kind: int | None) -> None:
    assert particles.kind_of(identity) == kind


def test_kinematics_from_momenta_without_those_along_the_beam() -> None:
    found = particles.from_momenta([0, 1, 2], [(3.0, 4.0, 0.0), (0.0, 0.0, 9.0), (-2.0, 0.0, 0.0)])
    assert found.kind.tolist() == [0, 2]
    assert found.pt.tolist() == [5.0, 2.0]
    assert found.eta.tolist() == [0.0, 0.0]
    assert found.phi.tolist() == [np.arctan2(4.0, 3.0), np.pi]


def test_angles_are_brought_to_one_turn() -> None:
    angles = np.array([0.0, np.pi, -np.pi, 3 * np.pi])
    assert particles.wrap_angle(angles).tolist() == [0.0, -np.pi, -np.pi, -np.pi]
