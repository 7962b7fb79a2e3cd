"""Label-free events files scored and ranked by a run's firmware network, and what is told of them.

A working point of the run decides which events are accepted: score word > threshold code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from trigger_ad import __version__
from trigger_ad.errors import UserError
from trigger_ad.evaluation.intervals import proportion_interval
from trigger_ad.events.dataset import event_files
from trigger_ad.events.encoded import events_digest
from trigger_ad.events.layout import EVENT_ID, EventLayout
from trigger_ad.events.writer import hdf5_written_whole
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.pipeline.convert import shipped_network
from trigger_ad.pipeline.scored_events import (
    FILE,
    SCORE_WORD,
    InputFile,
    StreamedFile,
    input_file,
    make_column,
    score_events,
    stretches,
)
from trigger_ad.pipeline.scoring import Anomaly, FileResult, Scoring, Threshold
from trigger_ad.pipeline.stage import Run

GENERATOR: Final = "trigger-ad score"
"""Marks every file that is written here: one without it is somebody's own and is never replaced."""

RESULT: Final = "Result"
"""The dataset of a submission, which carries the mark there."""

TOP: Final = 10
"""Most anomalous events that are named."""

ACCEPT: Final = "accept"
RANK: Final = "rank"
_TIES: Final = "1 is the largest score word of all files; events of equal words share the smallest rank"
_INDEX: Final = "index of the event in the file, from 0"


def open_inputs(paths: Sequence[Path], layout: EventLayout) -> list[InputFile]:
    """Looks at the files to be scored, before any work is done.

    Files of one name are told apart by their paths.

    Raises:
        UserError: A file is given twice, cannot be read, has another layout than the run's, or holds no events.
    """
    names = Counter(path.name for path in paths)
    files = [input_file(path, path.name if names[path.name] == 1 else str(path), layout) for path in paths]
    for index, path in enumerate(paths):
        if any(path.samefile(other) for other in paths[:index]):
            raise UserError(f"{path} is given twice", "Give each file once")
    return files


def check_out(path: Path) -> None:
    """Refuses a path that scores must not be written to, before any work is done.

    Raises:
        UserError: It is a folder, a file that `trigger-ad score` did not make, or no path at all.
    """
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror})", "Name another file to write") from error
    if is_folder:
        raise UserError(f"{path} is a folder", "Name the file to write, such as scores.h5")
    if exists and not _is_ours(path):
        raise UserError(f"{path} exists and was not made by '{GENERATOR}'", "Give another name, or remove that file")


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with h5py.File(path, "r") as file:
            return bool(file.get(RESULT, file).attrs.get("generator") == GENERATOR)
    except (OSError, RuntimeError, KeyError, ValueError):
        return False


@contextmanager
def scores_written_whole(out: Path) -> Iterator[h5py.File]:
    """Gives an empty HDF5 file in memory, and writes it under its name when the block ends well.

    Raises:
        UserError: `out` is somebody's own, or cannot be written.
    """
    check_out(out)
    with hdf5_written_whole(out) as file:
        yield file


def write_scores(
    run: Run, files: Sequence[InputFile], report: Mapping[str, Any], threshold: Threshold, out: Path
) -> Scoring:
    """Scores, ranks and decides every event of some files, and writes all of it into one HDF5 file, whole.

    Memory: twice the compressed file, 33 bytes for each event at most, beside what `score_events` takes.

    Args:
        run: A run that is up to date.
        files: The files.
        report: The run's report.
        threshold: What decides.
        out: The file to write; one that was made by the same command is replaced.

    Raises:
        UserError: A file cannot be read or changes; `out` cannot be written or is somebody's own.
    """
    with scores_written_whole(out) as file:
        streamed = score_events(files, shipped_network(run), run.encoding, file)
        _rank_and_accept(file, threshold.code)
        scoring = summary(run, report, threshold, streamed, file)
        for name, value in (provenance(scoring) | _file_attributes(scoring)).items():
            file.attrs[name] = value
    return scoring


def _rank_and_accept(file: h5py.File, code: int) -> None:
    events = len(file[SCORE_WORD])
    # what is sorted is a copy of the words alone; each rank is then looked up
    ordered = file[SCORE_WORD][:]
    ordered.sort()
    accept, rank = make_column(file, ACCEPT, events, np.bool_), make_column(file, RANK, events, np.int64)
    for rows in stretches(0, events):
        words = file[SCORE_WORD][rows]
        accept[rows] = words > code
        rank[rows] = events - np.searchsorted(ordered, words, side="right") + 1
    rank.attrs["ties"] = _TIES


