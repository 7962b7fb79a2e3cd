"""A run's network as an emulator for others: the C++ library, checked on every vector, in a folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad import __version__
from trigger_ad.errors import CheckFailed, UserError
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.vectors import MANY
from trigger_ad.pipeline.convert import Segment, TestVectors, read_vectors, shipped_network
from trigger_ad.pipeline.report import firmware_thresholds
from trigger_ad.pipeline.scored_events import stretches
from trigger_ad.pipeline.stage import Run, reading
from trigger_ad.run_directory import read_json, text_digest, write_json, write_text, written_whole

if TYPE_CHECKING:
    from trigger_ad.events.encoding import InputEncoding
    from trigger_ad.native.package import PackagedVectors
    from trigger_ad.native.source import LibraryNames, LibrarySource
    from trigger_ad.network.graph import Network

GENERATOR: Final = "trigger-ad export"
"""Marks every folder that is written here: one without it is somebody's own and is never replaced."""

SCHEMA: Final = 1
"""The version of manifest.json; renaming a key raises it."""

MANIFEST: Final = "manifest.json"
VECTORS_BYTES: Final = 1_800_000
"""Of the text of the vectors, at most."""

EVENTS: Final = 2000
"""Of the run's test events, at most, go with an emulator."""

_MADE_LATER: Final = ("build", "__pycache__")
"""What using the folder leaves in it."""


@dataclass(frozen=True)
class Export:
    """What was exported.

    Attributes:
        folder: Where it is.
        checked: Vectors on which the compiled library equals the reference.
        shipped: How many of them are in the folder.
    """

    folder: Path
    checked: int
    shipped: int


def check_out(out: Path) -> None:
    """Refuses a folder that an emulator must not be written to, before any work is done.

    Raises:
        UserError: It is the working folder, a link, a file, or holds anything that `trigger-ad export` did not make.
    """
    try:
        if out.name in ("", "..") or Path.cwd().is_relative_to(out.resolve()):
            raise UserError(f"{out} is the working folder, or above it", "Name a folder of its own, such as emulator")
        if out.is_symlink():
            raise UserError(f"{out} is a link", "Name the folder itself, or a new one")
        if not out.exists():
            return
        if not out.is_dir():
            raise UserError(f"{out} is no folder", "Name the folder to write, such as emulator")
        content = sorted(child.name for child in out.iterdir())
    except OSError as error:
        raise UserError(f"{out} cannot be written ({error.strerror})", "Name another folder to write") from error
    if not content:
        return
    made = _files_made(out)
    if made is None:
        raise UserError(f"{out} exists and was not made by '{GENERATOR}'", "Give another name, or remove that folder")
    others = sorted(set(content) - {*made, MANIFEST, *_MADE_LATER})
    if others:
        raise UserError(f"{out} holds {others[0]}, which '{GENERATOR}' did not make", "Give another name, or move it")


def _files_made(folder: Path) -> list[str] | None:
    """The names of the files that an export wrote, or None if the folder is not one."""
    if not (folder / MANIFEST).is_file():
        return None
    try:
        manifest = read_json(folder / MANIFEST)
        return list(manifest["files"]) if manifest["generator"] == GENERATOR else None
    except (UserError, KeyError, TypeError):
        return None


def export_emulator(run: Run, report: Mapping[str, Any], names: LibraryNames, out: Path) -> Export:
    """Writes the emulator of a run's network into a folder, whole, once it has answered like the reference.

    Args:
        run: A run that is up to date, whose emulators agree.
        report: The run's report.
        names: What the names in the emulator begin with.
        out: The folder; one that was made by the same command is replaced.

    Returns:
        What was written.

    Raises:
        CheckFailed: The compiled library differs from the reference; nothing is written.
        UserError: There is no compiler, the report is of another network, or the folder cannot be written or is
            somebody's own.
    """
    from trigger_ad.native.package import package_files
    from trigger_ad.native.source import library_source

    network, vectors = shipped_network(run), read_vectors(run.directory.vectors)
    source = library_source(network, run.encoding, names)
    score = network.type(network.output.name)
    if (report["network_digest"], report["score_type"]) != (source.network_digest, str(score)):
        path = run.directory.path / "report.json"
        raise UserError(f"{path} is of another network", "Delete it and run again: it is made anew")
    checked = _checked(source, vectors, run.directory.vectors)
    packaged = packaged_vectors(vectors, checked, _longest_line(run.encoding, score, vectors.expected.shape[1]))
    texts = package_files(source, score, packaged, _handover(network, run.encoding, report))
    manifest = _manifest(source, score, packaged, texts)
    check_out(out)
    with written_whole(out) as temporary:
        temporary.mkdir()
        for name, text in texts.items():
            write_text(temporary / name, text)
        write_json(temporary / MANIFEST, manifest)
    return Export(out, checked, len(packaged.words))


