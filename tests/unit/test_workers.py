"""Work on all cores: in order, with the errors of a single process, and no process that is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import Pipe, active_children, get_context
from pathlib import Path

import pytest
from support import worker_tasks

from trigger_ad.errors import UserError
from trigger_ad.workers import in_processes

PATIENCE = 120.0
"""Seconds after which what should have ended has not."""


def test_results_come_in_the_order_of_the_tasks_from_other_processes() -> None:
    results = list(in_processes(worker_tasks.process_of, range(5)))
    assert [task for task, _ in results] == list(range(5))
    assert os.getpid() not in {process for _, process in results}
    assert active_children() == []


def test_a_single_task_is_done_in_this_process() -> None:
    assert list(in_processes(worker_tasks.process_of, [3])) == [(3, os.getpid())]


def test_of_several_errors_the_first_tasks_is_raised() -> None:
    found = []
    # the third task is refused before the first odd one is
    with pytest.raises(UserError, match=r"^task 1 is odd\. Give an even one$") as caught:
        found += list(in_processes(worker_tasks.refuse_odd, range(4)))
    assert (caught.value.what, caught.value.remedy) == ("task 1 is odd", "Give an even one")


def test_after_an_error_nobody_waits_for_what_was_begun() -> None:
    with pytest.raises(UserError, match="the first task is refused"):
        list(in_processes(worker_tasks.refuse_the_first, range(8)))
    assert active_children() == []


def test_who_stops_asking_is_not_kept_waiting() -> None:
    results = in_processes(worker_tasks.be_long, range(8))
    assert next(results) == 0
    del results
    assert active_children() == []


def test_a_process_that_ends_without_a_word_is_one_clear_error() -> None:
    with pytest.raises(UserError, match="a worker process ended unexpectedly, perhaps for lack of memory") as caught:
        list(in_processes(worker_tasks.die, range(2)))
    assert caught.value.remedy == "Run the same command again"


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_the_process_that_started_it(number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-m", "support.worker_tasks"],
        env=worker_tasks.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    workers = [int(process) for process in parent.stdout.readline().split()]
    assert workers
    assert all(is_running(worker) for worker in workers)
    if number == signal.SIGINT:
        # Ctrl-C reaches every process of the terminal
        os.killpg(parent.pid, number)
    else:
        parent.kill()
    _, errors = parent.communicate(timeout=PATIENCE)
    # the traceback of the interrupted process alone
    assert errors.count("Traceback") == (number == signal.SIGINT)
    end = time.monotonic() + PATIENCE
    while any(is_running(worker) for worker in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(is_running(worker) for worker in workers)


def test_a_process_that_may_start_none_does_the_tasks_itself() -> None:
    parent, child = Pipe()
    process = get_context("spawn").Process(target=worker_tasks.tasks_of_a_daemon, args=(child,), daemon=True)
    process.start()
    results, own = parent.recv()
    process.join()
    assert results == [(0, own), (1, own)]
