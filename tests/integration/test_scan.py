"""Scans with real workers: a scheduler of its own, a worker that is killed, a scan that is killed and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from support.runs import Command, write_study
from support.small_disk import small_disk

from trigger_ad.config_file import load_config
from trigger_ad.evaluation.metrics import area_under_curve
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.quantize import score_words
from trigger_ad.pipeline.target import open_run
from trigger_ad.pipeline.validation import validation_scores
from trigger_ad.run_directory import read_json
from trigger_ad.scan.work import TOKEN, Task, work

SCAN = Path("hls_projects/bits")
PROGRAM = (sys.executable, "-c", "from trigger_ad.cli import main; main()")
PATIENCE = 240.0


def _write_scan(**changes: Any) -> Path:
    scan = {
        "name": "bits",
        "base": "study.yaml",
        "grid": {"bits": {"keys": ["quantization.weights", "quantization.activations"], "values": [4, 6]}},
        "objectives": [{"maximise": "auc"}, {"maximise": "tpr", "fpr": 0.1, "signal": "heavy"}],
    }
    path = Path("scan.yaml")
    path.write_text(yaml.safe_dump(scan | changes), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a study whose points take seconds."""
    write_study(tmp_path, training={"epochs": 1, "augmentation": 1}, quantization={"qat": {"epochs": 1}})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _until(holds: Callable[[], Any], scan: subprocess.Popen[bytes] | None = None) -> Any:
    """Waits for something to be true, while a scan runs; what it is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := holds():
            return found
        assert scan is None or scan.poll() is None
        time.sleep(0.1)
    raise AssertionError("it did not come true")


def _points() -> dict[str, dict[str, Any]]:
    if not (SCAN / "points.json").exists():
        return {}
    return {point["name"]: point for point in json.loads((SCAN / "points.json").read_text())["points"]}


def _manifest(point: str) -> dict[str, Any]:
    stages: dict[str, Any] = json.loads((SCAN / point / "manifest.json").read_text())["stages"]
    return stages


@pytest.fixture
def cluster(folder: Path) -> Iterator[tuple[str, dict[str, subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, each a process of its own: the address, and the workers by name."""
    started = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", "scheduler.json", "--no-dashboard"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen(command, **quiet))  # type: ignore[call-overload]
        process: subprocess.Popen[bytes] = started[-1]
        return process

    try:
        start("scheduler", "--port", "0", "--host", "127.0.0.1")
        _until(Path("scheduler.json").exists)
        names = ("one", "other")
        workers = {name: start("worker", "--name", name, "--nthreads", "1", "--no-nanny") for name in names}
        yield json.loads(Path("scheduler.json").read_text())["address"], workers
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def test_points_run_on_workers_elsewhere_and_survive_the_loss_of_one(
    cluster: tuple[str, dict[str, subprocess.Popen[bytes]]],
) -> None:
    from distributed import Client

    address, workers = cluster
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        names = {worker: facts["name"] for worker, facts in client.scheduler_info(n_workers=-1)["workers"].items()}
        scan = subprocess.Popen([*PROGRAM, "scan", str(_write_scan()), "--scheduler", address, "--json"], stdout=-1)
        # the float model, which both points need, is made for the first alone
        _until((SCAN / "bits_4").exists, scan)
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        workers[names[busy[0]]].kill()
        output, _ = scan.communicate(timeout=PATIENCE)
    assert scan.returncode == 0
    pareto = json.loads(output)
    assert {point["name"]: point["state"] for point in pareto["points"]} == {"bits_4": "done", "bits_6": "done"}
    assert pareto == json.loads((SCAN / "pareto.json").read_text())
    first, second = pareto["points"]
    assert (first["shared"], second["shared"]) == ({}, {"train": "bits_4"})
    assert _manifest("bits_4")["train"] == _manifest("bits_6")["train"]
    assert (SCAN / "bits_4" / "float.h5").read_bytes() == (SCAN / "bits_6" / "float.h5").read_bytes()
    assert _manifest("bits_4")["quantize"]["inputs"] != _manifest("bits_6")["quantize"]["inputs"]


def test_a_killed_scan_goes_on_where_it_was(folder: Path) -> None:
    arguments = [*PROGRAM, "scan", str(_write_scan()), "--workers", "1"]
    scan = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _until(lambda: any(point["state"] == "done" for point in _points().values()), scan)
    os.kill(scan.pid, signal.SIGKILL)
    scan.wait()
    (done,) = (name for name, point in _points().items() if point["state"] == "done")
    finished = (SCAN / done / "manifest.json").read_bytes()
    again = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert again.returncode == 0, again.stderr
    assert f"{done} was done before" in again.stderr
    assert {point["state"] for point in _points().values()} == {"done"}
    assert (SCAN / done / "manifest.json").read_bytes() == finished
    _requires_validation_events_alone(done)
    pareto = json.loads((SCAN / "pareto.json").read_text())
    assert pareto["chosen"] in pareto["front"]
    assert {row["model"] for row in pareto["test"]} == {"float", "qat"}
    assert (SCAN / "pareto.html").read_text().count("bits_6") >= 2


