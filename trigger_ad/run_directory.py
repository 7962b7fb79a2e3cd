"""The run directory: one folder for each run, that can be handed to a firmware engineer.

Everything is written whole (a temporary name, then a rename), so that an interrupted run never leaves a half-written
artefact that a later run believes. `manifest.json` says for each stage what it read and what it wrote.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from trigger_ad.errors import UserError

PROJECTS: Final = Path("hls_projects")
"""Run directories live here, in the working directory."""


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
def written_whole(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; renames it to `path` when the block ends well, removes it otherwise.

    The block may write a file or a folder. A folder that is replaced is removed only after the new one is complete.

    Raises:
        UserError: If the disk is full or the folder cannot be written; what stood there before is left as it was.
    """
    temporary = path.with_name(f"{path.name}.partial-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        _remove(temporary)


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
    retired = path.with_name(f"{path.name}.partial-old-{os.getpid()}")
    path.replace(retired)
    temporary.replace(path)
    _remove(retired)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(f"no space left on the device while writing {path}", "Free some space and run again")
    reason = error.strerror or error.__class__.__name__
    return UserError(f"{path} cannot be written ({reason})", "Choose a folder that can be written")
