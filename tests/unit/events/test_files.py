"""Reading events: what is accepted, and what is refused in one line."""

from __future__ import annotations

import fcntl
import os
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.events import (
    OTHER,
    encode,
    make_other_particles,
    make_particles,
    read_chunks,
    read_particles,
    spoil,
    write_events,
    write_other_events,
)

from trigger_ad.errors import UserError
from trigger_ad.events.files import EventsFile
from trigger_ad.events.layout import ADC2021, ETA, PARTICLES, PHI, PT, EventLayout


def refusal(path: Path, layout: EventLayout = ADC2021) -> str:
    """Return the line with which a file is refused."""
    with pytest.raises(UserError) as caught:
        read_chunks(path, layout)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name in line
    assert caught.value.remedy
    return line


# What is read


def test_a_sound_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    particles = make_particles(40)
    path = write_events(tmp_path / "sound.h5", particles)
    (chunk,) = read_chunks(path)
    np.testing.assert_array_equal(chunk.particles, particles)
    np.testing.assert_array_equal(chunk.stored, particles)
    assert chunk.particles.dtype == chunk.stored.dtype == np.float64
    assert (chunk.start, chunk.event_id, chunk.group_id) == (0, None, None)
    with EventsFile(path) as file:
        assert (file.header.events, file.header.oddities) == (40, ())
    assert encode(path).oddities == ()


@pytest.mark.parametrize("dtype", ["float32", "float16", ">f8", ">f4"])
def test_other_float_types_are_converted_to_float64(tmp_path: Path, dtype: str) -> None:
    particles = make_particles(10)
    path = write_events(tmp_path / "other.h5", particles, dtype=dtype)
    (chunk,) = read_chunks(path)
    np.testing.assert_array_equal(chunk.particles, particles.astype(dtype).astype(np.float64))
    assert chunk.particles.dtype == chunk.stored.dtype == np.dtype(np.float64)
    assert encode(path).oddities == ()


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
def test_compression_does_not_change_what_is_read(tmp_path: Path, compression: str | None) -> None:
    particles = make_particles(10)
    path = write_events(tmp_path / "events.h5", particles, compression=compression)
    np.testing.assert_array_equal(read_particles(path), particles)


def test_event_ids_and_group_ids_are_read(tmp_path: Path) -> None:
    identifiers = np.array([7, 7, -3, 2**62])
    path = write_events(
        tmp_path / "ids.h5", make_particles(4), event_id=identifiers, group_id=identifiers[::-1].reshape(-1, 1)
    )
    (chunk,) = read_chunks(path)
    assert chunk.event_id is not None
    assert chunk.group_id is not None
    assert chunk.event_id.tolist() == [7, 7, -3, 2**62]
    assert chunk.group_id.tolist() == [2**62, -3, 7, 7]
    assert chunk.event_id.dtype == chunk.group_id.dtype == np.int64


@pytest.mark.parametrize(("start", "stop"), [(0, 3), (4, 9), (9, 10), (3, 99), (5, None), (5, 5), (8, 2), (10, 20)])
def test_a_stretch_is_read_as_if_it_were_the_file(tmp_path: Path, start: int, stop: int | None) -> None:
    particles = make_particles(10)
    path = write_events(tmp_path / "events.h5", particles, event_id=np.arange(10), chunks=(4, 19, 4))
    with EventsFile(path) as file:
        chunks = list(file.chunks(2, start=start, stop=stop))
    expected = np.arange(10)[start:stop]
    assert [chunk.start for chunk in chunks] == expected[::2].tolist()
    np.testing.assert_array_equal(
        np.concatenate([particles[:0], *(chunk.particles for chunk in chunks)]), particles[expected]
    )
    assert [number for chunk in chunks if chunk.event_id is not None for number in chunk.event_id] == expected.tolist()


def test_a_chunk_size_below_one_is_a_programming_error(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(2))
    with EventsFile(path) as file, pytest.raises(ValueError, match="at least 1"):
        next(file.chunks(0))


