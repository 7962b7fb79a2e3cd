"""What is done when: shared stages once, the rest side by side, and a failure that stays where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trigger_ad.config import ScanConfig
from trigger_ad.errors import UserError
from trigger_ad.scan.points import Points, listed_points
from trigger_ad.scan.schedule import Entry, Listed, Schedule
from trigger_ad.scan.work import Outcome, Task

Read = Callable[..., tuple[ScanConfig, Points]]
Answer = Callable[[Task], Outcome]


class _Workers:
    """Does nothing but answer, the task first that was submitted first."""

    def __init__(self, answer: Answer, capacity: int = 2) -> None:
        self._answer, self._capacity = answer, capacity
        self._waiting: list[Task] = []
        self.done: list[tuple[str, str]] = []
        self.most = 0

    def capacity(self) -> int:
        return self._capacity

    def submit(self, task: Task) -> None:
        self._waiting.append(task)
        self.most = max(self.most, len(self._waiting))

    def finished(self) -> list[tuple[Task, Outcome]]:
        task = self._waiting.pop(0)
        self.done.append((task.point, task.last))
        return [(task, self._answer(task))]


def _fine(task: Task) -> Outcome:
    return Outcome("done", figures={"auc.mean": 0.5} if task.measure else None)


def _run(read_scan: Read, grid: dict[str, Any], workers: _Workers) -> dict[str, Entry]:
    source = Listed(listed_points(*read_scan(grid=grid)))
    schedule = Schedule(Path("scan"), "convert", (), source, workers)
    return {entry.point.name: entry for entry in schedule.run()}


def test_what_points_share_is_made_once(read_scan: Read) -> None:
    workers = _Workers(_fine)
    entries = _run(read_scan, {"quantization.weights": [4, 6, 8]}, workers)
    assert [point for point, last in workers.done if last == "train"] == ["weights_4"]
    assert [point for point, last in workers.done if last == "quantize"] == ["weights_4", "weights_6", "weights_8"]
    assert {entry.owners["train"] for entry in entries.values()} == {"weights_4"}
    assert {name: entry.owners["quantize"] for name, entry in entries.items()} == {name: name for name in entries}
    assert workers.most == 2


def test_points_that_differ_in_firmware_alone_share_the_quantized_model_too(read_scan: Read) -> None:
    workers = _Workers(_fine)
    _run(read_scan, {"firmware.clock_ns": [4.0, 5.0]}, workers)
    assert workers.done[:2] == [("clock_ns_4", "train"), ("clock_ns_4", "quantize")]
    assert sorted(workers.done[2:]) == [("clock_ns_4", "convert"), ("clock_ns_5", "convert")]


def test_points_that_share_nothing_wait_for_nothing(read_scan: Read) -> None:
    workers = _Workers(_fine, capacity=3)
    _run(read_scan, {"seed": [1, 2, 3]}, workers)
    assert workers.done[:3] == [("seed_1", "train"), ("seed_2", "train"), ("seed_3", "train")]


def test_a_point_that_fails_leaves_the_others_alone(read_scan: Read) -> None:
    def answer(task: Task) -> Outcome:
        bad = task.point == "weights_6" and task.last == "quantize"
        return Outcome("failed", "its loss is no number") if bad else _fine(task)

    entries = _run(read_scan, {"quantization.weights": [4, 6, 8]}, _Workers(answer))
    assert {name: entry.state for name, entry in entries.items()} == {
        "weights_4": "done",
        "weights_6": "failed",
        "weights_8": "done",
    }
    assert entries["weights_6"].reason == "its loss is no number"


def test_a_shared_stage_that_fails_fails_for_all_that_need_it(read_scan: Read) -> None:
    def answer(task: Task) -> Outcome:
        return Outcome("failed", "no events") if task.last == "train" else _fine(task)

    workers = _Workers(answer)
    entries = _run(read_scan, {"quantization.weights": [4, 6]}, workers)
    assert {entry.reason for entry in entries.values()} == {"no events"}
    assert workers.done == [("weights_4", "train")]


def test_a_refused_point_does_not_take_what_it_shares_with_it(read_scan: Read) -> None:
    def answer(task: Task) -> Outcome:
        return Outcome("failed", "no such part", refused=True) if task.point == "weights_4" else _fine(task)

    workers = _Workers(answer)
    entries = _run(read_scan, {"quantization.weights": [4, 6, 8]}, workers)
    assert {name: entry.state for name, entry in entries.items()} == {
        "weights_4": "failed",
        "weights_6": "done",
        "weights_8": "done",
    }
    assert [point for point, last in workers.done if last == "train"] == ["weights_4", "weights_6"]


def test_what_is_nobodys_fault_stops_the_scan(read_scan: Read) -> None:
    def answer(task: Task) -> Outcome:
        return Outcome("stop", "no space left on the device", "Free some space and run again")

    with pytest.raises(UserError) as error:
        _run(read_scan, {"seed": [1, 2]}, _Workers(answer))
    assert str(error.value) == ("no space left on the device. Free some space and run again; what was finished is kept")


def test_the_seconds_of_a_point_are_those_of_its_own_stages(read_scan: Read) -> None:
    def answer(task: Task) -> Outcome:
        return Outcome("done", seconds=9.0, timings={"train": 5.0, "quantize": 2.0, "convert": 1.0}, figures={})

    entries = _run(read_scan, {"quantization.weights": [4, 6]}, _Workers(answer))
    assert [entry.seconds for entry in entries.values()] == [8.0, 3.0]
