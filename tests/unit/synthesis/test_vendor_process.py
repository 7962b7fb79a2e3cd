"""A tool is followed line by line, and nothing of it is left when it is interrupted."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from trigger_ad.synthesis.vendor_process import run_followed


def _run(folder: Path, script: str, lines: list[str]) -> int:
    return run_followed(["sh", "-c", script], folder, folder / "logs" / "log", lines.append, environment={"SAID": "it"})


def test_every_line_is_followed_and_kept(tmp_path: Path) -> None:
    lines: list[str] = []
    assert _run(tmp_path, "echo one; echo two >&2; printf $SAID; exit 3", lines) == 3
    assert lines == ["one", "two", "it"]
    assert (tmp_path / "logs" / "log").read_text() == "one\ntwo\nit"


def test_a_process_that_outlives_the_tool_is_not_waited_for(tmp_path: Path) -> None:
    lines: list[str] = []
    assert _run(tmp_path, "sleep 600 & echo $!", lines) == 0
    os.kill(int(lines[0]), 9)


def test_an_error_while_following_ends_the_tool_and_its_children(tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    children: list[int] = []

    def stop(line: str) -> None:
        children.append(int(line))
        raise StopError

    with pytest.raises(StopError):
        run_followed(["sh", "-c", "sleep 600 & echo $!; wait"], tmp_path, tmp_path / "log", stop, environment={})
    while _is_running(children[0]):
        time.sleep(0.01)


def _is_running(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    # a child whose parent has gone may be a zombie for a while
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_program_that_is_not_there_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        run_followed([str(tmp_path / "nowhere")], tmp_path, tmp_path / "log", print, environment={})
