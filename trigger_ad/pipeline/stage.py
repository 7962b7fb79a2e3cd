"""A stage, and whether what it made before still follows from what it would read now."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trigger_ad.config import Config, ModelConfig
from trigger_ad.errors import UserError
from trigger_ad.run_directory import (
    RunDirectory,
    file_digest,
    read_json,
    remove_leftovers,
    text_digest,
    write_json,
    write_text,
    written_together,
)

if TYPE_CHECKING:
    from trigger_ad.events.dataset import Dataset
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.models.architectures import Architecture

_LOGGER = logging.getLogger(__name__)
PACKAGES: Final = (
    "trigger-ad",
    "tensorflow",
    "tf_keras",
    "qkeras",
    "hls4ml",
    "alkaid",
    "numpy",
    "scipy",
    "h5py",
    "scikit-learn",
)
SOURCE_SUFFIXES: Final = (".py", ".j2", ".css")


class Run:
    """One run: its configuration, its directory, and its events, which are read only when a stage needs them.

    Args:
        config: The configuration.
        directory: The run directory.
    """

    def __init__(self, config: Config, directory: RunDirectory) -> None:
        self.config = config
        self.directory = directory
        self.checkpoints: Path | None = None
        """The folder in which the stage that runs keeps what it goes on from after an interruption."""

    @cached_property
    def dataset(self) -> Dataset:
        """The split events."""
        from trigger_ad.events.dataset import read_dataset

        return read_dataset(self.config.events, self.encoding)

    @cached_property
    def encoding(self) -> InputEncoding:
        """The input encoding."""
        from trigger_ad.events.encoding import InputEncoding
        from trigger_ad.events.layout import EventLayout

        return InputEncoding(self.config.inputs, EventLayout(self.config.layout))

    @cached_property
    def architecture(self) -> Architecture:
        """The network of the configuration."""
        return self.architecture_of(self.config.model)

    def architecture_of(self, model: ModelConfig) -> Architecture:
        """The network of a `model` section, or of that of a student's teacher, for the inputs of this run."""
        from trigger_ad.models.architectures import architecture

        return architecture(model, self.encoding.layout.objects, len(self.encoding.features))

    def event_files(self) -> list[Path]:
        """Every events file, background first."""
        from trigger_ad.events.dataset import event_files

        return [path for paths in event_files(self.config.events).samples.values() for path in paths]

    def event_file_counts(self) -> dict[str, int]:
        """The number of files of each sample: without it, one that moves from one sample to the next is not noticed."""
        from trigger_ad.events.dataset import event_files

        return {name: len(paths) for name, paths in event_files(self.config.events).samples.items()}

    def write_config(self) -> None:
        """Writes the resolved configuration into the run directory, unless it is there already."""
        path, text = self.directory.config, self.config.to_yaml()
        if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != text:
            write_text(path, text)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Says in one line that an artefact of an earlier stage is damaged, whatever reading it raises.

    Raises:
        UserError: Naming the artefact.
    """
    try:
        yield
    except (UserError, OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} is damaged", "Delete it and run again: the stage that made it makes it anew"
        ) from error


def read_results(run: Run, stage: str, keys: Sequence[str]) -> dict[str, Any]:
    """The results of a stage.

    Args:
        run: The run.
        stage: Its name.
        keys: Which must be there.

    Raises:
        UserError: If the file is damaged or lacks a key.
    """
    path = run.directory.results(stage)
    with reading(path):
        results = read_json(path)
        for key in keys:
            results[key]
    return results


@dataclass(frozen=True)
class Stage:
    """One stage.

    Args:
        name: As on the command line.
        settings: What of the configuration it depends on.
        inputs: The files and folders that it reads.
        outputs: The files and folders that it writes.
        execute: Does it.
        rooms: Our rooms and files whose code decides what it writes, beside the ground floor.
        check: Refuses what the user gave it, before the stage is announced and anything is written.
    """

    name: str
    settings: Callable[[Config], dict[str, Any]]
    inputs: Callable[[Run], Sequence[Path]]
    outputs: Callable[[Run], Sequence[Path]]
    execute: Callable[[Run], None]
    rooms: Sequence[str]
    check: Callable[[Run], object] = lambda run: None

    def bring_up_to_date(self, run: Run, *, again: bool = False) -> bool:
        """Runs the stage unless what it made follows from what it would read now.

        What it writes changes together with the configuration, or, if it fails, not at all.

        Args:
            run: The run.
            again: Runs it even so.

        Returns:
            Whether it ran.
        """
        wanted = self._input_digest(run)
        if not again and self._is_up_to_date(run, wanted):
            _LOGGER.debug("%s: up to date", self.name)
            return False
        self.check(run)
        _LOGGER.info("%s", self.name)
        started = time.perf_counter()
        with written_together():
            # first, so that artefacts of which only some were renamed are not believed
            remove_leftovers(run.directory.path)
            self._forget(run)
            run.write_config()
            with self._checkpoints(run, wanted):
                self.execute(run)
        self._record(run, wanted, time.perf_counter() - started)
        unfinished = run.directory.unfinished(self.name)
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(OSError):
            # another stage may have something in it
            unfinished.parent.rmdir()
        return True

    @contextmanager
    def _checkpoints(self, run: Run, wanted: str) -> Iterator[None]:
        """Gives the stage a folder for its checkpoints; those of other inputs than it has now are not believed."""
        folder = run.directory.unfinished(self.name)
        if folder.exists():
            for older in folder.iterdir():
                if older.name != wanted:
                    shutil.rmtree(older, ignore_errors=True)
        run.checkpoints = folder / wanted
        try:
            yield
        finally:
            run.checkpoints = None

    def _input_digest(self, run: Run) -> str:
        settings = json.dumps([self.settings(run.config), run.event_file_counts()], sort_keys=True)
        events = set(run.event_files())
        digests = [_digest(path, is_events=path in events) for path in self.inputs(run)]
        code = source_digest(tuple(self.rooms))
        return text_digest("\n".join([json.dumps(package_versions()), code, settings, *digests]))

    def _is_up_to_date(self, run: Run, wanted: str) -> bool:
        entry = _manifest(run)["stages"].get(self.name, {})
        return bool(entry.get("inputs") == wanted) and all(path.exists() for path in self.outputs(run))

    def _forget(self, run: Run) -> None:
        manifest = _manifest(run)
        if manifest["stages"].pop(self.name, None):
            write_json(run.directory.manifest, manifest)

    def _record(self, run: Run, inputs: str, seconds: float) -> None:
        directory = run.directory
        manifest = _manifest(run)
        manifest["stages"][self.name] = {
            "inputs": inputs,
            "versions": package_versions(),
            "seed": run.config.seed,
            "outputs": {directory.relative(path): file_digest(path) for path in self.outputs(run)},
            "seconds": round(seconds, 3),
        }
        write_json(directory.manifest, manifest)


def _digest(path: Path, *, is_events: bool) -> str:
    from trigger_ad.events.encoded import events_digest

    if not path.exists():
        return "missing"
    return events_digest(path) if is_events else file_digest(path)


def _manifest(run: Run) -> dict[str, Any]:
    """The manifest, whose `stages` has an entry for each stage that has run."""
    path = run.directory.manifest
    if not path.exists():
        return {"stages": {}}
    manifest = read_json(path)
    stages = manifest.get("stages")
    if not isinstance(stages, dict) or not all(isinstance(entry, dict) for entry in stages.values()):
        raise UserError(f"{path} is no manifest of a run", "Delete it, and every stage runs again")
    return manifest


@cache
def source_digest(rooms: tuple[str, ...]) -> str:
    """The digest of our own code in some rooms and on the ground floor: another version of it makes other numbers."""
    package = Path(__file__).resolve().parent.parent
    files = [*package.glob("*.py"), *(package / "config").glob("*.py")]
    for room in rooms:
        files += [package / room] if room.endswith(".py") else (package / room).rglob("*")
    sources = sorted(path for path in files if path.suffix in SOURCE_SUFFIXES)
    return text_digest("\n".join(f"{path.relative_to(package).as_posix()}:{file_digest(path)}" for path in sources))


def timings(run: Run) -> dict[str, float]:
    """Seconds that each stage took when it last ran."""
    return {name: entry["seconds"] for name, entry in _manifest(run)["stages"].items()}


def package_versions() -> dict[str, str | None]:
    """Versions of what the numbers depend on; None for a package that is not installed."""
    versions: dict[str, str | None] = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions
