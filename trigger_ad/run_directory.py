"""The run directory: one folder for each run, that can be handed to a firmware engineer.

Everything is written whole (a temporary name, then a rename), so that an interrupted run never leaves a half-written
artefact that a later run believes. `manifest.json` says for each stage what it read and what it wrote.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from trigger_ad.errors import UserError

PROJECTS: Final = Path("hls_projects")
"""Run directories live here, in the working directory."""


class InUseError(UserError):
    """Another process works on a folder."""


class DiskFullError(UserError):
    """No space is left on the device."""


class RunDirectory:
    """The paths of one run.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / "config.yaml"

    @property
    def manifest(self) -> Path:
        """What each stage read and wrote."""
        return self.path / "manifest.json"

    @property
    def float_model(self) -> Path:
        """The trained float autoencoder."""
        return self.path / "float.h5"

    @property
    def relu_model(self) -> Path:
        """The float model with ReLU in place of leaky ones, where it has any: what is quantized then."""
        return self.path / "float_relu.h5"

    def teacher_model(self, number: int) -> Path:
        """One of the float autoencoders that a student learns from, counted from 1."""
        return self.path / f"teacher_{number}.h5"

    def unfinished(self, stage: str) -> Path:
        """The folder of what a stage that takes long has done so far, if it was interrupted."""
        return self.path / "unfinished" / stage

    def quantized_model(self, kind: str) -> Path:
        """The quantized model of one kind, `ptq` or `qat`."""
        return self.path / f"quantized_{kind}.h5"

    def network(self, kind: str) -> Path:
        """The frozen integer network of one kind, `ptq` or `qat`."""
        return self.path / f"network_{kind}.json"

    @property
    def vectors(self) -> Path:
        """Test vectors as integer codes, with the expected scores."""
        return self.path / "vectors"

    def hls_project(self, back_end: str) -> Path:
        """The HLS project of one back end."""
        return self.path / "hls" / back_end

    @property
    def rtl_project(self) -> Path:
        """The RTL project."""
        return self.path / "rtl"

    def results(self, stage: str) -> Path:
        """The results of one stage."""
        return self.path / "results" / f"{stage}.json"

    def arrays(self, stage: str) -> Path:
        """The arrays of one stage, such as score words of every event."""
        return self.path / "results" / f"{stage}.npz"

    def relative(self, path: Path) -> str:
        """A path below the run directory as it is written into artefacts."""
        return path.relative_to(self.path).as_posix()


@contextmanager
def worked_on_alone(directory: RunDirectory) -> Iterator[int]:
    """Keeps other processes from working on a run directory; the system lets go of it if this one is killed.

    Yields:
        A file descriptor that holds the directory as long as any process has it open.

    Raises:
        InUseError: If another process works on it.
        UserError: If the folder cannot be made.
    """
    path = directory.path
    made = missing_folders(path)
    with clear_about(path):
        path.mkdir(parents=True, exist_ok=True)
        opened = _open_locked(path)
    if opened is None:
        raise InUseError(
            f"another trigger-ad works on {path}", "Wait until it has ended, or give this run another name"
        )
    try:
        yield opened
    finally:
        remove_if_unused(made, [path / _LOCK_FILE])
        os.close(opened)


def missing_folders(path: Path) -> list[Path]:
    """The folders that making this one would make: itself first, then those above it."""
    return [folder for folder in (path, *path.parents) if not folder.exists()]


def remove_if_unused(made: Sequence[Path], own: Collection[Path]) -> None:
    """Removes folders that were made for work that was refused, so that it leaves nothing behind.

    Args:
        made: What `missing_folders` gave before they were made.
        own: Files in the first of them that are not what it was made for: they are removed with it.
    """
    with suppress(OSError):
        if made and set(made[0].iterdir()) <= set(own):
            for path in own:
                path.unlink(missing_ok=True)
            for folder in made:
                folder.rmdir()


_LOCK_FILE: Final = ".lock"
"""Stands for a folder where folders cannot be locked."""


def _open_locked(folder: Path) -> int | None:
    """Opens and locks a folder: a file descriptor, or None if another process has it, or has just removed it.

    NFS locks only what is open for writing, which a folder cannot be: there a file in it is locked.
    """
    try:
        return _open_locked_file(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        return _open_locked_file(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT)


def _open_locked_file(path: Path, flags: int) -> int | None:
    opened = os.open(path, flags)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists() and path.stat().st_ino == os.fstat(opened).st_ino:
            return opened
    except BlockingIOError:
        pass
    except OSError:
        os.close(opened)
        raise
    os.close(opened)
    return None


_held_back: ContextVar[dict[Path, Path] | None] = ContextVar("_held_back", default=None)
"""Inside `written_together`: the temporary path of everything written so far, by the path it will have."""


@contextmanager
def written_together() -> Iterator[None]:
    """Holds back the renames of `written_whole` until this block ends well: everything in it changes, or nothing.

    The renames happen in the order of writing. Inside the block, and in the same thread, what was written before it is
    what is read.

    Raises:
        UserError: If something cannot be renamed.
    """
    pending: dict[Path, Path] = {}
    token = _held_back.set(pending)
    try:
        yield
        for path, temporary in pending.items():
            with clear_about(path):
                _replace(temporary, path)
    finally:
        _held_back.reset(token)
        for temporary in pending.values():
            _remove(temporary)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; renames it to `path` when the block ends well, removes it otherwise.

    The block may write a file or a folder. A folder that is replaced is removed only after the new one is complete.
    Inside `written_together` the rename waits for the others.

    Raises:
        UserError: If the disk is full or the folder cannot be written; what stood there before is left as it was.
    """
    temporary = path.with_name(f"{path.name}.partial-{os.getpid()}")
    pending = _held_back.get()
    try:
        with clear_about(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # a killed process that had the same number may have left one
            _remove(temporary)
            yield temporary
            if pending is None:
                _replace(temporary, path)
            else:
                pending[path] = temporary
    finally:
        if pending is None or path not in pending:
            _remove(temporary)


def remove_leftovers(folder: Path) -> None:
    """Removes what processes that were killed left half-written in a folder; those of running processes stay."""
    for path in sorted(folder.rglob("*.partial-*"), reverse=True):
        process = path.name.rpartition("-")[2]
        if process.isdigit() and not _is_running(int(process)):
            _remove(path)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # of somebody else, and running
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Writes a JSON file whole; NaN and infinity are refused, since JSON has neither."""
    write_text(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON file.

    Raises:
        UserError: If it is missing or damaged.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error})", "Delete it and run the stage again") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} holds no JSON object", "Delete it and run the stage again")
    return data


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, or of a folder's files with their relative names."""
    if path.is_dir():
        parts = [f"{child.relative_to(path).as_posix()}:{file_digest(child)}" for child in _files(path)]
        return text_digest("\n".join(parts))
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def text_digest(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(child for child in folder.rglob("*") if child.is_file())


def _replace(temporary: Path, path: Path) -> None:
    if not path.is_dir():
        temporary.replace(path)
        return
    if not temporary.is_dir():
        # a file must not take the place of a folder and all that is in it
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    retired = path.with_name(f"{path.name}.partial-old-{os.getpid()}")
    _remove(retired)
    path.replace(retired)
    try:
        temporary.replace(path)
    except OSError:
        retired.replace(path)
        raise
    _remove(retired)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        # there may be none, or a file may stand where its folder should be: why it was not written is said elsewhere
        with suppress(OSError):
            path.unlink()


@contextmanager
def clear_about(path: Path) -> Iterator[None]:
    """Says in one line why a path could not be written.

    Raises:
        DiskFullError: If no space is left.
        UserError: For whatever else the system gives as a reason.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = _error_number(error)
        if number is None and isinstance(error, RuntimeError):
            raise
        if number in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"no space left on the device while writing {path}", "Free some space and run again"
            ) from error
        reason = os.strerror(number) if number else " ".join(str(error).split()) or error.__class__.__name__
        raise UserError(f"{path} cannot be written ({reason})", "Choose a folder that can be written") from error


def _error_number(error: OSError | RuntimeError) -> int | None:
    """The system's number of an error; h5py, when it closes a file, has it in the text of a RuntimeError alone.

    Optuna, when it lets go of its journal, raises a RuntimeError in place of the system's error.
    """
    if isinstance(error, OSError):
        return error.errno
    match = re.search(r"errno = (\d+)", str(error))
    if match is None:
        return error.__context__.errno if isinstance(error.__context__, OSError) else None
    return int(match[1])
