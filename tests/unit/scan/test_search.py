"""A search: what Optuna is asked and told, and what of it a killed search still knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trigger_ad.config import ScanConfig
from trigger_ad.scan.objectives import Objective
from trigger_ad.scan.points import Points
from trigger_ad.scan.schedule import Entry
from trigger_ad.scan.search import Search

Read = Callable[..., tuple[ScanConfig, Points]]
OBJECTIVES = (Objective("auc.mean", "AUC", maximise=True), Objective("lut_estimate", "LUT", maximise=False))
SPACE = {
    "bits": {"keys": ["quantization.weights", "quantization.activations"], "low": 2, "high": 9},
    "training.learning_rate": {"low": 0.001, "high": 0.1, "log": True},
    "model.hidden": [[8], [16, 8], [32, 16]],
}


@pytest.fixture
def search(read_scan: Read, tmp_path: Path) -> Callable[..., Search]:
    def begin(journal: str = "journal", **changes: Any) -> Search:
        scan, points = read_scan(search={"trials": 6, "space": SPACE} | changes, grid=None)
        assert scan.search is not None
        return Search(scan.search, OBJECTIVES, points, tmp_path / journal, "digest")

    return begin


def _ends(entry: Entry) -> Entry:
    bits = entry.point.settings.get("bits", 5)
    entry.state, entry.figures = "done", {"auc.mean": bits / 10, "lut_estimate": bits * 100.0}
    return entry


def _settings(search: Search, most: int = 99) -> Iterator[dict[str, Any]]:
    """Each trial's settings, one trial at a time."""
    while most and (point := search.next(0, 1)):
        most -= 1
        search.tell(_ends(Entry(point)))
        yield point.settings


def test_a_trial_stays_within_its_space(search: Callable[..., Search]) -> None:
    found = list(_settings(search()))
    assert len(found) == 6
    assert all(2 <= settings["bits"] <= 9 for settings in found)
    assert all(0.001 <= settings["training.learning_rate"] <= 0.1 for settings in found)
    assert all(settings["model.hidden"] in SPACE["model.hidden"] for settings in found)  # type: ignore[operator]


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_the_same_seed_gives_the_same_trials(search: Callable[..., Search], sampler: str) -> None:
    one, other = (list(_settings(search(journal, sampler=sampler))) for journal in ("one", "other"))
    assert one == other
    assert list(_settings(search("third", sampler=sampler, seed=2))) != one


def test_no_more_trials_are_open_than_workers_can_do(search: Callable[..., Search]) -> None:
    running = search()
    assert running.next(open_points=0, capacity=2)
    assert running.next(open_points=1, capacity=2)
    assert running.next(open_points=2, capacity=2) is None


def test_a_killed_search_goes_on_with_the_trial_that_was_cut_off(search: Callable[..., Search]) -> None:
    whole = list(_settings(search("whole")))
    killed = search()
    before = list(_settings(killed, most=2))
    cut_off = killed.next(0, 1)
    assert cut_off is not None
    again = list(_settings(search()))
    assert again[:2] == before
    assert again[2] == cut_off.settings
    assert len(again) == 6
    assert again[:3] == whole[:3]
    # all of them are known now, and none is asked for anew
    assert sorted(map(str, _settings(search()))) == sorted(map(str, again))


def test_a_trial_that_is_no_configuration_is_left_out(search: Callable[..., Search]) -> None:
    found = list(_settings(search(space={"quantization.weights": [4, 99], "seed": {"low": 1, "high": 1000}})))
    assert 0 < len(found) < 6
    assert {settings["quantization.weights"] for settings in found} == {4}