def test_a_search_goes_on_from_the_trials_that_it_has_had(folder: Path) -> None:
    def search(trials: int) -> dict[str, dict[str, Any]]:
        space = {"quantization.weights": {"low": 3, "high": 8}, "quantization.activations": [4, 5, 6]}
        path = _write_scan(grid=None, search={"trials": trials, "seed": 3, "space": space})
        arguments = [*PROGRAM, "scan", str(path), "--workers", "1", "--json"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        pareto: dict[str, Any] = json.loads(done.stdout)
        assert pareto["chosen"] in pareto["front"]
        return {point["name"]: point for point in pareto["points"]}

    first = search(1)
    then = search(2)
    assert (len(first), len(then)) == (1, 2)
    assert list(then)[:1] == list(first)
    for name, point in then.items():
        config = open_run(SCAN / name).config
        assert point["keys"] == {
            "quantization.weights": config.quantization.weights,
            "quantization.activations": config.quantization.activations,
        }
        assert None not in point["objectives"].values()


def _requires_validation_events_alone(point: str) -> None:
    """What a scan compares is of validation events, which an ordinary run directory's own stages split."""
    run = open_run(SCAN / point)
    scores = validation_scores(run)["qat"]
    parts = {name: parts["validation"] for name, parts in run.dataset.signals.items()}
    assert len(scores.background) == len(run.dataset.background["validation"])
    assert {name: len(values) for name, values in scores.signals.items()} == {
        name: len(part) for name, part in parts.items()
    }
    network = Network.from_json(read_json(run.directory.network("qat")))
    for name, part in parts.items():
        assert np.array_equal(scores.signals[name], score_words(network, run.encoding, part))
        area = area_under_curve(scores.background, scores.signals[name])
        assert _points()[point]["figures"][f"auc.{name}"] == area


def test_two_scans_do_not_work_in_one_folder(folder: Path, command: Command) -> None:
    from filelock import FileLock

    SCAN.mkdir(parents=True)
    with FileLock(SCAN / ".scan.lock"):
        outcome = command("scan", str(_write_scan()))
    assert outcome.code == 2
    assert outcome.error == (
        "trigger-ad: another scan works on hls_projects/bits. Wait until it has ended, or give this scan another name"
    )


def test_a_scheduler_that_is_not_there_is_named(folder: Path, command: Command) -> None:
    outcome = command("scan", str(_write_scan()), "--scheduler", "tcp://127.0.0.1:1")
    assert outcome.code == 2
    assert outcome.error.startswith("trigger-ad: --scheduler: there is no scheduler that answers at tcp://127.0.0.1:1.")
    assert not Path("hls_projects").exists()


def test_a_full_disk_is_nobodys_fault_and_leaves_nothing_half_written(folder: Path) -> None:
    config = load_config(folder / "study.yaml")
    with small_disk(folder / "disk", kilobytes=32) as disk:
        (disk / TOKEN).touch()
        outcome = work(Task(disk, "point", config.model_dump(mode="json"), "train"))
        left = [path for path in disk.rglob("*.h5*") if path.is_file()]
    assert (outcome.state, outcome.remedy) == ("stop", "Free some space and run again")
    assert "no space left on the device" in (outcome.reason or "")
    assert left == []


def test_a_run_is_repeated_with_the_seeds_that_follow(study: Path, command: Command) -> None:
    outcome = command("run", "study.yaml", "--repeat", "2", "--json")
    assert outcome.code == 0
    report = json.loads(outcome.stdout)
    run = study / "hls_projects" / "study"
    assert report == json.loads((run / "report.json").read_text())
    assert "2 trainings, seeds 1 to 2" in (run / "report.md").read_text()
    assert "2 trainings, seeds 1 to 2" in (run / "report.html").read_text()
    firmware = {row["signal"]: row["auc"] for row in report["performance"] if row["model"] == "firmware"}
    spread = {(entry["model"], entry["signal"], entry["measure"]): entry for entry in report["repeats"]["spread"]}
    for signal_name, area in firmware.items():
        assert spread["qat", signal_name, "auc"]["values"][0] == area
    first, second = spread["float", next(iter(firmware)), "auc"]["values"]
    assert first != second
    # the repetition is an ordinary run directory
    assert open_run(Path("hls_projects/study_seeds/seed_2")).config.seed == 2
    # of other models it says nothing
    changed = yaml.safe_load(Path("study.yaml").read_text())
    changed["training"]["epochs"] += 1
    Path("study.yaml").write_text(yaml.safe_dump(changed))
    outcome = command("run", "study.yaml", "--json")
    assert json.loads(outcome.stdout)["repeats"] is None
