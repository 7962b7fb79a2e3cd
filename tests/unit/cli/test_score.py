"""`trigger-ad score`: what it prints, what it refuses before any work, and that it writes nothing it could not mean."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from support.report import make_emulator
from support.runs import small_network
from support.scores import expected_words, make_events, make_run, report_of, write_box

from trigger_ad.cli.score import score
from trigger_ad.errors import CheckFailed, UserError
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import write_json

NETWORK = small_network()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that is up to date, whose working points are a median and a larger code."""
    monkeypatch.chdir(tmp_path)
    made = make_run(tmp_path)
    monkeypatch.setattr("trigger_ad.pipeline.target.open_run", lambda target: made)
    monkeypatch.setattr("trigger_ad.pipeline.check.check_run", lambda run: [])
    monkeypatch.setattr("trigger_ad.pipeline.target.bring_up_to_date", lambda run, stage: [])
    write_json(made.directory.path / "report.json", report_of(NETWORK, (0.5, _codes(made)[0]), (0.1, _codes(made)[1])))
    write_box(Path("box.h5"), make_events(100), event_id=np.arange(100) + 1000)
    return made


def _codes(run: Run) -> tuple[int, int]:
    words = np.sort(expected_words(run, NETWORK, make_events(100)))
    return int(words[49]), int(words[89])


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(score, ["run", *arguments], catch_exceptions=False)


def _refused(*arguments: str) -> UserError:
    result = CliRunner().invoke(score, ["run", *arguments])
    assert isinstance(result.exception, UserError)
    assert result.stdout == ""
    return result.exception


def _lines(result: Result) -> list[str]:
    return [" ".join(line.replace("│", " ").split()) for line in result.stdout.splitlines()]


def test_the_tables_show_the_decisions_and_the_most_anomalous_events(run: Run) -> None:
    lines = _lines(_invoke("box.h5", "--out", "scores.h5"))
    words = expected_words(run, NETWORK, make_events(100))
    assert any(line.startswith(f"Accepted by small: score word above {_codes(run)[1]:,} ") for line in lines)
    # Clopper and Pearson's interval of 10 in 100
    assert "box.h5 100 10 0.10 [0.05, 0.18]" in lines
    background = [line for line in lines if line.startswith("Background of the run, test part 2,000 ")]
    assert [line.rpartition(" 0.02")[2] for line in background] == ["0 [0.010, 0.030]"]
    first = int(np.argmax(words))
    assert any(line.startswith(f"1 {first + 1000} {words[first]:,} ") for line in lines)
    assert lines[-1] == "Scores: scores.h5"


def test_another_working_point(run: Run) -> None:
    assert "box.h5 100 50 0.50 [0.40, 0.60]" in _lines(_invoke("box.h5", "--out", "scores.h5", "--fpr", "0.5"))


def test_json_is_for_scripts(run: Run) -> None:
    found = json.loads(_invoke("box.h5", "--out", "scores.h5", "--json").stdout)
    with h5py.File("scores.h5", "r") as file:
        accepted, digest = int(file["accept"][:].sum()), file.attrs["network_digest"]
    assert found["out"] == "scores.h5"
    assert found["network_digest"] == digest
    assert [file["accepted"] for file in found["files"]] == [accepted]
    assert found["threshold"]["background"]["fpr_target"] == 0.1
    assert [item["rank"] for item in found["most_anomalous"]] == list(range(1, 11))


def test_several_files_are_told_apart_in_the_ranking(run: Run) -> None:
    write_box(Path("other.h5"), make_events(5, seed=4))
    lines = _lines(_invoke("box.h5", "other.h5", "--out", "scores.h5"))
    assert any(line.startswith("other.h5 5 ") for line in lines)
    assert any(line.startswith("1 ") and line.endswith(".h5") for line in lines)


