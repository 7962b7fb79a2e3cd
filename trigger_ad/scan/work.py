"""What is done for a point, in whichever process it is asked for: nothing here knows of Dask."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from trigger_ad.config import Config
from trigger_ad.errors import CheckFailed, UserError
from trigger_ad.pipeline.check import check_run
from trigger_ad.pipeline.quantize import QUANTIZE
from trigger_ad.pipeline.sharing import adopt
from trigger_ad.pipeline.stage import Run, Stage, package_versions, source_digest, timings
from trigger_ad.pipeline.target import bring_up_to_date
from trigger_ad.pipeline.train import TRAIN
from trigger_ad.pipeline.validation import VALIDATION
from trigger_ad.progress import silenced
from trigger_ad.run_directory import DiskFullError, InUseError, RunDirectory, worked_on_alone
from trigger_ad.scan.measurement import Figures, comparisons_of, figures_of, require_carried

SHARED: Final[tuple[Stage, ...]] = (TRAIN, QUANTIZE)
"""The stages that are done once for all points that would make the same of them."""

TOKEN: Final = ".scan"
"""A file in the scan's folder: who reads it there is in the same place, with the same files."""

SAME_VERSIONS: Final = "Install the same versions everywhere, with constraints.txt, and start the workers again"
SAME_FILES: Final = "Start workers in the folder that the scan is started in, on a file system that all of them share"

_SECONDS_BETWEEN_TRIES: Final = 2.0

_ALONE: Final = threading.Lock()
"""Random numbers and the log are the process's own: of several threads one works at a time."""

State = Literal["done", "failed", "stop"]


class StrangerError(UserError):
    """A worker is not where the scan is, or not what it is."""


class _Log(logging.FileHandler):
    """A log that is given up where it cannot be written: the stage that goes on says why."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass


@cache
def version_of_everything() -> dict[str, Any]:
    """What must be the same everywhere: our own code, and the packages that the numbers depend on."""
    return package_versions() | {"code": source_digest(("",))}


def other_version(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str | None:
    """What a worker has in another version than the scan; None where all is the same."""
    other = next((name for name in ours if theirs.get(name) != ours[name]), None)
    if other is None:
        return None
    return "trigger-ad's code" if other == "code" else f"{other}: {theirs.get(other)}, here {ours[other]}"


@dataclass(frozen=True)
class Task:
    """A part of what is done for a point.

    Attributes:
        folder: The scan's, from the working directory.
        point: The point's name.
        config: What it runs, as JSON.
        last: The stage that this part ends with.
        owners: For each shared stage, by name, the point that makes it.
        measure: Whether it ends with the figures of the point.
        fprs: False-positive rates at which true-positive rates are measured.
        versions: Of everything, where the scan is.
    """

    folder: Path
    point: str
    config: dict[str, Any]
    last: str
    owners: Mapping[str, str] = field(default_factory=dict)
    measure: bool = False
    fprs: tuple[float, ...] = ()
    versions: Mapping[str, Any] = field(default_factory=version_of_everything)

    def run(self) -> Run:
        """The point's run."""
        return Run(Config.model_validate(self.config), RunDirectory(self.folder / self.point))


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes:
        state: `failed` is the point's fault; `stop` is nobody's, and the scan cannot go on.
        reason: Why it did not end well.
        remedy: What to do about it, of one that stops the scan.
        refused: Whether nothing was begun: the configuration as a whole cannot be what it asks for.
        seconds: What it took.
        timings: Seconds that each stage of a finished point took when it was made, whenever that was.
        ran: The stages that ran: none where the point was up to date.
        figures: Of the point, if they were measured.
        comparisons: Of its models, likewise.
    """

    state: State
    reason: str | None = None
    remedy: str = ""
    refused: bool = False
    seconds: float = 0.0
    timings: Mapping[str, float] = field(default_factory=dict)
    ran: tuple[str, ...] = ()
    figures: Figures | None = None
    comparisons: list[dict[str, Any]] | None = None


def work(task: Task) -> Outcome:
    """Does a task; whatever goes wrong is said in its outcome.

    An interruption passes: it is for whoever asked.
    """
    started = time.perf_counter()
    try:
        with _ALONE, _told_to(task.folder / "logs" / f"{task.point}.log"), silenced():
            outcome = _done(task)
    except (DiskFullError, StrangerError) as error:
        outcome = Outcome("stop", error.what, error.remedy)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        outcome = (
            Outcome("stop", "no space left on the device", "Free some space and run again") if full else _bug(error)
        )
    except (UserError, CheckFailed) as error:
        outcome = Outcome("failed", str(error))
    except Exception as error:
        outcome = _bug(error)
    return Outcome(**vars(outcome) | {"seconds": time.perf_counter() - started})


def _bug(error: Exception) -> Outcome:
    return Outcome("failed", f"internal error, {type(error).__name__}: {' '.join(str(error).split())}")


def _done(task: Task) -> Outcome:
    _require_the_same_place(task)
    run = task.run()
    try:
        check_run(run)
    except UserError as error:
        return Outcome("failed", str(error), refused=True)
    # of whoever shares the float model too, as the events are the same
    require_carried(run, task.fprs)
    ran = _patiently(lambda: _stages(task, run))
    if not task.measure:
        return Outcome("done", ran=tuple(ran))
    figures = figures_of(run, task.last, task.fprs)
    return Outcome("done", timings=timings(run), ran=tuple(ran), figures=figures, comparisons=comparisons_of(run))


def _stages(task: Task, run: Run) -> list[str]:
    """Takes over what others have made, makes the rest, and says what was made."""
    with worked_on_alone(run.directory):
        for stage in SHARED:
            owner = task.owners.get(stage.name, task.point)
            if owner != task.point:
                adopt(stage, run, RunDirectory(task.folder / owner))
    ran = bring_up_to_date(run, task.last)
    if task.measure:
        with worked_on_alone(run.directory):
            ran += [VALIDATION.name] * VALIDATION.bring_up_to_date(run)
    return ran


def _patiently(stages: Callable[[], list[str]]) -> list[str]:
    """Waits for another process that works on the point: a worker that was given up for lost may live on."""
    while True:
        try:
            made = stages()
        except InUseError:
            time.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return made


def _require_the_same_place(task: Task) -> None:
    """Workers may come while a scan runs: each task finds out where it is."""
    if other := other_version(version_of_everything(), task.versions):
        raise StrangerError(f"a worker in {Path.cwd()} has another version of {other}", SAME_VERSIONS)
    if not (task.folder / TOKEN).is_file():
        raise StrangerError(f"a worker in {Path.cwd()} does not see {task.folder}", SAME_FILES)


@contextmanager
def _told_to(path: Path) -> Iterator[None]:
    """What the stages log goes into a file of the point's own."""
    path.parent.mkdir(exist_ok=True)
    logger = logging.getLogger("trigger_ad")
    before = logger.handlers, logger.level, logger.propagate
    handler = _Log(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        handler.close()
        logger.handlers, level, logger.propagate = before
        logger.setLevel(level)
