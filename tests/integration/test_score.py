"""`trigger-ad score` on a finished run: the firmware's decisions on its own test events, and disks that fill up."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.events import make_particles, write_events
from support.runs import Command, Outcome, tree_digest
from support.small_disk import small_disk

from trigger_ad.pipeline.report import stored_scores
from trigger_ad.pipeline.target import open_run

RUN = Path("hls_projects/study")


def _one_line(outcome: Outcome) -> str:
    assert (outcome.code, outcome.stdout) == (2, "")
    (line,) = [line for line in outcome.stderr if not line.startswith(("encoding ", "scoring "))]
    assert line.startswith("trigger-ad: ")
    return line.removeprefix("trigger-ad: ")


def test_every_test_event_is_decided_as_the_report_says(study: Path, command: Command) -> None:
    """Signals and background have other files, other parts, other code on their way into the report."""
    before = tree_digest(RUN)
    assert command("score", str(RUN), "background.h5", "heavy.h5", "--out", "scores.h5").code == 0
    assert tree_digest(RUN) == before
    run = open_run(RUN)
    reference = stored_scores(run)["qat", "squared_error"]
    rows = json.loads((RUN / "report.json").read_text())["performance"]
    point = next(row for row in rows if (row["model"], row["signal"]) == ("firmware", "heavy"))["tpr"][-1]
    with h5py.File("scores.h5", "r") as file:
        words, accept, of_file = (file[name][:] for name in ("score_word", "accept", "file"))
        assert file.attrs["threshold_code"] == point["threshold"]
    (chosen,) = run.dataset.background["test"].chosen
    np.testing.assert_array_equal(words[of_file == 0][chosen], reference.test_background)
    assert int(accept[of_file == 0][chosen].sum()) == point["background_accepted"]
    (chosen,) = run.dataset.signals["heavy"]["test"].chosen
    np.testing.assert_array_equal(words[of_file == 1][chosen], reference.signals["heavy"])
    assert float(accept[of_file == 1][chosen].mean()) == point["tpr"]


def test_a_black_box_and_its_submission(study: Path, command: Command) -> None:
    identifiers = np.arange(500)[::-1] + 10**9
    write_events(Path("box.h5"), make_particles(500, seed=77) * [3, 1, 1, 1], event_id=identifiers)
    scored = command("score", "study.yaml", "box.h5", "--out", "out/scores.h5", "--json")
    submitted = command("score", "study.yaml", "box.h5", "--out", "out/team.h5", "--submission", "--fpr", "0.1")
    assert (scored.code, submitted.code) == (0, 0)
    with h5py.File("out/scores.h5", "r") as scores, h5py.File("out/team.h5", "r") as submission:
        accept, rank = scores["accept"][:], scores["rank"][:]
        assert set(submission["Result"][:].tolist()) == set(identifiers[accept].tolist())
        assert set(rank[accept].tolist()).isdisjoint(rank[~accept].tolist())
        assert dict(submission.attrs).keys() == {"FLOPs", "Device", "Latency", "DSP", "LUT", "FF", "BRAM"}
    assert json.loads(scored.stdout)["files"][0]["accepted"] == accept.sum()


def test_scoring_brings_the_earlier_stages_up_to_date(study: Path, command: Command) -> None:
    shutil.rmtree(RUN / "figures")
    outcome = command("score", "study.yaml", "heavy.h5", "--out", "scores.h5")
    assert outcome.code == 0
    assert outcome.stderr[0] == "report"


def test_a_folder_that_is_no_run(study: Path, command: Command) -> None:
    line = _one_line(command("score", "hls_projects", "heavy.h5", "--out", "scores.h5"))
    assert line == "hls_projects is not a run directory: it has no config.yaml. Name a run or a configuration"


def test_a_file_of_another_layout(study: Path, command: Command) -> None:
    write_events(Path("box.h5"), np.ones((50, 18, 4)))
    line = _one_line(command("score", "study.yaml", "box.h5", "--out", "scores.h5"))
    assert line.startswith("box.h5: `Particles` has the shape (50, 18, 4)")


def test_a_file_that_is_damaged_in_the_middle(study: Path, command: Command) -> None:
    write_events(Path("box.h5"), make_particles(500), chunks=(100, 19, 4))
    with h5py.File("box.h5", "r") as file:
        place = file["Particles"].id.get_chunk_info(3).byte_offset
    with Path("box.h5").open("r+b") as stream:
        stream.seek(place)
        stream.write(b"\xff" * 64)
    line = _one_line(command("score", "study.yaml", "box.h5", "--out", "scores.h5"))
    assert line.startswith("box.h5 is damaged")
    assert not list(Path().glob("scores.h5*"))


def test_an_output_that_is_the_runs_own(study: Path, command: Command) -> None:
    before = tree_digest(RUN)
    line = _one_line(command("score", "study.yaml", "heavy.h5", "--out", str(RUN / "float.h5")))
    assert line.startswith("hls_projects/study/float.h5 exists and was not made by 'trigger-ad score'")
    assert tree_digest(RUN) == before


def test_a_file_where_the_output_folder_should_be(study: Path, command: Command) -> None:
    Path("results").write_text("in the way")
    line = _one_line(command("score", "study.yaml", "heavy.h5", "--out", "results/scores.h5"))
    assert line.startswith("results/scores.h5 cannot be written")
    assert Path("results").read_text() == "in the way"


def test_a_limit_on_the_size_of_files(study: Path, command: Command) -> None:
    """As on a disk with a quota: a write fails half-way through a file."""
    write_events(Path("box.h5"), make_particles(3000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        line = _one_line(command("score", "study.yaml", "box.h5", "--out", "scores.h5"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert line.startswith("scores.h5 cannot be written (File too large)")
    assert not list(Path().glob("scores.h5*"))


@pytest.fixture
def full_disk(study: Path) -> Iterator[Path]:
    """Too small for the scores."""
    with small_disk(study / "disk", kilobytes=32) as disk:
        yield disk


@pytest.mark.parametrize("options", [[], ["--submission", "--fpr", "0.1"]])
def test_a_disk_that_fills_up(full_disk: Path, command: Command, options: list[str]) -> None:
    write_events(Path("box.h5"), make_particles(20_000) * [3, 1, 1, 1])
    before = tree_digest(RUN)
    line = _one_line(command("score", "study.yaml", "box.h5", "--out", str(full_disk / "scores.h5"), *options))
    assert line.startswith("no space left on the device while writing ")
    assert list(full_disk.iterdir()) == []
    assert tree_digest(RUN) == before
