"""A file as trigger words: exactly what the encoder makes of it, made once, and refused where it cannot be trusted."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray
from support import encoding_process
from support.events import (
    OTHER,
    make_other_particles,
    make_particles,
    read_particles,
    spoil,
    write_events,
    write_other_events,
)
from support.small_disk import small_disk

from trigger_ad.config import FeatureConfig, InputsConfig, LayoutConfig, TransverseMomentumConfig
from trigger_ad.errors import UserError
from trigger_ad.events import encoded as module
from trigger_ad.events.cache import ENVIRONMENT
from trigger_ad.events.content import content_hash
from trigger_ad.events.encoded import EncodedFile, encode_file, events_digest
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.files import EventsFile
from trigger_ad.events.layout import CLASS, ETA, PHI, PT, EventLayout
from trigger_ad.events.oddities import OddityTally
from trigger_ad.events.quantities import quantities
from trigger_ad.run_directory import file_digest
from trigger_ad.workers import in_processes

ENCODING = InputEncoding(InputsConfig())
Usage = namedtuple("Usage", "total used free")
pytestmark = pytest.mark.usefixtures("empty_cache")

WAYS = ("at once", "in stretches", "by worker processes")


@pytest.fixture
def stretches(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Chooses how files are read; tasks travel to worker processes, so only this process needs the shorter stretch."""

    def one_after_the_other(work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        assert len(tasks) > 1
        return map(work, tasks)

    def in_several(work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        assert len(tasks) > 1
        return in_processes(work, tasks)

    def choose(way: str, events: int) -> None:
        if way != "at once":
            monkeypatch.setattr(module, "STRETCH_EVENTS", events)
            monkeypatch.setattr(module, "in_processes", one_after_the_other if way == "in stretches" else in_several)

    return choose


def entries(cache: Path) -> set[str]:
    """What is in the cache, besides locks."""
    return {path.name for path in cache.iterdir() if path.suffix != ".lock"} if cache.exists() else set()


def assert_is_the_file(found: EncodedFile, path: Path, encoding: InputEncoding = ENCODING) -> None:
    """Everything is as one pass over the file's physical values gives it."""
    layout = encoding.layout
    particles = read_particles(path, layout)
    np.testing.assert_array_equal(found.words, encoding.words(particles))
    assert (found.words.shape, found.words.dtype) == ((len(particles), encoding.inputs), encoding.word_dtype)
    np.testing.assert_array_equal(found.hashes, content_hash(particles, layout.pt))
    expected = quantities(particles, layout)
    assert list(found.quantities) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found.quantities[name], values)
        assert found.quantities[name].dtype == np.float64
    assert found.saturated == encoding.saturated(particles)
    assert found.present == (particles[:, :, layout.pt] > 0).sum()
    np.testing.assert_array_equal(found.without_objects, ~particles.any(axis=(1, 2)))
    with EventsFile(path, layout) as file:
        tally = OddityTally(layout)
        for chunk in file.chunks():
            tally.add(chunk.stored)
        assert found.oddities == file.header.oddities + tally.result()
    assert (found.path, found.layout, len(found)) == (path, layout, len(particles))
    assert found.digest == file_digest(path)


def odd_particles(events: int) -> NDArray[np.float64]:
    """Sound events but for some of every kind of oddity, all over the file."""
    particles = make_particles(events)
    particles[::50, 0, ETA] = 1.0
    particles[7::90, 18] = (0.0, 0.3, -0.3, 4.0)
    particles[13::70, 1, CLASS] = 3.0
    particles[5::41, 0, PT] = 9000.0
    particles[11::33, 0, PHI] = 5.0
    particles[23::60] = 0
    particles[events // 3 :: 120] = particles[2]
    return particles


# What it gives


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chunks", [None, (100, 1, 1), (7, 19, 4)])
def test_words_and_all_else_are_those_of_the_files_events(
    tmp_path: Path, stretches: Callable[[str, int], None], way: str, chunks: tuple[int, int, int] | None
) -> None:
    stretches(way, 90)
    compression = None if chunks is None else "gzip"
    path = write_events(tmp_path / "events.h5", odd_particles(333), chunks=chunks, compression=compression)
    found = encode_file(path, ENCODING)
    assert_is_the_file(found, path)
    assert len(found.oddities) > 6
    assert min(found.saturated.values()) == 0 < max(found.saturated.values())
    assert (found.event_id, found.group_id) == (None, None)


@pytest.mark.parametrize("dtype", ["float32", "float16", ">f8"])
def test_values_are_encoded_as_they_are_stored(tmp_path: Path, dtype: DTypeLike) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(100), dtype=dtype)
    found = encode_file(path, ENCODING)
    assert_is_the_file(found, path)
    np.testing.assert_array_equal(found.words, ENCODING.words(make_particles(100).astype(dtype).astype(np.float64)))


@pytest.mark.parametrize("way", WAYS)
def test_identifiers_are_kept(tmp_path: Path, stretches: Callable[[str, int], None], way: str) -> None:
    stretches(way, 20)
    event_id, group_id = np.arange(70) * 3 - 50, np.arange(70).reshape(-1, 1) // 4 + 2**62
    path = write_events(
        tmp_path / "events.h5", make_particles(70), event_id=event_id, group_id=group_id, chunks=(10, 19, 4)
    )
    found = encode_file(path, ENCODING)
    assert found.event_id is not None
    assert found.group_id is not None
    np.testing.assert_array_equal(found.event_id, event_id)
    np.testing.assert_array_equal(found.group_id, group_id[:, 0])
    assert found.event_id.dtype == found.group_id.dtype == np.int64


def test_events_are_worked_on_in_blocks_that_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_events(tmp_path / "events.h5", odd_particles(200))
    for block in (1, 64, 199, 200, 10_000):
        monkeypatch.setattr(module, "BLOCK", block)
        monkeypatch.setattr(module, "code_digest", lambda block=block: str(block))
        assert_is_the_file(encode_file(path, ENCODING), path)


def test_storage_chunks_that_are_large_are_in_the_memory_of_one_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_events(tmp_path / "events.h5", odd_particles(200), chunks=(50, 19, 4))
    with EventsFile(path) as file:
        storage_row = file.storage_row
    handed: list[int] = []

    def handed_out(work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        handed.append(len(tasks))
        return map(work, tasks)

    monkeypatch.setattr(module, "STRETCH_EVENTS", 50)
    monkeypatch.setattr(module, "in_processes", handed_out)
    for limit, processes in ((storage_row, [4]), (storage_row - 1, [])):
        handed.clear()
        monkeypatch.setattr(module, "_SHARED_STORAGE_ROW", limit)
        monkeypatch.setattr(module, "code_digest", lambda limit=limit: str(limit))
        assert_is_the_file(encode_file(path, ENCODING), path)
        assert handed == processes


def test_another_layout_is_encoded_as_it_is_described(tmp_path: Path) -> None:
    path = write_other_events(tmp_path / "other.h5", make_other_particles(100))
    encoding = InputEncoding(InputsConfig(), OTHER)
    found = encode_file(path, encoding)
    assert_is_the_file(found, path, encoding)
    assert list(found.quantities) == ["met", "ht", "jet_number", "sum_of_pt", "object_number"]
    with pytest.raises(UserError, match=r"has the shape \(100, 9, 4\)"):
        encode_file(path, ENCODING)


def test_arrays_are_mapped_and_cannot_be_written(tmp_path: Path) -> None:
    found = encode_file(write_events(tmp_path / "events.h5", make_particles(10)), ENCODING)
    assert isinstance(found.words, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found.words[0, 0] = 1


# Values that are hard to hold


@pytest.mark.parametrize("huge", [257.0, 70_000.0, 2.0**31, 2.0**63, 1e20, 1e300])
def test_values_beyond_the_range_saturate_are_counted_and_never_wrap(tmp_path: Path, huge: float) -> None:
    particles = make_particles(20)
    particles[:, :, PT] = np.minimum(particles[:, :, PT], 200.0)
    particles[3, 0, PT] = particles[5, 1, PT] = huge
    particles[7, 1, ETA], particles[8, 1, ETA], particles[9, 1, PHI] = huge, -huge, -huge
    # what is absent is not counted
    particles[:, 18] = (0.0, huge, huge, 4.0)
    path = write_events(tmp_path / "events.h5", particles)
    found = encode_file(path, ENCODING)
    assert_is_the_file(found, path)
    pt, eta, phi = (item.word for item in ENCODING.features)
    assert found.words[3, 0] == found.words[5, 3] == pt.code_max == 255
    assert (found.words[7, 4], found.words[8, 4]) == (eta.code_max, eta.code_min) == (15, -16)
    assert found.words[9, 5] == phi.code_min == -8
    assert found.saturated == {"pt": 2, "eta": 2, "phi": 1}
    assert not found.words[:, 54:].any()


@pytest.mark.parametrize("width", [7, 8, 15, 16, 24])
def test_the_largest_word_of_every_width_is_held(tmp_path: Path, width: int) -> None:
    encoding = InputEncoding(InputsConfig(pt=TransverseMomentumConfig(lsb=1.0, width=width), eta=None, phi=None))
    particles = make_particles(10)
    particles[:, 0, PT] = 1e9
    path = write_events(tmp_path / "events.h5", particles)
    found = encode_file(path, encoding)
    assert_is_the_file(found, path, encoding)
    assert set(found.words[:, 0].tolist()) == {2**width - 1}


def test_no_events_are_refused(tmp_path: Path, empty_cache: Path) -> None:
    path = write_events(tmp_path / "empty.h5", make_particles(0), compression=None)
    with pytest.raises(UserError, match=r"empty\.h5 holds no events") as caught:
        encode_file(path, ENCODING)
    assert caught.value.remedy == "Give a file with at least one event"
    assert entries(empty_cache) == set()


@pytest.mark.parametrize("way", WAYS)
def test_events_without_any_object_are_zeros(tmp_path: Path, stretches: Callable[[str, int], None], way: str) -> None:
    stretches(way, 10)
    path = write_events(tmp_path / "nothing.h5", np.zeros((30, 19, 4)), chunks=(10, 19, 4))
    found = encode_file(path, ENCODING)
    assert_is_the_file(found, path)
    assert not found.words.any()
    assert found.without_objects.all()
    assert (found.present, found.saturated) == (0, {"pt": 0, "eta": 0, "phi": 0})
    assert {(item.name, item.count) for item in found.oddities} == {("no_object", 30), ("no_lepton_above_filter", 30)}


# What is in the cache


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_events(tmp_path / "events.h5", make_particles(300), chunks=(100, 19, 4))


def test_the_second_time_nothing_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = encode_file(path, ENCODING)

    def unreadable(*arguments: object, **options: object) -> None:
        raise AssertionError("the file is read again")

    monkeypatch.setattr(EventsFile, "chunks", unreadable)
    monkeypatch.setattr(module, "file_digest", unreadable)
    again = encode_file(path, ENCODING)
    for item in dataclasses.fields(EncodedFile):
        one, other = getattr(first, item.name), getattr(again, item.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
        elif item.name == "quantities":
            assert {name: values.tolist() for name, values in one.items()} == {
                name: values.tolist() for name, values in other.items()
            }
        else:
            assert one == other


def test_the_cache_is_where_the_environment_says(
    path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode_file(path, ENCODING)
    (entry,) = entries(empty_cache)
    assert (empty_cache / entry / "words.npy").exists()
    elsewhere = path.with_name("elsewhere")
    monkeypatch.setenv(ENVIRONMENT, str(elsewhere))
    encode_file(path, ENCODING)
    assert entries(elsewhere) == {entry}


def test_equal_files_share_an_entry_whatever_they_are_called(path: Path, empty_cache: Path) -> None:
    encode_file(path, ENCODING)
    copy = Path(shutil.copy(path, path.with_name("copy.h5")))
    path.rename(path.with_name("renamed.h5"))
    for name in (copy, path.with_name("renamed.h5")):
        assert_is_the_file(encode_file(name, ENCODING), name)
    assert len(entries(empty_cache)) == 1


BASE = TransverseMomentumConfig(lsb=1.0, width=8)


@pytest.mark.parametrize(
    "other",
    [
        {"pt": BASE.model_copy(update={"lsb": 0.5})},
        {"pt": BASE.model_copy(update={"width": 9})},
        {"eta": FeatureConfig(lsb=0.25, width=6)},
        {"phi": FeatureConfig(lsb=0.125, width=7)},
        {"eta": None},
        {"phi": None},
    ],
)
def test_other_words_are_another_entry(path: Path, empty_cache: Path, other: dict[str, Any]) -> None:
    first, second = InputEncoding(InputsConfig(pt=BASE)), InputEncoding(InputsConfig(**{"pt": BASE, **other}))
    for encoding in (first, second, first):
        assert_is_the_file(encode_file(path, encoding), path, encoding)
    assert len(entries(empty_cache)) == 2


@pytest.mark.parametrize("change", [{"offset": 7}, {"shift": 3}, {"logarithm": 4}])
def test_what_the_firmware_makes_of_the_words_is_not_part_of_them(
    path: Path, empty_cache: Path, change: dict[str, int]
) -> None:
    for pt in (BASE, BASE.model_copy(update=change)):
        encoding = InputEncoding(InputsConfig(pt=pt))
        assert_is_the_file(encode_file(path, encoding), path, encoding)
    assert len(entries(empty_cache)) == 1


def test_another_description_of_the_layout_is_another_entry(path: Path, empty_cache: Path) -> None:
    objects = tuple(
        item.model_copy(update={"max_abs_eta": 0.5}) if item.name == "jet" else item for item in LayoutConfig().objects
    )
    narrower = InputEncoding(InputsConfig(), EventLayout(LayoutConfig(objects=objects)))
    for encoding in (ENCODING, narrower):
        assert_is_the_file(encode_file(path, encoding), path, encoding)
    assert len(entries(empty_cache)) == 2


@pytest.mark.parametrize("times", ["new", "as before"])
def test_a_file_that_changes_between_two_calls_gets_a_new_entry(path: Path, empty_cache: Path, times: str) -> None:
    before = path.stat()
    encode_file(path, ENCODING)
    # of the same size, and in the same place
    content = path.read_bytes()
    changed = content.replace(b"Pt", b"pT")
    assert changed != content
    with path.open("r+b") as stream:
        stream.write(changed)
    if times == "as before":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert events_digest(path) == file_digest(path)
    assert encode_file(path, ENCODING).digest == file_digest(path)
    assert len(entries(empty_cache)) == 2


def test_a_file_whose_time_alone_changes_does_not(path: Path, empty_cache: Path) -> None:
    encode_file(path, ENCODING)
    os.utime(path, ns=(1, 1))
    encode_file(path, ENCODING)
    assert len(entries(empty_cache)) == 1


@pytest.mark.parametrize(
    "name", ["words.npy", "hashes.npy", "quantity_met.npy", "quantity_ht.npy", "group_id.npy", "index.json"]
)
@pytest.mark.parametrize("how", ["missing", "empty", "cut", "garbage", "shorter"])
def test_a_damaged_entry_is_refused_with_its_remedy(tmp_path: Path, empty_cache: Path, name: str, how: str) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(50), group_id=np.arange(50))
    encode_file(path, ENCODING)
    (entry,) = entries(empty_cache)
    damaged = empty_cache / entry / name
    if how == "missing":
        damaged.unlink()
    elif how == "shorter" and name != "index.json":
        np.save(damaged, np.load(damaged)[:-1])
    else:
        content = damaged.read_bytes()
        damaged.write_bytes({"empty": b"", "cut": content[: len(content) // 2]}.get(how, b"[1, 2]"))
    with pytest.raises(UserError) as caught:
        encode_file(path, ENCODING)
    assert caught.value.what == f"the cache entry {empty_cache / entry} is damaged"
    assert caught.value.remedy == f"Delete the folder {empty_cache / entry} and run again"
    shutil.rmtree(empty_cache / entry)
    assert_is_the_file(encode_file(path, ENCODING), path)


# Files that change while they are read


def with_ids(path: Path) -> None:
    write_events(path, make_particles(300), event_id=np.arange(300), chunks=(100, 19, 4))


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "other values": (lambda path: write_events(path, make_particles(300, 2)), "changed while it was read"),
    "fewer events": (lambda path: write_events(path, make_particles(120)), "changed while it was read"),
    "more events": (lambda path: write_events(path, make_particles(500)), "changed while it was read"),
    "identifiers": (with_ids, "changed while it was read"),
    "another layout": (lambda path: write_other_events(path, make_other_particles(300)), "has the shape (300, 9, 4)"),
    "deleted": (Path.unlink, "does not exist"),
    "cut": (lambda path: os.truncate(path, 3000), "is truncated or damaged"),
}


@pytest.mark.parametrize("way", WAYS[:2])
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_read_is_refused(
    path: Path,
    empty_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    stretches: Callable[[str, int], None],
    way: str,
    change: str,
) -> None:
    stretches(way, 100)
    do, said = CHANGES[change]
    run: Callable[..., Iterator[Any]] = vars(module)["in_processes"]

    def changing(work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        do(path)
        return run(work, tasks)

    with monkeypatch.context() as patch:
        patch.setattr(module, "in_processes", changing)
        with pytest.raises(UserError) as caught:
            encode_file(path, ENCODING)
    assert f"{path}" in caught.value.what
    assert said in caught.value.what
    assert "cache" not in str(caught.value)
    assert entries(empty_cache) == set()


def test_a_file_that_is_deleted_at_the_last_moment_is_named(
    path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deleting(work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        yield from map(work, tasks)
        path.unlink()

    monkeypatch.setattr(module, "in_processes", deleting)
    with pytest.raises(UserError, match=r"events\.h5 cannot be read \(No such file or directory\)"):
        encode_file(path, ENCODING)
    assert entries(empty_cache) == set()


# Damage


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("bad", "said"),
    [((400,), "400 and 499"), ((900,), "900 and 999"), ((200, 700), "200 and 299"), ((700, 200), "200 and 299")],
)
def test_a_corrupt_chunk_is_named_by_its_events_and_leaves_nothing(
    tmp_path: Path,
    empty_cache: Path,
    stretches: Callable[[str, int], None],
    way: str,
    bad: tuple[int, ...],
    said: str,
) -> None:
    """Whoever meets it: of several stretches the first bad one of the file is named."""
    stretches(way, 100)
    path = write_events(tmp_path / "events.h5", make_particles(1000), chunks=(100, 19, 4))
    spoil(path, *bad)
    with pytest.raises(UserError) as caught:
        encode_file(path, ENCODING)
    expected = "0 and 999" if way == "at once" else said
    assert caught.value.what == f"{path} is damaged: `Particles` cannot be read between events {expected}"
    assert caught.value.remedy == "Download it, or make it, again"
    assert entries(empty_cache) == set()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_values_that_cannot_be_are_counted_alike_whoever_meets_them(
    tmp_path: Path, empty_cache: Path, stretches: Callable[[str, int], None], way: str, value: float
) -> None:
    stretches(way, 100)
    particles = make_particles(500)
    particles[[130, 131, 440], 9, PT] = value
    path = write_events(tmp_path / "events.h5", particles, chunks=(100, 19, 4))
    with pytest.raises(UserError) as caught:
        encode_file(path, ENCODING)
    kind = "a negative pT" if value == -1 else "NaN or infinite"
    assert caught.value.what == (
        f"{path}: 3 values are {kind}, in 3 events; the first at event 130 (the first is 0), slot 9, pt"
    )
    assert entries(empty_cache) == set()


# A cache that cannot be written


def test_too_little_room_is_said_before_anything_is_read(
    path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 10**9 - 10**6, 10**6))
    monkeypatch.setattr(EventsFile, "chunks", None)
    with pytest.raises(UserError, match=r"the cache .* has no room for 51 MB\. Free some space") as caught:
        encode_file(path, ENCODING)
    assert ENVIRONMENT in caught.value.remedy
    assert entries(empty_cache) == set()


@pytest.mark.parametrize("allocated", [0, 1, 3, 5])
def test_a_disk_that_fills_up_is_met_before_anything_is_read(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch, allocated: int
) -> None:
    """Room is taken from the disk at once: nothing is ever written through a map to a disk that is full."""
    path = write_events(tmp_path / "events.h5", make_particles(300), group_id=np.arange(300))
    calls: list[tuple[int, int]] = []

    def allocate(descriptor: int, start: int, length: int) -> None:
        if len(calls) == allocated:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        calls.append((start, length))

    monkeypatch.setattr(os, "posix_fallocate", allocate)
    monkeypatch.setattr(EventsFile, "chunks", None)
    with pytest.raises(UserError, match=r"the cache .* has no room for \d+ MB"):
        encode_file(path, ENCODING)
    assert entries(empty_cache) == set()


def test_room_is_taken_for_every_array(tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(300), group_id=np.arange(300), event_id=np.arange(300))
    taken: list[int] = []
    allocate = os.posix_fallocate

    def count(descriptor: int, start: int, length: int) -> None:
        taken.append(length)
        allocate(descriptor, start, length)

    monkeypatch.setattr(os, "posix_fallocate", count)
    encode_file(path, ENCODING)
    (entry,) = entries(empty_cache)
    assert sorted(taken) == sorted(file.stat().st_size for file in (empty_cache / entry).glob("*.npy"))


@pytest.mark.parametrize("kilobytes", [16, 200, 460, 500, 576])
def test_a_real_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kilobytes: int) -> None:
    """4,000 events need a little more."""
    path = write_events(tmp_path / "events.h5", make_particles(4000), compression=None)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**12, 0, 10**12))
    with small_disk(tmp_path / "disk", kilobytes) as disk:
        monkeypatch.setenv(ENVIRONMENT, str(disk))
        with pytest.raises(UserError, match=r"the cache .*disk has no room for 51 MB"):
            encode_file(path, ENCODING)
        assert entries(disk) == set()


def test_a_file_in_the_place_of_the_cache(path: Path, empty_cache: Path) -> None:
    empty_cache.write_text("mine")
    with pytest.raises(UserError, match=r"the cache .* cannot be written \(File exists\)") as caught:
        encode_file(path, ENCODING)
    assert ENVIRONMENT in caught.value.remedy


# Several processes


def test_two_processes_that_want_the_same_entry_make_it_once(tmp_path: Path, empty_cache: Path) -> None:
    path = write_events(tmp_path / "events.h5", odd_particles(1000), chunks=(100, 19, 4))
    gate, logs = tmp_path / "gate", [tmp_path / f"{number}.log" for number in range(2)]
    processes = [encoding_process.start(path, gate, log) for log in logs]
    encoding_process.wait_for("waiting for another process that is encoding events.h5", *logs)
    gate.touch()
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    said = [line for log in logs for line in log.read_text().splitlines()]
    assert said.count("encoding") == 1
    found = encode_file(path, ENCODING)
    assert_is_the_file(found, path)
    assert said.count(encoding_process.summary(found)) == 2
    assert len(entries(empty_cache)) == 1


def test_what_a_killed_process_left_is_not_believed(tmp_path: Path, empty_cache: Path) -> None:
    path = write_events(tmp_path / "events.h5", odd_particles(1000), chunks=(100, 19, 4))
    log = tmp_path / "log"
    process = encoding_process.start(path, tmp_path / "gate", log)
    encoding_process.wait_for("encoding", log)
    process.kill()
    process.wait(timeout=120)
    (left,) = entries(empty_cache)
    assert left.endswith(".partial")
    assert (empty_cache / left / "words.npy").exists()
    assert_is_the_file(encode_file(path, ENCODING), path)
    assert entries(empty_cache) == {left.removesuffix(".partial")}


def test_the_digest_of_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.h5 cannot be read \(No such file or directory\)"):
        events_digest(tmp_path / "none.h5")
