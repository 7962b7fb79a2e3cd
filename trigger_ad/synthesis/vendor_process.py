"""A vendor's tool as a process: its log is kept in a file and followed, and nothing of it outlives an interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

_LOOK_SECONDS: Final = 0.1
_GRACE_SECONDS: Final = 5.0
"""How long a tool that is ended may take to do so by itself."""


def run_followed(
    command: Sequence[str],
    folder: Path,
    log: Path,
    follow: Callable[[str], None],
    *,
    environment: Mapping[str, str],
    keep_open: Sequence[int] = (),
) -> int:
    """Run a tool, and follow what it prints.

    It writes its log itself, so that a process which outlives it, as those for statistics do, is not waited for.

    Args:
        command: The program and its arguments.
        folder: In which it runs.
        log: The file of what it prints; an older one is replaced.
        follow: Called with each line.
        environment: Variables beside those of this process.
        keep_open: File descriptors that it inherits.

    Returns:
        Its exit status; negative if a signal ended it.

    Raises:
        OSError: If it cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output, log.open(encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # vendors' programs are scripts around others, and all of them must end together
            start_new_session=True,
            pass_fds=keep_open,
        )
        try:
            rest = ""
            while process.poll() is None:
                rest = _follow(said, rest, follow)
                time.sleep(_LOOK_SECONDS)
            rest = _follow(said, rest, follow)
            if rest:
                follow(rest)
        finally:
            _end(process)
    return process.returncode


def _follow(said: TextIO, rest: str, follow: Callable[[str], None]) -> str:
    """Gives what was printed since to `follow`, line by line; what is left of a line that has not ended yet."""
    *lines, rest = (rest + said.read()).split("\n")
    for line in lines:
        follow(line)
    return rest


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that runs, and all that it started."""
    if process.poll() is not None:
        return
    # the second one also ends children that the tool has left behind
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
