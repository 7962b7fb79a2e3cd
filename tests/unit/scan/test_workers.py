"""Dask's workers: what their losses become, and which of them are refused."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trigger_ad.errors import UserError
from trigger_ad.scan import workers as module
from trigger_ad.scan.work import Outcome, version_of_everything
from trigger_ad.scan.workers import DaskWorkers, local_workers, require_dask

ONE = "tcp://one:1"


class _Client:
    """What of Dask's client is used, with workers that answer as a test wants."""

    status = "running"

    def __init__(self, threads: int = 1, answer: tuple[dict[str, Any], bool] | None = None) -> None:
        self.workers: dict[str, Any] = {ONE: {"nthreads": threads}, "tcp://two:1": {"nthreads": 1}}
        self._answer = answer or (version_of_everything(), True)

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"address": "tcp://scheduler:1", "workers": self.workers}

    def run(self, question: Callable[[], Any]) -> dict[str, Any]:
        return dict.fromkeys(self.workers, self._answer)


def _future(status: str, **more: Any) -> Any:
    return SimpleNamespace(status=status, **{name: lambda value=value: value for name, value in more.items()})


def test_there_are_as_many_tasks_at_once_as_workers_and_one_before_there_are_any() -> None:
    client: Any = _Client()
    workers = DaskWorkers(client)
    assert workers.capacity() == 2
    client.workers = {}
    assert workers.capacity() == 1


def test_a_worker_with_several_threads_is_refused_whenever_it_comes() -> None:
    client: Any = _Client()
    workers = DaskWorkers(client)
    client.workers["tcp://late:1"] = {"nthreads": 4}
    with pytest.raises(UserError, match="the worker tcp://late:1 has several threads"):
        workers.capacity()


def test_a_scheduler_that_goes_away_is_said_to_have_gone() -> None:
    client: Any = _Client()
    workers = DaskWorkers(client)
    client.status = "closed"
    with pytest.raises(UserError) as error:
        workers.capacity()
    assert error.value.what == "the scheduler at tcp://scheduler:1 has gone"


def test_what_a_task_says_is_its_outcome() -> None:
    outcome = Outcome("done", ran=("train",))
    assert module._outcome(_future("finished", result=outcome)) is outcome


def test_a_task_whose_workers_are_all_lost_fails() -> None:
    from distributed import KilledWorker

    lost: Any = SimpleNamespace(address=ONE)
    outcome = module._outcome(_future("error", exception=KilledWorker("point", lost, 3)))
    assert outcome == Outcome("failed", "each of the 4 workers that began it was lost")


def test_work_that_a_scheduler_drops_stops_the_scan() -> None:
    assert module._outcome(_future("cancelled")).state == "stop"


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (_Client(threads=2), f"the worker {ONE} has several threads"),
        (_Client(answer=({}, True)), f"the worker {ONE} has another version of python: None, here "),
        (
            _Client(answer=(version_of_everything() | {"code": "other"}, True)),
            f"the worker {ONE} has another version of trigger-ad's code",
        ),
        (_Client(answer=(version_of_everything(), False)), f"the worker {ONE} does not see hls_projects/scan"),
    ],
)
def test_workers_that_would_make_something_else_are_refused(client: Any, said: str) -> None:
    with pytest.raises(UserError) as error:
        module._require_equals(client, Path("hls_projects/scan"))
    assert said in error.value.what


def test_equal_workers_are_not() -> None:
    client: Any = _Client()
    module._require_equals(client, Path("hls_projects/scan"))


def test_what_a_worker_is_asked_travels_by_itself(tmp_path: Path) -> None:
    from distributed.protocol.pickle import dumps, loads

    text = dumps(module._probe(tmp_path / ".scan"))
    # its code, and not its name: an older worker has none of that name
    assert b"_make_function" in text
    versions, sees = loads(text)()
    assert versions == version_of_everything()
    assert not sees


def test_a_port_that_another_program_listens_at_is_none_of_our_business() -> None:
    with socket.socket() as other:
        # unless one does already
        with suppress(OSError):
            other.bind(("", 8787))
            other.listen()
        with warnings.catch_warnings(action="error"), local_workers(0) as workers:
            assert workers.capacity() == 1


def test_dask_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match="Dask is not installed") as error:
        require_dask()
    assert "trigger-ad[scan]" in error.value.remedy
