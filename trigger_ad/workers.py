"""Work on all cores: tasks in processes of their own, which never outlive the one that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, current_process, get_context, parent_process
from typing import Final, TypeVar

from trigger_ad.errors import UserError

MOST_PROCESSES: Final = 8
"""Each needs a few hundred megabytes."""

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def in_processes(
    work: Callable[[_Task], _Result], tasks: Sequence[_Task], processes: int | None = None
) -> Generator[_Result]:
    """Does tasks in processes of their own; where one is enough, or this one may have none, in this process.

    Where the loop over it ends with an error, the processes end when it is closed (`contextlib.closing`), or forgotten.

    Args:
        work: A function of a module, which a new process can import.
        tasks: What it is called with.
        processes: At most so many at once; if not given, one a core up to `MOST_PROCESSES`.

    Yields:
        What it returns, in the order of the tasks: so of several errors the first task's is raised.

    Raises:
        UserError: A process ended unexpectedly.
    """
    count = min(len(tasks), processes or min(MOST_PROCESSES, len(os.sched_getaffinity(0))))
    if count < 2 or current_process().daemon:
        yield from map(work, tasks)
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:
        futures = [pool.submit(work, task) for task in tasks]
        for future in futures:
            yield future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process ended unexpectedly, perhaps for lack of memory", "Run the same command again"
        ) from error
    except BaseException:
        # nobody waits for what was begun
        for child in set(active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """Leaves Ctrl-C to the parent, and ends this process when the parent is killed and can no longer do it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_the_end_of_the_parent, daemon=True).start()


def _wait_for_the_end_of_the_parent() -> None:
    parent = parent_process()
    with contextlib.suppress(OSError):
        if parent is not None:
            parent.join()
    os._exit(1)
