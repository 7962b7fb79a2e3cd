"""Work for worker processes, and a process that waits for its workers: `python -m support.worker_tasks`."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from multiprocessing import active_children
from multiprocessing.connection import Connection
from pathlib import Path

from trigger_ad.errors import UserError
from trigger_ad.workers import in_processes

LONG = 600.0
"""Seconds for which nobody waits."""


def process_of(task: int) -> tuple[int, int]:
    """The task, and the process that does it."""
    return task, os.getpid()


def refuse_odd(task: int) -> int:
    """Refuses odd tasks, the first of them last."""
    if task % 2:
        time.sleep(1.0 / task)
        raise UserError(f"task {task} is odd", "Give an even one")
    return task


def refuse_the_first(task: int) -> int:
    """Refuses the first task, and does the others for a long time."""
    if task:
        time.sleep(LONG)
    raise UserError("the first task is refused", "Give another")


def die(task: int) -> int:
    """Ends the process without a word, as the kernel does when memory is short."""
    os._exit(9)


def be_long(task: int) -> int:
    """Does the first task at once and the others for a long time."""
    if task:
        time.sleep(LONG)
    return task


def tasks_of_a_daemon(told: Connection) -> None:
    """Does two tasks, and tells their results and the number of this process."""
    told.send((list(in_processes(process_of, range(2), 2)), os.getpid()))


def environment() -> dict[str, str]:
    """The environment in which a process of its own finds the modules beside this one."""
    roots = [str(folder) for folder in Path(__file__).parents[1:3]]
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(roots)}


def main() -> None:
    """Tells the numbers of the workers, and waits for them."""
    # a process that is started in the background is deaf to Ctrl-C, and so are those that it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # an interruption may come while this prints, outside of the generator, and must reach it before the process ends
    with closing(in_processes(be_long, range(4))) as results:
        for _ in results:
            print(*(child.pid for child in active_children()), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
