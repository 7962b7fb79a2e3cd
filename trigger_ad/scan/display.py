"""How a scan goes: a live table on standard error where that is a terminal, a line for each point where it is not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.live import Live
from rich.table import Table

from trigger_ad.scan.objectives import Objective
from trigger_ad.scan.schedule import Entry, Schedule

_LOGGER = logging.getLogger(__name__)


@contextmanager
def shown(objectives: Sequence[Objective]) -> Iterator[Callable[[Schedule], None]]:
    """Shows how a scan goes.

    Args:
        objectives: The best point is that of the first.

    Yields:
        What to call whenever something may have changed.
    """
    console, started = Console(stderr=True), time.monotonic()
    if not console.is_terminal:
        yield _a_line_each(objectives[0], started)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda schedule: live.update(_table(schedule, objectives[0], started), refresh=True)


def _table(schedule: Schedule, objective: Objective, started: float) -> Table:
    table = Table(show_header=False)
    for fact, value in _facts(schedule, objective, started).items():
        table.add_row(fact, value)
    for entry in schedule.entries.values():
        if entry.state == "running":
            table.add_row(f"  {entry.point.name}", entry.stage)
        elif entry.state == "failed":
            table.add_row(f"  {entry.point.name}", f"failed: {entry.reason}")
    return table


def _a_line_each(objective: Objective, started: float) -> Callable[[Schedule], None]:
    told: set[str] = set()

    def tell(schedule: Schedule) -> None:
        for entry in schedule.entries.values():
            if entry.ended and entry.point.name not in told:
                told.add(entry.point.name)
                facts = _facts(schedule, objective, started).items()
                _LOGGER.info("%s %s (%s)", entry.point.name, _fate(entry), ", ".join(f"{k} {v}" for k, v in facts))

    return tell


def _fate(entry: Entry) -> str:
    if entry.state == "failed":
        return f"failed: {entry.reason}"
    return "done" if entry.ran else "was done before"


def _facts(schedule: Schedule, objective: Objective, started: float) -> dict[str, str]:
    entries = list(schedule.entries.values())
    count = {state: sum(entry.state == state for entry in entries) for state in ("done", "running", "failed")}
    best = best_of(entries, objective)
    return {
        "done": f"{count['done']} of {schedule.total}",
        "running": str(count["running"]),
        "failed": str(count["failed"]),
        "best": "none"
        if best is None
        else f"{best.point.name} with {objective.title} {objective.of(best.figures):.5g}",
        "time left": _left(schedule, started),
    }


def best_of(entries: Sequence[Entry], objective: Objective) -> Entry | None:
    """The best finished point by one objective; None where none has it."""
    known = [entry for entry in entries if entry.state == "done" and entry.figures.get(objective.key) is not None]
    sign = 1 if objective.maximise else -1
    return max(known, key=lambda entry: sign * objective.of(entry.figures), default=None)


def _left(schedule: Schedule, started: float) -> str:
    """The time left, if the points to come take as long as those that ran; what was done before took none."""
    entries = schedule.entries.values()
    left = schedule.total - sum(entry.ended for entry in entries)
    ran = sum(entry.ended and (bool(entry.ran) or entry.state == "failed") for entry in entries)
    if left and not ran:
        return "not known yet"
    return str(timedelta(seconds=round((time.monotonic() - started) / max(ran, 1) * left)))
