"""Where the points of a scan run: Dask workers of this machine, or those of a scheduler that is there already."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from trigger_ad.errors import UserError
from trigger_ad.scan.work import (
    SAME_FILES,
    SAME_VERSIONS,
    TOKEN,
    Outcome,
    Task,
    other_version,
    version_of_everything,
    work,
)

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS: Final = 5.0
"""After which a scheduler counts as not there."""
_ITS_ADDRESS: Final = " with 'dask scheduler', and give the address that it prints"
_LIBRARIES: Final = ("distributed", "tornado", "asyncio", "dask")
_SECONDS_BETWEEN_LOOKS: Final = 0.5
ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    "1",
)
"""The environment of a worker that is one of several: points side by side make more of the cores than threads do."""


class Workers(Protocol):
    """What does tasks, several at once."""

    def capacity(self) -> int:
        """How many it can do at once."""

    def submit(self, task: Task) -> None:
        """Takes a task on."""

    def finished(self) -> list[tuple[Task, Outcome]]:
        """Waits a moment; what has ended since it was last asked."""


class DaskWorkers:
    """Dask workers.

    Args:
        client: Connected to their scheduler.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._address = client.scheduler_info(n_workers=0)["address"]
        self._running: dict[Future[Outcome], Task] = {}

    def capacity(self) -> int:
        """How many tasks they can do at once: one where none is there yet, so that it waits for the first.

        Raises:
            UserError: If the scheduler has gone, or a worker that has come has several threads.
        """
        with self._scheduler_there():
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
        _require_one_thread(workers)
        return max(1, len(workers))

    def submit(self, task: Task) -> None:
        """Takes a task on: it is done by another worker if its own is lost, and again by a third."""
        # two points may ask for equal work, and a restarted scan for what was asked for before: neither is remembered
        self._running[self._client.submit(work, task, pure=False, key=_key(task))] = task

    def finished(self) -> list[tuple[Task, Outcome]]:
        """Waits a moment; what has ended since it was last asked.

        Raises:
            UserError: If the scheduler has gone, or a task cannot be sent to or read from a worker.
        """
        from distributed import wait

        if self._running:
            with self._scheduler_there(), self._client.as_current(), suppress(TimeoutError):
                wait(list(self._running), timeout=_SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED")
        ended = [future for future in self._running if future.done()]
        return [(self._running.pop(future), _outcome(future)) for future in ended]

    @contextmanager
    def _scheduler_there(self) -> Iterator[None]:
        try:
            yield
            gone = self._client.status != "running"
        except (OSError, CancelledError, asyncio.CancelledError):
            gone = True
        if gone:
            raise UserError(
                f"the scheduler at {self._address} has gone",
                "Start the same scan again when there is one; what was finished is kept",
            )


def _key(task: Task) -> str:
    """What Dask's own pages call a task."""
    return f"{task.point}-{task.last}-{time.monotonic_ns()}"


def _outcome(future: Future[Outcome]) -> Outcome:
    from distributed import KilledWorker

    if future.status == "finished":
        outcome = future.result()
        assert isinstance(outcome, Outcome)
        return outcome
    if future.status in ("cancelled", "lost"):
        return Outcome("stop", "the scheduler has dropped the scan's work", "Start the same scan again")
    error = future.exception()
    if isinstance(error, KilledWorker):
        return Outcome("failed", f"each of the {error.allowed_failures + 1} workers that began it was lost")
    return Outcome("failed", f"{type(error).__name__}: {' '.join(str(error).split())}")


@contextmanager
def local_workers(count: int) -> Iterator[DaskWorkers]:
    """Starts workers on this machine, a process each, and ends them.

    Args:
        count: How many.

    Raises:
        UserError: If Dask is not installed, or they do not start.
    """
    distributed = require_dask()
    with _quiet_logs():
        try:
            cluster = distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                # without one its pages are served at a port that may be taken, with a warning
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                # a worker that is stopped for its memory would lose the point; the system knows better when to
                memory_limit=0,
                silence_logs=logging.CRITICAL,
                env=ONE_THREAD if count > 1 else {},
            )
        except (OSError, TimeoutError, RuntimeError) as error:
            raise UserError(
                f"the local workers did not start ({_line(error)})", "Give fewer with --workers, or run again"
            ) from error
        with cluster, distributed.Client(cluster) as client:
            yield DaskWorkers(client)


@contextmanager
def workers_of(address: str, folder: Path) -> Iterator[DaskWorkers]:
    """Connects to a scheduler, and checks that its workers are as this process is.

    Args:
        address: Of the scheduler, such as `tcp://host:8786`.
        folder: Of the scan: every worker must see it where this process does.

    Raises:
        UserError: If Dask is not installed, there is no scheduler, or a worker is of another version or elsewhere.
    """
    if not address.strip():
        raise UserError("--scheduler: no address is given", f"Start a scheduler{_ITS_ADDRESS}")
    distributed = require_dask()
    with _quiet_logs():
        try:
            asyncio.run(_knock(address))
            client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            raise UserError(
                f"--scheduler: there is no scheduler that answers at {address}",
                f"Start one{_ITS_ADDRESS}",
            ) from error
        with client:
            _require_equals(client, folder)
            yield DaskWorkers(client)


async def _knock(address: str) -> None:
    """Finds out whether a scheduler of Dask listens: a client goes on trying, and complains when it is thrown away.

    Raises:
        OSError: Nothing does, or something else.
        TimeoutError: It does not say so.
        ValueError: The address is none.
    """
    from distributed.comm.core import connect

    comm = await asyncio.wait_for(connect(address, timeout=CONNECT_SECONDS), CONNECT_SECONDS)
    await comm.close()


def require_dask() -> Any:
    """Dask's distributed scheduler.

    Raises:
        UserError: If it is not installed.
    """
    try:
        import distributed
    except ImportError:
        raise UserError("Dask is not installed", "Install it with: pip install 'trigger-ad[scan]'") from None
    return distributed


def _require_equals(client: Client, folder: Path) -> None:
    """Refuses workers that would make something else of a point, or somewhere else."""
    _require_one_thread(client.scheduler_info(n_workers=-1)["workers"])
    for address, (versions, sees) in client.run(_probe(folder / TOKEN)).items():
        if other := other_version(versions, version_of_everything()):
            raise UserError(f"the worker {address} has another version of {other}", SAME_VERSIONS)
        if not sees:
            raise UserError(f"the worker {address} does not see {folder}", SAME_FILES)


def _require_one_thread(workers: Mapping[str, Mapping[str, Any]]) -> None:
    several = next((address for address, worker in workers.items() if worker["nthreads"] > 1), None)
    if several:
        raise UserError(
            f"the worker {several} has several threads, and what one trains would be another's random numbers",
            "Start workers with '--nthreads 1', as many as there are cores for",
        )


def _probe(token: Path) -> Callable[[], tuple[dict[str, Any], bool]]:
    """What a worker is asked.

    The function travels as it is, and not by its name, as a worker of another version may have none of that name.
    """
    text = str(token)

    def probe() -> tuple[dict[str, Any], bool]:
        from pathlib import Path

        try:
            from trigger_ad.scan.work import version_of_everything

            versions = version_of_everything()
        except ImportError:
            versions = {}
        return versions, Path(text).is_file()

    return probe


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Silences what Dask's libraries log in this process: what a user must know of it is said in an error."""
    # each of their modules has set a level of its own
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _LIBRARIES]
    loggers = [logging.getLogger(name) for name in {*known, *_LIBRARIES}]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))
