"""Stage `convert`: test vectors, and the HLS project of each back end, if any."""

from __future__ import annotations

import itertools
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from trigger_ad.arrays import allocate, smallest_integer
from trigger_ad.config import BackEnd, Config
from trigger_ad.firmware.accept import Accept
from trigger_ad.fixed_point import Codes
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.accept import accept_of, threshold_event
from trigger_ad.pipeline.stage import Run, Stage, reading
from trigger_ad.pipeline.trigger_menu import MENU_FILE, menu_file, menu_of, require_carried
from trigger_ad.run_directory import read_json, write_json, write_text, written_whole
from trigger_ad.synthesis.stamps import STAMPS

if TYPE_CHECKING:
    from trigger_ad.events.dataset import Part
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.firmware.project import Vectors

_LOGGER = logging.getLogger(__name__)
VECTOR_KINDS = ("corner", "events")
INPUT_WORDS = "input_words.npy"
EXPECTED_WORDS = "expected_words.npy"
LAYERS = "layers"
"""The folder of the codes that layers are driven alone with."""
MOST_EVENTS = 200_000
"""Test events that become vectors: compiled HLS takes some minutes for so many. Of more, so many are taken, evenly
spread over every sample, and the fast library that is held against them scores the rest."""
ENCODING = ("events/encoding.py", "events/layout.py")
"""The files that say what becomes of a trigger word."""


@dataclass(frozen=True)
class Segment:
    """A stretch of the test vectors.

    Args:
        name: The group of corner vectors, or the sample.
        kind: `corner` or `events`.
        start: The first vector.
        stop: One past the last.
        of: How many events the sample has for tests, if these are not all of them.
    """

    name: str
    kind: str
    start: int
    stop: int
    of: int | None = None

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class TestVectors:
    """The vectors of a run; the arrays are mapped, not read.

    Args:
        words: Raw trigger words, shape (vectors, inputs).
        expected: The reference's score words, shape (vectors, outputs).
        segments: What each stretch of them is: corner vectors first, then test events.
        accept: The threshold of the firmware's accept bit; None where it has none, as in runs of earlier versions.
    """

    __test__ = False  # not a test, whatever pytest makes of the name

    words: NDArray[np.integer[Any]]
    expected: Codes
    segments: list[Segment]
    accept: Accept | None = None


def shipped_network(run: Run) -> Network:
    """The frozen network that becomes firmware."""
    path = run.network_file
    with reading(path):
        return Network.from_json(read_json(path))


def read_vectors(folder: Path) -> TestVectors:
    """The vectors that `convert` wrote."""
    with reading(folder):
        index = read_json(folder / "index.json")
        vectors = TestVectors(
            np.load(folder / INPUT_WORDS, mmap_mode="r", allow_pickle=False),
            np.load(folder / EXPECTED_WORDS, mmap_mode="r", allow_pickle=False),
            [Segment(**segment) for segment in index["segments"]],
            Accept(**index["accept"]) if index.get("accept") else None,
        )
        ends = [0, *(segment.stop for segment in vectors.segments)]
        starts = [*(segment.start for segment in vectors.segments), len(vectors.words)]
        if ends != starts or len(vectors.expected) != len(vectors.words):
            raise ValueError("the arrays are not as long as the index says")
        return vectors


def _settings(config: Config) -> dict[str, Any]:
    parts = config.model_dump(
        mode="json", include={"name", "events", "inputs", "own_model", "trigger", "firmware", "seed"}
    )
    return parts | {"ship": config.quantization.ship}


