"""What is on the disk: finished files, free space, and errors of the file system in one line."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from trigger_ad.download.records import RemoteFile
from trigger_ad.errors import UserError

_LOGGER = logging.getLogger(__name__)

SPACE_MARGIN: Final = 64 * 1024**2
"""Bytes that stay free."""


def formatted_size(size: int) -> str:
    """A number of bytes for people, in decimal units: "4.2 GB"."""
    if size < 1000:
        return f"{size} bytes"
    # rounding must not lead to 1000 of a unit
    value, unit = next(
        ((size / scale, unit) for scale, unit in ((1e3, "kB"), (1e6, "MB")) if size / scale < 999.5), (size / 1e9, "GB")
    )
    return f"{value:.0f} {unit}" if value >= 99.95 else f"{value:.1f} {unit}"


def file_md5(path: Path) -> str:
    """The MD5 sum of a file: 32 lower-case hexadecimal digits."""
    with path.open("rb") as stream:
        # not for security: machines that allow no MD5 for that allow it for this
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def is_finished(path: Path, file: RemoteFile) -> bool:
    """Whether a file is there already.

    Returns:
        True if it has the size and the MD5 sum of the record, False if there is nothing of that name.

    Raises:
        UserError: Something else has that name, which is never overwritten.
    """
    if not os.path.lexists(path):
        return False
    with clear_about(path):
        if not path.is_file():
            raise _occupied(path, "is not a file")
        size = path.stat().st_size
        if size != file.size:
            raise _occupied(path, f"has {size:,} bytes and the record's file {file.size:,}")
        _LOGGER.info("%s exists; checking its MD5 sum", path)
        if file_md5(path) != file.md5:
            raise _occupied(path, "has another MD5 sum than the record's file")
    return True


def _occupied(path: Path, why: str) -> UserError:
    return UserError(
        f"{path} exists, but {why}", "Nothing was overwritten: move it away, or name another folder with --to"
    )


def require_space(folder: Path, missing: int) -> None:
    """Makes sure that what is still missing fits on the disk, with a margin.

    Args:
        folder: Where it will be; it need not exist yet.
        missing: In bytes.

    Raises:
        UserError: It does not fit.
    """
    if missing == 0:
        return
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    with clear_about(folder):
        free = shutil.disk_usage(existing).free
    if free < missing + SPACE_MARGIN:
        raise UserError(
            f"{folder} has {formatted_size(free)} of free space, and {formatted_size(missing + SPACE_MARGIN)} are "
            "needed for what is still missing",
            "Free some space, or name another folder with --to",
        )


@contextmanager
def clear_about(path: Path) -> Iterator[None]:
    """Says in one line why a path cannot be used.

    Raises:
        UserError: In place of an OSError.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"no space left on the device while writing {path}",
                "Free some space and run the same command again: what was downloaded is kept",
            ) from error
        reason = error.strerror or type(error).__name__
        raise UserError(f"{path} cannot be used ({reason})", "Name a folder that can be written with --to") from error
