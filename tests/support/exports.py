"""A run that can be exported without any training, and what others do with the folder that they are given."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from support.native import FAST, random_words
from support.runs import corners, small_network
from support.scores import make_run, report_of

from trigger_ad.network.digest import network_digest
from trigger_ad.network.evaluation import outputs
from trigger_ad.pipeline.convert import EXPECTED_WORDS, INPUT_WORDS, shipped_network
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import write_json

INTERFACE = Path(__file__).parent / "cms_interface"
"""The interface that the adaptor is compiled against, and a program that uses it."""


def make_exportable(folder: Path, seed: int = 1, events: int = 3000) -> Run:
    """A run in a folder, with a small random network, its vectors, and a report with two working points."""
    run = make_run(folder)
    network = small_network(seed=seed)
    write_json(run.directory.network(run.config.quantization.ship), network.to_json())
    groups = {**corners(run.encoding), "background": random_words(run.encoding, events)}
    words = np.concatenate(list(groups.values()))
    run.directory.vectors.mkdir()
    np.save(run.directory.vectors / INPUT_WORDS, words)
    np.save(run.directory.vectors / EXPECTED_WORDS, outputs(network, run.encoding.codes_of_words(words)))
    segments, start = [], 0
    for name, group in groups.items():
        kind = "events" if name == "background" else "corner"
        segments.append({"name": name, "kind": kind, "start": start, "stop": start + len(group)})
        start += len(group)
    write_json(run.directory.vectors / "index.json", {"segments": segments})
    write_json(run.directory.path / "report.json", report_for(run))
    return run


def report_for(run: Run, *thresholds: tuple[float, int]) -> dict[str, Any]:
    """The report of such a run, by default with two working points."""
    network = shipped_network(run)
    report = report_of(network, *(thresholds or ((0.1, 1234), (0.01, 56789))))
    return report | {"network_digest": network_digest(network)}


def make(folder: Path, *targets: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs make in a folder, compiling fast; with a whole environment if one is given."""
    given = os.environ if environment is None else environment
    flags = {"CXXFLAGS": " ".join([*FAST, "-Wall", "-Wextra", "-Werror"])}
    return subprocess.run(
        ["make", *targets], cwd=folder, env={**given, **flags}, capture_output=True, text=True, check=False
    )


def read_vectors_text(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The words and score words of an exported file of vectors."""
    head, *rows = path.read_text(encoding="ascii").splitlines()
    vectors, inputs, scores = map(int, head.split())
    table = np.array([row.split() for row in rows], dtype=np.int64)
    assert table.shape == (vectors, inputs + scores)
    return table[:, :inputs], table[:, inputs:]
