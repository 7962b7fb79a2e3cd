"""What a run was: events, inputs, model, training, timings, versions."""

from __future__ import annotations

from typing import Any

import pytest
from support.report import make_report, make_scores

from trigger_ad.report.run_tables import (
    SAMPLE_NOTE,
    calibration_table,
    events_table,
    inputs_table,
    model_table,
    timings_table,
    training_table,
    versions_table,
)
from trigger_ad.report.wording import UNKNOWN

SCORES = make_scores(500)


@pytest.fixture
def report() -> dict[str, Any]:
    return make_report(SCORES)


def test_the_shipped_sample_is_named_as_this_projects_simulation(report: dict[str, Any]) -> None:
    assert events_table(report).notes[0] == SAMPLE_NOTE
    report["config"]["events"] = {"background": "mine.h5", "signals": {}}
    assert SAMPLE_NOTE not in events_table(report).notes


def test_signals_have_no_training_part(report: dict[str, Any]) -> None:
    assert events_table(report).rows[:2] == (
        ("Background", "10,000", "500", "500", "background.h5"),
        ("A → 4l", "none", "62", "250", "ato4l.h5"),
    )


def test_several_files_are_named_or_counted(report: dict[str, Any]) -> None:
    report["events"]["background"]["source"] = ["a.h5", "b.h5"]
    report["events"]["signals"]["ato4l"]["source"] = [f"{letter}.h5" for letter in "abcd"]
    assert [row[4] for row in events_table(report).rows[:2]] == ["a.h5, b.h5", "a.h5 … d.h5 (4 files)"]


def test_a_table_of_logarithms_is_shown(report: dict[str, Any]) -> None:
    for feature, logarithm in zip(report["inputs"], (5, None), strict=False):
        feature["logarithm"] = logarithm
    rows = {row[0]: row[1:] for row in inputs_table(report).rows}
    # a report that does not say has none that is known
    assert rows["Table of logarithms"] == ("2⁵ log2(word)", "none", UNKNOWN)


def test_features_are_shown_with_how_often_they_saturate(report: dict[str, Any]) -> None:
    report["inputs"][2]["saturated"] = None
    table = inputs_table(report)
    assert table.columns == ("Property", "pt", "eta", "phi")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["One unit of the word"] == ("1 GeV", "0.0625", "0.0625 rad")
    assert rows["Sign"] == ("unsigned", "two's complement", "two's complement")
    assert rows["Saturated, background"] == ("0.12 %", "0.12 %", UNKNOWN)
    assert rows["Saturated, A → 4l"] == ("0 %", "0 %", UNKNOWN)


def test_the_model_that_ships_is_described(report: dict[str, Any]) -> None:
    report["model"]["sparsity"] = None
    rows = {row[0]: row[1] for row in model_table(report).rows}
    assert rows["Architecture"] == "dense_autoencoder"
    assert rows["Score that ships"] == "sum of squared errors"
    assert rows["Ships"] == "Trained quantized (QAT)"
    assert rows["Weights and biases that are 0"] == UNKNOWN
    assert rows["Bits"] == "weights 8, biases 8, activations 8, latent 8, output 8"


def test_binary_points_are_shown_with_what_they_saturate(report: dict[str, Any]) -> None:
    assert calibration_table(report).rows == (
        ("encoder_1", "fixed<8,1>", "0 %", "fixed<8,2>", "0 %", "ufixed<8,3>", "1.2 %"),
        ("pooling", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, "ufixed<8,3>", "0 %"),
    )


def test_fits_that_did_not_run_are_left_out(report: dict[str, Any]) -> None:
    report["training"]["qat"] = None
    assert training_table(report).rows == (
        ("Float", "mean squared error of the reconstruction", "40", "37", "0.03273", "123,000"),
    )
    report["training"] = None
    assert training_table(report).rows == ()


def test_timings_that_are_not_known_are_unknown(report: dict[str, Any]) -> None:
    assert timings_table(report).rows == (
        ("train", "41.2"),
        ("quantize", "60.5"),
        ("emulate", "0.42"),
        ("report", UNKNOWN),
    )


def test_versions_are_listed(report: dict[str, Any]) -> None:
    assert ("hls4ml", "1.3.0") in versions_table(report).rows


def test_a_fit_that_its_first_epoch_was_the_best_of_is_named(report: dict[str, Any]) -> None:
    report["training"] = {"qat": {"epochs": 9, "best_epoch": 1}, "float": {"epochs": 9, "best_epoch": 8}}
    assert training_table(report).notes[1:] == (
        "Trained quantized (QAT): best after its first epoch; the others made it no better.",
    )
