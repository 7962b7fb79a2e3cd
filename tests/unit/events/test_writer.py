"""Writing event files."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from support.events import make_particles, read_chunks
from support.small_disk import small_disk

from trigger_ad.errors import UserError
from trigger_ad.events import layout, writer


def test_the_file_has_the_public_layout(tmp_path: Path) -> None:
    events, ids = make_particles(30), np.arange(30, dtype=np.int64)
    writer.write_events(tmp_path / "events.h5", events, ids)
    with h5py.File(tmp_path / "events.h5") as file:
        assert sorted(file) == ["GroupId", "Particles", "Particles_Classes", "Particles_Names"]
        assert file["Particles"].dtype == np.float64
        assert file["Particles"].compression == "gzip"
        assert file["GroupId"].dtype == np.int64
        assert [name.decode() for name in file["Particles_Names"]] == list(layout.NAMES)
        assert [name.decode() for name in file["Particles_Classes"]] == list(layout.CLASSES)
        assert np.array_equal(file["Particles"], events)


def test_the_package_reads_what_it_writes(tmp_path: Path) -> None:
    events, ids = make_particles(30), np.arange(30, dtype=np.int64) // 2
    writer.write_events(tmp_path / "events.h5", events, ids)
    (found,) = read_chunks(tmp_path / "events.h5")
    assert np.array_equal(found.particles, events)
    assert found.group_id is not None
    assert np.array_equal(found.group_id, ids)


def test_equal_events_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one.h5", "two.h5"):
        writer.write_events(tmp_path / name, make_particles(30), np.arange(30, dtype=np.int64))
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_no_events_make_an_empty_file(tmp_path: Path) -> None:
    writer.write_events(tmp_path / "none.h5", make_particles(0), np.zeros(0, dtype=np.int64))
    assert writer.read_events(tmp_path / "none.h5")[0].shape == (0, layout.OBJECTS, len(layout.NAMES))


def test_shapes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shape"):
        writer.write_events(tmp_path / "events.h5", make_particles(3), np.zeros(2, dtype=np.int64))
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_the_users_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "events.h5").mkdir()
    with pytest.raises(UserError, match=r"events\.h5 cannot be written"):
        writer.write_events(tmp_path / "events.h5", make_particles(3), np.zeros(3, dtype=np.int64))
    assert [path.name for path in tmp_path.iterdir()] == ["events.h5"]


@pytest.mark.parametrize("kilobytes", [4, 16, 64])
def test_a_full_disk_is_said_and_nothing_is_left(tmp_path: Path, kilobytes: int) -> None:
    with small_disk(tmp_path / "disk", kilobytes) as disk:
        path = disk / "events.h5"
        with pytest.raises(UserError) as caught:
            writer.write_events(path, make_particles(1000), np.zeros(1000, dtype=np.int64))
        assert caught.value.what == f"no space left on the device while writing {path}"
        assert list(disk.iterdir()) == []


def test_what_stood_there_stays_when_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        writer.write_events(disk / "events.h5", make_particles(10), np.zeros(10, dtype=np.int64))
        before = (disk / "events.h5").read_bytes()
        with pytest.raises(UserError, match="no space left"):
            writer.write_events(disk / "events.h5", make_particles(1000), np.zeros(1000, dtype=np.int64))
        assert (disk / "events.h5").read_bytes() == before
        assert [path.name for path in disk.iterdir()] == ["events.h5"]


def test_the_bytes_are_those_that_hdf5_would_have_written(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file.create_dataset("values", data=np.arange(1000.0), compression="gzip", track_times=False)
    with writer.hdf5_written_whole(tmp_path / "whole.h5") as file:
        file.create_dataset("values", data=np.arange(1000.0), compression="gzip", track_times=False)
    assert (tmp_path / "whole.h5").read_bytes() == (tmp_path / "plain.h5").read_bytes()


def test_a_block_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def write_half() -> None:
        with writer.hdf5_written_whole(tmp_path / "events.h5") as file:
            file["values"] = np.zeros(3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_something_else_cannot_be_read_back(tmp_path: Path) -> None:
    (tmp_path / "events.h5").write_text("not HDF5", encoding="utf-8")
    with pytest.raises(UserError, match="cannot read"):
        writer.read_events(tmp_path / "events.h5")
