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
        as_it_is: Whether what the directory holds is kept although another version of trigger-ad has made it.
    """

    def __init__(self, config: Config, directory: RunDirectory, *, as_it_is: bool = False) -> None:
        self.config = config
        self.directory = directory
        self.as_it_is = as_it_is
        self.checkpoints: Path | None = None
        """The folder in which the stage that runs keeps what it goes on from after an interruption."""
        self.given_model: Path | None = None
        """A model file of the user's own that takes the place of the one in the run directory."""
        self.yosys_seconds: float | None = None
        """After which Yosys is ended, where the user says it."""

    @cached_property
    def dataset(self) -> Dataset:
        """The split events."""
        from trigger_ad.events.dataset import Dataset, read_dataset

        if not self._has_events:
            return Dataset({}, {})
        return read_dataset(self.config.events, self.encoding)

    @cached_property
    def encoding(self) -> InputEncoding:
        """The input encoding."""
        from trigger_ad.events.plain_encoding import input_encoding

        return input_encoding(self.config)

    @cached_property
    def architecture(self) -> Architecture:
        """The network of the configuration."""
        return self.architecture_of(self.config.model)

    def architecture_of(self, model: ModelConfig) -> Architecture:
        """The network of a `model` section, or of that of a student's teacher, for the inputs of this run."""
        from trigger_ad.models.architectures import architecture

        return architecture(model, self.encoding.layout.objects, len(self.encoding.features))

    def event_files(self) -> list[Path]:
        """Every events file, background first; none where the inputs are plain codes."""
        from trigger_ad.events.dataset import event_files

        if not self._has_events:
            return []
        return [path for paths in event_files(self.config.events).samples.values() for path in paths]

    def event_file_counts(self) -> dict[str, int]:
        """The number of files of each sample: without it, one that moves from one sample to the next is not noticed."""
        from trigger_ad.events.dataset import event_files

        if not self._has_events:
            return {}
        return {name: len(paths) for name, paths in event_files(self.config.events).samples.items()}

    @property
    def _has_events(self) -> bool:
        return self.config.own_model is None or self.config.own_model.codes is None

    @property
    def model_file(self) -> Path:
        """The quantized model that becomes firmware."""
        own = self.config.own_model
        return self.directory.path / own.file if own else self.directory.quantized_model(self.config.quantization.ship)

    @property
    def network_file(self) -> Path:
        """The frozen network that becomes firmware."""
        if self.config.own_model:
            return self.directory.path / "network.json"
        return self.directory.network(self.config.quantization.ship)

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
class _Inputs:
    """What a stage would read.

    Args:
        settings: What of the configuration it depends on, and the number of events files of each sample; JSON.
        files: The digest of every file and folder, in order.
        code: That of our own code.
    """

    settings: Any
    files: list[str]
    code: str

    @cached_property
    def digest(self) -> str:
        """Of all of it, and of the versions of what our code stands on."""
        read = json.dumps([self.settings, self.files], sort_keys=True)
        return text_digest("\n".join([json.dumps(package_versions()), self.code, read]))


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
        later_inputs: Further files that it reads, of which an earlier version knew nothing: without them, what that
            version made is of the same inputs still.
    """

    name: str
    settings: Callable[[Config], dict[str, Any]]
    inputs: Callable[[Run], Sequence[Path]]
    outputs: Callable[[Run], Sequence[Path]]
    execute: Callable[[Run], None]
    rooms: Sequence[str]
    check: Callable[[Run], object] = lambda run: None
    later_inputs: Callable[[Run], Sequence[Path]] = lambda run: ()

    def bring_up_to_date(self, run: Run, *, again: bool = False, keep: bool = False) -> bool:
        """Runs the stage unless what it made follows from what it would read now.

        What it writes changes together with the configuration, or, if it fails, not at all.

        Args:
            run: The run.
            again: Runs it even so.
            keep: Keeps what another version of trigger-ad, or of what it stands on, has made of the same inputs.

        Returns:
            Whether it ran.
        """
        inputs = self._read_inputs(run)
        wanted = inputs.digest
        if not again and self.has_made(run, wanted):
            _LOGGER.debug("%s: up to date", self.name)
            return False
        if keep and not again and self._was_made_of(run, inputs):
            _LOGGER.info("%s: kept as it was made before, with %s", self.name, self._other_versions(run))
            return False
        self.check(run)
        _LOGGER.info("%s", self.name)
        started = time.perf_counter()
        with written_together():
            # first, so that artefacts of which only some were renamed are not believed
            remove_leftovers(run.directory.path)
            self.forget(run)
            run.write_config()
            with self._checkpoints(run, wanted):
                self.execute(run)
        self._record(run, inputs, time.perf_counter() - started)
        unfinished = run.directory.unfinished(self.name)
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(OSError):
            # another stage may have something in it
            unfinished.parent.rmdir()
        return True

    def inputs_digest(self, run: Run) -> str:
        """The digest of everything that it would read now: two runs where it is equal would make the same of it."""
        return self._read_inputs(run).digest

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

    def _read_inputs(self, run: Run) -> _Inputs:
        events = set(run.event_files())
        read = [*self.inputs(run), *self.later_inputs(run)]
        files = [_digest(path, is_events=path in events) for path in read]
        return _Inputs(self.settings_of(run.config, run), files, source_digest(tuple(self.rooms)))

    def settings_of(self, config: Config, run: Run) -> Any:
        """What it depends on, as it is when it is read back."""
        return json.loads(json.dumps([self.settings(config), run.event_file_counts()]))

    def is_up_to_date(self, run: Run) -> bool:
        """Whether what it made follows from what it would read now."""
        return self.has_made(run, self._read_inputs(run).digest)

    def has_made(self, run: Run, wanted: str) -> bool:
        """Whether what it made is of the inputs of a digest, and is still there."""
        entry = manifest_of(run)["stages"].get(self.name, {})
        return bool(entry.get("inputs") == wanted) and all(path.exists() for path in self.outputs(run))

    def _was_made_of(self, run: Run, inputs: _Inputs) -> bool:
        """Whether it was made of the same settings and files, by whatever code.

        Settings that an earlier version did not know are what this version takes them to be where nothing is said.
        """
        entry = manifest_of(run)["stages"].get(self.name, {})
        if not {"config", "event_files", "read"} <= entry.keys() or entry["event_files"] != run.event_file_counts():
            return False
        try:
            then = type(run.config).model_validate(entry["config"])
        except ValueError:
            return False
        known = inputs.files[: len(inputs.files) - len(self.later_inputs(run))]
        same = self.settings_of(then, run) == inputs.settings and entry["read"] in (inputs.files, known)
        return same and all(path.exists() for path in self.outputs(run))

    def _other_versions(self, run: Run) -> str:
        """What was different when it was made."""
        then, now = manifest_of(run)["stages"][self.name]["versions"], package_versions()
        others = [f"{name} {then.get(name) or 'of no known version'}" for name in now if then.get(name) != now[name]]
        return ", ".join(others) or f"other code of trigger-ad {now['trigger-ad']}"

    def forget(self, run: Run) -> None:
        """Takes it out of the run's manifest: what is written from now on is believed once it is whole."""
        manifest = manifest_of(run)
        if manifest["stages"].pop(self.name, None):
            write_json(run.directory.manifest, manifest)

    def _record(self, run: Run, inputs: _Inputs, seconds: float) -> None:
        directory = run.directory
        manifest = manifest_of(run)
        manifest["stages"][self.name] = {
            "inputs": inputs.digest,
            "config": run.config.model_dump(mode="json"),
            "event_files": run.event_file_counts(),
            "read": inputs.files,
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


def manifest_of(run: Run) -> dict[str, Any]:
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
    return {name: entry["seconds"] for name, entry in manifest_of(run)["stages"].items()}


def package_versions() -> dict[str, str | None]:
    """Versions of what the numbers depend on; None for a package that is not installed."""
    versions: dict[str, str | None] = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions
