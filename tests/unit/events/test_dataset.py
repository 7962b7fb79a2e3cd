"""The events of a study, from the shipped sample or from the user's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.events import (
    OTHER,
    make_other_particles,
    make_particles,
    read_particles,
    write_events,
    write_other_events,
)

from trigger_ad.config import Config, EventsConfig, InputsConfig, LayoutConfig
from trigger_ad.errors import UserError
from trigger_ad.events import dataset as module
from trigger_ad.events.content import content_hash
from trigger_ad.events.dataset import Dataset, Part, describe, evenly_spread, event_files
from trigger_ad.events.encoded import EncodedFile, encode_file
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.layout import ADC2021, SIGNALS
from trigger_ad.events.quantities import QUANTITIES, quantities
from trigger_ad.events.split import BACKGROUND_FRACTIONS, SIGNAL_FRACTIONS, assign_parts
from trigger_ad.fixed_point import Values

ENCODING = InputEncoding(InputsConfig())


def read_dataset(config: EventsConfig) -> Dataset:
    return module.read_dataset(config, ENCODING)


def particles_of(part: Part) -> Values:
    return np.concatenate(list(part.particles()))


def encoded(path: Path) -> EncodedFile:
    return encode_file(path, ENCODING)


@pytest.fixture
def own_events(tmp_path: Path) -> EventsConfig:
    background = write_events(tmp_path / "background.h5", make_particles(200, 1))
    signals = {
        name: write_events(tmp_path / f"{name}.h5", make_particles(50, seed)) for seed, name in enumerate("ab", 2)
    }
    return EventsConfig(background=(str(background),), signals={name: (str(path),) for name, path in signals.items()})


def test_the_sample_is_one_background_and_the_published_signals() -> None:
    files = event_files("sample")
    assert len(files.background) == 1
    assert tuple(files.signals) == SIGNALS


def test_own_files_are_taken_as_they_are_named(own_events: EventsConfig) -> None:
    files = event_files(own_events)
    assert files.background == (Path(own_events.background[0]),)
    assert {name: tuple(map(str, paths)) for name, paths in files.signals.items()} == own_events.signals


def test_background_and_signals_are_split(own_events: EventsConfig) -> None:
    dataset = read_dataset(own_events)
    assert list(dataset.background) == ["train", "validation", "test"]
    assert list(dataset.signals) == ["a", "b"]
    samples = {own_events.background[0]: (dataset.background, BACKGROUND_FRACTIONS)}
    samples |= {own_events.signals[name][0]: (parts, SIGNAL_FRACTIONS) for name, parts in dataset.signals.items()}
    for name, (parts, fractions) in samples.items():
        path = Path(name)
        (assigned,) = assign_parts([encoded(path)], fractions)
        assert list(parts) == list(fractions)
        for position, part in enumerate(parts.values()):
            np.testing.assert_array_equal(particles_of(part), read_particles(path)[assigned == position])


def test_signals_have_no_training_part(own_events: EventsConfig) -> None:
    parts = read_dataset(own_events).signals["a"]
    assert list(parts) == ["validation", "test"]
    assert sum(len(part) for part in parts.values()) == 50


@pytest.mark.parametrize("grouped", [False, True])
def test_parts_are_disjoint_complete_and_in_order(tmp_path: Path, grouped: bool) -> None:
    particles, groups = make_particles(500), np.arange(500) // 3 if grouped else None
    path = write_events(tmp_path / "events.h5", particles, group_id=groups)
    signal = write_events(tmp_path / "signal.h5", make_particles(50, 2))
    parts = read_dataset(EventsConfig(background=(str(path),), signals={"a": (str(signal),)})).background
    hashes = [content_hash(particles_of(part)).tolist() for part in parts.values()]
    everything = content_hash(particles).tolist()
    position = {value: index for index, value in enumerate(everything)}
    assert sorted(value for part in hashes for value in part) == sorted(everything)
    for part in hashes:
        assert [position[value] for value in part] == sorted(position[value] for value in part)
    if grouped:
        found = [set(part.group_id.tolist()) for part in parts.values() if part.group_id is not None]
        assert len(found) == 3
        assert sum(len(part) for part in found) == len(set.union(*found)) == 167


# Parts


@pytest.fixture
def two_files(tmp_path: Path) -> tuple[Part, Values, np.ndarray]:
    """Some events of two files, their physical values, and their groups."""
    first, second = make_particles(30, 1), make_particles(20, 2)
    paths = [
        write_events(tmp_path / "one.h5", first, group_id=np.arange(30), event_id=np.arange(30) + 100),
        write_events(tmp_path / "two.h5", second, group_id=np.arange(20) + 7),
    ]
    chosen = (np.arange(30) % 3 == 0, np.arange(20) % 4 != 1)
    part = Part(tuple(encoded(path) for path in paths), chosen)
    particles = np.concatenate([first[chosen[0]], second[chosen[1]]])
    return part, particles, np.concatenate([np.arange(30)[chosen[0]], (np.arange(20) + 7)[chosen[1]]])


def test_a_part_is_the_chosen_events_of_its_files_in_their_order(two_files: tuple[Part, Values, np.ndarray]) -> None:
    part, particles, groups = two_files
    assert len(part) == 10 + 15
    np.testing.assert_array_equal(particles_of(part), particles)
    np.testing.assert_array_equal(np.concatenate(list(part.words())), ENCODING.words(particles))
    np.testing.assert_array_equal(part.group_id, groups)
    assert list(part.quantities) == list(QUANTITIES)
    for name, values in quantities(particles, ADC2021).items():
        np.testing.assert_array_equal(part.quantities[name], values)


@pytest.mark.parametrize("events", [1, 2, 7, 24])
def test_a_thinned_part_has_so_many_of_its_events_evenly_spread(
    two_files: tuple[Part, Values, np.ndarray], events: int
) -> None:
    part, particles, groups = two_files
    thinned, kept = part.thinned(events), evenly_spread(len(part), events)
    assert (len(thinned), len(kept)) == (events, events)
    np.testing.assert_array_equal(particles_of(thinned), particles[kept])
    np.testing.assert_array_equal(thinned.group_id, groups[kept])
    steps = np.diff([*kept, len(part)])
    assert set(steps) <= {len(part) // events, len(part) // events + 1}


def test_a_part_with_no_more_events_is_not_thinned(two_files: tuple[Part, Values, np.ndarray]) -> None:
    part = two_files[0]
    assert part.thinned(25) is part
    assert part.thinned(1000) is part


def test_chosen_events_keep_their_identifiers(two_files: tuple[Part, Values, np.ndarray]) -> None:
    (one, two), chosen = two_files[0].files, two_files[0].chosen
    assert one.event_id is not None
    assert one.event_id[chosen[0]].tolist() == list(range(100, 130, 3))
    assert two.event_id is None


@pytest.mark.parametrize("block", [1, 7, 30, 1000])
def test_words_come_in_blocks(
    two_files: tuple[Part, Values, np.ndarray], monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    part, particles, _ = two_files
    monkeypatch.setattr(module, "BLOCK_EVENTS", block)
    blocks = list(part.words())
    assert all(0 < len(words) <= block and words.dtype == np.int64 for words in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), ENCODING.words(particles))


def test_files_of_which_nothing_is_chosen_give_nothing(two_files: tuple[Part, Values, np.ndarray]) -> None:
    files = two_files[0].files
    part = Part(files, (np.zeros(30, dtype=np.bool_), np.arange(20) < 2))
    assert len(part) == 2
    assert [len(words) for words in part.words()] == [len(values) for values in part.particles()] == [2]


def test_events_without_groups_have_none(own_events: EventsConfig) -> None:
    assert {part.group_id for part in read_dataset(own_events).background.values()} == {None}


def test_only_a_map_of_the_words_is_held(own_events: EventsConfig) -> None:
    (file,) = read_dataset(own_events).background["train"].files
    arrays = [file.words, file.hashes, *file.quantities.values()]
    assert all(isinstance(array, np.memmap) and array.mode == "r" for array in arrays)


@pytest.mark.parametrize("how", ["longer", "as long", "deleted"])
def test_physical_values_of_a_file_that_changed_are_refused(own_events: EventsConfig, how: str) -> None:
    part = read_dataset(own_events).background["test"]
    path = Path(own_events.background[0])
    if how == "deleted":
        path.unlink()
    else:
        write_events(path, make_particles(200 if how == "as long" else 300, seed=9))
    said = "cannot be read" if how == "deleted" else "has changed since it was digitised"
    with pytest.raises(UserError, match=rf"background\.h5 {said}"):
        list(part.particles())


def test_physical_values_of_a_file_that_changes_meanwhile_are_refused(own_events: EventsConfig) -> None:
    part = read_dataset(own_events).background["test"]
    blocks = part.particles()
    next(blocks)
    path = Path(own_events.background[0])
    other = write_events(path.with_name("other.h5"), make_particles(200, seed=9))
    other.replace(path)
    with pytest.raises(UserError, match=r"background\.h5 has changed since it was digitised"):
        list(blocks)


# Studies


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
    missing = EventsConfig(background=own_events.background, signals={"a": (str(tmp_path / "none.h5"),)})
    with pytest.raises(UserError, match=r"none\.h5"):
        read_dataset(missing)


@pytest.fixture
def cut(tmp_path: Path) -> tuple[EventsConfig, EventsConfig]:
    """The same events in one file, and cut in two within a group."""
    particles, groups = make_particles(300, 5), np.arange(300) // 10
    whole = write_events(tmp_path / "whole.h5", particles, group_id=groups)
    parts = [
        write_events(tmp_path / f"part_{name}.h5", particles[some], group_id=groups[some])
        for name, some in (("1", slice(0, 155)), ("2", slice(155, 300)))
    ]
    signal = (str(write_events(tmp_path / "signal.h5", make_particles(50, 6))),)
    return (
        EventsConfig(background=(str(whole),), signals={"a": signal}),
        EventsConfig(background=tuple(map(str, parts)), signals={"a": signal}),
    )


def test_several_files_are_read_and_split_as_if_they_were_one(cut: tuple[EventsConfig, EventsConfig]) -> None:
    whole, parts = map(read_dataset, cut)
    for name, part in whole.background.items():
        np.testing.assert_array_equal(particles_of(parts.background[name]), particles_of(part))
        np.testing.assert_array_equal(
            np.concatenate(list(parts.background[name].words())), np.concatenate(list(part.words()))
        )
        np.testing.assert_array_equal(parts.background[name].group_id, part.group_id)


def test_equal_groups_of_files_made_apart_are_in_one_part(tmp_path: Path) -> None:
    files = [
        str(write_events(tmp_path / f"{seed}.h5", make_particles(100, seed), group_id=np.arange(100)))
        for seed in (1, 2)
    ]
    signal = str(write_events(tmp_path / "signal.h5", make_particles(50, 6)))
    dataset = read_dataset(EventsConfig(background=tuple(files), signals={"a": (signal,)}))
    groups = [set(part.group_id.tolist()) for part in dataset.background.values() if part.group_id is not None]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 100
    assert sum(map(len, dataset.background.values())) == 200


def test_several_files_are_described_by_the_list_of_their_names(cut: tuple[EventsConfig, EventsConfig]) -> None:
    _, parts = cut
    described = describe(parts, read_dataset(parts))
    background, signals = described["background"], described["signals"]
    assert isinstance(background, dict)
    assert isinstance(signals, dict)
    assert background["source"] == ["part_1.h5", "part_2.h5"]
    assert signals["a"]["source"] == "signal.h5"


def test_files_with_and_without_groups_are_not_one_sample(
    cut: tuple[EventsConfig, EventsConfig], tmp_path: Path
) -> None:
    _, parts = cut
    without = write_events(tmp_path / "without.h5", make_particles(100, 7))
    mixed = EventsConfig(background=(*parts.background, str(without)), signals=parts.signals)
    with pytest.raises(UserError, match=r"without\.h5 has no `GroupId`"):
        read_dataset(mixed)


def test_a_sample_too_small_for_every_part_is_refused(own_events: EventsConfig, tmp_path: Path) -> None:
    one = write_events(tmp_path / "one.h5", make_particles(1))
    small = EventsConfig(background=own_events.background, signals={"a": (str(one),)})
    with pytest.raises(UserError, match=r"one\.h5: none of the 1 events falls in the"):
        read_dataset(small)


def test_another_layout_is_read_as_it_is_described(tmp_path: Path) -> None:
    particles = make_other_particles(200, 1)
    background = write_other_events(tmp_path / "background.h5", particles)
    signal = write_other_events(tmp_path / "signal.h5", make_other_particles(50, 2))
    events = EventsConfig(background=(str(background),), signals={"a": (str(signal),)}, layout=OTHER.config)
    assert Config(name="other", events=events).layout == OTHER.config
    encoding = InputEncoding(InputsConfig(), OTHER)
    dataset = module.read_dataset(events, encoding)
    assert {file.layout for part in dataset.test_events().values() for file in part.files} == {OTHER}
    assert sum(map(len, dataset.background.values())) == 200
    words = np.concatenate([words for part in dataset.background.values() for words in part.words()])
    assert sorted(map(tuple, words.tolist())) == sorted(map(tuple, encoding.words(particles).tolist()))
    default = events.model_copy(update={"layout": LayoutConfig()})
    with pytest.raises(UserError, match=r"has the shape \(200, 9, 4\). .*\(events, 19, 4\)"):
        read_dataset(default)
