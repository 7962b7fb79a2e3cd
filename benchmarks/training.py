"""How many events a second the fits train on, beside Keras's own `fit` of the same float network in the same run.

    python benchmarks/training.py [CONFIG ...] [--epochs N] [--rows N] [--repeats N]

Each CONFIG is one of an autoencoder, `configs/ffn.yaml` without any; its events, encoding, network and batch size are
used. Three fits are timed in turn: `model.fit(x, x)` of Keras on arrays in memory, the float fit, and the
quantization-aware fit of the folded network; all with validation, and with arrays in the page cache. The time of an
epoch is that of a fit of N + 1 epochs less that of one epoch: compilation is not in it. Only the ratios of medians
mean anything; where other programs run beside it, those of processor time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Timed = Callable[[int], object]
"""Runs a fit of so many epochs."""


def seconds_per_epoch(fitted: Timed, epochs: int) -> tuple[float, float]:
    """Of the epochs after the first: by the clock, and of all processors."""
    seconds = []
    for count in (1, epochs + 1):
        started = time.perf_counter(), time.process_time()
        fitted(count)
        seconds.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    (clock, work), (clock_of_all, work_of_all) = seconds
    return (clock_of_all - clock) / epochs, (work_of_all - work) / epochs


def fits_of(path: Path, rows: int) -> tuple[dict[str, Timed], int]:
    """The three fits of a configuration, and the events of an epoch."""
    from trigger_ad.config import FitConfig, StudentConfig
    from trigger_ad.config_file import load_config
    from trigger_ad.events.dataset import read_dataset
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.events.layout import EventLayout
    from trigger_ad.events.training_arrays import training_arrays
    from trigger_ad.models.architectures import architecture
    from trigger_ad.models.floating import build_float, fold_batch_normalization
    from trigger_ad.models.keras import tf_keras
    from trigger_ad.models.precision import calibrate
    from trigger_ad.models.quantized import build_quantized
    from trigger_ad.models.stochastic import StochasticModel
    from trigger_ad.training import Rows, fit, make_deterministic

    config = load_config(path)
    if isinstance(config.model, StudentConfig):
        sys.exit(f"{path} is of a student, which learns what its teachers make of events. Time one of an autoencoder")
    encoding = InputEncoding(config.inputs, EventLayout(config.layout))
    arrays = training_arrays(read_dataset(config.events, encoding), encoding, config.training.augmentation, config.seed)
    network = architecture(config.model, encoding.layout.objects, len(encoding.features))
    leaky, l2 = config.model.activation == "leaky_relu", config.model.l2
    make_deterministic(config.seed)
    words, exact = arrays.words[:rows], arrays.exact[:rows]
    checks = arrays.validation_exact, arrays.validation_words

    def settings(epochs: int) -> FitConfig:
        return FitConfig(epochs=epochs, batch_size=config.training.batch_size, learning_rate=1e-4, patience=epochs)

    def values(some: NDArray[Any]) -> NDArray[np.float32]:
        return encoding.values_of_words(some).astype(np.float32)

    def plain(epochs: int) -> None:
        model = build_float(network, leaky=leaky)
        inputs, check = (np.asarray(array).reshape(-1, *network.input_shape) for array in (exact, checks[0]))
        alone = tf_keras.Model(model.input, model.outputs[0])
        alone.compile(optimizer=tf_keras.optimizers.Adam(1e-4), loss="mse")
        alone.fit(
            inputs,
            inputs,
            batch_size=config.training.batch_size,
            epochs=epochs,
            validation_data=(check, check),
            validation_batch_size=8192,
            verbose=0,
        )

    def floating(epochs: int) -> None:
        model = StochasticModel(build_float(network, leaky=leaky), network, l2=l2, seed=config.seed)
        fit(model, "float", Rows(exact, np.asarray), Rows(checks[0], np.asarray), settings(epochs), config.seed)

    def quantized(epochs: int) -> None:
        weights = fold_batch_normalization(build_float(network), network)
        some = encoding.values_of_words(words[:2048])
        precisions = calibrate(weights, network, config.quantization, some).precisions
        part = build_quantized(network, weights, precisions)
        fit(part, "quantized", Rows(words, values), Rows(checks[1], values), settings(epochs), config.seed)

    return {"Keras fit, float": plain, "float": floating, "quantization-aware": quantized}, len(words)


def main() -> None:
    """Prints what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("configs", type=Path, nargs="*", default=[Path("configs/ffn.yaml")])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=2**17)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    for path in arguments.configs:
        fits, events = fits_of(path, arguments.rows)
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in fits}
        for _ in range(arguments.repeats):
            for name, fitted in fits.items():
                seconds[name].append(seconds_per_epoch(fitted, arguments.epochs))
        clock, work = (
            [statistics.median(pair[kind] for pair in pairs) for pairs in seconds.values()] for kind in (0, 1)
        )
        for name, by_clock, by_work in zip(fits, clock, work, strict=True):
            sys.stdout.write(
                f"{path.stem:<16} {name:<20} {events / by_clock:>10,.0f} events/s, "
                f"{events / by_work:>10,.0f} in a second of one processor\n"
            )
        for title, (plain, floating, quantized) in (("by the clock", clock), ("by processor time", work)):
            sys.stdout.write(
                f"{path.stem:<16} {title:<20} float {plain / floating:.2f} times as fast as Keras's fit; "
                f"quantization-aware {quantized / floating:.2f} times the time of float\n"
            )


if __name__ == "__main__":
    main()
