"""A damaged file: the error names the events that cannot be read, and no other."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from support.events import make_particles, write_events

from trigger_ad.errors import UserError
from trigger_ad.events import damage as module
from trigger_ad.events.damage import unreadable
from trigger_ad.events.inspection import inspect_file


def spoil(path: Path, dataset: str, *first_events: int) -> None:
    """Overwrite the storage chunks that begin with these events."""
    with h5py.File(path, "r") as file:
        chunks = [file[dataset].id.get_chunk_info(index) for index in range(file[dataset].id.get_num_chunks())]
        places = {chunk.chunk_offset[0]: (chunk.byte_offset, chunk.size) for chunk in chunks}
    with path.open("r+b") as stream:
        for event in first_events:
            offset, size = places[event]
            stream.seek(offset)
            stream.write(b"\xff" * size)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_events(tmp_path / "events.h5", make_particles(1050), chunks=(100, 19, 4))


@pytest.mark.parametrize("chunk_size", [50, 100, 330, 5000])
def test_the_events_of_a_corrupt_chunk_are_named(path: Path, chunk_size: int) -> None:
    spoil(path, "Particles", 400)
    with pytest.raises(UserError, match=r"events 400 to 499, 100 of 1,050, cannot be read") as caught:
        inspect_file(path, chunk_size=chunk_size)
    assert str(path) in caught.value.what
    assert "Particles" in caught.value.what


def test_several_corrupt_chunks_are_named_and_neighbours_joined(path: Path) -> None:
    spoil(path, "Particles", 200, 600, 700, 1000)
    with pytest.raises(UserError, match=r"events 200 to 299, 600 to 799 and 1,000 to 1,049, 350 of 1,050, cannot"):
        inspect_file(path)


def test_many_stretches_are_counted_instead_of_listed(path: Path) -> None:
    spoil(path, "Particles", 0, 200, 400, 600, 800, 1000)
    with pytest.raises(UserError, match=r"0 to 99, 200 to 299, 400 to 499, 600 to 699 and 2 further stretches, 550 of"):
        inspect_file(path)


@pytest.mark.parametrize("step", [1, 100, 250, 10_000])
def test_the_steps_of_the_search_change_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(module, "_STEP", step)
    spoil(path, "Particles", 300, 400, 900)
    with h5py.File(path, "r") as file:
        assert unreadable(file["Particles"]) == [(300, 499), (900, 999)]
        assert unreadable(file["Particles"], start=450) == [(400, 499), (900, 999)]


def test_damage_to_the_ids_is_named_as_theirs(tmp_path: Path) -> None:
    path = write_events(tmp_path / "ids.h5", make_particles(100))
    with h5py.File(path, "a") as file:
        file.create_dataset("EvtId", data=np.arange(100), chunks=(10,), compression="gzip")
    spoil(path, "EvtId", 50)
    with pytest.raises(UserError, match=r"of `EvtId`, events 50 to 59, 10 of 100, cannot be read") as caught:
        inspect_file(path)
    assert "Particles" not in caught.value.what


def test_a_sound_dataset_has_no_unreadable_events(path: Path) -> None:
    with h5py.File(path, "r") as file:
        assert unreadable(file["Particles"]) == []


def test_values_that_are_wrong_are_not_called_damage(tmp_path: Path) -> None:
    particles = make_particles(10)
    particles[3, 0, 0] = np.nan
    with pytest.raises(UserError, match="1 value is NaN or infinite"):
        inspect_file(write_events(tmp_path / "nan.h5", particles))


def test_a_filter_that_is_not_installed_is_not_called_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(path, "Particles", 400)
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda number: False)
    with pytest.raises(UserError, match="compressed with gzip, which is not installed here"):
        inspect_file(path)