def _checked(source: LibrarySource, vectors: TestVectors, origin: Path) -> int:
    """Compiles the library as those who receive it do, and holds it against the reference on every vector."""
    from trigger_ad.native.build import PORTABLE_FLAGS, compile_library
    from trigger_ad.native.loader import NativeEmulator

    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library.so"
        compile_library(source, library, PORTABLE_FLAGS)
        with NativeEmulator(library, source) as emulator, reading(origin):
            for rows in stretches(0, len(vectors.words)):
                found = emulator.output_words(vectors.words[rows])
                wrong = np.flatnonzero((found != vectors.expected[rows]).any(axis=1))
                if len(wrong):
                    raise CheckFailed(
                        f"the C++ library of {source.names.name} differs from the reference, first on vector "
                        f"{rows.start + wrong[0]}; nothing is exported"
                    )
    return len(vectors.words)


def packaged_vectors(vectors: TestVectors, checked: int, longest_line: int) -> PackagedVectors:
    """Those of a run's vectors that go with its emulator, in their order.

    They are all corner vectors and some test events. Of what is too much the large groups, and then the events, are
    thinned out evenly.

    Args:
        vectors: All of them.
        checked: On how many of them the library equals the reference.
        longest_line: Characters that a vector takes at most.
    """
    from trigger_ad.native.package import PackagedVectors

    few, many, events = _tiers(vectors.segments)
    corners = len(few) + len(many)
    room = VECTORS_BYTES // longest_line
    few = _evenly(few, room)
    many = _evenly(many, 3 * (room - len(few)) // 4)
    events = _evenly(events, min(EVENTS, room - len(few) - len(many)))
    # in their order in the file, from which they are read
    chosen = np.concatenate([np.sort(np.concatenate([few, many])), events])
    words, expected = vectors.words[chosen], vectors.expected[chosen]
    return PackagedVectors(words, expected, len(few) + len(many), corners, checked)


def _tiers(segments: Sequence[Segment]) -> list[NDArray[np.int64]]:
    """The vectors of the small groups of corner vectors, of the large ones, and the events."""
    tiers: list[list[NDArray[np.int64]]] = [[], [], []]
    for item in segments:
        tier = 2 if item.kind == "events" else int(item.name.startswith(MANY))
        tiers[tier].append(np.arange(item.start, item.stop))
    return [np.concatenate([np.zeros(0, dtype=np.int64), *parts]) for parts in tiers]


def _evenly(numbers: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many of the numbers, or all if there are no more, at even distances."""
    count = min(count, len(numbers))
    return numbers[np.arange(count) * len(numbers) // max(count, 1)]


def _longest_line(encoding: InputEncoding, score: FixedPoint, outputs: int) -> int:
    """Characters of the line of a vector whose every word has as many as its type allows."""
    words = [feature.word for feature in encoding.features] * encoding.layout.objects
    return sum(1 + max(len(str(kind.code_min)), len(str(kind.code_max))) for kind in [*words, *[score] * outputs])


def _handover(network: Network, encoding: InputEncoding, report: Mapping[str, Any]) -> dict[str, Any]:
    from trigger_ad.firmware.top import top_facts

    facts = top_facts(network, encoding)
    return {"ports": facts["ports"], "classes": facts["classes"], "thresholds": firmware_thresholds(report)}


def _manifest(
    source: LibrarySource, score: FixedPoint, vectors: PackagedVectors, texts: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "generator": GENERATOR,
        "trigger_ad_version": __version__,
        "name": source.names.name,
        "version": source.names.version,
        "namespace": source.names.namespace,
        "network_digest": source.network_digest,
        "encoding_digest": source.encoding_digest,
        "score_type": str(score),
        "vectors": {"checked": vectors.checked, "shipped": len(vectors.words), "corner": vectors.corner},
        "files": {name: text_digest(text) for name, text in sorted(texts.items())},
    }
