"""How fast a background file of the public size is read, checked and encoded, beside h5py reading the same file.

    python benchmarks/full_size.py FOLDER [--events N] [--run]

FOLDER, outside the repository, needs 8 GB. The file has the layout of the public one (float64, gzip, no group ids);
its events are those of the shipped sample, drawn at random, turned in phi and reflected in eta. Both are timed in the
same run, with the file in the page cache; only their ratio means anything. Processor time is that of all processes, and
depends less on what else the machine does. With --run the main job is run on it as well, with one epoch for each fit,
and its memory is measured. Memory is that of all processes together, once without and once with the clean pages of
mapped files: these the system takes back whenever another needs them, and keeps as long as none does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

PUBLIC_EVENTS = 13_451_915
MAKE_BLOCK = 100_000
READ_BLOCK = 50_000


def make_file(path: Path, events: int) -> None:
    """Writes the file, unless it is there with so many events."""
    from trigger_ad.events.augmentation import turned
    from trigger_ad.events.layout import ADC2021, CLASSES, NAMES
    from trigger_ad.events.sample import sample_paths

    if path.exists():
        with h5py.File(path) as file:
            if len(file["Particles"]) == events:
                return
    with h5py.File(sample_paths().background[0]) as file:
        sample = file["Particles"][:]
    generator = np.random.default_rng(1)
    partial = path.with_name(f"{path.name}.partial")
    with h5py.File(partial, "w") as file:
        particles = file.create_dataset("Particles", (events, *ADC2021.shape), dtype="f8", compression="gzip")
        for start in range(0, events, MAKE_BLOCK):
            stop = min(start + MAKE_BLOCK, events)
            drawn = sample[generator.integers(len(sample), size=stop - start)]
            # as the sample's own, values have passed through single precision: it decides how well they compress
            particles[start:stop] = turned(drawn, ADC2021, generator).astype(np.float32)
        file["Particles_Names"] = [name.encode() for name in NAMES]
        file["Particles_Classes"] = [name.encode() for name in CLASSES]
    partial.replace(path)


def read_plainly(path: Path) -> None:
    """What is compared with: h5py reads and decompresses every event, and throws it away."""
    with h5py.File(path) as file:
        particles = file["Particles"]
        for start in range(0, len(particles), READ_BLOCK):
            particles[start : start + READ_BLOCK]


def process_tree() -> list[int]:
    """This process and all that descend from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    tree = [os.getpid()]
    for process in tree:
        tree += [child for child, parent in parents.items() if parent == process]
    return tree


def memory_of(process: int) -> tuple[int, int]:
    """In bytes, what the process alone answers for, and with it its share of mapped files; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines}
    return sizes["Pss_Anon"] + sizes["Pss_Shmem"], sizes["Pss"]


def processor_seconds() -> float:
    """Of this process and of those that it has started and waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass(frozen=True)
class Measured:
    """What some work took: seconds, seconds of processors, and the largest memory of all processes meanwhile in GB.

    Args:
        seconds: By the clock.
        processor: Of all processes.
        memory: Without clean pages of mapped files.
        mapped: With them.
    """

    seconds: float
    processor: float
    memory: float
    mapped: float


def measured(work: Callable[[], object]) -> Measured:
    """Does the work and measures it."""
    peaks, done = [0, 0], threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            sizes = zip(*map(memory_of, process_tree()), strict=True)
            peaks[:] = [max(peak, sum(size)) for peak, size in zip(peaks, sizes, strict=True)]

    watcher = threading.Thread(target=watch)
    watcher.start()
    started, processor = time.perf_counter(), processor_seconds()
    work()
    seconds, processor = time.perf_counter() - started, processor_seconds() - processor
    done.set()
    watcher.join()
    return Measured(seconds, processor, *(peak / 1e9 for peak in peaks))


def main_job(folder: Path, background: Path) -> None:
    """The main job on the file, with the sample's signals and one epoch for each fit."""
    from trigger_ad.events.sample import sample_paths

    config: dict[str, Any] = {
        "name": "full_size",
        "events": {
            "background": str(background),
            "signals": {name: [str(path) for path in paths] for name, paths in sample_paths().signals.items()},
        },
        "training": {"epochs": 1, "augmentation": 1, "batch_size": 4096},
        "quantization": {"qat": {"epochs": 1, "batch_size": 4096}},
        "firmware": {"flow": "hls", "back_ends": ["vitis"]},
    }
    path = folder / "full_size.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    subprocess.run([Path(sys.executable).with_name("trigger-ad"), "run", path], cwd=folder, check=True)


def main() -> None:
    """Prints what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=PUBLIC_EVENTS)
    parser.add_argument("--run", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["TRIGGER_AD_CACHE"] = str(folder / "cache")
    shutil.rmtree(folder / "cache", ignore_errors=True)

    from trigger_ad.config import InputsConfig
    from trigger_ad.events.encoded import encode_file, events_digest
    from trigger_ad.events.encoding import InputEncoding

    path, encoding = folder / "background.h5", InputEncoding(InputsConfig())
    make_file(path, arguments.events)
    # the digest of the file is part of every start, and brings the file into the page cache
    digest = measured(lambda: events_digest(path))
    plain_before = measured(lambda: read_plainly(path))
    encoding_it = measured(lambda: encode_file(path, encoding))
    plain_after = measured(lambda: read_plainly(path))
    cached = measured(lambda: encode_file(path, encoding))
    plain = (plain_before.seconds + plain_after.seconds) / 2
    plain_processor = (plain_before.processor + plain_after.processor) / 2
    million = arguments.events / 1e6
    rows: list[tuple[str, str]] = [
        ("events", f"{arguments.events:,} in {path.stat().st_size / 1e9:.2f} GB"),
        ("h5py alone, before and after", f"{plain_before.seconds:.1f} s, {plain_after.seconds:.1f} s"),
        (
            "read, checked and encoded",
            f"{encoding_it.seconds:.1f} s, {arguments.events / encoding_it.seconds:,.0f} events/s",
        ),
        ("speed relative to h5py alone", f"{plain / encoding_it.seconds:.2f}"),
        (
            "processor seconds per million events",
            f"{plain_processor / million:.2f} by h5py alone, {encoding_it.processor / million:.2f} encoded",
        ),
        ("memory while encoding", _memory(encoding_it)),
        ("second start: digest and cached words", f"{digest.seconds:.1f} s + {cached.seconds:.3f} s"),
    ]
    for name, value in rows:
        _tell(name, value)
    if arguments.run:
        run = measured(lambda: main_job(folder, path))
        _tell("main job, one epoch each", f"{run.seconds:.0f} s, {_memory(run)}")


def _memory(found: Measured) -> str:
    return f"{found.memory:.2f} GB, {found.mapped:.2f} GB with pages of mapped files"


def _tell(name: str, value: str) -> None:
    sys.stdout.write(f"{name:<40} {value}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
