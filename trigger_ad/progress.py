"""Progress of long work: a live bar on standard error when it is a terminal, a log line now and then when it is not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LOGGER = logging.getLogger(__name__)
_SECONDS_BETWEEN_LINES: Final = 10.0

Advance = Callable[[int, str], None]
"""Called with how many steps are done and a short text on how it goes."""


_silent: ContextVar[bool] = ContextVar("_silent", default=False)


@contextmanager
def silenced() -> Iterator[None]:
    """Shows no progress inside this block: the one terminal belongs to somebody who shows that of many such works."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


@contextmanager
def progress(title: str, total: int, unit: str) -> Iterator[Advance]:
    """Shows how far long work has come.

    Args:
        title: What is being done.
        total: How many steps there are.
        unit: What one step is, such as `epochs`.

    Yields:
        A function to call as steps are done.
    """
    if _silent.get():
        yield lambda done, note: None
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _log_now_and_then(title, total, unit)
        return
    columns = (
        TextColumn(f"{title:<28}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(f"{unit} {{task.fields[note]}}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=total, note="")
        yield lambda done, note: bar.update(task, completed=done, note=note)


def _log_now_and_then(title: str, total: int, unit: str) -> Advance:
    last = time.monotonic()

    def advance(done: int, note: str) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            _LOGGER.info("%s: %s of %s %s%s", title, f"{done:,}", f"{total:,}", unit, f", {note}" if note else "")

    return advance
