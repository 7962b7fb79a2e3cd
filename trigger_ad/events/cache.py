"""A cache of what is made from events files: made once, and used by every run that reads the same file in the same way.

An entry is a folder whose name is a digest of all that decides its content, so a file that changes never meets an
entry of its old content. Entries may be deleted at any time; they are made anew when they are needed. Whoever makes one
removes those that nobody has used for `KEPT_DAYS`.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import math
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import filelock
import platformdirs

from trigger_ad.errors import UserError
from trigger_ad.run_directory import file_digest, text_digest

_LOGGER = logging.getLogger(__name__)

ENVIRONMENT: Final = "TRIGGER_AD_CACHE"
"""The environment variable that names another folder for the cache."""

KEPT_DAYS: Final = 30
"""Days for which an entry is kept that no run uses."""

_MARGIN_BYTES: Final = 50_000_000
_ENTRY: Final = re.compile(r"([0-9a-f]{64})(\.partial)?")
"""What entries are called, finished or not: anything else in the folder is somebody's own."""


def cache_folder() -> Path:
    """Where the cache is: the folder that TRIGGER_AD_CACHE names, or the user's cache folder."""
    named = os.environ.get(ENVIRONMENT)
    return Path(named) if named else Path(platformdirs.user_cache_dir("trigger-ad"))


@functools.cache
def code_digest() -> str:
    """The digest of the code that decides what is in an entry: other code makes other entries."""
    return text_digest("\n".join(file_digest(path) for path in sorted(Path(__file__).parent.glob("*.py"))))


def cached(key: str, fill: Callable[[Path], None], *, what: str, needed_bytes: int) -> Path:
    """Gives the folder of an entry, and makes it if it is not there.

    Of several processes that want the same entry one makes it, and the others wait for it.

    Args:
        key: A digest of all that decides the content.
        fill: Writes the content into the empty folder that it is given.
        what: What is being made, for messages.
        needed_bytes: How much space it takes, about.

    Raises:
        UserError: The cache cannot be written, the disk is full, or `fill` fails; nothing is left behind.
    """
    root = cache_folder()
    entry = root / key
    if _in_use(entry):
        # entries appear whole: no lock, which a cache that may only be read could not give
        return entry
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _lock(root / f"{key}.lock", what):
            if not _in_use(entry):
                _remove_unused(root, key)
                _make(entry, fill, what, needed_bytes)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(root, needed_bytes) from error
        raise UserError(f"the cache {root} cannot be written ({error.strerror or error})", _REMEDY) from error
    return entry


def _in_use(entry: Path) -> bool:
    """Whether an entry is there; that it is used is noted as the time of its folder."""
    # a cache that may only be read cannot note it
    with contextlib.suppress(OSError):
        os.utime(entry)
    return entry.is_dir()


def _remove_unused(root: Path, key: str) -> None:
    """Removes what nobody has used for long, but nothing that a process is making, nor the entry of the key."""
    for path in sorted(root.iterdir()):
        name = _ENTRY.fullmatch(path.name)
        if name is not None and name[1] != key and _is_old(path):
            # whatever hinders it: the entry that is being made does not depend on it
            with contextlib.suppress(OSError, filelock.Timeout), filelock.FileLock(root / f"{name[1]}.lock", timeout=0):
                _remove_if_old(path, root / f"{name[1]}.partial")


def _remove_if_old(path: Path, unfinished: Path) -> None:
    # with the lock held now: until then another process may have used it
    if not _is_old(path):
        return
    _LOGGER.info("removing %s from the cache: not used for %d days", path.name, KEPT_DAYS)
    if path != unfinished:
        # an entry disappears as it appears: whole
        shutil.rmtree(unfinished, ignore_errors=True)
        path.replace(unfinished)
    shutil.rmtree(unfinished)


def _is_old(path: Path) -> bool:
    try:
        return path.is_dir() and path.stat().st_mtime < time.time() - KEPT_DAYS * 24 * 3600
    except OSError:
        # gone meanwhile
        return False


@contextlib.contextmanager
def reading_entry(entry: Path) -> Iterator[None]:
    """Says in one line that an entry is damaged, whatever reading it raises.

    Raises:
        UserError: Naming the entry.
    """
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"the cache entry {entry} is damaged", f"Delete the folder {entry} and run again") from error


_REMEDY: Final = f"Name a folder that can be written, with room, in the environment variable {ENVIRONMENT}"


def _lock(path: Path, what: str) -> contextlib.AbstractContextManager[object]:
    lock = filelock.FileLock(path)
    try:
        return lock.acquire(timeout=0)
    except filelock.Timeout:
        _LOGGER.info("waiting for another process that is %s", what)
        return lock.acquire()


def _make(entry: Path, fill: Callable[[Path], None], what: str, needed_bytes: int) -> None:
    # the lock is ours, so what a killed process left is nobody's
    temporary = entry.with_name(f"{entry.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    if shutil.disk_usage(entry.parent).free < needed_bytes + _MARGIN_BYTES:
        raise _no_space(entry.parent, needed_bytes)
    temporary.mkdir()
    try:
        with _not_of_the_cache(temporary, what):
            fill(temporary)
        for path in temporary.iterdir():
            # what is renamed before it is on the disk may be found empty after a power cut
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        temporary.replace(entry)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _not_of_the_cache(folder: Path, what: str) -> Iterator[None]:
    """Names what really failed while the folder of an entry was filled, where it was something else."""
    try:
        yield
    except OSError as error:
        reason = " ".join((error.strerror or str(error)).split())
        if isinstance(error.filename, str) and not Path(error.filename).resolve().is_relative_to(folder.resolve()):
            line = f"{what} failed: {error.filename} cannot be used ({reason})"
            raise UserError(line, "Check that path and its disk") from error
        if error.errno is None:
            # the system gives a number to all that fails on a disk, h5py none to what it finds in a file
            raise UserError(f"{what} failed ({reason})", "Check the events files and their disk") from error
        raise


def _no_space(root: Path, needed_bytes: int) -> UserError:
    megabytes = math.ceil((needed_bytes + _MARGIN_BYTES) / 1e6)
    return UserError(f"the cache {root} has no room for {megabytes:,} MB", f"Free some space. {_REMEDY}")