def summary(
    run: Run, report: Mapping[str, Any], threshold: Threshold, streamed: Sequence[StreamedFile], file: h5py.Group
) -> Scoring:
    """What is told of files that `score_events` has scored into `file`."""
    results = tuple(_file_result(item, threshold, file, _background_digests(run)) for item in streamed)
    return Scoring(
        run=run.config.name,
        network_digest=report["network_digest"],
        score_type=report["score_type"],
        threshold=threshold,
        files=results,
        present=sum(item.present for item in streamed),
        saturated={name: sum(item.saturated[name] for item in streamed) for name in run.encoding.names},
        most_anomalous=tuple(_most_anomalous(file, threshold, results, report)),
    )


def _background_digests(run: Run) -> set[str]:
    return {events_digest(path) for path in event_files(run.config.events).background}


def _file_result(item: StreamedFile, threshold: Threshold, file: h5py.Group, backgrounds: set[str]) -> FileResult:
    accepted = accepted_events(file, item.rows, threshold.code)
    low, high = (None, None) if threshold.background is None else proportion_interval(accepted, item.group_id)
    return FileResult(
        file=item.source.label,
        sha256=item.digest,
        events=item.source.events,
        event_id=EVENT_ID if item.source.has_event_id else _INDEX,
        accepted=int(np.count_nonzero(accepted)),
        low=low,
        high=high,
        training_background=item.digest in backgrounds,
        oddities=item.oddities,
    )


def accepted_events(file: h5py.Group, rows: slice, code: int) -> NDArray[np.bool_]:
    """Which of some events are accepted, shape (events,)."""
    return np.concatenate([file[SCORE_WORD][part] > code for part in stretches(rows.start, rows.stop)])


def _most_anomalous(
    file: h5py.Group, threshold: Threshold, results: Sequence[FileResult], report: Mapping[str, Any]
) -> list[Anomaly]:
    """The first events of the ranking; those of equal words in their order."""
    events = len(file[SCORE_WORD])
    best = np.zeros(0, dtype=np.int64)
    words = np.zeros(0, dtype=np.int64)
    for rows in stretches(0, events):
        words = np.concatenate([words, file[SCORE_WORD][rows]])
        best = np.concatenate([best, np.arange(rows.start, rows.stop)])
        order = np.argsort(-words, kind="stable")[:TOP]
        best, words = best[order], words[order]
    lsb = FixedPoint.parse(report["score_type"]).lsb
    return [
        Anomaly(
            rank=1 + int(np.count_nonzero(words > word)),
            event=int(file[EVENT_ID][row]),
            file=results[int(file[FILE][row]) if len(results) > 1 else 0].file,
            score=int(word) * lsb,
            score_word=int(word),
            accept=bool(word > threshold.code),
        )
        for row, word in zip(best.tolist(), words, strict=True)
    ]


def provenance(scoring: Scoring) -> dict[str, Any]:
    """The attributes that say where scores come from."""
    background = scoring.threshold.background
    rates = {} if background is None else asdict(background)
    return {
        "generator": GENERATOR,
        "trigger_ad_version": __version__,
        "run": scoring.run,
        "network_digest": scoring.network_digest,
        "score_type": scoring.score_type,
        "threshold_code": scoring.threshold.code,
        "threshold": scoring.threshold.value,
        **{key: value for key, value in rates.items() if key.startswith("fpr")},
        **{f"background_{key}": value for key, value in rates.items() if not key.startswith("fpr")},
        "present_objects": scoring.present,
        **{f"saturated_{name}": count for name, count in scoring.saturated.items()},
        # a file with an event that cannot be used is an error, so that no event is ever left out
        "events_refused": 0,
    }


def _file_attributes(scoring: Scoring) -> dict[str, Any]:
    texts = h5py.string_dtype()
    return {
        "files": np.array([file.file for file in scoring.files], dtype=texts),
        "files_sha256": np.array([file.sha256 for file in scoring.files], dtype=texts),
        "files_events": [file.events for file in scoring.files],
        "files_accepted": [file.accepted for file in scoring.files],
        "files_event_id": np.array([file.event_id for file in scoring.files], dtype=texts),
        "files_training_background": [file.training_background for file in scoring.files],
    }
