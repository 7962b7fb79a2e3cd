"""Stage `convert`: test vectors, and the HLS project of each back end."""

from __future__ import annotations

import io
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from trigger_ad.config import BackEnd, Config
from trigger_ad.fixed_point import Codes
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.stage import Run, Stage, reading
from trigger_ad.run_directory import read_json, write_json, written_whole

_LOGGER = logging.getLogger(__name__)
VECTOR_KINDS = ("corner", "events")


@dataclass(frozen=True)
class Segment:
    """A stretch of the test vectors.

    Args:
        name: The group of corner vectors, or the sample.
        kind: `corner` or `events`.
        start: The first vector.
        stop: One past the last.
    """

    name: str
    kind: str
    start: int
    stop: int


def shipped_network(run: Run) -> Network:
    """The frozen network that becomes firmware."""
    path = run.directory.network(run.config.quantization.ship)
    with reading(path):
        return Network.from_json(read_json(path))


def read_vectors(folder: Path) -> tuple[Codes, Codes, list[Segment]]:
    """Input codes, expected words, and what each stretch of them is."""
    with reading(folder):
        index = read_json(folder / "index.json")
        return (
            np.load(folder / "inputs.npy", allow_pickle=False),
            np.load(folder / "expected.npy", allow_pickle=False),
            [Segment(**segment) for segment in index["segments"]],
        )


def _settings(config: Config) -> dict[str, Any]:
    parts = config.model_dump(mode="json", include={"name", "events", "inputs", "firmware", "seed"})
    return parts | {"ship": config.quantization.ship}


def _execute(run: Run) -> None:
    from trigger_ad.firmware.project import Vectors, write_project
    from trigger_ad.network.evaluation import evaluate

    network = shipped_network(run)
    inputs, segments = _inputs(run, network)
    expected = evaluate(network, inputs)[network.output.name]
    with written_whole(run.directory.vectors) as temporary:
        temporary.mkdir()
        _save(temporary / "inputs.npy", inputs)
        _save(temporary / "expected.npy", expected)
        write_json(temporary / "index.json", _index(network, segments))
    leading = max(item.stop for item in segments if item.kind == "corner" and not item.name.startswith("random"))
    for back_end in run.config.firmware.back_ends:
        _keep_vendor_reports(run.directory.hls_project(back_end))
        with written_whole(run.directory.hls_project(back_end)) as temporary:
            write_project(network, run.config, back_end, Vectors(inputs, expected, leading), temporary)
    _drop_other_projects(run)


def _keep_vendor_reports(project: Path) -> None:
    """Sets a project aside that a vendor tool has worked on: what took it hours is not thrown away."""
    if any(project.glob("*_prj")):
        aside = project.with_name(f"{project.name}.previous")
        shutil.rmtree(aside, ignore_errors=True)
        project.replace(aside)
        _LOGGER.warning("the project that %s held, with the vendor tool's results, is now %s", project, aside)


def _drop_other_projects(run: Run) -> None:
    """Removes projects of back ends that the configuration no longer names: they hold an older network."""
    for back_end in get_args(BackEnd):
        project = run.directory.hls_project(back_end)
        if back_end not in run.config.firmware.back_ends and project.exists():
            _keep_vendor_reports(project)
            shutil.rmtree(project, ignore_errors=True)


def _save(path: Path, codes: Codes) -> None:
    # NumPy, when it writes to the disk by itself, does not say that the disk is full
    content = io.BytesIO()
    np.save(content, codes, allow_pickle=False)
    path.write_bytes(content.getbuffer())


def _inputs(run: Run, network: Network) -> tuple[Codes, list[Segment]]:
    """Corner vectors first, the random ones last of them; then every test event."""
    from trigger_ad.network.vectors import corner_vectors

    corners = corner_vectors(network.input.type, network.input.size, run.config.seed)
    events = {name: run.encoding.codes(part.particles) for name, part in run.dataset.test_events().items()}
    segments, start = [], 0
    for kind, groups in zip(VECTOR_KINDS, (corners, events), strict=True):
        for name, codes in groups.items():
            segments.append(Segment(name, kind, start, start + len(codes)))
            start += len(codes)
    return np.concatenate([*corners.values(), *events.values()]), segments


def _index(network: Network, segments: list[Segment]) -> dict[str, Any]:
    return {
        "input_type": str(network.input.type),
        "output_type": str(network.type(network.output.name)),
        "segments": [vars(segment) for segment in segments],
    }


CONVERT = Stage(
    "convert",
    _settings,
    lambda run: [*run.event_files(), run.directory.network(run.config.quantization.ship)],
    lambda run: [run.directory.vectors, *(run.directory.hls_project(name) for name in run.config.firmware.back_ends)],
    _execute,
    ("pipeline/convert.py", "events", "network", "firmware"),
)
