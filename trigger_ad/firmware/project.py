"""The HLS project as it is handed over: hls4ml's sources, a self-checking test bench, vectors, build script, README."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from trigger_ad.config import BackEnd, Config
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.layout import KINEMATICS
from trigger_ad.firmware.hls import hls_layer_name, top_function, write_hls_project
from trigger_ad.fixed_point import Codes
from trigger_ad.network.graph import Network
from trigger_ad.run_directory import RunDirectory, text_digest, write_text

COSIM_VECTORS: Final = 1000
"""A vendor co-simulation runs about this many vectors: the first ones, and every so-manieth of the others."""

INPUT_FILE: Final = "input_codes.dat"
EXPECTED_FILE: Final = "expected_words.dat"


@dataclass(frozen=True)
class Vectors:
    """Test vectors as integer codes.

    Args:
        inputs: Codes of the network's input type, int64, shape (vectors, inputs).
        expected: The reference's output words, int64, shape (vectors, outputs).
        leading: How many at the start a co-simulation must not leave out.
    """

    inputs: Codes
    expected: Codes
    leading: int = 0

    @property
    def cosim_stride(self) -> int:
        """Of the vectors after the leading ones, a co-simulation runs one in this many."""
        others = len(self.inputs) - self.leading
        return max(1, math.ceil(others / max(1, COSIM_VECTORS - self.leading)))


def network_digest(network: Network) -> str:
    """The digest that names a network in projects and reports."""
    return text_digest(yaml.safe_dump(network.to_json()))


def write_project(network: Network, config: Config, back_end: BackEnd, vectors: Vectors, folder: Path) -> None:
    """Writes one back end's project.

    Args:
        network: The frozen network.
        config: The run's configuration.
        back_end: Which back end.
        vectors: Go into the project with the words expected for them.
        folder: Where to; must not exist.
    """
    write_hls_project(network, config.name, back_end, config.firmware, folder)
    _tidy(folder, top_function(config.name))
    _write_vectors(folder / "tb_data", vectors)
    facts = _facts(network, config) | {"back_end": back_end, "vectors": vectors}
    for template, target in (
        ("test_bench.cpp.j2", f"{facts['top']}_test.cpp"),
        ("build.sh.j2", "build.sh"),
        ("project_readme.md.j2", "README.md"),
    ):
        (folder / target).write_text(_render(template, facts), encoding="utf-8")
    (folder / "build.sh").chmod(0o755)


def write_handover(
    network: Network, config: Config, thresholds: Sequence[Mapping[str, Any]], directory: RunDirectory
) -> None:
    """Writes the run directory's README: what a firmware engineer needs to use any of its projects.

    Args:
        network: The frozen network.
        config: The run's configuration.
        thresholds: For each working point `fpr_target`, `fpr`, `fpr_low`, `fpr_high`, `code` and `value`.
        directory: The run directory.
    """
    facts = _facts(network, config) | {"thresholds": thresholds}
    write_text(directory.path / "README.md", _render("run_readme.md.j2", facts))


def _render(template: str, facts: Mapping[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("trigger_ad.firmware"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(template).render(facts)


def _tidy(folder: Path, top: str) -> None:
    """Removes what a project that is handed over must not hold.

    That is the folder's absolute path, a stamp that hls4ml draws at random (the same network must give the same
    project), and hls4ml's bridge into a Python process, which our own test bench replaces.
    """
    settings_file = folder / "hls4ml_config.yml"
    settings = yaml.safe_load(settings_file.read_text(encoding="utf-8"))
    settings["OutputDir"] = "."
    del settings["Stamp"]
    settings_file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    (folder / f"{top}_bridge.cpp").unlink()
    (folder / "build_lib.sh").unlink()


def _write_vectors(folder: Path, vectors: Vectors) -> None:
    folder.mkdir(exist_ok=True)
    np.savetxt(folder / INPUT_FILE, vectors.inputs, fmt="%d")
    np.savetxt(folder / EXPECTED_FILE, vectors.expected, fmt="%d")


def _facts(network: Network, config: Config) -> dict[str, Any]:
    output = network.words[network.output.name]
    names = {hls_layer_name(node, network) for node in network.nodes[1:]}
    return {
        "top": top_function(config.name),
        "name": config.name,
        "firmware": config.firmware,
        "digest": network_digest(network),
        "inputs": network.input.size,
        "input_type": network.input.type,
        "input_width": network.input.type.width,
        "outputs": output.size,
        "output_type": output.type,
        "output_width": output.type.width,
        "output_signed": output.type.signed,
        "streamed": config.firmware.io_type == "io_stream",
        "layers": [{"name": n.name, "size": network.words[n.name].size} for n in network.nodes[1:] if n.name in names],
        "types": [{"name": node.name, "kind": node.kind, "type": network.type(node.name)} for node in network.nodes],
        "features": list(zip(KINEMATICS, InputEncoding(config.inputs).features, strict=True)),
    }
