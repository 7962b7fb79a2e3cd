"""Yosys as a process of its own: started, followed, given up after a time.

It comes as the Python package `pyosys`, and ends the process that it is in when something is wrong.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from trigger_ad.errors import UserError
from trigger_ad.progress import progress
from trigger_ad.synthesis.yosys_process import MARK

INSTALL: Final = "Install it with 'pip install pyosys==0.70'"


def yosys_version() -> str | None:
    """The version of Yosys, which is not imported: it would change this process; None if there is none."""
    return None if importlib.util.find_spec("pyosys") is None else version("pyosys")


def require_yosys() -> str:
    """The version of Yosys.

    Raises:
        UserError: If there is none.
    """
    release = yosys_version()
    if release is None:
        raise UserError("there is no Yosys, which measures the resources of RTL", INSTALL)
    return release


def run_yosys(commands: Sequence[str], folder: Path, top: str, limit_seconds: float) -> None:
    """Runs commands in a folder and shows how far they have come.

    Args:
        commands: One after the other; relative paths in them are of the folder.
        folder: Where they are run.
        top: What is synthesized, for messages.
        limit_seconds: After which it is given up.

    Raises:
        UserError: If Yosys fails or takes too long.
    """
    (folder / "commands").write_text("\n".join(commands), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "trigger_ad.synthesis.yosys_process", str(folder / "commands")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # its logic optimizer is a program of its own, and must end with it
        start_new_session=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    late = threading.Event()

    def give_up() -> None:
        late.set()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(limit_seconds, give_up)
    timer.start()
    try:
        said = _followed(process, top, len(commands))
    finally:
        timer.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if late.is_set():
        raise UserError(
            f"Yosys did not synthesize {top} within {limit_seconds:g} s",
            "Give it more time or a smaller network",
        )
    if process.returncode:
        raise UserError(f"Yosys failed on {top}: {said}", "See that 'pip install pyosys==0.70' is whole")


def _followed(process: subprocess.Popen[str], top: str, commands: int) -> str:
    """Reads what Yosys prints until it ends; what it said last, or what it called an error."""
    assert process.stdout is not None
    said = "it ended and said nothing"
    with process.stdout, progress(f"Yosys, {top}", commands, "steps") as advance:
        for line in process.stdout:
            if line.startswith(MARK):
                advance(int(line.removeprefix(MARK)), "")
            elif line.strip() and not said.startswith("ERROR"):
                said = line.strip()
        if process.wait() == 0:
            advance(commands, "")
    return said
