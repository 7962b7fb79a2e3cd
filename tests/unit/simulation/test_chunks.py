"""Chunks: the mix, the plan, independent seeds, unique group ids, and the record of settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trigger_ad.errors import UserError
from trigger_ad.events import layout, split
from trigger_ad.simulation import chunks, processes
from trigger_ad.simulation.chunks import CHUNK_EVENTS, Chunk, Settings

SETTINGS = Settings("w", 100, seed=1, pool_events=10)
VERSIONS = {"pythia8mc": "1", "fastjet": "2"}


def test_the_background_is_the_published_mix() -> None:
    assert chunks.event_counts("background", 20_000) == {"w": 11_840, "qcd": 6_760, "z": 1_340, "ttbar": 60}


@pytest.mark.parametrize("events", [1, 2, 3, 7, 99, 1001])
def test_the_mix_adds_up_for_any_number_of_events(events: int) -> None:
    counts = chunks.event_counts("background", events)
    assert sum(counts.values()) == events
    assert min(counts.values()) >= 0


def test_a_single_process_gets_all_events() -> None:
    assert chunks.event_counts("ttbar", 12) == {"ttbar": 12}


def test_the_plan_covers_all_events_and_starts_with_the_slow_process() -> None:
    planned = chunks.plan("background", 3000)
    assert sum(chunk.events for chunk in planned) == 3000
    assert max(chunk.events for chunk in planned) == CHUNK_EVENTS
    assert planned[0].process == "qcd"
    assert len({(chunk.process, chunk.index) for chunk in planned}) == len(planned)


def test_more_events_keep_the_chunks_that_are_full() -> None:
    few, many = chunks.plan("w", 2 * CHUNK_EVENTS + 50), chunks.plan("w", 5 * CHUNK_EVENTS)
    assert few[:2] == many[:2]
    assert few[2].path(Path()) != many[2].path(Path())


def test_a_chunk_has_the_same_random_streams_whenever_it_is_asked_and_no_other_has_them() -> None:
    asked = [Chunk(process, index, 1) for process in processes.PROCESSES for index in range(20)]
    first = [chunks.random_streams(1, chunk) for chunk in asked]
    again = [chunks.random_streams(1, chunk) for chunk in asked]
    assert [seed for seed, _ in first] == [seed for seed, _ in again]
    assert [rng.random() for _, rng in first] == [rng.random() for _, rng in again]
    assert len({seed for seed, _ in first}) == len(asked)
    assert all(1 <= seed <= 899_999_998 for seed, _ in first)
    assert chunks.random_streams(2, asked[0])[0] != first[0][0]
    pools = {chunks.pool_seed(1, part) for part in split.BACKGROUND_FRACTIONS}
    assert len(pools) == 3
    assert pools.isdisjoint(seed for seed, _ in first)


def test_a_chunk_does_not_depend_on_how_many_events_it_holds() -> None:
    assert chunks.random_streams(1, Chunk("w", 3, 10))[0] == chunks.random_streams(1, Chunk("w", 3, 200))[0]


def test_group_ids_differ_between_processes_chunks_and_parton_events() -> None:
    ids = {
        chunks.group_id(Chunk(process, index, 1), parton_event)
        for process in processes.PROCESSES
        for index in (0, 1, 999)
        for parton_event in (0, 1, 2**24 - 1)
    }
    assert len(ids) == len(processes.PROCESSES) * 9
    assert max(ids) < 2**63


@pytest.mark.parametrize(
    ("process", "sizes"),
    [
        ("background", {"train": 10_000, "validation": 4_000, "test": 6_000}),
        ("w", {"train": 10_000, "validation": 4_000, "test": 6_000}),
        ("ato4l", {"validation": 4_000, "test": 6_000}),
    ],
)
def test_every_part_of_the_split_has_a_pool_of_its_own(process: str, sizes: dict[str, int]) -> None:
    assert chunks.pool_sizes(process, 20_000) == sizes


def test_no_pool_is_empty() -> None:
    assert set(chunks.pool_sizes("background", 1).values()) == {1}


@pytest.mark.parametrize("process", ["w", "htotautau"])
def test_the_part_of_a_group_is_the_one_into_which_its_events_are_split(process: str) -> None:
    ids = np.array([chunks.group_id(Chunk(process, 0, 1), number) for number in range(60)], dtype=np.int64)
    fractions = split.SIGNAL_FRACTIONS if process in layout.SIGNALS else split.BACKGROUND_FRACTIONS
    parts = split.parts_of_groups(ids, fractions)
    assert set(parts.tolist()) == set(range(len(fractions)))
    assert [chunks.part_of_group(process, identity) for identity in ids.tolist()] == [
        list(fractions)[part] for part in parts.tolist()
    ]


def test_a_group_id_never_runs_into_the_next_chunk() -> None:
    with pytest.raises(ValueError, match="16777216"):
        chunks.group_id(Chunk("w", 0, 1), 2**24)


def test_the_shuffle_is_a_permutation_that_the_seed_decides() -> None:
    order = chunks.shuffle_order(1, 500)
    assert sorted(order.tolist()) == list(range(500))
    assert np.array_equal(order, chunks.shuffle_order(1, 500))
    assert not np.array_equal(order, chunks.shuffle_order(2, 500))


def test_a_folder_is_used_again_for_the_same_settings_and_for_more_events(tmp_path: Path) -> None:
    out = tmp_path / "new" / "events.h5"
    folder = chunks.open_folder(out, SETTINGS, VERSIONS)
    assert folder == tmp_path / "new" / "events.h5.chunks"
    assert chunks.open_folder(out, SETTINGS, VERSIONS) == folder
    assert chunks.open_folder(out, replace(SETTINGS, events=1000), VERSIONS) == folder


@pytest.mark.parametrize("changed", ["seed", "pool_events"])
def test_chunks_of_other_settings_are_refused_by_name(tmp_path: Path, changed: str) -> None:
    out = tmp_path / "events.h5"
    chunks.open_folder(out, SETTINGS, VERSIONS)
    other = replace(SETTINGS, seed=99) if changed == "seed" else replace(SETTINGS, pool_events=99)
    with pytest.raises(UserError, match=rf"events\.h5\.chunks holds chunks made with other settings \({changed} dif"):
        chunks.open_folder(out, other, VERSIONS)


def test_chunks_of_another_version_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "events.h5"
    chunks.open_folder(out, SETTINGS, VERSIONS)
    with pytest.raises(UserError, match=r"\(versions differ\)"):
        chunks.open_folder(out, SETTINGS, {**VERSIONS, "fastjet": "3"})
    monkeypatch.setattr(chunks, "GENERATOR_VERSION", chunks.GENERATOR_VERSION + 1)
    with pytest.raises(UserError, match=r"\(generator differ\)"):
        chunks.open_folder(out, SETTINGS, VERSIONS)


def test_a_folder_that_cannot_be_made_is_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(UserError, match="cannot use the folder"):
        chunks.open_folder(tmp_path / "file" / "events.h5", SETTINGS, VERSIONS)


def test_a_record_that_is_no_json_is_the_users_error(tmp_path: Path) -> None:
    out = tmp_path / "events.h5"
    (chunks.open_folder(out, SETTINGS, VERSIONS) / "settings.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="cannot use the folder"):
        chunks.open_folder(out, SETTINGS, VERSIONS)
