"""The stages as commands: what each shows, and that a mismatch fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.report import make_emulator, make_report

from trigger_ad.cli import stages
from trigger_ad.config import Config
from trigger_ad.errors import CheckFailed
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory, write_json


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose stages are all up to date."""
    opened = Run(Config(name="small"), RunDirectory(tmp_path))
    monkeypatch.setattr(stages, "_bring", lambda target, stage, again=False: opened)
    _write_results(opened)
    return opened


def _write_results(run: Run, **emulators: Any) -> None:
    report = make_report()
    agreement = report["agreement"]
    agreement["emulators"] |= emulators
    write_json(run.directory.results("emulation"), agreement | {"vectors": report["vectors"]})
    write_json(run.directory.path / "report.json", report)


def test_convert_names_each_project(run: Run) -> None:
    result = CliRunner().invoke(stages.convert, ["any"], catch_exceptions=False)
    projects = {"vitis": "hls/vitis", "vivado": "hls/vivado", "rtl": "rtl"}
    assert result.stdout == "".join(f"{name}: {run.directory.path}/{path}\n" for name, path in projects.items())


def test_train_names_the_model(run: Run) -> None:
    result = CliRunner().invoke(stages.train, ["any"], catch_exceptions=False)
    assert result.stdout == f"float model: {run.directory.path}/float.h5\n"


def test_emulate_shows_every_emulator(run: Run) -> None:
    result = CliRunner().invoke(stages.emulate, ["any"], catch_exceptions=False)
    assert result.exit_code == 0
    for title in ("HLS C++, Vitis", "HLS C++, Vivado", "Keras, float64"):
        assert title in result.stdout


def test_emulate_as_json_is_the_results_file(run: Run) -> None:
    result = CliRunner().invoke(stages.emulate, ["any", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout) == json.loads(run.directory.results("emulation").read_text())


@pytest.mark.parametrize("verb", ["emulate", "report", "run"])
def test_a_mismatch_fails_after_the_results_are_shown(run: Run, verb: str) -> None:
    _write_results(run, hls_vitis=make_emulator(exact=False, mismatches=3, first_layer="latent"))
    result = CliRunner().invoke(getattr(stages, verb), ["any"])
    assert isinstance(result.exception, CheckFailed)
    assert result.stdout
    assert str(result.exception) == (
        f"hls_vitis differs from the reference, first in layer 'latent'; "
        f"{run.directory.path}/results/mismatches.json says more. "
        "To make a project or the vectors anew, delete their folder and run 'convert'"
    )


def test_every_emulator_that_differs_is_named(run: Run) -> None:
    _write_results(
        run,
        hls_vitis=make_emulator(exact=False, mismatches=3, first_layer="latent"),
        keras_float64=make_emulator(exact=False, mismatches=1, first_layer="score"),
    )
    result = CliRunner().invoke(stages.emulate, ["any"])
    assert "hls_vitis differs from the reference, first in layer 'latent'" in str(result.exception)
    assert "keras_float64 differs from the reference, first in layer 'score'" in str(result.exception)


def test_a_test_bench_with_wrong_expected_words_fails(run: Run) -> None:
    _write_results(run, hls_vivado=make_emulator(exact=False, mismatches=0, test_bench_passed=False))
    result = CliRunner().invoke(stages.emulate, ["any"])
    assert isinstance(result.exception, CheckFailed)
    assert str(result.exception).startswith(
        "hls_vivado equals the reference, but its project's test bench fails: it expects other words"
    )


def test_expected_words_that_are_not_the_references_fail(run: Run) -> None:
    results = json.loads(run.directory.results("emulation").read_text())
    write_json(run.directory.results("emulation"), results | {"vectors_expected_differ": 2})
    result = CliRunner().invoke(stages.emulate, ["any"])
    assert isinstance(result.exception, CheckFailed)
    assert str(result.exception).startswith("vectors/expected_words.npy differs from the reference")


def test_float32_is_shown_and_does_not_fail(run: Run) -> None:
    _write_results(run, keras_float32=make_emulator(exact=False, must_agree=False, mismatches=99, first_layer="score"))
    result = CliRunner().invoke(stages.emulate, ["any"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "99" in result.stdout


def test_report_names_the_page(run: Run) -> None:
    result = CliRunner().invoke(stages.report, ["any"], catch_exceptions=False)
    assert result.stdout == f"{run.directory.path}/report.html\n"


def test_run_begins_with_the_verdict_and_ends_with_the_page(run: Run) -> None:
    result = CliRunner().invoke(stages.run, ["any"], catch_exceptions=False)
    lines = result.stdout.splitlines()
    assert lines[0] == f"Better than trivial scores. {make_report()['verdict']['sentence']}"
    assert lines[-1] == f"Report: {run.directory.path}/report.html"


def test_run_as_json_is_the_report(run: Run) -> None:
    result = CliRunner().invoke(stages.run, ["any", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout) == json.loads((run.directory.path / "report.json").read_text())


def test_an_accumulator_that_overflows_is_named_beside_the_layer_in_which_words_differ(run: Run) -> None:
    report = make_report()
    report["agreement"]["emulators"]["hls_vitis"] = make_emulator(exact=False, mismatches=3, first_layer="output")
    report["agreement"]["layers"][0] |= {"accumulator": "fixed<17,7>", "overflows_corner": 5, "bits_missing": 2}
    write_json(run.directory.results("emulation"), report["agreement"] | {"vectors": report["vectors"]})
    result = CliRunner().invoke(stages.emulate, ["any"])
    assert (
        "first in layer 'output'; the accumulator of layer 'encoder_1', fixed<17,7>, which lacks 2 bits, overflows in "
        "0 words of events and 5 of corner vectors; "
    ) in str(result.exception)
