"""Decays of bottom and charm hadrons at rest, made once and used many times.

Decaying hadrons afresh for each of a thousand trials would take most of the time. Pythia decays them without
polarisation, so a decay at rest, turned at random in three dimensions and boosted, is as good as a new one. A library
is large enough that repeats do not matter: in a sample of 34,000 events a decay that gives a lepton worth keeping is
used about twice, each time with another direction, hadron momentum and event around it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trigger_ad.simulation import particles, processes
from trigger_ad.simulation.particles import FloatArray

IntArray = npt.NDArray[np.int64]

DECAYS: Final = 60_000
"""Decays of each hadron that gives most of the leptons."""

DECAYS_OF_RARE_HADRONS: Final = 4_000
LEPTONLESS_DECAYS: Final = 2_000
"""So many decays without a lepton are kept; they only surround the lepton of another hadron."""

COMMON_HADRONS: Final = frozenset({411, 421, 431, 413, 423, 433, 4122, 511, 521, 531, 513, 523, 533, 5122})

_COPIES = 1000
_INVISIBLE = -1
_SEED_STREAM = 2**31 + 1


@dataclass(frozen=True)
class DecayLibrary:
    """Decays of one kind of hadron in its rest frame; those with a lepton come first.

    Attributes:
        total: Decays made, also those that were not kept.
        leptonic: Number of decays with an electron or muon.
        starts: (kept + 1,) decay i owns products starts[i]:starts[i + 1].
        leptons: (kept,) number of electrons and muons of each decay; they are its first products.
        kind: (products,) int8 kinds of `particles`; invisible products are left out.
        momentum: (products, 4) px, py, pz and energy in GeV.
    """

    total: int
    leptonic: int
    starts: IntArray
    leptons: IntArray
    kind: npt.NDArray[np.int8]
    momentum: npt.NDArray[np.float32]

    def pick(self, count: int, rng: np.random.Generator) -> IntArray:
        """Positions of `count` decays: each decay that was made is equally probable, kept or represented by another."""
        drawn = rng.integers(self.total, size=count)
        kept = len(self.leptons) - self.leptonic
        return np.where(drawn < self.leptonic, drawn, self.leptonic + drawn % max(kept, 1))


def random_rotations(count: int, rng: np.random.Generator) -> FloatArray:
    """Uniformly distributed rotations as (count, 3, 3) matrices, from random unit quaternions."""
    quaternion = rng.standard_normal((count, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    w, x, y, z = quaternion.T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return np.moveaxis(np.array(rows), 2, 0)


def boosted(momentum: FloatArray, energy: FloatArray, velocity: FloatArray) -> FloatArray:
    """Boosts momenta from a hadron's rest frame.

    Args:
        momentum: (n, 3) GeV.
        energy: (n,) GeV.
        velocity: (3,) momentum of the hadron divided by its mass.

    Returns:
        (n, 3) GeV.
    """
    gamma = np.sqrt(1.0 + velocity @ velocity)
    along = momentum @ velocity / (gamma + 1.0) + energy
    return np.asarray(momentum + along[:, None] * velocity, dtype=np.float64)


def _arrays(batch: Any) -> dict[str, npt.NDArray[Any]]:
    """Columns of the one event in what `nextBatch` returned."""
    records = batch.layout["prt"].content
    columns = {name: np.asarray(records[name].data) for name in ("id", "status", "mother1")}
    momentum = records["p"]
    columns["momentum"] = np.stack([np.asarray(momentum[name].data) for name in ("px", "py", "pz", "e")], axis=1)
    return columns


def _kinds(identities: npt.NDArray[np.int32]) -> npt.NDArray[np.int8]:
    """`particles.kind_of` for many PDG numbers, `_INVISIBLE` for what it leaves out."""
    distinct, place = np.unique(identities, return_inverse=True)
    kinds = [particles.kind_of(identity) for identity in distinct.tolist()]
    return np.array([_INVISIBLE if kind is None else kind for kind in kinds], dtype=np.int8)[place]


def _decay_copies(pythia: Any, absolute_id: int) -> tuple[IntArray, npt.NDArray[np.int8], FloatArray]:
    """Decays `_COPIES` hadrons at rest: number of its hadron, kind and momentum of each visible product."""
    mass = pythia.particleData.m0(absolute_id)
    while True:
        pythia.event.reset()
        for _ in range(_COPIES):
            pythia.event.append(absolute_id, 81, 0, 0, 0.0, 0.0, 0.0, mass, mass)
        batch = pythia.nextBatch(1)
        if len(batch):
            break
    columns = _arrays(batch)
    # record 0 is the whole event; a product always comes after its mother
    root = np.where(columns["mother1"] > 0, columns["mother1"], np.arange(len(columns["id"])))
    while np.any(root[root] != root):
        root = root[root]
    kind = _kinds(columns["id"])
    visible = (kind != _INVISIBLE) & (columns["status"] > 0)
    visible[0] = False
    return root[visible].astype(np.int64) - 1, kind[visible], columns["momentum"][visible]


def assemble(total: int, decay: IntArray, kind: npt.NDArray[np.int8], momentum: FloatArray) -> DecayLibrary:
    """Sorts products into a library.

    Args:
        total: Decays made.
        decay: (products,) number of the decay of each product, below `total`.
        kind: (products,) kinds of `particles`.
        momentum: (products, 4) px, py, pz and energy in GeV.
    """
    leptons = np.bincount(decay[kind <= particles.MUON], minlength=total)
    leptonic = np.flatnonzero(leptons)
    chosen = np.concatenate((leptonic, np.flatnonzero(leptons == 0)[:LEPTONLESS_DECAYS]))
    position = np.full(total, -1, dtype=np.int64)
    position[chosen] = np.arange(len(chosen))
    place = position[decay]
    order = np.lexsort((kind, place))
    order = order[place[order] >= 0]
    counts = np.bincount(place[order], minlength=len(chosen))
    starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return DecayLibrary(
        total, len(leptonic), starts, leptons[chosen].astype(np.int64), kind[order], momentum[order].astype(np.float32)
    )


@functools.cache
def _decayer() -> Any:
    """A Pythia object that decays what is put into its record; its setup takes as long as a few thousand decays."""
    pythia = processes.make_pythia(("ProcessLevel:all = off", "PartonLevel:all = off", "Check:event = off"), 1)
    pythia.init()
    return pythia


@functools.cache
def decay_library(absolute_id: int, seed: int) -> DecayLibrary:
    """The library of one hadron: it depends on nothing but the arguments.

    Args:
        absolute_id: PDG number; antihadrons share it, since what is detected does not depend on charge.
        seed: The seed of the run.

    Raises:
        UserError: pythia8mc is not installed.
    """
    sequence = np.random.SeedSequence([seed, _SEED_STREAM, absolute_id])
    pythia_seed = 1 + int(sequence.generate_state(1)[0] % 899_999_990)
    pythia = _decayer()
    pythia.rndm.init(pythia_seed)
    total = DECAYS if absolute_id in COMMON_HADRONS else DECAYS_OF_RARE_HADRONS
    parts = [_decay_copies(pythia, absolute_id) for _ in range(-(-total // _COPIES))]
    return assemble(
        len(parts) * _COPIES,
        np.concatenate([part[0] + number * _COPIES for number, part in enumerate(parts)]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )
