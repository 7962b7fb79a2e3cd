"""The shipped sample: enough events, nothing odd in them, and a split without overlap."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_ad.config import InputsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.dataset import Part, read_dataset
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.inspection import Inspection, inspect_file
from trigger_ad.events.layout import SIGNALS
from trigger_ad.events.sample import EventFiles, sample_paths


@pytest.fixture(scope="module")
def files() -> EventFiles:
    return sample_paths()


@pytest.fixture(scope="module")
def inspections(files: EventFiles) -> dict[str, Inspection]:
    (background,) = files.background
    signals = {name: path for name, (path,) in files.signals.items()}
    return {name: inspect_file(path) for name, path in {"background": background, **signals}.items()}


def test_every_signal_has_a_file(files: EventFiles) -> None:
    assert tuple(files.signals) == SIGNALS


@pytest.mark.parametrize("name", ["background", *SIGNALS])
def test_there_are_enough_events(inspections: dict[str, Inspection], name: str) -> None:
    assert inspections[name].events >= (20_000 if name == "background" else 2_000)


@pytest.mark.parametrize("name", ["background", *SIGNALS])
def test_nothing_is_odd(inspections: dict[str, Inspection], name: str) -> None:
    assert inspections[name].oddities == ()
    assert inspections[name].verdict == "sound"


def hashes_of(part: Part) -> set[int]:
    return {value for file, chosen in zip(part.files, part.chosen, strict=True) for value in file.hashes[chosen]}


def test_no_event_and_no_group_is_in_two_parts() -> None:
    dataset = read_dataset("sample", InputEncoding(InputsConfig()))
    for split in (dataset.background, *dataset.signals.values()):
        hashes = [hashes_of(part) for part in split.values()]
        assert len(set.union(*hashes)) == sum(map(len, hashes))
        groups = [set(part.group_id.tolist()) for part in split.values() if part.group_id is not None]
        assert len(set().union(*groups)) == sum(map(len, groups))


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    with pytest.raises(UserError, match=r"lacks background\.h5"):
        sample_paths()
