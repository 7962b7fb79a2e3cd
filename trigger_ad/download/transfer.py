"""Downloading one file: going on where it stopped, distrusting the server, and believing the MD5 sum alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import requests

from trigger_ad.download.disk import formatted_size, is_finished
from trigger_ad.download.partial import Partial, open_partial
from trigger_ad.download.patience import Attempts, TemporaryFailure
from trigger_ad.download.records import RemoteFile
from trigger_ad.download.web import RANGE_NOT_SATISFIABLE, Web
from trigger_ad.errors import UserError

_LOGGER = logging.getLogger(__name__)

BLOCK: Final = 256 * 1024
"""Bytes that are received at a time, and the most that a lost connection costs."""

_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_DOWNLOADS: Final = 2
"""How often a file whose MD5 sum is wrong is downloaded."""

Received = Callable[[int], None]
"""Called with the bytes of the file that are there."""


def download(web: Web, file: RemoteFile, final: Path, received: Received, *, block: int = BLOCK) -> bool:
    """Downloads a file whole, or goes on with an earlier download of the same version.

    Args:
        web: The way to the server.
        file: What the record says about the file.
        final: Where it will be; it has this name only when its size and MD5 sum are right.
        received: Called as bytes arrive.
        block: Bytes to receive at a time.

    Returns:
        False where another process has finished the same file in the meantime.

    Raises:
        UserError: It cannot be downloaded; what came is kept, unless it was wrong.
    """
    with open_partial(final, file) as partial:
        if is_finished(final, file):
            partial.start_over()
            return False
        try:
            _download_verified(web, file, partial, received, block)
        except KeyboardInterrupt:
            _LOGGER.info(
                "%s of %s are kept in %s", formatted_size(partial.size), formatted_size(file.size), partial.path
            )
            raise
        partial.finish()
    return True


def _download_verified(web: Web, file: RemoteFile, partial: Partial, received: Received, block: int) -> None:
    for attempt in range(1, _DOWNLOADS + 1):
        _Transfer(web, file, partial, received, block).complete()
        if partial.md5() == file.md5:
            return
        partial.start_over()
        if attempt < _DOWNLOADS:
            _LOGGER.warning("%s arrived with a wrong MD5 sum; downloading it once more", file.name)
    raise UserError(
        f"{web.address(file.url)} has been downloaded {_DOWNLOADS} times, each time with a wrong MD5 sum; "
        "nothing of it was kept",
        "Try again later, or from another server with --mirror",
    )


class _Transfer:
    """Brings a partial file to its full size, in as many requests as it takes."""

    def __init__(self, web: Web, file: RemoteFile, partial: Partial, received: Received, block: int) -> None:
        self._web = web
        self._file = file
        self._partial = partial
        self._received = received
        self._block = block
        self._ask_for_all = False

    def complete(self) -> None:
        remedy = "Run the same command again later, or with --mirror: what was downloaded is kept"
        attempts = Attempts(self._web.patience, self._web.address(self._file.url), remedy)
        furthest = self._partial.size
        while self._partial.size < self._file.size:
            try:
                self._receive()
            except TemporaryFailure as failure:
                if self._partial.size == self._file.size:
                    return
                # only what was never there before counts as getting on: a server that always starts anew and always
                # breaks off would be asked for ever
                if self._partial.size > furthest:
                    furthest = self._partial.size
                    attempts.reset()
                attempts.failed(failure)

    def _receive(self) -> None:
        with self._web.answer(self._file.url, self._range_headers()) as response:
            self._accept(response)
            for data in response.iter_content(self._block):
                if self._partial.size + len(data) > self._file.size:
                    self._partial.start_over()
                    raise TemporaryFailure(f"the server sends more than the record's {self._file.size:,} bytes")
                self._partial.append(data)
                self._received(self._partial.size)
        if self._partial.size < self._file.size:
            raise TemporaryFailure(f"the answer ended after {self._partial.size:,} of {self._file.size:,} bytes")

    def _range_headers(self) -> dict[str, str]:
        if self._partial.size == 0 or self._ask_for_all:
            return {}
        headers = {"Range": f"bytes={self._partial.size}-"}
        tag = self._partial.entity_tag(self._web.address(self._file.url))
        return headers if tag is None else {**headers, "If-Range": tag}

    def _accept(self, response: requests.Response) -> None:
        """Makes sure that the answer is of the right file; then what follows may be appended.

        Raises:
            TemporaryFailure: It is not; what is there is kept until an answer is right.
        """
        address = self._web.address(self._file.url)
        if response.status_code == 200:
            _require_file(response)
            self._accept_all(response)
        else:
            # whatever is wrong with a part may be right with the whole
            self._ask_for_all = True
            self._accept_part(response, self._partial.entity_tag(address))
        self._ask_for_all = False
        self._partial.remember(address, response.headers.get("ETag"))

    def _accept_all(self, response: requests.Response) -> None:
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) != self._file.size:
            raise TemporaryFailure(f"the server offers {int(length):,} bytes, and the record says {self._file.size:,}")
        if self._partial.size:
            _LOGGER.warning("%s: the server sends the file from its beginning", self._file.name)
            self._partial.start_over()

    def _accept_part(self, response: requests.Response, expected_tag: str | None) -> None:
        start, size = self._partial.size, self._file.size
        if response.status_code == RANGE_NOT_SATISFIABLE:
            raise TemporaryFailure(f"the server has nothing after {start:,} bytes")
        _require_file(response)
        stated = response.headers.get("Content-Range", "")
        match = _CONTENT_RANGE.fullmatch(stated)
        if match is None or int(match[1]) != start or match[3] not in (str(size), "*"):
            raise TemporaryFailure(
                f"the server sends the range {stated!r} in place of the bytes from {start} of {size}"
            )
        tag = response.headers.get("ETag")
        if expected_tag is not None and tag is not None and tag != expected_tag:
            raise TemporaryFailure("the server has another version of the file than before")


def _require_file(response: requests.Response) -> None:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise TemporaryFailure("the server sends the file compressed, although it was asked not to")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise TemporaryFailure("the server sends a web page instead of the file")
