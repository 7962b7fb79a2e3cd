"""The HLS project as it is handed over: hls4ml's sources, a self-checking test bench, vectors, build script, README."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from trigger_ad.config import BackEnd, Config
from trigger_ad.events.plain_encoding import input_encoding
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.hls import DEFAULT_DEPTHS, StreamDepths, network_function, top_function, write_hls_project
from trigger_ad.firmware.hls_types import traced_layers
from trigger_ad.firmware.rendering import render
from trigger_ad.firmware.top import decision_facts, top_facts, write_top
from trigger_ad.firmware.vendor_files import write_vendor_files
from trigger_ad.fixed_point import Codes
from trigger_ad.network.graph import Network
from trigger_ad.run_directory import RunDirectory, write_text

COSIM_VECTORS: Final = 1000
"""A vendor co-simulation runs about this many vectors: the first ones, and every so-manieth of the others."""

_BLOCK_ROWS = 50_000

INPUT_FILE: Final = "input_words.dat"
EXPECTED_FILE: Final = "expected_words.dat"
COSIM_FILE: Final = "rtl_cosim_results.log"
"""Where the test bench leaves the words of a vendor's co-simulation: hls4ml's scripts look there too."""


@dataclass(frozen=True)
class Vectors:
    """Test vectors as integers.

    Args:
        words: Raw trigger words, shape (vectors, inputs): every feature of object 0, then of object 1, ...
        expected: The reference's output words, int64, shape (vectors, outputs).
        leading: How many at the start a co-simulation must not leave out.
    """

    words: NDArray[np.integer[Any]]
    expected: Codes
    leading: int = 0

    @property
    def cosimulated(self) -> NDArray[np.int64]:
        """The positions of the vectors that a co-simulation runs."""
        others = np.arange(self.leading, len(self.words), self.cosim_stride)
        return np.concatenate([np.arange(self.leading), others])

    @property
    def cosim_stride(self) -> int:
        """Of the vectors after the leading ones, a co-simulation runs one in this many."""
        others = len(self.words) - self.leading
        return max(1, math.ceil(others / max(1, COSIM_VECTORS - self.leading)))


def write_project(
    network: Network,
    config: Config,
    back_end: BackEnd,
    accept: Accept | None,
    vectors: Vectors,
    folder: Path,
    depths: StreamDepths = DEFAULT_DEPTHS,
) -> None:
    """Writes one back end's project.

    Args:
        network: The frozen network.
        config: The run's configuration.
        back_end: Which back end.
        accept: The threshold of the accept bit; None for no accept bit.
        vectors: Go into the project with the words expected for them.
        folder: Where to; must not exist.
        depths: Of FIFOs that must hold more than one event.

    Raises:
        ValueError: If the threshold is no code of the score, or there are several output words.
    """
    write_hls_project(network, config.name, back_end, config.firmware, folder, depths)
    _tidy(folder, network_function(config.name))
    write_top(network, input_encoding(config), config.name, back_end, config.firmware.io_type, accept, folder)
    write_vectors(folder / "tb_data", vectors)
    facts = _facts(network, config, accept) | {"back_end": back_end, "vectors": vectors}
    for template, target in (
        ("test_bench.cpp.j2", f"{facts['top']}_test.cpp"),
        ("build.sh.j2", "build.sh"),
        ("project_readme.md.j2", "README.md"),
    ):
        (folder / target).write_text(render(template, facts), encoding="utf-8")
    (folder / "build.sh").chmod(0o755)
    timing = {"part": config.firmware.part, "clock_ns": config.firmware.clock_ns}
    write_vendor_files(facts | timing, folder, is_hls=True)


def write_handover(
    network: Network,
    config: Config,
    accept: Accept | None,
    thresholds: Sequence[Mapping[str, Any]],
    directory: RunDirectory,
    menu: Mapping[str, Any] | None = None,
) -> None:
    """Writes the run directory's README: what a firmware engineer needs to use any of its projects.

    Args:
        network: The frozen network.
        config: The run's configuration.
        accept: As in its projects.
        thresholds: For each working point `fpr_target`, `fpr`, `fpr_low`, `fpr_high`, `code` and `value`.
        directory: The run directory.
        menu: The entry `trigger` of report.json; None for a run without rates.
    """
    facts = _facts(network, config, accept) | {"thresholds": thresholds, "menu": menu}
    write_text(directory.path / "README.md", render("run_readme.md.j2", facts))


def _tidy(folder: Path, inner: str) -> None:
    """Removes what a project that is handed over must not hold.

    That is the folder's absolute path, a stamp that hls4ml draws at random (the same network must give the same
    project), and hls4ml's test bench and bridge into a Python process, which our own test bench replaces.
    """
    settings_file = folder / "hls4ml_config.yml"
    settings = yaml.safe_load(settings_file.read_text(encoding="utf-8"))
    settings["OutputDir"] = "."
    del settings["Stamp"]
    settings_file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    (folder / f"{inner}_test.cpp").unlink()
    (folder / f"{inner}_bridge.cpp").unlink()
    (folder / "build_lib.sh").unlink()


def write_vectors(folder: Path, vectors: Vectors) -> None:
    """Writes vectors, and the words expected for them, as a test bench reads them.

    Args:
        folder: Where to; it need not exist.
        vectors: What is written.
    """
    folder.mkdir(exist_ok=True)
    for name, table in ((INPUT_FILE, vectors.words), (EXPECTED_FILE, vectors.expected)):
        write_table(folder / name, table)


def write_table(path: Path, table: NDArray[np.integer[Any]]) -> None:
    """Writes integers as a test bench reads them: a line for each row, decimal, with spaces; a block at a time.

    Args:
        path: The file.
        table: Shape (rows, columns), both at least 1; it may be mapped from a file larger than memory.
    """
    with path.open("w", encoding="ascii") as stream:
        for start in range(0, len(table), _BLOCK_ROWS):
            # ten times as fast as NumPy's own writer of text
            rows = str(table[start : start + _BLOCK_ROWS].tolist())
            stream.write(rows[2:-2].replace("], [", "\n").replace(", ", " ") + "\n")


def _facts(network: Network, config: Config, accept: Accept | None) -> dict[str, Any]:
    return top_facts(network, input_encoding(config)) | {
        "top": top_function(config.name),
        "inner": network_function(config.name),
        "name": config.name,
        "own_model": config.own_model,
        "firmware": config.firmware,
        **decision_facts(network, accept),
        "streamed": config.firmware.io_type == "io_stream",
        "layers": [{"name": name, "size": size} for name, size in traced_layers(network).items()],
        "types": [{"name": node.name, "kind": node.kind, "type": network.type(node.name)} for node in network.nodes],
    }
