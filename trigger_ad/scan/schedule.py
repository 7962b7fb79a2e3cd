"""What is done when: points side by side, and what several of them share done once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from trigger_ad.errors import UserError
from trigger_ad.pipeline.quantize import QUANTIZE
from trigger_ad.pipeline.sharing import made_from
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.train import TRAIN
from trigger_ad.run_directory import RunDirectory
from trigger_ad.scan.measurement import Figures
from trigger_ad.scan.points import Point
from trigger_ad.scan.work import SHARED, Outcome, Task
from trigger_ad.scan.workers import Workers

PointState = Literal["waiting", "running", "done", "failed"]


@dataclass
class Entry:
    """How far a point has come.

    Attributes:
        point: The point.
        state: `waiting` also while another point makes what both share.
        stage: What is done for it now.
        reason: Why it failed.
        seconds: That its own stages took, without what another point has made; of a failed point, that workers took.
        ran: The stages that ran: of a point that was finished before, none.
        owners: For each shared stage, the point that has made it.
        figures: Of the finished point.
        comparisons: Of its models.
    """

    point: Point
    state: PointState = "waiting"
    stage: str | None = None
    reason: str | None = None
    seconds: float = 0.0
    ran: list[str] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    figures: Figures = field(default_factory=dict)
    comparisons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ("done", "failed")


class Source(Protocol):
    """Where points come from."""

    total: int

    def next(self, open_points: int, capacity: int) -> Point | None:
        """The next point; None where there is none, or none yet.

        Args:
            open_points: How many have begun and not ended.
            capacity: How many the workers can do at once.
        """

    def tell(self, entry: Entry) -> None:
        """Takes note of a point that has ended."""


class Listed:
    """The points of a grid or a list, in order."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.total = len(points)
        self._left = list(reversed(points))

    def next(self, open_points: int, capacity: int) -> Point | None:
        """The next point: points that wait for what others make take no worker, so there may be many."""
        return self._left.pop() if self._left else None

    def tell(self, entry: Entry) -> None:
        """Nothing depends on it."""


@dataclass
class _Making:
    """A shared stage that is being made, or has been.

    Attributes:
        owner: The point in whose run directory it is.
        state: How far it is.
        reason: Why it failed.
    """

    owner: str
    state: Literal["running", "done", "failed"] = "running"
    reason: str | None = None


class Schedule:
    """Hands the tasks of points to workers, as many as they can do at once.

    Args:
        folder: The scan's, from the working directory.
        last: The last stage of each point.
        fprs: False-positive rates at which true-positive rates are measured.
        source: Where the points come from.
        workers: What does the tasks.
        changed: Called whenever the state of a point has changed, and now and then.
    """

    def __init__(
        self,
        folder: Path,
        last: str,
        fprs: Sequence[float],
        source: Source,
        workers: Workers,
        changed: Callable[[Schedule], None] = lambda schedule: None,
    ) -> None:
        self._folder, self._last, self._fprs = folder, last, tuple(fprs)
        self._source, self._workers, self._changed = source, workers, changed
        self._shared: dict[str, _Making] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        self._running: dict[str, str] = {}
        self.capacity = 1
        self.entries: dict[str, Entry] = {}

    @property
    def total(self) -> int:
        """How many points there will be."""
        return self._source.total

    def run(self) -> list[Entry]:
        """Brings every point to its end.

        Returns:
            What became of each, in the order in which they were begun.

        Raises:
            UserError: If the scan cannot go on; what was finished is kept.
        """
        while True:
            self.capacity = self._workers.capacity()
            while len(self._running) < self.capacity and (task := self._next_task()):
                self._submit(task)
            self._changed(self)
            if not self._running:
                return list(self.entries.values())
            for task, outcome in self._workers.finished():
                self._take(task, outcome)

    def _submit(self, task: Task) -> None:
        entry = self.entries[task.point]
        entry.state, entry.stage = "running", task.last
        self._running[task.point] = task.last
        self._workers.submit(task)

    def _next_task(self) -> Task | None:
        """The next task of the first point that waits for nothing, or of a new one."""
        for entry in self._open():
            if entry.point.name not in self._running and (task := self._task_of(entry)):
                return task
        while point := self._source.next(len(self._open()), self.capacity):
            entry = self._begin(point)
            if task := self._task_of(entry):
                return task
        return None

    def _open(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if not entry.ended]

    def _begin(self, point: Point) -> Entry:
        """Takes a point on; one that a search has asked for twice has ended with the first."""
        name = point.name
        if name not in self.entries:
            self.entries[name] = Entry(point)
            try:
                self._keys[name] = _shared_keys(Run(point.config, RunDirectory(self._folder / name)))
            except UserError as error:
                self._end(self.entries[name], "failed", str(error))
        elif self.entries[name].ended:
            self._source.tell(self.entries[name])
        return self.entries[name]

    def _task_of(self, entry: Entry) -> Task | None:
        """What is to be done next for a point that nothing is done for; None if it waits, or has ended."""
        name = entry.point.name
        if entry.ended or name in self._running:
            return None
        for stage, key in zip(SHARED, self._keys[name], strict=True):
            if stage.name in entry.owners:
                continue
            making = self._shared.get(key)
            if making is None:
                self._shared[key] = _Making(name)
                return self._task(entry, stage.name)
            if making.state == "failed":
                self._end(entry, "failed", making.reason)
            if making.state != "done":
                return None
            entry.owners[stage.name] = making.owner
        return self._task(entry, self._last, measure=True)

    def _task(self, entry: Entry, last: str, *, measure: bool = False) -> Task:
        config = entry.point.config.model_dump(mode="json")
        return Task(self._folder, entry.point.name, config, last, dict(entry.owners), measure, self._fprs)

    def _take(self, task: Task, outcome: Outcome) -> None:
        """Takes note of what became of a task."""
        entry = self.entries[task.point]
        del self._running[task.point]
        entry.state, entry.stage = "waiting", None
        entry.seconds += outcome.seconds
        entry.ran += outcome.ran
        if outcome.state == "stop":
            raise UserError(outcome.reason or "", f"{outcome.remedy}; what was finished is kept")
        if not task.measure:
            self._take_shared(task, entry, outcome)
        if outcome.state == "failed":
            self._end(entry, "failed", outcome.reason)
        elif task.measure:
            entry.figures, entry.comparisons = outcome.figures or {}, outcome.comparisons or []
            entry.seconds = sum(outcome.timings.get(stage, 0.0) for stage in self._own_stages(entry, outcome))
            self._end(entry, "done")

    def _own_stages(self, entry: Entry, outcome: Outcome) -> list[str]:
        name = entry.point.name
        return [stage for stage in outcome.timings if entry.owners.get(stage, name) == name]

    def _take_shared(self, task: Task, entry: Entry, outcome: Outcome) -> None:
        names = [stage.name for stage in SHARED]
        key = self._keys[task.point][names.index(task.last)]
        if outcome.refused:
            # it is the point's own fault: another one makes what both would share
            del self._shared[key]
        elif outcome.state == "failed":
            self._shared[key].state, self._shared[key].reason = "failed", outcome.reason
        else:
            self._shared[key].state = "done"
            entry.owners[task.last] = task.point

    def _end(self, entry: Entry, state: PointState, reason: str | None = None) -> None:
        entry.state, entry.reason = state, reason
        self._source.tell(entry)


def _shared_keys(run: Run) -> tuple[str, ...]:
    """What names each shared stage of a run: points where it is equal would make the same of it.

    Raises:
        UserError: If there are no such events files.
    """
    trained = TRAIN.inputs_digest(run)
    return trained, made_from(QUANTIZE, run, trained)