@pytest.mark.parametrize("chunk_size", [1, 7, 10, 23, 100])
def test_chunks_put_together_are_the_file(tmp_path: Path, chunk_size: int) -> None:
    particles = make_particles(23)
    path = write_events(tmp_path / "events.h5", particles, group_id=np.arange(23), chunks=(5, 19, 1))
    with EventsFile(path) as file:
        chunks = list(file.chunks(chunk_size))
    np.testing.assert_array_equal(np.concatenate([chunk.particles for chunk in chunks]), particles)
    assert [chunk.start for chunk in chunks] == list(range(0, 23, chunk_size))
    assert [number for chunk in chunks for number in (chunk.group_id if chunk.group_id is not None else ())] == list(
        range(23)
    )


@pytest.mark.parametrize(
    ("chunks", "asked", "given"),
    [(None, 100, 100), ((10, 19, 4), 100, 100), ((30, 1, 1), 100, 90), ((70, 19, 4), 100, 70), ((50, 19, 4), 2, 50)],
)
def test_stretches_end_where_storage_chunks_end(
    tmp_path: Path, chunks: tuple[int, int, int] | None, asked: int, given: int
) -> None:
    compression = None if chunks is None else "gzip"
    path = write_events(tmp_path / "events.h5", make_particles(80), chunks=chunks, compression=compression)
    with EventsFile(path) as file:
        assert file.aligned(asked) == given


def bytes_read() -> int:
    """By this process so far, as the system counts them."""
    counters = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counters["rchar"])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the system does not count what is read")
@pytest.mark.parametrize("chunks", [(4000, 1, 1), (4000, 19, 4), (4000, 7, 3), (10_000, 1, 4)])
@pytest.mark.parametrize("chunk_size", [300, 1999, 4000, 7000])
def test_no_storage_chunk_is_read_twice(tmp_path: Path, chunks: tuple[int, int, int], chunk_size: int) -> None:
    """Each takes up to 6 MB, more than HDF5 keeps unless it is asked to, and belongs to several reads."""
    particles = np.random.default_rng(1).random((10_000, 19, 4))
    numbers = np.arange(10_000)
    path = write_events(tmp_path / "events.h5", particles, chunks=chunks, event_id=numbers, group_id=numbers)
    with EventsFile(path) as file:
        assert file.storage_row == 8 * chunks[0] * (76 if chunks != (4000, 7, 3) else 3 * 7 * 2 * 3)
        before = bytes_read()
        for chunk in file.chunks(chunk_size):
            np.testing.assert_array_equal(chunk.stored, particles[chunk.start : chunk.start + len(chunk.stored)])
        assert bytes_read() - before < 1.1 * path.stat().st_size


@pytest.mark.parametrize(
    ("chunks", "gigabytes"), [((2_000_000, 19, 4), "1.2"), ((150_000_000, 1, 1), "91.2"), ((7_000_000, 19, 1), "4.3")]
)
def test_storage_chunks_too_large_to_be_kept_are_refused(
    tmp_path: Path, chunks: tuple[int, int, int], gigabytes: str
) -> None:
    path = tmp_path / "large.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(PARTICLES, shape=(10, 19, 4), maxshape=(None, 19, 4), chunks=chunks, dtype="f8")
    with pytest.raises(UserError) as caught:
        EventsFile(path)
    assert caught.value.what == (
        f"{path}: `Particles` is stored in chunks of {chunks[0]:,} events, which take {gigabytes} GB of memory at once"
    )
    assert caught.value.remedy == (
        "Rewrite the file with smaller chunks: h5repack -l Particles:CHUNK=10000x19x4 large.h5 new.h5"
    )


def test_identifiers_in_chunks_that_are_too_large_are_refused(tmp_path: Path) -> None:
    path = write_events(tmp_path / "large.h5", make_particles(10))
    with h5py.File(path, "a") as file:
        file.create_dataset("GroupId", shape=(10,), maxshape=(None,), chunks=(200_000_000,), dtype="i8")
    with pytest.raises(UserError, match=r"`GroupId` is stored in chunks of 200,000,000 events") as caught:
        EventsFile(path)
    assert "-l GroupId:CHUNK=10000 large.h5" in caught.value.remedy


def test_a_file_without_storage_chunks_keeps_none(tmp_path: Path) -> None:
    with EventsFile(write_events(tmp_path / "events.h5", make_particles(10), compression=None)) as file:
        assert file.storage_row == 0