def _execute(run: Run) -> None:
    from trigger_ad.firmware.accumulators import narrowed
    from trigger_ad.firmware.project import write_project
    from trigger_ad.pipeline.streams import stream_depths

    network = shipped_network(run)
    for warning in narrowed(network, run.config.firmware):
        _LOGGER.warning("%s", warning)
    require_carried(run, network)
    menu = menu_of(run, network)
    with written_whole(run.directory.vectors) as temporary:
        temporary.mkdir()
        vectors = _write_vectors(run, network, temporary)
        shipped = shipped_vectors(vectors)
        depths = stream_depths(run, network)
        for back_end in run.config.firmware.hls_back_ends:
            keep_vendor_reports(run.directory.hls_project(back_end))
            with written_whole(run.directory.hls_project(back_end)) as project:
                write_project(network, run.config, back_end, vectors.accept, shipped, project, depths)
                if menu:
                    write_text(project / MENU_FILE, menu)
    if menu:
        write_text(run.directory.path / MENU_FILE, menu)
    else:
        # one of an earlier configuration has other thresholds
        (run.directory.path / MENU_FILE).unlink(missing_ok=True)
    _drop_other_projects(run)


def shipped_vectors(vectors: TestVectors) -> Vectors:
    """The vectors as they go into a project, which co-simulates the small groups and a share of the others."""
    from trigger_ad.firmware.project import Vectors
    from trigger_ad.network.vectors import MANY

    corners = [item for item in vectors.segments if item.kind == "corner"]
    leading = max(item.stop for item in corners if not item.name.startswith(MANY))
    return Vectors(vectors.words, vectors.expected, leading)


def keep_vendor_reports(project: Path) -> None:
    """Sets a project aside that a vendor tool has worked on: what took it hours is not thrown away."""
    if any(project.glob("*_prj")) or (project / STAMPS).is_dir():
        aside = project.with_name(f"{project.name}.previous")
        shutil.rmtree(aside, ignore_errors=True)
        project.replace(aside)
        _LOGGER.warning("the project that %s held, with the vendor tool's results, is now %s", project, aside)


def _drop_other_projects(run: Run) -> None:
    """Removes projects of back ends that the configuration no longer names: they hold an older network."""
    for back_end in get_args(BackEnd):
        project = run.directory.hls_project(back_end)
        if back_end not in run.config.firmware.hls_back_ends and project.exists():
            keep_vendor_reports(project)
            shutil.rmtree(project, ignore_errors=True)


def _write_vectors(run: Run, network: Network, folder: Path) -> TestVectors:
    """Writes corner vectors, the large groups last of them, then test events, each with its score word."""
    from trigger_ad.firmware.project import EXPECTED_FILE, INPUT_FILE, write_table
    from trigger_ad.network.evaluation import outputs

    encoding = run.encoding
    corners, tests = _corners(run, network), _test_events(run)
    segments = _segments(corners, tests, {name: len(part) for name, part in run.dataset.test_events().items()})
    output = network.words[network.output.name].size
    words = allocate(folder / INPUT_WORDS, (segments[-1].stop, encoding.inputs), encoding.word_dtype)
    expected = allocate(folder / EXPECTED_WORDS, (segments[-1].stop, output), np.dtype(np.int64))
    start = 0
    for block in itertools.chain(corners.values(), *(part.words() for part in tests.values())):
        stop = start + len(block)
        words[start:stop] = block
        expected[start:stop] = outputs(network, encoding.codes_of_words(block))
        start = stop
    for name, table in ((INPUT_FILE, words), (EXPECTED_FILE, expected)):
        write_table(folder / name, table)
    accept = accept_of(run, expected)
    write_json(folder / "index.json", _index(encoding, network, segments, accept))
    _write_layer_vectors(network, run.config.seed, folder / LAYERS)
    return TestVectors(words, expected, segments, accept)


def _corners(run: Run, network: Network) -> dict[str, Codes]:
    from trigger_ad.network.code_vectors import code_vectors
    from trigger_ad.network.driving import driving_vectors
    from trigger_ad.network.vectors import DRIVEN, corner_vectors

    encoding, seed = run.encoding, run.config.seed
    types = {feature.name: feature.word for feature in encoding.features}
    if encoding.features[0].can_be_absent:
        corners = corner_vectors(types, encoding.layout.objects, seed)
    else:
        corners = code_vectors(encoding.features[0].word, encoding.inputs, seed)
    known = np.concatenate(list(corners.values()))
    driven = driving_vectors(network, encoding.codes_of_words, list(types.values()), known, seed)
    return threshold_event(run) | corners | {DRIVEN: driven}


