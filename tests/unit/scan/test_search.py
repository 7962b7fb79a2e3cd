"""A search: what Optuna is asked and told, and what of it a killed search still knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.small_disk import small_disk

from trigger_ad.config import ScanConfig
from trigger_ad.errors import UserError
from trigger_ad.run_directory import DiskFullError
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


@pytest.mark.parametrize(("sampler", "trials"), [("tpe", 16), ("nsga2", 56)])
def test_a_killed_search_goes_on_with_the_trial_that_was_cut_off_and_gives_the_same_trials(
    search: Callable[..., Search], sampler: str, trials: int
) -> None:
    changes = {"sampler": sampler, "trials": trials}
    whole = list(_settings(search("whole", **changes)))
    # killed twice, once where the sampler has begun to learn
    for ended in (2, trials - 3):
        killed = search(**changes)
        before = list(_settings(killed, most=ended))
        cut_off = killed.next(0, 1)
        assert before == whole[:ended]
        assert cut_off is not None
        assert cut_off.settings == whole[ended]
    again = list(_settings(search(**changes)))
    assert again == whole
    # all of them are known now, and none is asked for anew
    assert sorted(map(str, _settings(search(**changes)))) == sorted(map(str, again))


def test_a_trial_that_failed_is_tried_again_and_the_study_is_told(search: Callable[..., Search]) -> None:
    running = search(trials=3)
    points = []
    while point := running.next(0, 1):
        points.append(point)
        running.tell(Entry(point, "failed", reason="no events") if len(points) == 2 else _ends(Entry(point)))
    again = search(trials=3)
    settings = list(_settings(again))
    # what is known comes first
    assert settings == [points[index].settings for index in (0, 2, 1)]
    complete = [trial.state.name for trial in again._study.trials]
    assert complete == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]


def test_a_journal_that_cannot_grow_is_no_damaged_one(tmp_path: Path, search: Callable[..., Search]) -> None:
    with small_disk(tmp_path / "disk", kilobytes=8) as disk:
        full = search("disk/journal", trials=60)
        with pytest.raises(DiskFullError) as error:
            list(_settings(full))
        assert error.value.what == f"no space left on the device while writing {disk / 'journal'}"
        assert error.value.remedy == "Free some space and run again; what was finished is kept"
        with pytest.raises(DiskFullError):
            list(_settings(search("disk/journal", trials=60)))
        kept = (disk / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(kept)
    # with space it goes on from there
    assert len(list(_settings(search(trials=60)))) == 60


def test_what_is_left_of_a_line_is_no_damage(tmp_path: Path, search: Callable[..., Search]) -> None:
    whole = list(_settings(search("whole")))
    list(_settings(search(), most=3))
    with (tmp_path / "journal").open("ab") as journal:
        journal.write(b'{"op_code":')
    assert list(_settings(search(), most=4)) == whole[:4]
    assert list(_settings(search())) == whole


def test_a_damaged_journal_is_named(tmp_path: Path, search: Callable[..., Search]) -> None:
    (tmp_path / "journal").write_text("nothing of ours\n" * 2)
    with pytest.raises(UserError, match=r"journal is damaged. Delete it; finished points are kept"):
        search()


def test_a_trial_that_is_no_configuration_is_left_out(search: Callable[..., Search]) -> None:
    found = list(_settings(search(space={"quantization.weights": [4, 99], "seed": {"low": 1, "high": 1000}})))
    assert 0 < len(found) < 6
    assert {settings["quantization.weights"] for settings in found} == {4}
