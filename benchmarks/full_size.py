"""How fast a background file of the public size is read, checked and encoded, beside h5py reading the same file.

    python benchmarks/full_size.py FOLDER [--events N] [--run]

FOLDER, outside the repository, needs 8 GB. The file has the layout of the public one (float64, gzip, no group ids);
its events are those of the shipped sample, drawn at random, turned in phi and reflected in eta. Both are timed in the
same run, with the file in the page cache; only their ratio means anything. With --run the main job is run on it as
well, with one epoch for each fit, and its memory is measured. Memory is the sum of the proportional set sizes of all
processes, pages of mapped files included.
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
            # as in the public file, values have passed through single precision
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


def proportional_set_size(process: int) -> int:
    """In bytes; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that work took, and the largest memory of all processes meanwhile in GB."""
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.2):
            peak = max(peak, sum(map(proportional_set_size, process_tree())))

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    return seconds, peak / 1e9


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
        "firmware": {"back_ends": ["vitis"]},
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
    digest_seconds, _ = measured(lambda: events_digest(path))
    plain_before, _ = measured(lambda: read_plainly(path))
    encode_seconds, encode_memory = measured(lambda: encode_file(path, encoding))
    plain_after, _ = measured(lambda: read_plainly(path))
    cached_seconds, _ = measured(lambda: encode_file(path, encoding))
    plain = (plain_before + plain_after) / 2
    rows: list[tuple[str, str]] = [
        ("events", f"{arguments.events:,} in {path.stat().st_size / 1e9:.2f} GB"),
        ("h5py alone, before and after", f"{plain_before:.1f} s, {plain_after:.1f} s"),
        ("read, checked and encoded", f"{encode_seconds:.1f} s, {arguments.events / encode_seconds:,.0f} events/s"),
        ("speed relative to h5py alone", f"{plain / encode_seconds:.2f}"),
        ("memory while encoding", f"{encode_memory:.2f} GB"),
        ("second start: digest and cached words", f"{digest_seconds:.1f} s + {cached_seconds:.3f} s"),
    ]
    if arguments.run:
        seconds, memory = measured(lambda: main_job(folder, path))
        rows.append(("main job, one epoch each", f"{seconds:.0f} s, {memory:.2f} GB"))
    for name, value in rows:
        sys.stdout.write(f"{name:<40} {value}\n")


if __name__ == "__main__":
    main()
