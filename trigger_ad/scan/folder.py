"""The folder of a scan: a run directory for each point, and what is told of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from trigger_ad.config import ScanConfig
from trigger_ad.errors import UserError
from trigger_ad.run_directory import PROJECTS, missing_folders, remove_if_unused, write_json, write_text
from trigger_ad.scan.work import TOKEN


class ScanFolder:
    """The paths of one scan.

    Args:
        name: Of the scan.
        named_by: Whose name it has: what is given another one where the folder is in use.
    """

    def __init__(self, name: str, named_by: str = "scan") -> None:
        self.path, self._named_by = PROJECTS / name, named_by

    @property
    def settings(self) -> Path:
        """The scan file, with `base.yaml` beside it: what makes the same scan again."""
        return self.path / "scan.yaml"

    @property
    def points(self) -> Path:
        """What became of each point."""
        return self.path / "points.json"

    @property
    def study(self) -> Path:
        """The journal of a search."""
        return self.path / "study.journal"

    def write_settings(self, scan: ScanConfig, base: Mapping[str, Any]) -> None:
        """Writes what the scan is of.

        Raises:
            UserError: If the folder cannot be written.
        """
        write_text(self.path / "base.yaml", yaml.safe_dump(dict(base), sort_keys=False))
        settings = scan.model_dump(mode="json", exclude_defaults=True) | {"base": "base.yaml"}
        write_text(self.settings, yaml.safe_dump(settings, sort_keys=False))

    def write_points(self, entries: list[dict[str, Any]]) -> None:
        """Writes what became of each point so far.

        Raises:
            UserError: If the disk is full.
        """
        write_json(self.points, {"points": entries})

    @contextmanager
    def used_alone(self) -> Iterator[None]:
        """Keeps other scans out of the folder; the system lets go of it if this process is killed.

        The lock is of a file, so that it holds between hosts wherever the file system locks for all of them. A scan
        that has written nothing leaves no folder.

        Raises:
            UserError: If another scan works in it, a run is in its place, or it cannot be made.
        """
        if (self.path / "manifest.json").exists():
            raise UserError(f"{self.path} is a run directory", f"Give the {self._named_by} another name")
        made = missing_folders(self.path)
        own = self.path / TOKEN, self.path / f"{TOKEN}.lock"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            own[0].touch()
        except OSError as error:
            raise UserError(f"{self.path} cannot be written ({error.strerror})", "Choose another folder") from error
        lock = FileLock(own[1])
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(
                f"another scan works on {self.path}",
                f"Wait until it has ended, or give this {self._named_by} another name",
            ) from None
        try:
            yield
        finally:
            remove_if_unused(made, own)
            lock.release()
