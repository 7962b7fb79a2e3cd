"""The events of a study, from the shipped sample or from the user's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.events import make_particles, write_events

from trigger_ad.config import EventsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.dataset import describe, event_files, read_dataset
from trigger_ad.events.files import read_events
from trigger_ad.events.layout import SIGNALS
from trigger_ad.events.split import split_background, split_signal


@pytest.fixture
def own_events(tmp_path: Path) -> EventsConfig:
    background = write_events(tmp_path / "background.h5", make_particles(200, 1))
    signals = {
        name: write_events(tmp_path / f"{name}.h5", make_particles(50, seed)) for seed, name in enumerate("ab", 2)
    }
    return EventsConfig(background=str(background), signals={name: str(path) for name, path in signals.items()})


def test_the_sample_is_one_background_and_the_published_signals() -> None:
    files = event_files("sample")
    assert len(files.background) == 1
    assert tuple(files.signals) == SIGNALS


def test_own_files_are_taken_as_they_are_named(own_events: EventsConfig) -> None:
    files = event_files(own_events)
    assert files.background == (Path(own_events.background),)
    assert {name: str(path) for name, path in files.signals.items()} == own_events.signals


def test_background_and_signals_are_split(own_events: EventsConfig) -> None:
    dataset = read_dataset(own_events)
    background = split_background(read_events(Path(own_events.background)))
    assert list(dataset.background) == ["train", "validation", "test"]
    for part, events in background.items():
        np.testing.assert_array_equal(dataset.background[part].particles, events.particles)
    assert list(dataset.signals) == ["a", "b"]
    for name, parts in dataset.signals.items():
        expected = split_signal(read_events(Path(own_events.signals[name])))
        assert list(parts) == ["validation", "test"]
        np.testing.assert_array_equal(parts["test"].particles, expected["test"].particles)


def test_test_events_are_those_of_the_background_and_of_each_signal(own_events: EventsConfig) -> None:
    dataset = read_dataset(own_events)
    tested = dataset.test_events()
    assert list(tested) == ["background", "a", "b"]
    assert tested["background"] is dataset.background["test"]
    assert tested["b"] is dataset.signals["b"]["test"]


def test_a_description_counts_every_part_and_names_files_without_their_folder(own_events: EventsConfig) -> None:
    described = describe(own_events, read_dataset(own_events))
    background, signals = described["background"], described["signals"]
    assert isinstance(background, dict)
    assert isinstance(signals, dict)
    assert background.pop("source") == "background.h5"
    assert list(background) == ["train", "validation", "test"]
    assert sum(background.values()) == 200
    assert signals["a"].pop("source") == "a.h5"
    assert sum(signals["a"].values()) == 50


def test_the_sample_is_not_taken_for_the_public_dataset(own_events: EventsConfig) -> None:
    dataset = read_dataset(own_events)
    dataset.signals.update(dict.fromkeys(SIGNALS, dataset.signals["a"]))
    del dataset.signals["a"], dataset.signals["b"]
    background = describe("sample", dataset)["background"]
    assert isinstance(background, dict)
    assert "simulation by this project, not the public dataset" in background["source"]


def test_a_missing_file_is_named(own_events: EventsConfig, tmp_path: Path) -> None:
    missing = EventsConfig(background=own_events.background, signals={"a": str(tmp_path / "none.h5")})
    with pytest.raises(UserError, match=r"none\.h5"):
        read_dataset(missing)
