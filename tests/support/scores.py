"""A run whose network is small and random, and black boxes of its layout: what scoring needs, without any training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.events import write_events
from support.report import make_report
from support.runs import small_config, small_network

from trigger_ad.events.content import zero_absent
from trigger_ad.events.layout import EventLayout
from trigger_ad.fixed_point import Codes
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory, write_json


def make_run(folder: Path) -> Run:
    """A run in a folder, which must be the working folder, with its frozen network and its background."""
    network = small_network()
    config = small_config(network)
    run = Run(config, RunDirectory(folder / "run"))
    write_json(run.directory.network(config.quantization.ship), network.to_json())
    write_box(folder / "background.h5", make_events(50, seed=99))
    write_box(folder / "signal.h5", make_events(50, seed=98))
    return run


def make_events(events: int, seed: int = 1) -> NDArray[np.float64]:
    """Events of two objects with pT, eta and phi, the second absent in some: shape (events, 2, 3)."""
    random = np.random.default_rng(seed)
    particles = random.uniform(-20, 20, (events, 2, 3))
    particles[:, :, 0] = random.uniform(1, 100, (events, 2))
    particles[:, :, 2] = random.uniform(-3, 3, (events, 2))
    particles[random.random(events) < 0.3, 1] = 0.0
    return particles


def write_box(path: Path, particles: NDArray[np.float64], **options: Any) -> Path:
    """Writes a file of such events."""
    layout = EventLayout(small_config(small_network()).layout)
    return write_events(path, particles, names=layout.feature_names, classes=layout.class_names, **options)


def expected_words(run: Run, network: Network, particles: NDArray[np.float64]) -> Codes:
    """The score words of events, all at once."""
    codes = run.encoding.codes(zero_absent(particles, run.encoding.layout.pt))
    return evaluate(network, codes)[network.output.name][:, 0]


def report_of(network: Network, *thresholds: tuple[float, int]) -> dict[str, Any]:
    """A report whose firmware has the working points given by target and code, in that order."""
    report = make_report()
    row = next(row for row in report["performance"] if row["model"] == "firmware")
    row["tpr"] = [
        row["tpr"][0] | {"fpr_target": target, "threshold": code, "fpr": 0.02, "fpr_low": 0.01, "fpr_high": 0.03}
        for target, code in thresholds
    ]
    return report | {"score_type": str(network.type(network.output.name))}
