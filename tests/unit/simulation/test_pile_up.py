"""Drawing pile-up from a pool."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trigger_ad.simulation import particles, pile_up
from trigger_ad.simulation.particles import Particles
from trigger_ad.simulation.pile_up import PileUpPool


def pool_of(sizes: list[int]) -> PileUpPool:
    """Collision i has sizes[i] particles of pT i + 1 GeV."""
    count = sum(sizes)
    pt = np.repeat(np.arange(1.0, len(sizes) + 1.0), sizes)
    true = Particles(np.full(count, particles.PHOTON, dtype=np.int8), pt, np.full(count, 0.5), np.zeros(count))
    return PileUpPool(true, np.concatenate(([0], np.cumsum(sizes))).astype(np.int64))


def test_the_number_of_collisions_is_poisson_with_mean_twenty() -> None:
    rng = np.random.default_rng(1)
    counts = np.array([len(pool_of([1]).draw(rng)) for _ in range(1500)])
    assert abs(counts.mean() - 20.0) < 5 * np.sqrt(20.0 / 1500)
    assert abs(counts.var() - 20.0) < 4.0


def test_a_collision_is_drawn_whole_with_one_turn_and_one_mirror() -> None:
    drawn = pool_of([2, 0, 3]).draw(np.random.default_rng(2))
    ones, threes = drawn.pt == 1.0, drawn.pt == 3.0
    assert ones.sum() % 2 == 0
    assert threes.sum() % 3 == 0
    assert ones.sum() + threes.sum() == len(drawn)
    assert np.array_equal(drawn.phi[ones][::2], drawn.phi[ones][1::2])
    assert np.array_equal(drawn.eta[threes][::3], drawn.eta[threes][1::3])
    assert set(drawn.eta.tolist()) == {0.5, -0.5}
    assert len(np.unique(drawn.phi)) > 1


def test_a_pool_survives_being_written(tmp_path: Path) -> None:
    pool = pool_of([2, 1])
    pile_up.save_pool(pool, tmp_path / "pool.npz")
    found = pile_up.load_pool(tmp_path / "pool.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["pool.npz"]
    assert found.offsets.tolist() == [0, 2, 3]
    assert found.particles.kind.dtype == np.int8
    for name in ("kind", "pt", "eta", "phi"):
        assert np.array_equal(getattr(found.particles, name), getattr(pool.particles, name))