def _test_events(run: Run) -> dict[str, Part]:
    """The test events that become vectors."""
    tests = run.dataset.test_events()
    total = sum(map(len, tests.values()))
    share = min(1.0, MOST_EVENTS / total) if total else 1.0
    return {name: part.thinned(max(1, round(len(part) * share))) for name, part in tests.items()}


def _write_layer_vectors(network: Network, seed: int, folder: Path) -> None:
    """Writes the codes that layers are driven alone with: a file for each word that is read."""
    from trigger_ad.network.layer_vectors import layer_vectors

    folder.mkdir()
    for name, codes in layer_vectors(network, seed).items():
        word = network.words[name]
        narrow = smallest_integer(int(word.low.min()), int(word.high.max()))
        np.save(folder / f"{name}.npy", codes.astype(narrow), allow_pickle=False)


def read_layer_vectors(folder: Path, network: Network) -> dict[str, Codes]:
    """The codes that `convert` wrote for layers alone: int64, by the name of the node whose word they are."""
    with reading(folder / LAYERS):
        read = [node.name for node in network.nodes if network.consumers(node.name)]
        found = {name: np.load(folder / LAYERS / f"{name}.npy", allow_pickle=False).astype(np.int64) for name in read}
        for name, codes in found.items():
            word = network.words[name]
            if codes.shape != (len(found[read[0]]), *word.shape) or ((codes < word.low) | (codes > word.high)).any():
                raise ValueError(f"{name} is not what a layer can be given")
        return found


def _segments(corners: Mapping[str, Codes], tests: Mapping[str, Part], events: Mapping[str, int]) -> list[Segment]:
    counts: list[tuple[str, str, int, int | None]]
    counts = [(name, "corner", len(group), None) for name, group in corners.items()]
    counts += [(name, "events", len(part), events[name]) for name, part in tests.items()]
    segments, start = [], 0
    for name, kind, count, total in counts:
        segments.append(Segment(name, kind, start, start + count, None if total == count else total))
        start += count
    return segments


def _index(encoding: InputEncoding, network: Network, segments: list[Segment], accept: Accept | None) -> dict[str, Any]:
    return {
        "input_words": f"{INPUT_WORDS}: integers, the features below of object 0, then of object 1, and so on",
        "features": [{"name": feature.name, "word_type": str(feature.word)} for feature in encoding.features],
        "objects": [{"name": item.name, "count": item.count} for item in encoding.layout.classes],
        "expected_words": f"{EXPECTED_WORDS}: integer codes of the output type",
        "input_type": str(network.input.type),
        "output_type": str(network.type(network.output.name)),
        "segments": [vars(segment) for segment in segments],
        "accept": asdict(accept) if accept else None,
    }


CONVERT = Stage(
    "convert",
    _settings,
    lambda run: [*run.event_files(), run.network_file],
    lambda run: [
        run.directory.vectors,
        *(run.directory.hls_project(name) for name in run.config.firmware.hls_back_ends),
        *menu_file(run),
    ],
    _execute,
    # the depths of FIFOs follow from the estimate
    (
        "pipeline/convert.py",
        "pipeline/accept.py",
        "pipeline/trigger_menu.py",
        "evaluation/trigger_rates.py",
        "evaluation/working_points.py",
        "pipeline/streams.py",
        "pipeline/hardware.py",
        "events",
        "network",
        "firmware",
        "synthesis",
    ),
    # the threshold
    later_inputs=lambda run: [] if run.config.own_model else [run.directory.arrays("quantize")],
)
