"""A process that digitises a file and waits on its way: `python -m support.encoding_process FILE GATE`.

It says `encoding` when the arrays of the cache are there and the file is about to be read, waits until the file GATE
exists, and says in the end what it got.
"""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from support.worker_tasks import environment

from trigger_ad import workers
from trigger_ad.config import InputsConfig
from trigger_ad.events import encoded
from trigger_ad.events.encoding import InputEncoding

STRETCH = 400
"""Events of a stretch, so that a small file has several."""


def start(path: Path, gate: Path, log: Path) -> subprocess.Popen[str]:
    """Starts the process; what it says is written into a file."""
    command = [sys.executable, "-m", "support.encoding_process", str(path), str(gate)]
    with log.open("w") as stream:
        return subprocess.Popen(command, env=environment(), stdout=stream, stderr=subprocess.STDOUT, text=True)


def wait_for(text: str, *logs: Path, patience: float = 120.0) -> None:
    """Waits until one of some processes has said something."""
    end = time.monotonic() + patience
    while not any(text in log.read_text() for log in logs):
        assert time.monotonic() < end, f"nobody said {text!r}"
        time.sleep(0.02)


def summary(file: encoded.EncodedFile) -> str:
    """A digest of all that was got."""
    arrays = [file.words, file.hashes, *file.quantities.values()]
    content = b"".join(array.tobytes() for array in arrays) + repr((file.saturated, file.oddities)).encode()
    return f"got {hashlib.sha256(content).hexdigest()}"


def main() -> None:
    """Digitises the file that is named on the command line."""
    path, gate = map(Path, sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)

    def waiting(work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        logging.info("encoding")
        while not gate.exists():
            time.sleep(0.02)
        return workers.in_processes(work, tasks)

    encoded.STRETCH_EVENTS = STRETCH  # type: ignore[misc]
    encoded.in_processes = waiting  # type: ignore[assignment, attr-defined]
    logging.info(summary(encoded.encode_file(path, InputEncoding(InputsConfig()))))


if __name__ == "__main__":
    main()
