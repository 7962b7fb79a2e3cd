"""Making event files: chunks, one operating-system process for each core, resuming, and the final file."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from trigger_ad.errors import UserError
from trigger_ad.events import writer
from trigger_ad.simulation import (
    chunks,
    collisions,
    detector,
    heavy_flavour,
    packages,
    particles,
    pile_up,
    processes,
    selection,
)
from trigger_ad.simulation.chunks import Chunk, Settings
from trigger_ad.workers import in_processes

MAXIMUM_PER_GROUP: Final = 5
"""At most so many accepted events come from one parton-level event."""


Events = npt.NDArray[np.float64]
GroupIds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        done: Events in finished chunks, those of earlier runs included.
        total: Events wanted.
        rate: Events per second in this run, or None before its first chunk.
        seconds_left: Estimate from the rate so far, or None.
    """

    done: int
    total: int
    rate: float | None
    seconds_left: float | None


@dataclass(frozen=True)
class ChunkTask:
    """All that a worker needs: the chunk, the seed and the folder with the pile-up pools."""

    chunk: Chunk
    seed: int
    folder: Path


ChunkMaker = Callable[[ChunkTask], tuple[Events, GroupIds]]
Report = Callable[[Progress], None]


@dataclass(frozen=True)
class PoolTask:
    """All that a worker needs to make a pile-up pool."""

    path: Path
    collisions: int
    seed: int


def pool_path(folder: Path, part: str) -> Path:
    """Where a chunk folder keeps the pile-up pool of a part of the split."""
    return folder / f"pile_up_pool-{part}.npz"


@functools.lru_cache(maxsize=3)
def _cached_pool(path: Path) -> pile_up.PileUpPool:
    return pile_up.load_pool(path)


def observe(
    collision: collisions.Collision, pool: pile_up.PileUpPool, rng: np.random.Generator
) -> npt.NDArray[np.float64] | None:
    """Adds pile-up to a collision, detects and reconstructs it: (19, 4), or None when the lepton filter fails."""
    extra = pool.draw(rng)
    everything = particles.concatenate((collision.particles, extra))
    from_pile_up = np.arange(len(everything)) >= len(collision.particles)
    return selection.reconstruct(detector.respond(everything, from_pile_up, rng))


def simulate_chunk(task: ChunkTask) -> tuple[Events, GroupIds]:
    """Makes the events of one chunk: the same for the same task, wherever and whenever it runs.

    Returns:
        (n, 19, 4) events and (n,) group ids.
    """
    chunk = task.chunk
    process = processes.PROCESSES[chunk.process]
    seed, rng = chunks.random_streams(task.seed, chunk)
    source = (
        heavy_flavour.HeavyFlavourSource(process, seed, task.seed, rng).collisions()
        if process.heavy_flavour
        else collisions.direct(process, seed)
    )
    events: list[Events] = []
    ids: list[int] = []
    for collision in source:
        identity = chunks.group_id(chunk, collision.parton_event)
        if ids[-MAXIMUM_PER_GROUP:].count(identity) == MAXIMUM_PER_GROUP:
            continue
        # parts of the split share no pile-up collision
        pool = _cached_pool(pool_path(task.folder, chunks.part_of_group(chunk.process, identity)))
        event = observe(collision, pool, rng)
        if event is not None:
            events.append(event)
            ids.append(identity)
        if len(events) == chunk.events:
            break
    return np.stack(events), np.array(ids, dtype=np.int64)


def _make_and_write(make: ChunkMaker, task: ChunkTask) -> int:
    """Makes a chunk; returns the number of events."""
    writer.write_events(task.chunk.path(task.folder), *make(task))
    return task.chunk.events


def _make_pool(task: PoolTask) -> int:
    """Makes a pile-up pool; returns the number of collisions."""
    pile_up.save_pool(pile_up.generate_pool(task.collisions, task.seed), task.path)
    return task.collisions


