"""Libraries of decays at rest: what is kept, how decays are picked, rotations and boosts."""

from __future__ import annotations

import numpy as np

from trigger_ad.simulation import decay_library, particles


def test_leptonic_decays_come_first_and_so_do_leptons_within_a_decay() -> None:
    kind = np.array([particles.PHOTON, particles.PHOTON, particles.MUON, particles.PHOTON, particles.ELECTRON], np.int8)
    momentum = np.repeat(np.arange(5.0), 4).reshape(5, 4)
    library = decay_library.assemble(4, np.array([0, 1, 1, 3, 3]), kind, momentum)
    assert (library.total, library.leptonic) == (4, 2)
    assert library.leptons.tolist() == [1, 1, 0, 0]
    # decay 2 has no visible product
    assert library.starts.tolist() == [0, 2, 4, 5, 5]
    assert library.kind.tolist() == [1, 3, 0, 3, 3]
    assert library.momentum[:, 0].tolist() == [2.0, 1.0, 4.0, 3.0, 0.0]


def test_decays_are_picked_as_often_as_they_were_made_though_not_all_are_kept() -> None:
    kind = np.array([particles.MUON, *[particles.PHOTON] * 9999], dtype=np.int8)
    library = decay_library.assemble(10_000, np.arange(10_000), kind, np.ones((10_000, 4)))
    assert len(library.leptons) == 1 + decay_library.LEPTONLESS_DECAYS
    picks = library.pick(1_000_000, np.random.default_rng(1))
    assert picks.max() == decay_library.LEPTONLESS_DECAYS
    # 100 expected
    assert abs(int((picks == 0).sum()) - 100) < 50


def test_rotations_keep_lengths_and_handedness_and_point_everywhere_equally() -> None:
    rotations = decay_library.random_rotations(50_000, np.random.default_rng(2))
    assert np.abs(rotations @ np.moveaxis(rotations, 1, 2) - np.eye(3)).max() < 1e-12
    assert np.all(np.linalg.det(rotations) > 0)
    # components of a uniform direction have mean 0 and mean square 1/3
    assert np.abs(rotations.mean(axis=0)).max() < 5 * np.sqrt(1 / 3 / 50_000)
    assert np.abs((rotations**2).mean(axis=0) - 1 / 3).max() < 5 * np.sqrt(4 / 45 / 50_000)


def test_what_is_at_rest_flies_with_the_hadron_and_masses_stay() -> None:
    velocity = np.array([3.0, -2.0, 6.0])
    assert decay_library.boosted(np.zeros((1, 3)), np.array([5.0]), velocity).tolist() == [[15.0, -10.0, 30.0]]
    back_to_back = np.array([[0.3, 1.0, -0.5], [-0.3, -1.0, 0.5]])
    length = np.sqrt((back_to_back[0] ** 2).sum())
    flying = decay_library.boosted(back_to_back, np.full(2, length), velocity)
    energy = np.sqrt((flying**2).sum(axis=1)).sum()
    mass = np.sqrt(energy**2 - (flying.sum(axis=0) ** 2).sum())
    assert abs(mass - 2 * length) < 1e-9
