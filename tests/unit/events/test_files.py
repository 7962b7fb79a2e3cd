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
from support.events import make_particles, write_events

from trigger_ad.errors import UserError
from trigger_ad.events.files import concatenate_events, iterate_events, read_events
from trigger_ad.events.layout import ETA, PARTICLES, PHI, PT


def refusal(path: Path) -> str:
    """Return the line with which a file is refused."""
    with pytest.raises(UserError) as caught:
        read_events(path)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name in line
    assert caught.value.remedy
    return line


# What is read


def test_a_sound_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    particles = make_particles(40)
    events = read_events(write_events(tmp_path / "sound.h5", particles))
    np.testing.assert_array_equal(events.particles, particles)
    assert events.particles.dtype == np.float64
    assert events.event_id is None
    assert events.group_id is None
    assert events.oddities == ()
    assert events.source == "sound.h5"
    assert len(events) == 40


@pytest.mark.parametrize("dtype", ["float32", "float16", ">f8", ">f4"])
def test_other_float_types_are_converted_to_float64(tmp_path: Path, dtype: str) -> None:
    particles = make_particles(10)
    events = read_events(write_events(tmp_path / "other.h5", particles, dtype=dtype))
    np.testing.assert_array_equal(events.particles, particles.astype(dtype).astype(np.float64))
    assert events.particles.dtype == np.dtype(np.float64)
    assert events.oddities == ()


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
def test_compression_does_not_change_what_is_read(tmp_path: Path, compression: str | None) -> None:
    particles = make_particles(10)
    events = read_events(write_events(tmp_path / "events.h5", particles, compression=compression))
    np.testing.assert_array_equal(events.particles, particles)


def test_event_ids_and_group_ids_are_read(tmp_path: Path) -> None:
    identifiers = np.array([7, 7, -3, 2**62])
    path = write_events(
        tmp_path / "ids.h5", make_particles(4), event_id=identifiers, group_id=identifiers[::-1].reshape(-1, 1)
    )
    events = read_events(path)
    assert events.event_id is not None
    assert events.group_id is not None
    assert events.event_id.tolist() == [7, 7, -3, 2**62]
    assert events.group_id.tolist() == [2**62, -3, 7, 7]
    assert events.event_id.dtype == events.group_id.dtype == np.int64


def test_a_limit_reads_the_first_events(tmp_path: Path) -> None:
    particles = make_particles(10)
    path = write_events(tmp_path / "events.h5", particles, event_id=np.arange(10))
    events = read_events(path, limit=3)
    np.testing.assert_array_equal(events.particles, particles[:3])
    assert events.event_id is not None
    assert events.event_id.tolist() == [0, 1, 2]
    assert len(read_events(path, limit=99)) == 10


def test_a_limit_below_one_is_a_programming_error(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(2))
    with pytest.raises(ValueError, match="at least 1"):
        read_events(path, limit=0)


@pytest.mark.parametrize("chunk_size", [1, 7, 10, 23, 100])
def test_chunks_put_together_are_the_file(tmp_path: Path, chunk_size: int) -> None:
    particles = make_particles(23)
    path = write_events(tmp_path / "events.h5", particles, group_id=np.arange(23), chunks=(5, 19, 1))
    chunks = list(iterate_events(path, chunk_size))
    np.testing.assert_array_equal(np.concatenate([chunk.particles for chunk in chunks]), particles)
    assert [chunk.start for chunk in chunks] == list(range(0, 23, chunk_size))
    assert [number for chunk in chunks for number in (chunk.group_id if chunk.group_id is not None else ())] == list(
        range(23)
    )


def test_zeros_have_no_sign(tmp_path: Path) -> None:
    particles = make_particles(3)
    particles[:, 0, ETA] = -0.0
    particles[:, 18] = -0.0
    events = read_events(write_events(tmp_path / "signed.h5", particles))
    assert not np.signbit(events.particles[:, [0, 18], ETA]).any()
    assert events.oddities == ()


def test_selected_events_keep_their_identifiers(tmp_path: Path) -> None:
    particles = make_particles(5)
    path = write_events(tmp_path / "ids.h5", particles, event_id=np.arange(5), group_id=np.arange(5) // 2)
    selected = read_events(path).take(np.array([True, False, False, True, True]))
    np.testing.assert_array_equal(selected.particles, particles[[0, 3, 4]])
    assert selected.event_id is not None
    assert selected.group_id is not None
    assert selected.event_id.tolist() == [0, 3, 4]
    assert selected.group_id.tolist() == [0, 1, 2]


def test_files_are_joined_in_order(tmp_path: Path) -> None:
    one = read_events(write_events(tmp_path / "one.h5", make_particles(3, seed=1), event_id=np.arange(3)))
    two = read_events(write_events(tmp_path / "two.h5", make_particles(2, seed=2)))
    joined = concatenate_events([one, two])
    np.testing.assert_array_equal(joined.particles, np.concatenate([one.particles, two.particles]))
    assert joined.event_id is None
    assert joined.source == "one.h5, two.h5"


def test_files_with_and_without_groups_are_not_joined(tmp_path: Path) -> None:
    one = read_events(write_events(tmp_path / "one.h5", make_particles(3), group_id=np.arange(3)))
    two = read_events(write_events(tmp_path / "two.h5", make_particles(2, seed=2)))
    with pytest.raises(UserError, match=r"two\.h5 has no `GroupId`"):
        concatenate_events([one, two])


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


@settings(max_examples=30, deadline=None)
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
    with h5py.File(path, "r") as file:
        chunk = file[PARTICLES].id.get_chunk_info(1)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + 20 : chunk.byte_offset + 40] = bytes(20)
    path.write_bytes(content)
    assert "is damaged: `Particles` cannot be read between events 0 and 29" in refusal(path)
    assert len(read_events(path, limit=10)) == 10


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
    assert "holds no events" in refusal(path)


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


def test_events_after_the_limit_are_not_judged(tmp_path: Path) -> None:
    particles = make_particles(10)
    particles[[4, 8], 0, PT] = np.nan
    path = write_events(tmp_path / "nan.h5", particles)
    assert len(read_events(path, limit=4)) == 4
    with pytest.raises(UserError, match="1 value is NaN or infinite, in 1 event; the first at event 4 "):
        read_events(path, limit=5)


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


def test_events_that_do_not_fit_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(PARTICLES, shape=(2**50, 19, 4), chunks=(1, 19, 4), dtype="f8")
    line = refusal(path)
    assert "which is not available" in line
    assert "GB of memory" in line