def test_absent_objects_are_zeroed_when_that_is_asked_for(tmp_path: Path) -> None:
    particles = make_particles(10)
    particles[:, 18] = (0.0, 1.0, 1.0, 4.0)
    (chunk,) = read_chunks(write_events(tmp_path / "stray.h5", particles))
    assert chunk.particles is chunk.particles
    assert not chunk.particles[:, 18].any()
    np.testing.assert_array_equal(chunk.stored, particles)


def test_zeros_have_no_sign(tmp_path: Path) -> None:
    particles = make_particles(3)
    particles[:, 0, ETA] = -0.0
    particles[:, 18] = -0.0
    path = write_events(tmp_path / "signed.h5", particles)
    assert not np.signbit(read_particles(path)[:, [0, 18], ETA]).any()
    assert encode(path).oddities == ()


def test_events_without_any_object_are_read(tmp_path: Path) -> None:
    path = write_events(tmp_path / "nothing.h5", np.zeros((3, 19, 4)))
    particles = read_particles(path)
    assert particles.shape == (3, 19, 4)
    assert not particles.any()


def test_a_file_is_closed_whatever_happens(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(3))
    with pytest.raises(KeyboardInterrupt), EventsFile(path):
        raise KeyboardInterrupt
    with pytest.raises(UserError):
        EventsFile(path, OTHER)
    # a file that is still open for reading cannot be opened for writing
    with h5py.File(path, "a") as file:
        del file[PARTICLES]


# Other layouts


def test_a_file_of_another_layout_is_read_as_it_was_written(tmp_path: Path) -> None:
    particles = make_other_particles(40)
    path = write_other_events(tmp_path / "other.h5", particles)
    (chunk,) = read_chunks(path, OTHER)
    np.testing.assert_array_equal(chunk.particles, particles)
    encoded = encode(path, OTHER)
    assert (encoded.oddities, encoded.layout) == ((), OTHER)


def test_absent_objects_are_those_without_pt_wherever_it_stands(tmp_path: Path) -> None:
    particles = make_other_particles(10)
    stray = particles.copy()
    stray[:, 8, OTHER.pt] = 0
    particles[:, 8] = 0
    np.testing.assert_array_equal(read_particles(write_other_events(tmp_path / "stray.h5", stray), OTHER), particles)


def test_a_negative_pt_and_nan_are_named_as_the_layout_names_them(tmp_path: Path) -> None:
    particles = make_other_particles(4)
    particles[2, 3, OTHER.pt] = -1
    assert "a negative pT, in 1 event; the first at event 2 (the first is 0), slot 3, pt" in refusal(
        write_other_events(tmp_path / "negative.h5", particles), OTHER
    )
    particles[2, 3, OTHER.column("isolation")] = np.nan
    assert "slot 3, isolation" in refusal(write_other_events(tmp_path / "nan.h5", particles), OTHER)


def test_a_shape_that_the_layout_does_not_expect_is_refused_with_what_it_expects(tmp_path: Path) -> None:
    line = refusal(write_events(tmp_path / "published.h5", make_particles(3)), OTHER)
    assert "`Particles` has the shape (3, 19, 4)" in line
    assert "(events, 9, 4): 3 tau, 1 met, 5 jet, each with phi, isolation, pt, eta" in line
    line = refusal(write_other_events(tmp_path / "other.h5", make_other_particles(3)))
    assert "(events, 19, 4) with Pt, Eta, Phi, Class" in line
    assert "`events.layout`" in line


def test_names_in_another_order_than_the_layouts_are_refused(tmp_path: Path) -> None:
    names = ("pt", "isolation", "phi", "eta")
    line = refusal(write_events(tmp_path / "order.h5", make_other_particles(3), names=names), OTHER)
    assert "`Particles_Names` says pt, isolation, phi, eta" in line
    assert "phi, isolation, pt, eta" in line.split("says")[1]


def test_names_may_be_in_any_case(tmp_path: Path) -> None:
    path = write_events(
        tmp_path / "case.h5",
        make_other_particles(3),
        names=("PHI", "Isolation", "pT", "eta"),
        classes=("Tau", "MET", "Jet"),
    )
    assert encode(path, OTHER).oddities == ()


def test_other_names_of_classes_are_an_oddity_of_any_layout(tmp_path: Path) -> None:
    path = write_events(
        tmp_path / "classes.h5", make_other_particles(3), names=OTHER.feature_names, classes=("tau", "jet", "met")
    )
    assert [oddity.name for oddity in encode(path, OTHER).oddities] == ["class_names_differ"]


