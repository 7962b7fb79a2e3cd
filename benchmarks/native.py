"""How many events a second the compiled network scores, on a run's own test vectors.

    python benchmarks/native.py RUN_DIRECTORY... [--events N] [--cache FOLDER]

RUN_DIRECTORY holds `config.yaml`, the frozen network, and `vectors/`. The vectors are repeated up to N events. Every
score is held against the reference before anything is timed. Seconds are of the fastest of five passes over all
events, from trigger words in memory to score words; processor time is that of all threads, and depends less on what
else the machine does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trigger_ad.config_file import load_config
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.layout import EventLayout
from trigger_ad.native.build import cached_library
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.native.source import LibraryNames, library_source
from trigger_ad.network.evaluation import scores
from trigger_ad.network.graph import Network
from trigger_ad.run_directory import RunDirectory, read_json

PASSES = 5


def fastest(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of processors, of the fastest pass."""
    seconds, processor = [], []
    for _ in range(PASSES):
        started, used = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    return min(seconds), min(processor)


def measure(run: Path, events: int, cache: Path) -> str:
    """One line on one run directory."""
    config = load_config(run / "config.yaml")
    directory = RunDirectory(run)
    network = Network.from_json(read_json(directory.network(config.quantization.ship)))
    encoding = InputEncoding(config.inputs, EventLayout(config.layout))
    source = library_source(network, encoding, LibraryNames(config.name))
    started = time.perf_counter()
    library = cached_library(source, cache)
    compiled = time.perf_counter() - started
    words = np.load(directory.vectors / "input_words.npy", allow_pickle=False)
    with NativeEmulator(library, source) as emulator:
        if not np.array_equal(emulator.scores(words), scores(network, encoding.codes_of_words(words))):
            sys.exit(f"{run}: the compiled network differs from the reference")
        repeated = np.tile(words, (-(-events // len(words)), 1))[:events]
        seconds, processor = fastest(lambda: emulator.scores(repeated))
    return (
        f"{config.name}: {events / seconds:,.0f} events/s, {events / processor:,.0f} for each second of a processor; "
        f"compiled in {compiled:.1f} s; {len(words):,} scores equal to the reference's"
    )


def main() -> None:
    """Measures every run directory that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for run in arguments.runs:
            line = measure(run, arguments.events, arguments.cache or Path(temporary))
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
