"""Pile-up: further inelastic collisions in the same bunch crossing, drawn from a pool made once for each seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from trigger_ad.simulation import particles, processes
from trigger_ad.simulation.particles import Particles

MEAN_COLLISIONS: Final = 20.0
"""Mean of the Poisson distribution of pile-up collisions, as in the dataset paper (arXiv:2107.02157)."""

MAX_ABS_ETA: Final = 5.0
"""Particles beyond the calorimeters are not kept in the pool."""


@dataclass(frozen=True)
class PileUpPool:
    """Minimum-bias collisions, one after the other.

    Attributes:
        particles: The visible particles of all collisions.
        offsets: (collisions + 1,) int64: collision i owns particles offsets[i]:offsets[i + 1].
    """

    particles: Particles
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def draw(self, rng: np.random.Generator) -> Particles:
        """Draws the pile-up of one bunch crossing.

        Each collision is turned by a random angle about the beam and mirrored along it half of the time: both are
        exact symmetries of proton-proton collisions, and make repeated use of a collision harmless.

        Args:
            rng: Source of randomness.

        Returns:
            All visible particles within `MAX_ABS_ETA`.
        """
        chosen = rng.integers(len(self), size=rng.poisson(MEAN_COLLISIONS))
        turns = rng.uniform(-np.pi, np.pi, size=len(chosen))
        mirrors = rng.choice(np.array([-1.0, 1.0]), size=len(chosen))
        starts, stops = self.offsets[chosen], self.offsets[chosen + 1]
        counts = stops - starts
        # index of every particle of every chosen collision, without a loop over collisions
        index = np.repeat(starts - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) if len(chosen) else starts
        index = index + np.arange(len(index))
        drawn = self.particles.select(index)
        phi = particles.wrap_angle(drawn.phi + np.repeat(turns, counts))
        return Particles(drawn.kind, drawn.pt, drawn.eta * np.repeat(mirrors, counts), phi)


def generate_pool(collisions: int, seed: int) -> PileUpPool:
    """Generates a pool with Pythia 8.

    Args:
        collisions: Number of minimum-bias collisions.
        seed: Pythia's seed.

    Raises:
        UserError: pythia8mc is not installed.
    """
    pythia = processes.make_pythia(processes.MINIMUM_BIAS_SETTINGS, seed)
    pythia.init()
    parts: list[Particles] = []
    while len(parts) < collisions:
        if pythia.next():
            part = particles.from_records(pythia.event)
            parts.append(part.select(np.abs(part.eta) < MAX_ABS_ETA))
    lengths = np.array([len(part) for part in parts], dtype=np.int64)
    return PileUpPool(particles.concatenate(parts), np.concatenate(([0], np.cumsum(lengths))).astype(np.int64))


def save_pool(pool: PileUpPool, path: Path) -> None:
    """Writes a pool whole, as a NumPy archive in single precision."""
    partial = path.with_name(f"{path.name}.partial")
    kinematics = np.stack([pool.particles.pt, pool.particles.eta, pool.particles.phi]).astype(np.float32)
    with partial.open("wb") as stream:
        np.savez(stream, kind=pool.particles.kind, kinematics=kinematics, offsets=pool.offsets)
    partial.replace(path)


def load_pool(path: Path) -> PileUpPool:
    """Reads what `save_pool` wrote."""
    with np.load(path) as archive:
        pt, eta, phi = (np.asarray(row, dtype=np.float64) for row in archive["kinematics"])
        return PileUpPool(Particles(archive["kind"], pt, eta, phi), archive["offsets"])