# What is refused


def test_a_missing_file(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "nowhere" / "missing.h5")


def test_a_path_through_a_file(tmp_path: Path) -> None:
    write_events(tmp_path / "events.h5", make_particles(1))
    assert "cannot be read" in refusal(tmp_path / "events.h5" / "inside.h5")


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


def test_something_that_is_neither_a_file_nor_a_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    assert "not a regular file" in refusal(tmp_path / "pipe.h5")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_events(tmp_path / "secret.h5", make_particles(1))

    def denied(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    # an administrator may read everything, so the refusal is played by the open call
    monkeypatch.setattr(Path, "open", denied)
    assert "may not be read" in refusal(path)


def test_a_file_that_is_being_written(tmp_path: Path) -> None:
    path = write_events(tmp_path / "busy.h5", make_particles(1))
    with path.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert "being written" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"pt,eta,phi\n1,2,3\n", b"\x1f\x8b compressed" * 100])
def test_a_file_that_is_not_hdf5(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "not.h5"
    path.write_bytes(content)
    assert "not an HDF5 file" in refusal(path)


@settings(max_examples=30)
@given(fraction=st.floats(0, 1, exclude_max=True))
def test_a_file_truncated_anywhere(tmp_path_factory: pytest.TempPathFactory, fraction: float) -> None:
    path = write_events(tmp_path_factory.mktemp("cut") / "cut.h5", make_particles(20), event_id=np.arange(20))
    content = path.read_bytes()
    length = int(fraction * len(content))
    path.write_bytes(content[:length])
    line = refusal(path)
    assert ("truncated or damaged" in line) if length >= 8 else ("not an HDF5 file" in line)


def test_a_file_damaged_in_the_middle(tmp_path: Path) -> None:
    path = write_events(tmp_path / "damaged.h5", make_particles(30), chunks=(10, 19, 4))
    spoil(path, 10)
    assert "is damaged: `Particles` cannot be read between events 0 and 29" in refusal(path)
    with EventsFile(path) as file:
        chunks = file.chunks(10)
        assert len(next(chunks).particles) == 10
        with pytest.raises(UserError, match="`Particles` cannot be read between events 10 and 19"):
            next(chunks)
        (last,) = file.chunks(10, start=20)
    assert last.start == 20


def test_ids_damaged_in_the_middle(tmp_path: Path) -> None:
    path = write_events(tmp_path / "damaged.h5", make_particles(30))
    with h5py.File(path, "a") as file:
        file.create_dataset("GroupId", data=np.arange(30), chunks=(10,), compression="gzip")
    spoil(path, 20, dataset="GroupId")
    assert "is damaged: `GroupId` cannot be read between events 0 and 29" in refusal(path)


def test_a_compression_that_is_not_installed(tmp_path: Path) -> None:
    path = tmp_path / "exotic.h5"
    write_events(path, make_particles(1))
    with h5py.File(path, "a") as file:
        del file[PARTICLES]
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((10, 19, 4))
        properties.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, ())
        dataset = h5py.h5d.create(
            file.id, PARTICLES.encode(), h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((10, 19, 4)), properties
        )
        dataset.write_direct_chunk((0, 0, 0), zlib.compress(make_particles(10).tobytes()))
    line = refusal(path)
    assert "compressed with filter 32001, which is not installed" in line
    assert "h5repack" in line


