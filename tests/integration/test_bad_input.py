"""Bad input: exit code 2, one clear line that names what is wrong and what to do, and a run that is left as it was."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.events import make_particles, spoil, write_events
from support.runs import Command, Outcome, tree_digest, write_config
from support.small_disk import small_disk

from trigger_ad.events import encoded
from trigger_ad.events.cache import ENVIRONMENT

RUN = Path("hls_projects/study")
Refused = Callable[..., str]


@pytest.fixture
def refused(study: Path, command: Command) -> Iterator[Refused]:
    """Runs a command that must be refused; returns its one line. The run must be the same at the end of the test."""
    before: dict[str, str] = {}

    def run(*arguments: str) -> str:
        before.update(tree_digest(RUN))
        return _one_line(command(*arguments))

    yield run
    assert tree_digest(RUN) == before


def _one_line(outcome: Outcome) -> str:
    line = outcome.error
    assert outcome.code == 2
    assert outcome.stdout == ""
    assert line.startswith("trigger-ad: ")
    assert "Traceback" not in line
    return line.removeprefix("trigger-ad: ")


@pytest.mark.parametrize(
    ("changes", "key", "remedy"),
    [
        ({"trainign": {"epochs": 3}}, "study.yaml: unknown key 'trainign'", "docs/reference.md"),
        ({"firmware__clock": 3.0}, "study.yaml: unknown key 'firmware.clock'", "docs/reference.md"),
        ({"events__signal": "heavy.h5"}, "study.yaml: unknown key 'events.signal'", "docs/reference.md"),
        ({"training__epochs": "many"}, "study.yaml: training.epochs: ", "docs/reference.md"),
        ({"training__epochs": 2.5}, "study.yaml: training.epochs: ", "docs/reference.md"),
        ({"seed": True}, "study.yaml: seed: ", "docs/reference.md"),
        ({"quantization__weights": 1}, "study.yaml: quantization.weights: ", "2"),
        ({"quantization__weights": 99}, "study.yaml: quantization.weights: ", "24"),
        (
            {
                "quantization__weights": 24,
                "quantization__activations": 24,
                "inputs__pt__width": 24,
                "inputs__pt__lsb": 1.0,
            },
            "bits to be exact, more than 53",
            "Use fewer bits",
        ),
        ({"firmware__back_ends": ["vitis", "quartus"]}, "study.yaml: firmware.back_ends.1: ", "'vitis' or 'vivado'"),
        ({"firmware__back_ends": []}, "study.yaml: firmware.back_ends: ", "at least 1"),
        ({"firmware__back_ends": ["vitis", "vitis"]}, "study.yaml: firmware.back_ends: a back end is named twice", ""),
        ({"firmware__reuse_factor": 0}, "study.yaml: firmware.reuse_factor: ", "greater than or equal to 1"),
        (
            {"firmware__reuse_factor": 3},
            "firmware.reuse_factor: 3 is not valid for layer 'latent'",
            "Valid for every layer",
        ),
        (
            {"firmware__reuse_factor": 3, "firmware__strategy": "resource"},
            "firmware.reuse_factor: 3 is not valid for layer 'latent'",
            "Valid for every layer",
        ),
        (
            {"firmware__part": "virtex 7"},
            "firmware.part: 'virtex 7' does not look like",
            "such as xcvu13p-flga2577-2-e",
        ),
        (
            {"firmware__part": "xcvu9p-2"},
            "firmware.part: 'xcvu9p-2' does not look like",
            "such as xcvu13p-flga2577-2-e",
        ),
        ({"firmware__clock_ns": 0.0}, "study.yaml: firmware.clock_ns: ", "greater than 0"),
        ({"events": "smaple"}, "'smaple' is neither 'sample' nor", ""),
        ({"name": "../study"}, "study.yaml: name: ", "docs/reference.md"),
        ({"name": None}, "study.yaml: name: ", "docs/reference.md"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "check"])
def test_a_configuration_that_cannot_be_meant(
    refused: Refused, verb: str, changes: dict[str, Any], key: str, remedy: str
) -> None:
    line = refused(verb, str(write_config(Path("study.yaml"), **changes)))
    assert key in line
    assert remedy in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [study", "is not valid YAML"),
        ("- study", "holds no mapping of keys"),
        ("", "holds no mapping of keys"),
        ("name: \x00", "is not valid YAML"),
        ("name: !!python/object/apply:os.getcwd []", "is not valid YAML"),
    ],
)
def test_a_configuration_that_is_none(refused: Refused, text: str, said: str) -> None:
    Path("study.yaml").write_text(text)
    line = refused("run", "study.yaml")
    assert line.startswith("study.yaml ")
    assert said in line


def test_bytes_that_are_no_text(refused: Refused) -> None:
    Path("study.yaml").write_bytes(b"name: \xff\xfe")
    assert refused("run", "study.yaml").startswith("study.yaml cannot be read")


def test_a_target_that_does_not_exist(refused: Refused) -> None:
    line = refused("run", "configs/missing.yaml")
    assert line == (
        "configs/missing.yaml does not exist. Name a configuration such as configs/student.yaml, or a run directory "
        "such as hls_projects/student"
    )


def test_a_folder_that_is_no_run(refused: Refused) -> None:
    line = refused("emulate", "hls_projects")
    assert line == "hls_projects is not a run directory: it has no config.yaml. Name a run or a configuration"


def _truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _store(value: float) -> Callable[[Path], None]:
    def store(path: Path) -> None:
        particles = make_particles(300)
        particles[123, 9, 0] = value
        write_events(path, particles)

    return store


def _replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _corrupt(path: Path) -> None:
    write_events(path, make_particles(300), chunks=(100, 19, 4))
    spoil(path, 100)


def _rename_particles(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file.move("Particles", "particles")


BAD_EVENTS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "missing": (Path.unlink, "does not exist", "'events'"),
    "truncated": (_truncate, "is truncated or damaged", "again"),
    "text": (lambda path: path.write_text("pt,eta,phi\n"), "is not an HDF5 file", "float64 dataset `Particles`"),
    "empty": (lambda path: path.write_bytes(b""), "is not an HDF5 file", "float64 dataset `Particles`"),
    "folder": (_replace_by_a_folder, "is a folder", "Give the events file inside it"),
    "wrong shape": (
        lambda path: write_events(path, np.ones((50, 18, 4))),
        "`Particles` has the shape (50, 18, 4)",
        "(events, 19, 4)",
    ),
    "integers": (
        lambda path: write_events(path, np.ones((50, 19, 4)), dtype=np.int32),
        "has the type int32",
        "float64",
    ),
    "no Particles": (_rename_particles, "has no dataset `Particles`", "float64 dataset `Particles`"),
    "corrupt chunk": (_corrupt, "is damaged: `Particles` cannot be read between events 0 and 299", "Download it"),
    "NaN": (_store(np.nan), "1 value is NaN or infinite", "Remove these events"),
    "infinite": (_store(np.inf), "event 123 (the first is 0), slot 9", "Remove these events"),
    "no events": (lambda path: write_events(path, make_particles(0), compression=None), "holds no events", "at least"),
    "too few events": (lambda path: write_events(path, make_particles(1)), "part", "Give a file with more events"),
}


@pytest.mark.parametrize("name", ["background.h5", "heavier.h5"])
@pytest.mark.parametrize("bad", BAD_EVENTS)
def test_events_that_cannot_be_used(refused: Refused, name: str, bad: str) -> None:
    spoil, said, remedy = BAD_EVENTS[bad]
    spoil(Path(name))
    line = refused("run", "study.yaml")
    assert name in line
    assert said in line
    assert remedy in line


def test_events_that_cannot_be_used_are_refused_before_a_new_configuration_is_written(refused: Refused) -> None:
    """The run of an earlier configuration keeps that configuration beside its artefacts."""
    _store(np.nan)(Path("background.h5"))
    write_config(Path("study.yaml"), seed=5, training__epochs=3)
    assert "background.h5" in refused("run", "study.yaml")


@pytest.mark.parametrize("bad", ["missing", "truncated", "text", "wrong shape", "no Particles"])
def test_check_opens_every_events_file(refused: Refused, bad: str) -> None:
    BAD_EVENTS[bad][0](Path("heavier.h5"))
    assert "heavier.h5" in refused("check", "study.yaml")


def test_a_bad_file_leaves_no_trace_of_a_new_run(study: Path, command: Command) -> None:
    _store(np.nan)(Path("background.h5"))
    write_config(Path("new.yaml"), name="new")
    assert "background.h5" in _one_line(command("run", "new.yaml"))
    assert not Path("hls_projects/new").exists()


def test_a_corrupt_chunk_that_a_worker_process_meets(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded, "STRETCH_EVENTS", 100)
    _corrupt(Path("background.h5"))
    line = refused("run", "study.yaml")
    assert line.startswith("background.h5 is damaged: `Particles` cannot be read between events 100 and 199. Download")


def test_events_that_change_while_they_are_read(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = encoded._encode_stretch

    def changing(task: Any) -> Any:
        done = encode(task)
        write_events(Path("heavy.h5"), make_particles(300, 9))
        return done

    # new events, so that they are read at all
    write_events(Path("heavy.h5"), make_particles(300, 8))
    monkeypatch.setattr(encoded, "_encode_stretch", changing)
    line = refused("run", "study.yaml")
    assert line == "heavy.h5 changed while it was read. Wait until it is complete, and run again"


def test_a_cache_that_cannot_be_written(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("cache").write_text("in the way")
    monkeypatch.setenv(ENVIRONMENT, "cache")
    write_config(Path("study.yaml"), seed=5)
    line = refused("run", "study.yaml")
    assert line.startswith("the cache cache cannot be written (File exists). Name a folder that can be written")
    assert ENVIRONMENT in line


def test_a_cache_without_room(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv(ENVIRONMENT, "new cache")
    monkeypatch.setattr(os, "posix_fallocate", full)
    write_config(Path("study.yaml"), seed=5)
    line = refused("run", "study.yaml")
    assert line.startswith("the cache new cache has no room for ")
    assert [path.suffix for path in Path("new cache").iterdir()] == [".lock"]


@pytest.mark.parametrize("array", ["words.npy", "exact.npy"])
def test_a_damaged_cache(refused: Refused, monkeypatch: pytest.MonkeyPatch, command: Command, array: str) -> None:
    """Of the events as they were digitised, and of the training events with their copies."""
    monkeypatch.setenv(ENVIRONMENT, "cache")
    write_config(Path("new.yaml"), name="new")
    assert command("train", "new.yaml").code == 0
    shutil.rmtree("hls_projects/new")
    damaged = next(path for path in sorted(Path("cache").glob(f"*/{array}")))
    damaged.write_bytes(b"")
    line = refused("run", "new.yaml")
    assert line == f"the cache entry {damaged.parent} is damaged. Delete the folder {damaged.parent} and run again"
    shutil.rmtree(damaged.parent)
    assert command("train", "new.yaml").code == 0
    shutil.rmtree("hls_projects/new")


def test_no_compiler(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    line = refused("run", "study.yaml")
    assert line.startswith("No C++ compiler")
    assert "CXX" in line


def test_a_compiler_that_does_not_exist(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    line = refused("run", "study.yaml")
    assert "CXX names 'no-such-compiler'" in line


def test_a_compiler_that_does_not_compile(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = Path("broken-compiler").resolve()
    compiler.write_text("#!/bin/sh\necho 'broken: error: no licence' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    (RUN / "results" / "emulation.npz").unlink()
    line = refused("emulate", "study.yaml")
    # whichever of the emulators is compiled first
    assert re.match(r"(hls_projects/study/hls/\w+|\w+\.cpp) does not compile: broken: error: no licence", line)


@pytest.mark.parametrize(
    ("artefact", "verb"),
    [
        ("float.h5", "run"),
        ("quantized_qat.h5", "emulate"),
        ("network_qat.json", "convert"),
        ("vectors/input_words.npy", "emulate"),
        ("vectors/index.json", "emulate"),
        ("results/quantize.npz", "report"),
        ("results/emulation.npz", "report"),
        ("results/emulation.json", "report"),
        ("manifest.json", "run"),
    ],
)
@pytest.mark.parametrize("content", [b"", b"not what it was"])
def test_a_damaged_artefact_is_named(refused: Refused, artefact: str, verb: str, content: bytes) -> None:
    (RUN / artefact).write_bytes(content)
    line = refused(verb, str(RUN))
    assert artefact.split("/")[0] in line
    assert "elete it" in line


def test_a_damaged_configuration_of_a_run(refused: Refused) -> None:
    (RUN / "config.yaml").write_text("name: study\nsed: 1\n")
    assert refused("run", str(RUN)).startswith("hls_projects/study/config.yaml: unknown key 'sed'")


def test_a_full_disk(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_config(Path("study.yaml"), firmware__clock_ns=2.5)
    monkeypatch.setattr("trigger_ad.firmware.project.write_table", full)
    line = refused("run", "study.yaml")
    assert line.startswith("no space left on the device while writing hls_projects/study/vectors")
    assert line.endswith("Free some space and run again")


@pytest.fixture
def disk(study: Path) -> Iterator[Path]:
    """Large enough for the run."""
    with small_disk(study / "disk", kilobytes=8192) as folder:
        yield folder


@pytest.mark.parametrize("left", [0, 50_000, 1_000_000])
def test_a_disk_that_fills_up_while_a_stage_writes(
    disk: Path, command: Command, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    shutil.copytree(RUN, disk / RUN, ignore=shutil.ignore_patterns("vivado"))
    for path in (*Path().glob("*.h5"), Path("study.yaml")):
        shutil.copy(path, disk)
    monkeypatch.chdir(disk)
    with Path("filler").open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(bytes(4096))
    os.truncate("filler", max(0, Path("filler").stat().st_size - left))
    before = tree_digest(RUN)
    outcome = command("convert", str(RUN))
    assert _one_line(outcome).startswith("no space left on the device while writing hls_projects/study/")
    assert tree_digest(RUN) == before


def test_a_limit_on_the_size_of_files(refused: Refused) -> None:
    """As on a disk with a quota: a write fails half-way through a file."""
    write_config(Path("study.yaml"), firmware__clock_ns=2.5)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        line = refused("run", "study.yaml")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "cannot be written (File too large)" in line
    assert "hls_projects/study/" in line


@pytest.mark.parametrize("blocked", ["hls_projects", "hls_projects/other"])
def test_an_output_folder_that_cannot_be_made(study: Path, command: Command, blocked: str) -> None:
    """A file stands where a folder must go: unlike a permission, this stops everybody."""
    write_config(Path("study.yaml"), name="other")
    Path("hls_projects").rename("elsewhere")
    if blocked != "hls_projects":
        Path("hls_projects").mkdir()
    Path(blocked).write_text("in the way")
    line = _one_line(command("run", "study.yaml"))
    assert "hls_projects/other" in line
    assert "cannot be written" in line
    assert "Choose a folder that can be written" in line
    assert Path(blocked).read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
def test_a_run_that_may_not_be_written(refused: Refused) -> None:
    write_config(Path("study.yaml"), firmware__clock_ns=2.5)
    RUN.chmod(0o555)
    try:
        assert "cannot be written (Permission denied)" in refused("run", "study.yaml")
    finally:
        RUN.chmod(0o755)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["synthesise", "study.yaml"], "No such command 'synthesise'"),
        (["run"], "Missing argument 'TARGET'"),
        (["run", "--fast", "study.yaml"], "No such option '--fast'"),
        (["run", "study.yaml", "other.yaml"], "unexpected extra argument"),
        (["--verbose", "run"], "No such option '--verbose'"),
    ],
)
def test_a_command_that_is_none(study: Path, command: Command, arguments: list[str], said: str) -> None:
    outcome = command(*arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr[-1]
    assert not any("Traceback" in line for line in outcome.stderr)


def test_inspect_of_a_missing_file(study: Path, command: Command) -> None:
    assert _one_line(command("inspect", "missing.h5")).startswith("missing.h5 does not exist")
