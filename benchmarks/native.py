"""How many events a second the native library scores, beside hls4ml's compiled `predict` of the same network.

    python benchmarks/native.py RUN_DIRECTORY... [--events N] [--predicted N] [--file EVENTS_FILE]

RUN_DIRECTORY holds `config.yaml`, the frozen network, and `vectors/`. The vectors are repeated up to N events for the
library; hls4ml predicts N of them, given as values, without an encoding. Every score is held against the reference, and
hls4ml's against the library's, before anything is timed. Seconds are of the fastest of five passes; processor time is
that of all threads, and depends less on what else the machine does. With --file the events of a file are scored from
the cache, once it is there (`benchmarks/full_size.py` makes one of the public size).
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config
from trigger_ad.config_file import load_config
from trigger_ad.events.encoded import encode_file
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.layout import EventLayout
from trigger_ad.firmware.hls import write_hls_project
from trigger_ad.native.build import cached_library
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.native.source import LibraryNames, library_source
from trigger_ad.network.evaluation import scores
from trigger_ad.network.graph import Network
from trigger_ad.run_directory import RunDirectory, file_digest, read_json

PASSES = 5
ROWS = 1 << 20


def fastest(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of processors, of the fastest pass."""
    seconds, processor = [], []
    for _ in range(PASSES):
        started, used = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    return min(seconds), min(processor)


def hls4ml_predict(
    network: Network, config: Config, folder: Path
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """What hls4ml compiles of the same network: from input values of shape (events, inputs) to scores."""
    with contextlib.redirect_stdout(sys.stderr):
        model = write_hls_project(network, config.name, config.firmware.back_ends[0], config.firmware, folder / "hls")
        model.compile()

    def predict(values: NDArray[np.float64]) -> NDArray[np.float64]:
        shape = (len(values), *network.input.shape)
        return np.asarray(model.predict(np.ascontiguousarray(values.reshape(shape)))).reshape(len(values))

    return predict


def measure(run: Path, arguments: argparse.Namespace, folder: Path) -> list[str]:
    """Lines on one run directory."""
    config = load_config(run / "config.yaml")
    directory = RunDirectory(run)
    network = Network.from_json(read_json(directory.network(config.quantization.ship)))
    encoding = InputEncoding(config.inputs, EventLayout(config.layout))
    output = network.type(network.output.name)
    source = library_source(network, encoding, LibraryNames(config.name))
    started = time.perf_counter()
    library = cached_library(source, folder)
    compiled = time.perf_counter() - started
    words = np.load(directory.vectors / "input_words.npy", allow_pickle=False)
    some = words[:: max(1, len(words) // arguments.predicted)][: arguments.predicted]
    values = encoding.values_of_words(some)
    predict = hls4ml_predict(network, config, folder)
    with NativeEmulator(library, source) as emulator:
        if not np.array_equal(emulator.scores(words), scores(network, encoding.codes_of_words(words))):
            sys.exit(f"{run}: the compiled network differs from the reference")
        if not np.array_equal(output.values(emulator.scores(some)), predict(values)):
            sys.exit(f"{run}: hls4ml's predict differs from the compiled network")
        repeated = np.tile(words, (-(-arguments.events // len(words)), 1))[: arguments.events]
        seconds, processor = fastest(lambda: emulator.scores(repeated))
        slow, slow_processor = fastest(lambda: predict(values))
        fast, fast_processor = len(repeated) / seconds, len(repeated) / processor
        slow, slow_processor = len(some) / slow, len(some) / slow_processor
        lines = [
            f"{config.name}: {fast:,.0f} events/s, {fast_processor:,.0f} for each second of a processor, compiled in "
            f"{compiled:.1f} s; {len(words):,} scores equal to the reference's",
            f"{config.name}: hls4ml's predict {slow:,.0f} events/s, equal scores of {len(some):,} events; the library "
            f"gives {fast / slow:,.0f} times as many by the clock, {fast_processor / slow_processor:,.0f} times by "
            "processor time",
        ]
        return lines + ([on_file(arguments.file, encoding, emulator)] if arguments.file else [])


def on_file(path: Path, encoding: InputEncoding, emulator: NativeEmulator) -> str:
    """One line on an events file, the second time that it is used: its trigger words are in the cache then."""
    encode_file(path, encoding)
    started = time.perf_counter()
    # what another process would do first; this one knows the digest already
    file_digest(path)
    words = encode_file(path, encoding).words
    found = [emulator.scores(words[start : start + ROWS]) for start in range(0, len(words), ROWS)]
    seconds = time.perf_counter() - started
    return f"{path.name}: {sum(map(len, found)):,} events in {seconds:.1f} s, digest and cache read"


def main() -> None:
    """Measures every run directory that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--predicted", type=int, default=20_000)
    parser.add_argument("--file", type=Path)
    arguments = parser.parse_args()
    for run in arguments.runs:
        with tempfile.TemporaryDirectory() as temporary:
            for line in measure(run, arguments, Path(temporary)):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
