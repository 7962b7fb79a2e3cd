"""What the fits read: training events with their copies, and validation events, exact and as trigger words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.events import OTHER, make_other_particles, make_particles, write_events, write_other_events

from trigger_ad.config import EventsConfig, InputsConfig, TransverseMomentumConfig
from trigger_ad.errors import UserError
from trigger_ad.events.augmentation import turned
from trigger_ad.events.dataset import Dataset, Part, read_dataset
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.layout import ADC2021, EventLayout
from trigger_ad.events.training_arrays import TrainingArrays, training_arrays
from trigger_ad.fixed_point import Values

ENCODING = InputEncoding(InputsConfig())
ARRAYS = ("exact", "words", "validation_exact", "validation_words")
pytestmark = pytest.mark.usefixtures("empty_cache")


@pytest.fixture
def config(tmp_path: Path) -> EventsConfig:
    """Two background files and a signal."""
    background = [str(write_events(tmp_path / f"{seed}.h5", make_particles(100 * seed, seed))) for seed in (1, 2)]
    signal = str(write_events(tmp_path / "signal.h5", make_particles(50, 3)))
    return EventsConfig(background=tuple(background), signals={"a": (signal,)})


@pytest.fixture
def dataset(config: EventsConfig) -> Dataset:
    return read_dataset(config, ENCODING)


def assert_same(found: TrainingArrays, expected: TrainingArrays) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def expected_rows(part: Part, copies: int, seed: int, layout: EventLayout = ADC2021) -> Values:
    """The events of each file, followed by their copies."""
    generator = np.random.default_rng(seed)
    return np.concatenate(
        [
            rows
            for particles in part.particles()
            for rows in (particles, *(turned(particles, layout, generator) for _ in range(copies - 1)))
        ]
    )


@pytest.mark.parametrize("copies", [1, 2, 5])
def test_rows_are_the_training_events_and_their_copies(dataset: Dataset, copies: int) -> None:
    found = training_arrays(dataset, ENCODING, copies, seed=7)
    train = dataset.background["train"]
    assert len(found.exact) == len(found.words) == copies * len(train)
    rows = expected_rows(train, copies, 7)
    np.testing.assert_array_equal(found.exact, ENCODING.exact_values(rows).astype(np.float32))
    np.testing.assert_array_equal(found.words, ENCODING.words(rows))
    assert found.exact.dtype == np.dtype(np.float32)
    assert found.words.dtype == ENCODING.word_dtype


@pytest.mark.parametrize("copies", [1, 4])
def test_validation_events_are_themselves_in_their_order(dataset: Dataset, copies: int) -> None:
    found = training_arrays(dataset, ENCODING, copies, seed=7)
    validation = dataset.background["validation"]
    particles = np.concatenate(list(validation.particles()))
    np.testing.assert_array_equal(found.validation_exact, ENCODING.exact_values(particles).astype(np.float32))
    np.testing.assert_array_equal(found.validation_words, np.concatenate(list(validation.words())))
    assert len(found.validation_words) == len(validation)


def test_copies_are_those_of_training_events_alone(dataset: Dataset) -> None:
    found = training_arrays(dataset, ENCODING, 3, seed=7)
    # pT is as it was, and no two events have the same
    momenta = [tuple(row) for row in found.exact[:, ::3].tolist()]
    train = np.concatenate(list(dataset.background["train"].particles()))
    expected = [tuple(row) for row in ENCODING.exact_values(train).astype(np.float32)[:, ::3].tolist()]
    assert sorted(momenta) == sorted(expected * 3)


def test_another_layout_is_turned_where_its_angles_stand(tmp_path: Path) -> None:
    background = write_other_events(tmp_path / "background.h5", make_other_particles(200, 1))
    signal = write_other_events(tmp_path / "signal.h5", make_other_particles(50, 2))
    events = EventsConfig(background=(str(background),), signals={"a": (str(signal),)}, layout=OTHER.config)
    encoding = InputEncoding(InputsConfig(), OTHER)
    dataset = read_dataset(events, encoding)
    found = training_arrays(dataset, encoding, 2, seed=1)
    rows = expected_rows(dataset.background["train"], 2, 1, OTHER)
    np.testing.assert_array_equal(found.words, encoding.words(rows))


def test_arrays_are_mapped(dataset: Dataset) -> None:
    found = training_arrays(dataset, ENCODING, 2, seed=1)
    assert all(isinstance(getattr(found, name), np.memmap) for name in ARRAYS)


def test_the_second_time_nothing_is_read(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    first = training_arrays(dataset, ENCODING, 2, seed=1)
    monkeypatch.setattr(Part, "particles", None)
    assert_same(training_arrays(dataset, ENCODING, 2, seed=1), first)


def test_the_seed_and_the_number_of_copies_make_other_arrays(dataset: Dataset) -> None:
    first = training_arrays(dataset, ENCODING, 2, seed=1)
    other = training_arrays(dataset, ENCODING, 2, seed=2)
    assert (first.words != other.words).any()
    np.testing.assert_array_equal(first.validation_words, other.validation_words)
    assert len(training_arrays(dataset, ENCODING, 3, seed=1).words) == len(first.words) // 2 * 3


@pytest.mark.parametrize("change", [{"offset": 7}, {"shift": 3}, {"logarithm": 4, "offset": 0}, {"lsb": 0.5}])
def test_another_encoding_makes_other_inputs(config: EventsConfig, change: dict[str, float]) -> None:
    pt = TransverseMomentumConfig.model_validate(InputsConfig().pt.model_dump() | change)
    encoding = InputEncoding(InputsConfig(pt=pt))
    first = training_arrays(read_dataset(config, ENCODING), ENCODING, 2, seed=1)
    other = training_arrays(read_dataset(config, encoding), encoding, 2, seed=1)
    assert (first.exact != other.exact).any()
    assert (first.words != other.words).any() == ("lsb" in change)


def test_another_part_of_the_same_files_is_never_met(config: EventsConfig, tmp_path: Path) -> None:
    """Groups decide the split, and are part of the files."""
    first = training_arrays(read_dataset(config, ENCODING), ENCODING, 1, seed=1)
    for name, seed in zip(config.background, (1, 2), strict=True):
        write_events(Path(name), make_particles(100 * seed, seed), group_id=np.arange(100 * seed) + 1000 * seed)
    grouped = read_dataset(config, ENCODING)
    found = training_arrays(grouped, ENCODING, 1, seed=1)
    np.testing.assert_array_equal(found.words, np.concatenate(list(grouped.background["train"].words())))
    assert not np.array_equal(found.words, first.words)


def entries(cache: Path) -> int:
    return len([path for path in cache.iterdir() if path.suffix != ".lock"])


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("how", ["missing", "empty", "cut", "shorter"])
def test_a_damaged_entry_is_refused_with_its_remedy(dataset: Dataset, empty_cache: Path, name: str, how: str) -> None:
    before = set(empty_cache.iterdir())
    training_arrays(dataset, ENCODING, 2, seed=1)
    (entry,) = (path for path in set(empty_cache.iterdir()) - before if path.is_dir())
    damaged = entry / f"{name}.npy"
    if how == "missing":
        damaged.unlink()
    elif how == "shorter":
        np.save(damaged, np.load(damaged)[:-1])
    else:
        content = damaged.read_bytes()
        damaged.write_bytes(content[: len(content) // 2 if how == "cut" else 0])
    with pytest.raises(UserError) as caught:
        training_arrays(dataset, ENCODING, 2, seed=1)
    assert caught.value.what == f"the cache entry {entry} is damaged"
    assert caught.value.remedy == f"Delete the folder {entry} and run again"


def test_a_file_that_changed_since_it_was_split_is_refused(
    dataset: Dataset, config: EventsConfig, empty_cache: Path
) -> None:
    before = entries(empty_cache)
    write_events(Path(config.background[1]), make_particles(50, 9))
    with pytest.raises(UserError, match=r"2\.h5 has changed since it was digitised"):
        training_arrays(dataset, ENCODING, 2, seed=1)
    assert entries(empty_cache) == before


def test_a_file_that_vanishes_while_it_is_read_is_what_is_named(
    dataset: Dataset, config: EventsConfig, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = entries(empty_cache)
    vanishing = Path(config.background[1])
    read = Part.particles

    def vanish(part: Part) -> Iterator[Values]:
        yield next(read(part))
        vanishing.unlink()
        # whoever opens it without more ado
        vanishing.stat()

    monkeypatch.setattr(Part, "particles", vanish)
    with pytest.raises(UserError) as caught:
        training_arrays(dataset, ENCODING, 2, seed=1)
    assert caught.value.what == (
        f"preparing training events failed: {vanishing} cannot be used (No such file or directory)"
    )
    assert entries(empty_cache) == before


def test_a_disk_that_fills_up_is_said_and_nothing_is_left(
    dataset: Dataset, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = entries(empty_cache)

    def full(descriptor: int, start: int, length: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match=r"the cache .* has no room for \d+ MB"):
        training_arrays(dataset, ENCODING, 2, seed=1)
    assert entries(empty_cache) == before


def test_an_interrupted_preparation_leaves_nothing(
    dataset: Dataset, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = entries(empty_cache)

    def interrupted(part: Part) -> Iterator[Values]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Part, "particles", interrupted)
        with pytest.raises(KeyboardInterrupt):
            training_arrays(dataset, ENCODING, 2, seed=1)
    assert entries(empty_cache) == before
    assert len(training_arrays(dataset, ENCODING, 2, seed=1).words) == 2 * len(dataset.background["train"])
