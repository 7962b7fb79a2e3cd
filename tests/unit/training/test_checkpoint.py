"""The file that a fit goes on from: whole, of this fit, and not written too often."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from trigger_ad.training import checkpoint as module
from trigger_ad.training.checkpoint import Checkpoint, Progress, Weights

START = [np.arange(3.0)]
WEIGHTS: Weights = {
    "model": [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(2, np.float32)],
    "optimizer": [np.array(7, dtype=np.int64)],
    "best": [np.ones(2)],
    "masks": [],
}


def progress(*, ended: bool = False) -> Progress:
    history = {"loss": [0.5, 0.25], "val_loss": [0.75, 1 / 3], "learning_rate": [0.1, 0.1]}
    return Progress(0.1, 2, 1 / 3, 2, 1, 12.5, ended, history)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN", 0.0)


@pytest.mark.usefixtures("at_once")
def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    Checkpoint(folder, {"epochs": 3}, START).write(progress(), WEIGHTS)
    assert [path.name for path in folder.iterdir()] == ["fit.npz"]
    found = Checkpoint(folder, {"epochs": 3}, START).read()
    assert found is not None
    assert found[0] == progress()
    assert found[1].keys() == WEIGHTS.keys()
    for kind, arrays in WEIGHTS.items():
        for one, other in zip(arrays, found[1][kind], strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("settings", "start"), [({"epochs": 4}, START), ({"epochs": 3}, [np.arange(3.0) + 1])])
def test_another_fit_does_not_go_on_from_it(tmp_path: Path, settings: dict[str, int], start: list[np.ndarray]) -> None:
    Checkpoint(tmp_path, {"epochs": 3}, START).write(progress(), WEIGHTS)
    assert Checkpoint(tmp_path, settings, start).read() is None


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_damaged_file_is_said_and_left(tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: float) -> None:
    Checkpoint(tmp_path, {}, START).write(progress(), WEIGHTS)
    content = (tmp_path / "fit.npz").read_bytes()
    (tmp_path / "fit.npz").write_bytes(content[: int(kept * len(content))])
    with caplog.at_level(logging.WARNING):
        assert Checkpoint(tmp_path, {}, START).read() is None
    assert "is damaged" in caplog.text


def test_without_folder_or_file_there_is_nothing(tmp_path: Path) -> None:
    nowhere = Checkpoint(None, {}, START)
    nowhere.write(progress(ended=True), WEIGHTS)
    assert nowhere.read() is None
    assert Checkpoint(tmp_path, {}, START).read() is None


def test_epochs_that_follow_soon_are_not_written_but_the_end_is(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, {}, START)
    checkpoint.write(progress(), WEIGHTS)
    assert list(tmp_path.iterdir()) == []
    checkpoint.write(progress(ended=True), WEIGHTS)
    assert [path.name for path in tmp_path.iterdir()] == ["fit.npz"]