def test_a_file_without_particles(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["Jets"] = np.zeros((3, 4))
    assert "has no dataset `Particles` (it has: Jets)" in refusal(path)


@pytest.mark.parametrize("kind", ["group", "link to nothing", "link to a missing file"])
def test_particles_that_is_not_a_dataset(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        if kind == "group":
            file.create_group(PARTICLES)
        elif kind == "link to nothing":
            file[PARTICLES] = h5py.SoftLink("/nowhere")
        else:
            file[PARTICLES] = h5py.ExternalLink("missing.h5", "/Particles")
    assert "has no dataset `Particles`" in refusal(path)


@pytest.mark.parametrize("shape", [(), (5,), (5, 57), (5, 19, 3), (5, 18, 4), (5, 4, 19), (5, 19, 4, 1)])
def test_a_wrong_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "shape.h5"
    with h5py.File(path, "w") as file:
        file[PARTICLES] = np.zeros(shape)
    line = refusal(path)
    assert f"has the shape {shape}" in line
    assert "(events, 19, 4)" in line


def test_no_shape_at_all(tmp_path: Path) -> None:
    path = tmp_path / "null.h5"
    with h5py.File(path, "w") as file:
        file[PARTICLES] = h5py.Empty("f8")
    assert "has the shape None" in refusal(path)


@pytest.mark.parametrize("dtype", ["S8", "int32", "bool", "complex128", "longdouble"])
def test_a_type_that_holds_no_measured_values(tmp_path: Path, dtype: str) -> None:
    path = write_events(tmp_path / "type.h5", make_particles(2), dtype=dtype)
    assert "not float64, float32 or float16" in refusal(path)


def test_no_events(tmp_path: Path) -> None:
    path = write_events(tmp_path / "empty.h5", make_particles(0), compression=None)
    assert read_chunks(path) == []
    with pytest.raises(UserError, match=r"empty\.h5 holds no events") as caught:
        encode(path)
    assert "at least one event" in caught.value.remedy


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("slot", [3, 18])
def test_nan_and_infinite_values_are_counted_and_the_first_is_located(tmp_path: Path, value: float, slot: int) -> None:
    particles = make_particles(60_000)
    particles[11, slot, ETA] = value
    particles[11, slot, PHI] = value
    particles[59_999, 4, PT] = value
    line = refusal(write_events(tmp_path / "nan.h5", particles, compression=None))
    assert "3 values are NaN or infinite, in 2 events; the first at event 11 (the first is 0)" in line
    assert f"slot {slot}, eta" in line


def test_events_after_a_stretch_are_not_judged_but_counted_with_the_first_bad_one(tmp_path: Path) -> None:
    particles = make_particles(10)
    particles[[4, 8], 0, PT] = np.nan
    path = write_events(tmp_path / "nan.h5", particles)
    with EventsFile(path) as file:
        assert [len(chunk.particles) for chunk in file.chunks(stop=4)] == [4]
        with pytest.raises(UserError, match="2 values are NaN or infinite, in 2 events; the first at event 4 "):
            list(file.chunks(stop=5))
        with pytest.raises(UserError, match="1 value is NaN or infinite, in 1 event; the first at event 8 "):
            list(file.chunks(start=5))


def test_a_negative_pt(tmp_path: Path) -> None:
    particles = make_particles(8)
    particles[5:, 9, PT] = -0.7
    line = refusal(write_events(tmp_path / "standardised.h5", particles))
    assert "3 values are a negative pT, in 3 events; the first at event 5 (the first is 0), slot 9, pt" in line
    assert "standardised" in line


@pytest.mark.parametrize("names", [("Eta", "Phi", "Pt", "Class"), ("Pt", "Eta", "Phi"), ("E", "Px", "Py", "Pz")])
def test_features_in_another_order(tmp_path: Path, names: tuple[str, ...]) -> None:
    line = refusal(write_events(tmp_path / "order.h5", make_particles(2), names=names))
    assert f"`Particles_Names` says {', '.join(names)}" in line
    assert "Pt, Eta, Phi, Class" in line


@pytest.mark.parametrize("name", ["EvtId", "GroupId"])
@pytest.mark.parametrize(
    "identifiers", [np.arange(4), np.arange(6).reshape(3, 2), np.ones(3), np.ones(3, dtype=np.uint64)]
)
def test_identifiers_that_do_not_fit_the_events(tmp_path: Path, name: str, identifiers: NDArray[Any]) -> None:
    path = write_events(tmp_path / "ids.h5", make_particles(3))
    with h5py.File(path, "a") as file:
        file[name] = identifiers
    assert f"`{name}` has the" in refusal(path)


def test_more_events_than_any_disk_has_room_for(tmp_path: Path) -> None:
    path = tmp_path / "huge.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(PARTICLES, shape=(2**50, 19, 4), chunks=(1, 19, 4), dtype="f8")
    with EventsFile(path) as file:
        assert len(next(file.chunks(10)).particles) == 10
    with pytest.raises(UserError, match=r"the cache .* has no room for [\d,]+ MB"):
        encode(path)
