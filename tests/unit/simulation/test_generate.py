"""Resuming, the same content however a run went, and bad settings; a quick stand-in makes the events."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trigger_ad.errors import UserError
from trigger_ad.events import layout, writer
from trigger_ad.simulation import chunks, collisions, generate, packages, particles, pile_up, processes
from trigger_ad.simulation.chunks import CHUNK_EVENTS, Chunk, Settings
from trigger_ad.simulation.collisions import Collision
from trigger_ad.simulation.generate import ChunkTask, Events, GroupIds, Progress

SETTINGS = Settings("background", 3 * CHUNK_EVENTS, seed=5, pool_events=2)


@pytest.fixture(autouse=True)
def _no_pythia(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither package is needed: no versions are asked for, and the pile-up pools are empty."""

    def empty_pool(collisions: int, seed: int) -> pile_up.PileUpPool:
        return pile_up.PileUpPool(particles.from_momenta([], []), np.zeros(collisions + 1, dtype=np.int64))

    monkeypatch.setattr(packages, "versions", lambda: {"pythia8mc": "0"})
    monkeypatch.setattr(pile_up, "generate_pool", empty_pool)


class Maker:
    """Stands in for Pythia: events that only the seed and the chunk decide."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.made: list[Chunk] = []
        self.fails_after = fails_after

    def __call__(self, task: ChunkTask) -> tuple[Events, GroupIds]:
        if len(self.made) == self.fails_after:
            raise KeyboardInterrupt
        self.made.append(task.chunk)
        _, rng = chunks.random_streams(task.seed, task.chunk)
        events = rng.random((task.chunk.events, layout.OBJECTS, len(layout.FEATURES)))
        ids = [chunks.group_id(task.chunk, number) for number in range(task.chunk.events)]
        return events, np.array(ids, dtype=np.int64)


def silent(progress: Progress) -> None:
    """Progress is of no interest."""


def run(out: Path, maker: Maker, settings: Settings = SETTINGS) -> bytes:
    generate.generate(settings, out, report=silent, make=maker)
    return out.read_bytes()


def test_the_file_has_the_layout_all_events_and_unique_groups(tmp_path: Path) -> None:
    run(tmp_path / "events.h5", Maker())
    events, ids = writer.read_events(tmp_path / "events.h5")
    assert events.shape == (SETTINGS.events, layout.OBJECTS, len(layout.FEATURES))
    assert events.dtype == np.float64
    assert ids.dtype == np.int64
    assert len(np.unique(ids)) == SETTINGS.events


def test_a_mix_is_shuffled_and_events_keep_their_group_ids(tmp_path: Path) -> None:
    maker = Maker()
    run(tmp_path / "events.h5", maker)
    made = [maker(ChunkTask(chunk, SETTINGS.seed, tmp_path)) for chunk in chunks.plan("background", SETTINGS.events)]
    events, ids = writer.read_events(tmp_path / "events.h5")
    all_ids = np.concatenate([part[1] for part in made])
    assert not np.array_equal(ids, all_ids)
    position = {identity: place for place, identity in enumerate(all_ids.tolist())}
    expected = np.concatenate([part[0] for part in made])[[position[identity] for identity in ids.tolist()]]
    assert np.array_equal(events, expected)


def test_an_interrupted_run_leaves_no_file_and_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole.h5", Maker())
    out = tmp_path / "resumed.h5"
    with pytest.raises(KeyboardInterrupt):
        run(out, Maker(fails_after=2))
    assert not out.exists()
    assert not list(tmp_path.rglob("*.partial"))
    rest = Maker()
    assert run(out, rest) == whole
    assert len(rest.made) == len(chunks.plan("background", SETTINGS.events)) - 2


def test_a_finished_run_makes_nothing_again(tmp_path: Path) -> None:
    first = run(tmp_path / "events.h5", Maker())
    idle = Maker()
    assert run(tmp_path / "events.h5", idle) == first
    assert idle.made == []


def test_another_seed_gives_other_events(tmp_path: Path) -> None:
    one = run(tmp_path / "one.h5", Maker())
    assert run(tmp_path / "two.h5", Maker(), replace(SETTINGS, seed=6)) != one


def test_progress_counts_what_an_earlier_run_has_finished_but_not_in_the_rate(tmp_path: Path) -> None:
    out = tmp_path / "events.h5"
    with pytest.raises(KeyboardInterrupt):
        run(out, Maker(fails_after=1))
    seen: list[Progress] = []
    generate.generate(SETTINGS, out, report=seen.append, make=Maker())
    first = chunks.plan("background", SETTINGS.events)[0].events
    assert (seen[0].done, seen[0].total, seen[0].rate) == (first, SETTINGS.events, None)
    assert seen[-1].done == SETTINGS.events
    assert seen[-1].seconds_left == 0.0


@pytest.mark.parametrize(
    ("settings", "jobs", "message"),
    [
        (replace(SETTINGS, process="higgs"), 1, "--process 'higgs' is unknown"),
        (replace(SETTINGS, events=0), 1, "--events is 0"),
        (replace(SETTINGS, pool_events=-1), 1, "--pool-events is -1"),
        (replace(SETTINGS, seed=-1), 1, "--seed is -1"),
        (SETTINGS, 0, "--jobs is 0"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_written(
    tmp_path: Path, settings: Settings, jobs: int, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        generate.generate(settings, tmp_path / "events.h5", jobs=jobs, report=silent, make=Maker())
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        run(tmp_path, Maker())


def test_each_part_of_the_split_has_its_own_pool_which_a_second_run_uses_again(tmp_path: Path) -> None:
    run(tmp_path / "events.h5", Maker())
    folder = chunks.chunk_folder(tmp_path / "events.h5")
    pools = {path.name: path.stat().st_mtime_ns for path in folder.glob("pile_up_pool-*")}
    assert set(pools) == {f"pile_up_pool-{part}.npz" for part in ("train", "validation", "test")}
    run(tmp_path / "events.h5", Maker())
    assert pools == {path.name: path.stat().st_mtime_ns for path in folder.glob("pile_up_pool-*")}


def test_pile_up_is_drawn_from_the_pool_of_the_events_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"train": 1, "validation": 2, "test": 3}
    for part, size in sizes.items():
        pile_up.save_pool(pile_up.generate_pool(size, 1), generate.pool_path(tmp_path, part))
    nothing = particles.from_momenta([], [])

    def source(process: processes.Process, seed: int) -> Iterator[Collision]:
        return (Collision(nothing, number) for number in itertools.count())

    def observe(collision: Collision, pool: pile_up.PileUpPool, rng: np.random.Generator) -> Events:
        return np.full((layout.OBJECTS, len(layout.FEATURES)), float(len(pool)))

    monkeypatch.setattr(collisions, "direct", source)
    monkeypatch.setattr(generate, "observe", observe)
    events, ids = generate.simulate_chunk(ChunkTask(Chunk("w", 0, 50), 1, tmp_path))
    assert [sizes[chunks.part_of_group("w", identity)] for identity in ids.tolist()] == events[:, 0, 0].tolist()
    assert set(events[:, 0, 0].tolist()) == {1.0, 2.0, 3.0}


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    with pytest.raises(UserError, match=r"pythia8mc.*pip install 'trigger-ad\[simulate\]'"):
        packages.load("pythia8mc")
