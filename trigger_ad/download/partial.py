"""The part of a file that has been downloaded so far: `NAME.partial`, and beside it which version it belongs to."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from trigger_ad.download.disk import clear_about, file_md5
from trigger_ad.download.records import RemoteFile
from trigger_ad.errors import UserError
from trigger_ad.run_directory import read_json, write_json

_LOGGER = logging.getLogger(__name__)

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


def partial_path(final: Path) -> Path:
    """Where a file is kept until it is finished."""
    return final.with_name(f"{final.name}.partial")


def version_path(final: Path) -> Path:
    """Where it is kept which version the partial file belongs to."""
    return final.with_name(f"{final.name}.partial-version.json")


def usable_size(final: Path, file: RemoteFile) -> int:
    """Bytes of an earlier download that can be gone on from; 0 where there is none, or one of another version."""
    path = partial_path(final)
    if not path.is_file() or not _is_of(_read_version(final), file):
        return 0
    size = path.stat().st_size
    return size if size <= file.size else 0


class Partial:
    """A partial file that is open and locked; `open_partial` makes it.

    Attributes:
        size: Bytes that are there.
    """

    def __init__(self, final: Path, file: RemoteFile, stream: BinaryIO) -> None:
        self._final = final
        self._file = file
        self._stream = stream
        self._version = _read_version(final)
        self.size = stream.seek(0, os.SEEK_END)
        if self.size != usable_size(final, file):
            _LOGGER.warning("%s belongs to another version of the file; starting from the beginning", self.path)
            self.start_over()

    @property
    def path(self) -> Path:
        """The partial file."""
        return partial_path(self._final)

    def entity_tag(self, url: str) -> str | None:
        """The tag with which this address marked the content, if it is a strong one (RFC 9110, section 8.8.1)."""
        tag = self._version.get("entity_tag")
        strong = isinstance(tag, str) and tag.startswith('"') and self._version.get("url") == url
        return str(tag) if strong else None

    def remember(self, url: str, entity_tag: str | None) -> None:
        """Keeps which version the content is of, before any of it is written."""
        file = self._file
        version = {"size": file.size, "md5": file.md5, "url": url, "entity_tag": entity_tag}
        if version != self._version:
            write_json(version_path(self._final), version)
            self._version = version

    def start_over(self) -> None:
        """Drops the content."""
        with clear_about(self.path):
            self._stream.seek(0)
            self._stream.truncate()
        self.size = 0

    def append(self, data: bytes) -> None:
        """Writes bytes at the end; they are in the operating system's hands when this returns."""
        left = memoryview(data)
        with clear_about(self.path):
            while left:
                written = self._stream.write(left)
                left = left[written:]
                self.size += written

    def md5(self) -> str:
        """The MD5 sum of what is on the disk."""
        with clear_about(self.path):
            return file_md5(self.path)

    def finish(self) -> None:
        """Gives the file its final name.

        Raises:
            UserError: Something has taken that name since the download began; the partial file is kept.
        """
        if os.path.lexists(self._final):
            raise UserError(
                f"{self._final} has appeared while the file was downloaded",
                "Nothing was overwritten: move it away and run the same command again, which downloads nothing twice",
            )
        with clear_about(self._final):
            os.fsync(self._stream.fileno())
            self.path.replace(self._final)
            version_path(self._final).unlink(missing_ok=True)


@contextmanager
def open_partial(final: Path, file: RemoteFile) -> Iterator[Partial]:
    """Opens the partial file of a download, for this process alone.

    What is left in it is that of the same version (size and MD5 sum); of another version nothing is left. A partial
    file that is still empty in the end is removed.

    Args:
        final: The path of the finished file.
        file: The version that is downloaded.

    Raises:
        UserError: Another program is downloading the same file, or the folder cannot be written.
    """
    with clear_about(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
    with _locked(final) as stream:
        partial = Partial(final, file, stream)
        try:
            yield partial
        finally:
            if partial.size == 0:
                version_path(final).unlink(missing_ok=True)
                partial.path.unlink(missing_ok=True)


@contextmanager
def _locked(final: Path) -> Iterator[BinaryIO]:
    path = partial_path(final)
    while True:
        with clear_about(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        # unbuffered: whatever ends this process, what was written stays
        with open(descriptor, "r+b", buffering=0) as stream:  # noqa: PTH123
            _lock(descriptor, final)
            if not _is_still_at(descriptor, path):
                # the process that had the lock has renamed or removed it
                continue
            yield stream
            return


def _lock(descriptor: int, final: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(
            f"{final.name} is being downloaded into {final.parent} by another program",
            "Wait until it has finished, or name another folder with --to",
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise UserError(f"{final} cannot be locked ({error.strerror})", "Name another folder with --to") from error
        _LOGGER.warning("%s: this file system has no locks; do not fetch the same file twice at once", final.parent)


def _is_still_at(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _read_version(final: Path) -> dict[str, object]:
    try:
        return read_json(version_path(final))
    except UserError:
        # missing or damaged: what the partial file belongs to is not known, so it is not gone on from
        return {}


def _is_of(version: dict[str, object], file: RemoteFile) -> bool:
    return (version.get("size"), version.get("md5")) == (file.size, file.md5)
