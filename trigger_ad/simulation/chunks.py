"""How a simulated file is cut into chunks: names, seeds, group ids, and the record of what made them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.events import layout, split
from trigger_ad.simulation import processes

CHUNK_EVENTS: Final = 400
"""Accepted events in a chunk: the most that an interruption can cost one core."""

GENERATOR_VERSION: Final = 2
"""Raised whenever the same seed no longer gives the same events, so that old chunks are not mixed with new ones."""

_POOL_STREAM = 0
_SHUFFLE_STREAM = 2**31
_MAXIMUM_PYTHIA_SEED = 899_999_990
_RECORD = "settings.json"


@dataclass(frozen=True)
class Settings:
    """What decides the content of an output file.

    Attributes:
        process: A name in `processes.PROCESSES`, or "background" for the published mix.
        events: Accepted events to make.
        seed: Seed of everything.
        pool_events: Minimum-bias collisions in the pile-up pools of all parts of the split together.
    """

    process: str
    events: int
    seed: int
    pool_events: int


@dataclass(frozen=True)
class Chunk:
    """A part of one process, made by one seed.

    Attributes:
        process: A name in `processes.PROCESSES`.
        index: Position within the process, from 0.
        events: Accepted events in it.
    """

    process: str
    index: int
    events: int

    def path(self, folder: Path) -> Path:
        """Where the chunk is kept; the name says how many events it has."""
        return folder / f"{self.process}-{self.index:05d}-{self.events}.h5"


def chunk_folder(out: Path) -> Path:
    """The folder beside an output file that keeps its chunks."""
    return out.with_name(f"{out.name}.chunks")


def event_counts(process: str, events: int) -> dict[str, int]:
    """How many events of each process a file gets; largest remainders make the mix add up.

    Args:
        process: A name in `processes.PROCESSES`, or "background".
        events: Events in the file.
    """
    if process != "background":
        return {process: events}
    exact = {name: fraction * events for name, fraction in layout.BACKGROUND_MIX.items()}
    counts = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_remainder[: events - sum(counts.values())]:
        counts[name] += 1
    return counts


def plan(process: str, events: int) -> list[Chunk]:
    """All chunks of a file; those of the slowest process first, so that all cores finish together."""
    counts = event_counts(process, events)
    ordered = sorted(counts, key=lambda name: not processes.PROCESSES[name].heavy_flavour)
    return [
        Chunk(name, index, min(CHUNK_EVENTS, counts[name] - start))
        for name in ordered
        for index, start in enumerate(range(0, counts[name], CHUNK_EVENTS))
    ]


def random_streams(seed: int, chunk: Chunk) -> tuple[int, np.random.Generator]:
    """Pythia's seed and the generator for everything else in a chunk; independent of all other chunks."""
    sequence = np.random.SeedSequence([seed, processes.PROCESSES[chunk.process].index, chunk.index])
    return _pythia_seed(sequence), np.random.default_rng(sequence.spawn(1)[0])


def fractions_of(process: str) -> Mapping[str, float]:
    """The fractions in which the events of a process are later split into parts."""
    return split.SIGNAL_FRACTIONS if process in layout.SIGNALS else split.BACKGROUND_FRACTIONS


def part_of_group(process: str, identity: int) -> str:
    """The part of the split into which the events of a group will fall."""
    fractions = fractions_of(process)
    position = int(split.parts_of_groups(np.array([identity], dtype=np.int64), fractions)[0])
    return tuple(fractions)[position]


def pool_sizes(process: str, pool_events: int) -> dict[str, int]:
    """Minimum-bias collisions in the pile-up pool of each part that a file has, in proportion to the background's.

    Args:
        process: A name in `processes.PROCESSES`, or "background".
        pool_events: Collisions for all parts of a background file together.
    """
    return {part: max(1, round(split.BACKGROUND_FRACTIONS[part] * pool_events)) for part in fractions_of(process)}


def pool_seed(seed: int, part: str) -> int:
    """Pythia's seed for the pile-up pool of a part: the same for all files of one seed."""
    position = tuple(split.BACKGROUND_FRACTIONS).index(part)
    return _pythia_seed(np.random.SeedSequence([seed, _POOL_STREAM, position]))


def shuffle_order(seed: int, events: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The order in which the events of a mix are written: a permutation of `events` numbers."""
    return np.random.default_rng(np.random.SeedSequence([seed, _SHUFFLE_STREAM])).permutation(events)


def _pythia_seed(sequence: np.random.SeedSequence) -> int:
    return 1 + int(sequence.generate_state(1, np.uint64)[0] % _MAXIMUM_PYTHIA_SEED)


def group_id(chunk: Chunk, parton_event: int) -> int:
    """A number that no other parton-level event of any chunk or process shares."""
    if not 0 <= parton_event < 2**24:
        raise ValueError(f"parton event {parton_event} does not fit into a group id")
    return processes.PROCESSES[chunk.process].index << 48 | chunk.index << 24 | parton_event


def open_folder(out: Path, settings: Settings, versions: Mapping[str, str]) -> Path:
    """Makes the chunk folder, or makes sure that an existing one holds chunks that may be used again.

    Process and number of events may differ from before: chunks say in their names what they are.

    Raises:
        UserError: The folder cannot be written, or its chunks were made with other settings.
    """
    folder = chunk_folder(out)
    record = {**asdict(settings), "generator": GENERATOR_VERSION, "versions": dict(versions)}
    del record["process"], record["events"]
    path = folder / _RECORD
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _require_equal(json.loads(path.read_text(encoding="utf-8")), record, folder)
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
    except (OSError, json.JSONDecodeError) as error:
        raise UserError(f"cannot use the folder {folder} ({error})", "Choose a writable place with --out") from error
    return folder


def _require_equal(found: Any, wanted: Mapping[str, Any], folder: Path) -> None:
    if found == wanted:
        return
    keys = sorted(key for key in wanted if not isinstance(found, dict) or found.get(key) != wanted[key])
    raise UserError(
        f"{folder} holds chunks made with other settings ({', '.join(keys)} differ)",
        "Delete that folder or choose another --out",
    )
