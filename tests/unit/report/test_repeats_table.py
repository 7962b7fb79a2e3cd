"""The tables of the spread over seeds."""

from __future__ import annotations

from typing import Any

from trigger_ad.report.repeats_table import repeats_tables


def _entry(model: str, mean: float, measure: str = "auc") -> dict[str, Any]:
    summary = {"mean": mean, "standard_deviation": 0.002, "min": mean - 0.003, "max": mean + 0.001}
    return {"model": model, "signal": "ato4l", "measure": measure} | summary


def _report(*entries: dict[str, Any]) -> dict[str, Any]:
    repeats = {"seeds": [4, 5, 6], "fpr_target": 0.01, "spread": list(entries)}
    return {
        "ships": "qat",
        "score": "mse",
        "events": {"signals": {"ato4l": {}, "leptoquark": {}}},
        "performance": [],
        "repeats": repeats,
    }


def test_mean_spread_and_extremes_of_each_model_and_of_their_difference() -> None:
    (table,) = repeats_tables(_report(_entry("float", 0.9), _entry("qat", 0.89), _entry("difference", -0.01)))
    assert table.title == "Area under the ROC curve: 3 trainings, seeds 4 to 6"
    assert table.columns == ("Model", "A → 4l", "LQ → bτ")
    assert table.rows == (
        ("Float", "0.9000 ± 0.0020 [0.8970, 0.9010]", "–"),
        ("Trained quantized (QAT), ships", "0.8900 ± 0.0020 [0.8870, 0.8910]", "–"),
        ("Trained quantized (QAT), ships − Float", "−0.0100 ± 0.0020 [−0.0130, −0.0090]", "–"),
    )


def test_rates_have_a_table_of_their_own() -> None:
    _, table = repeats_tables(_report(_entry("float", 0.9), _entry("float", 0.4, "tpr")))
    assert table.title == (
        "True-positive rate where a share of exactly 10⁻² of background passes: 3 trainings, seeds 4 to 6"
    )
    assert table.rows[0][1] == "0.4000 ± 0.0020 [0.3970, 0.4010]"


def test_what_was_not_repeated_has_none() -> None:
    assert repeats_tables(_report() | {"repeats": None}) == ()
    report = _report()
    # of an earlier version
    del report["repeats"]
    assert repeats_tables(report) == ()
