"""What becomes of a task that goes wrong: the point fails, or the scan ends, and nothing else."""

from __future__ import annotations

import errno
import logging
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from trigger_ad.config import Config
from trigger_ad.errors import CheckFailed, UserError
from trigger_ad.run_directory import DiskFullError, InUseError
from trigger_ad.scan import work as module
from trigger_ad.scan.measurement import require_carried
from trigger_ad.scan.work import TOKEN, Outcome, Task, work


@pytest.fixture
def task(tmp_path: Path) -> Task:
    (tmp_path / TOKEN).touch()
    return Task(tmp_path, "point", Config(name="point").model_dump(mode="json"), "train")


def _fails(patch: pytest.MonkeyPatch, error: BaseException) -> None:
    def done(task: Task) -> Outcome:
        raise error

    patch.setattr(module, "_done", done)


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (UserError("no events", "Give some"), "failed", "no events. Give some"),
        (CheckFailed("it differs"), "failed", "it differs"),
        (ValueError("a\nb"), "failed", "internal error, ValueError: a b"),
        (OSError(errno.EIO, "broken"), "failed", "internal error, OSError: [Errno 5] broken"),
        (OSError(errno.ENOSPC, "full"), "stop", "no space left on the device"),
        (DiskFullError("no space left while writing x", "Free some"), "stop", "no space left while writing x"),
    ],
)
def test_an_error_is_told_and_not_raised(
    task: Task, monkeypatch: pytest.MonkeyPatch, error: Exception, state: str, reason: str
) -> None:
    _fails(monkeypatch, error)
    outcome = work(task)
    assert (outcome.state, outcome.reason) == (state, reason)
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_an_interruption_passes(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    _fails(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        work(task)


def test_a_worker_that_is_elsewhere_stops_the_scan(task: Task) -> None:
    (task.folder / TOKEN).unlink()
    outcome = work(task)
    assert outcome.state == "stop"
    assert outcome.reason == f"a worker in {Path.cwd()} does not see {task.folder}"


def test_a_worker_with_other_code_stops_the_scan_whenever_it_has_come(task: Task) -> None:
    theirs = pickle.loads(pickle.dumps(replace(task, versions=dict(task.versions) | {"numpy": "1.0"})))
    outcome = work(theirs)
    assert outcome.state == "stop"
    assert outcome.reason == (
        f"a worker in {Path.cwd()} has another version of numpy: {task.versions['numpy']}, here 1.0"
    )
    outcome = work(replace(task, versions=dict(task.versions) | {"code": "other"}))
    assert outcome.reason == f"a worker in {Path.cwd()} has another version of trigger-ad's code"
    assert not (task.folder / "point").exists()


def test_a_configuration_that_cannot_become_firmware_is_refused_before_anything_is_made(task: Task) -> None:
    config = Config.model_validate({"name": "point", "firmware": {"part": "nothing"}})
    outcome = work(Task(task.folder, "point", config.model_dump(mode="json"), "train"))
    assert (outcome.state, outcome.refused) == ("failed", True)
    assert "nothing" in (outcome.reason or "")
    assert not (task.folder / "point").exists()


def test_a_rate_that_too_few_validation_events_carry_is_refused_before_anything_is_made(task: Task) -> None:
    events = len(task.run().dataset.background["validation"])
    # at 10 events it can be measured, below it cannot
    require_carried(task.run(), [10 / events, 0.1])
    outcome = work(replace(task, fprs=(0.1, 9.9 / events)))
    assert (outcome.state, outcome.refused) == ("failed", False)
    assert outcome.reason == (
        f"objectives: no true-positive rate where {9.9 / events:g} of the background passes: of {events} validation "
        "background events 9 may pass, and a threshold needs 10 to carry it. Name a larger fpr, or give more "
        "background events"
    )
    assert not (task.folder / "point").exists()


def test_a_run_directory_that_another_works_on_is_waited_for(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def stages() -> list[str]:
        tries.append(1)
        if len(tries) < 3:
            raise InUseError("another trigger-ad works on it", "Wait")
        return ["train"]

    monkeypatch.setattr(module, "_SECONDS_BETWEEN_TRIES", 0.0)
    assert module._patiently(stages) == ["train"]
    assert len(tries) == 3


def test_what_stages_say_goes_into_the_points_own_log(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("trigger_ad")

    def done(task: Task) -> Outcome:
        logging.getLogger("trigger_ad.pipeline").info("train %s", task.point)
        return Outcome("done")

    monkeypatch.setattr(module, "_done", done)
    before = list(logger.handlers)
    work(task)
    assert (task.folder / "logs" / "point.log").read_text().endswith(" train point\n")
    assert logger.handlers == before