def make_missing_pools(settings: Settings, folder: Path, jobs: int) -> None:
    """Makes the pile-up pools that are not there yet.

    Raises:
        UserError: pythia8mc is not installed, or a worker died.
    """
    tasks = [
        PoolTask(pool_path(folder, part), size, chunks.pool_seed(settings.seed, part))
        for part, size in chunks.pool_sizes(settings.process, settings.pool_events).items()
    ]
    for _ in in_processes(_make_pool, [task for task in tasks if not task.path.exists()], jobs):
        pass


def make_missing_chunks(
    planned: Sequence[Chunk], seed: int, folder: Path, jobs: int, report: Report, make: ChunkMaker
) -> None:
    """Makes the chunks that are not there yet, and reports after each.

    Raises:
        UserError: A chunk cannot be written or a worker died.
    """
    missing = [chunk for chunk in planned if not chunk.path(folder).exists()]
    total = sum(chunk.events for chunk in planned)
    done = total - sum(chunk.events for chunk in missing)
    report(Progress(done, total, None, None))
    started, fresh = time.monotonic(), 0
    tasks = [ChunkTask(chunk, seed, folder) for chunk in missing]
    for count in in_processes(functools.partial(_make_and_write, make), tasks, jobs):
        fresh += count
        done += count
        rate = fresh / max(time.monotonic() - started, 1e-9)
        report(Progress(done, total, rate, (total - done) / rate))


def assemble(out: Path, settings: Settings, folder: Path) -> None:
    """Joins finished chunks into the output file; a mix of processes is shuffled.

    Raises:
        UserError: A chunk cannot be read or the file cannot be written.
    """
    parts = [writer.read_events(chunk.path(folder)) for chunk in chunks.plan(settings.process, settings.events)]
    events = np.concatenate([part[0] for part in parts])
    ids = np.concatenate([part[1] for part in parts])
    if settings.process == "background":
        order = chunks.shuffle_order(settings.seed, len(events))
        events, ids = events[order], ids[order]
    writer.write_events(out, events, ids)


def check_settings(settings: Settings, jobs: int, out: Path) -> None:
    """Refuses what cannot be simulated, before any work is done.

    Raises:
        UserError: An unknown process, a count below 1, a negative seed, or an output that is a folder.
    """
    names = ("background", *processes.PROCESSES)
    if settings.process not in names:
        raise UserError(f"--process {settings.process!r} is unknown", f"Choose one of {', '.join(names)}")
    counts = {"--events": settings.events, "--jobs": jobs, "--pool-events": settings.pool_events}
    for name, value in counts.items():
        if value < 1:
            raise UserError(f"{name} is {value}", "Give a whole number of at least 1")
    if settings.seed < 0:
        raise UserError(f"--seed is {settings.seed}", "Give a whole number of at least 0")
    if out.is_dir():
        raise UserError(f"--out {out} is a folder", f"Name a file, for example {out / 'events.h5'}")


def generate(
    settings: Settings, out: Path, *, jobs: int = 1, report: Report, make: ChunkMaker = simulate_chunk
) -> None:
    """Makes an event file, going on from the chunks of an interrupted run.

    Args:
        settings: What to make; equal settings give equal events, whatever `jobs` is and however often interrupted.
        out: The file to write; its chunks are kept in the folder `<out>.chunks`.
        jobs: Operating-system processes.
        report: Told about progress after each chunk.
        make: Makes the events of a chunk; replaced in tests.

    Raises:
        UserError: Bad settings, missing packages, other settings in the chunk folder, or an output that cannot be
            written.
    """
    check_settings(settings, jobs, out)
    folder = chunks.open_folder(out, settings, packages.versions())
    make_missing_pools(settings, folder, jobs)
    make_missing_chunks(chunks.plan(settings.process, settings.events), settings.seed, folder, jobs, report, make)
    assemble(out, settings, folder)