def test_warnings_are_not_mixed_into_the_output(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    found = json.loads(_invoke("background.h5", "--out", "scores.h5", "--json").stdout)
    assert found["files"][0]["training_background"] is True
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["background.h5 is background of this run: the network was trained on part of its events"]


def test_a_submission(run: Run) -> None:
    lines = _lines(_invoke("box.h5", "--out", "team.h5", "--submission", "--fpr", "0.1"))
    assert lines[-1] == "Submission: team.h5"
    words = expected_words(run, NETWORK, make_events(100))
    with h5py.File("team.h5", "r") as file:
        assert file["Result"][:].tolist() == (np.argsort(-words, kind="stable")[:10] + 1000).tolist()


def test_a_submission_of_the_challenges_fraction(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trigger_ad.pipeline.submission.FRACTION", 0.1)
    lines = _lines(_invoke("box.h5", "--out", "team.h5", "--submission"))
    assert "box.h5 100 10 0.1" in lines
    assert "The threshold was chosen on these events." in lines
    assert not any(line.startswith("Background") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.h5"], "missing.h5 does not exist"),
        (["box.h5", "box.h5"], "box.h5 is given twice"),
        (["notes.txt"], "notes.txt is not an HDF5 file"),
        (["empty.h5"], "empty.h5 holds no events"),
        (["scores.h5"], "scores.h5 has no dataset `Particles`"),
        (["box.h5", "signal.h5", "--submission"], "2 files are given, and a submission is of one black box"),
        (["box.h5", "--submission"], "box.h5: 1e-05 of 100 events is less than one event"),
        (["box.h5", "--out", "signal.h5"], "signal.h5 exists and was not made by 'trigger-ad score'"),
        (["box.h5", "--out", "box.h5"], "box.h5 exists and was not made by 'trigger-ad score'"),
        (["box.h5", "--out", "."], ". is a folder"),
        (["box.h5", "--out", "s" * 300], f"{'s' * 300} cannot be written (File name too long)"),
    ],
)
def test_what_is_wrong_is_said_before_any_stage_runs(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    def unreachable(*_: Any) -> None:
        raise AssertionError

    _invoke("box.h5", "--out", "scores.h5")
    Path("notes.txt").write_text("no events")
    write_box(Path("empty.h5"), make_events(0), compression=None)
    monkeypatch.setattr("trigger_ad.pipeline.target.bring_up_to_date", unreachable)
    before = {path: path.read_bytes() for path in Path().glob("*.*")}
    out = [] if "--out" in arguments else ["--out", "scores.h5"]
    assert _refused(*arguments, *out).what.startswith(said)
    assert {path: path.read_bytes() for path in Path().glob("*.*")} == before


@pytest.mark.parametrize("rate", ["1e-5", "0", "-1", "nan"])
def test_a_working_point_that_there_is_not(run: Run, rate: str) -> None:
    error = _refused("box.h5", "--out", "scores.h5", "--fpr", rate)
    assert error.what.startswith("example has no working point with a target false-positive rate of ")
    assert error.remedy.startswith("Give one of 0.5, 0.1;")
    assert not Path("scores.h5").exists()


def test_a_firmware_that_differs_from_the_reference_does_not_score(run: Run) -> None:
    report = report_of(NETWORK, (0.1, 0))
    report["agreement"]["emulators"]["hls_vitis"] = make_emulator(exact=False, mismatches=3, first_layer="latent")
    write_json(run.directory.path / "report.json", report)
    result = CliRunner().invoke(score, ["run", "box.h5", "--out", "scores.h5"])
    assert isinstance(result.exception, CheckFailed)
    assert not Path("scores.h5").exists()


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 1}'])
def test_a_damaged_report_is_named(run: Run, content: str) -> None:
    (run.directory.path / "report.json").write_text(content)
    assert "report.json is damaged" in _refused("box.h5", "--out", "scores.h5").what


@pytest.mark.parametrize("arguments", [[], ["run"], ["run", "box.h5"], ["run", "box.h5", "--out", "a", "--fpr", "few"]])
def test_wrong_usage(arguments: list[str]) -> None:
    result = CliRunner().invoke(score, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
