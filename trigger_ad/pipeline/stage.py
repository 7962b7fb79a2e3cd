"""A stage, and whether what it made before still follows from what it would read now."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trigger_ad.config import Config
from trigger_ad.run_directory import RunDirectory, file_digest, read_json, text_digest, write_json

if TYPE_CHECKING:
    from trigger_ad.events.dataset import Dataset
    from trigger_ad.events.encoding import InputEncoding

_LOGGER = logging.getLogger(__name__)
PACKAGES: Final = ("trigger-ad", "tensorflow", "tf_keras", "qkeras", "hls4ml", "numpy", "h5py", "scikit-learn")


class Run:
    """One run: its configuration, its directory, and its events, which are read only when a stage needs them.

    Args:
        config: The configuration.
        directory: The run directory.
    """

    def __init__(self, config: Config, directory: RunDirectory) -> None:
        self.config = config
        self.directory = directory

    @cached_property
    def dataset(self) -> Dataset:
        """The split events."""
        from trigger_ad.events.dataset import read_dataset

        return read_dataset(self.config.events)

    @cached_property
    def encoding(self) -> InputEncoding:
        """The input encoding."""
        from trigger_ad.events.encoding import InputEncoding

        return InputEncoding(self.config.inputs)

    def event_files(self) -> list[Path]:
        """Every events file, background first."""
        from trigger_ad.events.dataset import event_files

        files = event_files(self.config.events)
        return [*files.background, *files.signals.values()]


@dataclass(frozen=True)
class Stage:
    """One stage.

    Args:
        name: As on the command line.
        settings: What of the configuration it depends on.
        inputs: The files and folders that it reads.
        outputs: The files and folders that it writes.
        execute: Does it.
    """

    name: str
    settings: Callable[[Config], dict[str, Any]]
    inputs: Callable[[Run], Sequence[Path]]
    outputs: Callable[[Run], Sequence[Path]]
    execute: Callable[[Run], None]

    def bring_up_to_date(self, run: Run) -> bool:
        """Runs the stage unless what it made follows from what it would read now.

        Returns:
            Whether it ran.
        """
        wanted = self._input_digest(run)
        if self._is_up_to_date(run, wanted):
            _LOGGER.debug("%s: up to date", self.name)
            return False
        _LOGGER.info("%s", self.name)
        started = time.perf_counter()
        self.execute(run)
        self._record(run, wanted, time.perf_counter() - started)
        return True

    def _input_digest(self, run: Run) -> str:
        settings = json.dumps(self.settings(run.config), sort_keys=True)
        files = [file_digest(path) if path.exists() else "missing" for path in self.inputs(run)]
        return text_digest("\n".join([version("trigger-ad"), settings, *files]))

    def _is_up_to_date(self, run: Run, wanted: str) -> bool:
        if not run.directory.manifest.exists() or not all(path.exists() for path in self.outputs(run)):
            return False
        entry = read_json(run.directory.manifest).get("stages", {}).get(self.name, {})
        return bool(entry.get("inputs") == wanted)

    def _record(self, run: Run, inputs: str, seconds: float) -> None:
        directory = run.directory
        manifest = read_json(directory.manifest) if directory.manifest.exists() else {"stages": {}}
        manifest["versions"] = package_versions()
        manifest["seed"] = run.config.seed
        manifest["stages"][self.name] = {
            "inputs": inputs,
            "outputs": {directory.relative(path): file_digest(path) for path in self.outputs(run)},
            "seconds": round(seconds, 3),
        }
        write_json(directory.manifest, manifest)


def timings(run: Run) -> dict[str, float]:
    """Seconds that each stage took when it last ran."""
    stages = read_json(run.directory.manifest)["stages"]
    return {name: entry["seconds"] for name, entry in stages.items()}


def package_versions() -> dict[str, str | None]:
    """Versions of what the numbers depend on; None for a package that is not installed."""
    versions: dict[str, str | None] = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions
