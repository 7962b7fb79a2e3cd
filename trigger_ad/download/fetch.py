"""Getting public files: everything that can be refused is refused before the first byte is downloaded."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trigger_ad.download.disk import is_finished, require_space
from trigger_ad.download.partial import usable_size
from trigger_ad.download.records import PublicFile, RemoteFile, choose_file
from trigger_ad.download.transfer import Received, download
from trigger_ad.download.web import Web
from trigger_ad.progress import Advance, progress

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Fetched:
    """A public file that is there, with the record's size and MD5 sum.

    Attributes:
        public: Which one.
        file: What the record says about it.
        path: Where it is.
        downloaded: False where it was there already.
    """

    public: PublicFile
    file: RemoteFile
    path: Path
    downloaded: bool


def fetch(web: Web, files: Sequence[PublicFile], folder: Path) -> Iterator[Fetched]:
    """Downloads public files that are not there yet.

    Args:
        web: The way to the records' server, or to a mirror.
        files: Which ones.
        folder: Where they are put; made if need be.

    Yields:
        Each file when it is there.

    Raises:
        UserError: A record or a file cannot be had, another file is in the way, or the disk is too full.
    """
    chosen = [(public, choose_file(public, web.read_json(public.address))) for public in files]
    finished = [is_finished(folder / file.name, file) for _, file in chosen]
    missing = [
        file.size - usable_size(folder / file.name, file)
        for (_, file), there in zip(chosen, finished, strict=True)
        if not there
    ]
    require_space(folder, sum(missing))
    for (public, file), there in zip(chosen, finished, strict=True):
        path = folder / file.name
        yield Fetched(public, file, path, not there and _download(web, public.name, file, path))


def _download(web: Web, name: str, file: RemoteFile, path: Path) -> bool:
    # a file below a megabyte is shown as one
    megabytes = -(-file.size // _MEGABYTE)
    with progress(f"fetching {name}", megabytes, "MB") as advance:
        return download(web, file, path, _in_megabytes(advance, file.size))


def _in_megabytes(advance: Advance, size: int) -> Received:
    began: tuple[float, int] | None = None

    def received(done: int) -> None:
        nonlocal began
        if done == size:
            advance(-(-size // _MEGABYTE), "checking the MD5 sum")
            return
        now = time.monotonic()
        # what is there from an earlier run did not come at the speed of this one
        began = began or (now, done)
        seconds, new = now - began[0], done - began[1]
        advance(done // _MEGABYTE, f"{new / _MEGABYTE / seconds:.1f} MB/s" if seconds > 0 and new > 0 else "")

    return received
