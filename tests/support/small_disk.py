"""A disk of a chosen size, for what happens when it is full."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of so many KiB, mounted in `folder`, which is made; it is gone after the `with` statement.

    The test is skipped where no disk can be mounted: that takes a privilege that not everybody has.
    """
    refusal = _mount(folder, kilobytes)
    if refusal is not None:
        pytest.skip(f"a small disk cannot be mounted here: {refusal}")
    try:
        yield folder
    finally:
        # lazily: it may be the working folder, or hold a file that is still mapped
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(folder: Path, kilobytes: int) -> str | None:
    """Why it was not mounted, or None."""
    if shutil.which("mount") is None:
        return "there is no `mount`"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if outcome.returncode == 0 else " ".join(outcome.stderr.split()) or "`mount` says nothing"
