"""Tables say what was measured, and a dash where nothing was."""

from __future__ import annotations

from typing import Any

import pytest
from support.report import make_report, make_scores

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.events.layout import SIGNAL_TITLES
from trigger_ad.report.agreement_table import agreement_table
from trigger_ad.report.losses import area_losses
from trigger_ad.report.table import Table
from trigger_ad.report.tables import auc_table, equal_rate_tables, score_tables, tpr_table, tpr_tables
from trigger_ad.report.wording import BASELINE_MEANINGS, UNKNOWN

SCORES = make_scores()


@pytest.fixture
def report() -> dict[str, Any]:
    return make_report(SCORES)


def _row(table: Table, name: str) -> tuple[str, ...]:
    (row,) = (row for row in table.rows if row[0] == name)
    return row


def _point(fpr_target: float, **changes: Any) -> dict[str, Any]:
    return {
        "fpr_target": fpr_target,
        "threshold": 1079,
        "fpr": 0.0998,
        "fpr_low": 0.0871,
        "fpr_high": 0.1134,
        "tpr": 0.6123,
        "low": 0.5811,
        "high": 0.6432,
        "background_accepted": 1997,
        "background_events": 20010,
        "tpr_at_target": 0.6131,
    } | changes


def _performance(model: str, auc: float, tpr: list[dict[str, Any]]) -> dict[str, Any]:
    row = {"model": model, "score": "squared_error", "signal": "ato4l", "auc": auc, "method": "DeLong"}
    return row | {"auc_low": auc - 0.01, "auc_high": auc + 0.01, "tpr": tpr}


def test_models_come_in_the_order_of_the_data_and_trivial_scores_last(report: dict[str, Any]) -> None:
    report["performance"].reverse()
    assert [row[0] for row in auc_table(report).rows] == [
        "Float",
        "Float, encoded inputs",
        "Quantized after training (PTQ)",
        "Trained quantized (QAT), ships",
        "Firmware",
        "Loss, float to firmware",
        *BASELINE_TITLES.values(),
    ]


def test_areas_are_shown_with_their_intervals(report: dict[str, Any]) -> None:
    report["performance"] = [_performance("firmware", 0.91349, [])]
    report["events"]["signals"] = {"ato4l": report["events"]["signals"]["ato4l"]}
    assert auc_table(report).columns == ("Model", "A → 4l")
    assert auc_table(report).rows == (
        ("Firmware", "0.913 [0.903, 0.923]"),
        ("Loss, float to firmware", UNKNOWN),
    )


def test_a_narrow_interval_allows_a_fourth_digit(report: dict[str, Any]) -> None:
    row = _performance("firmware", 0.91349, []) | {"auc_low": 0.91312, "auc_high": 0.91387}
    report["performance"] = [row]
    assert _row(auc_table(report), "Firmware")[1] == "0.9135 [0.9131, 0.9139]"


def test_the_loss_is_float_less_firmware(report: dict[str, Any]) -> None:
    report["performance"] = [_performance("float", 0.9375, []), _performance("firmware", 0.921875, [])]
    assert area_losses(report, "float") == {"ato4l": 0.015625}
    assert _row(auc_table(report), "Loss, float to firmware")[1] == "+0.0156"
    report["performance"][1]["auc"] = 0.953125
    assert _row(auc_table(report), "Loss, float to firmware")[1] == "−0.0156"


def test_a_signal_that_was_not_measured_is_unknown_in_every_row(report: dict[str, Any]) -> None:
    report["performance"] = [row for row in report["performance"] if row["signal"] != "leptoquark"]
    for table in (auc_table(report), tpr_table(report)):
        column = table.columns.index(SIGNAL_TITLES["leptoquark"])
        assert {row[column] for row in table.rows} == {UNKNOWN}


def test_a_model_of_another_name_is_shown_by_its_name(report: dict[str, Any]) -> None:
    report["performance"].append(_performance("alien", 0.5, []))
    assert _row(auc_table(report), "alien")[2:] == (UNKNOWN,) * 3


def test_a_student_also_loses_from_its_teachers(report: dict[str, Any]) -> None:
    areas = {"teacher": 0.96875, "float": 0.9375, "firmware": 0.921875}
    report["performance"] = [_performance(model, area, []) for model, area in areas.items()]
    report["differences"] = []
    table = auc_table(report)
    assert _row(table, "Loss, float to firmware")[1] == "+0.0156"
    assert _row(table, "Loss, the teachers to firmware")[1] == "+0.0469"


def test_a_float_model_is_compared_by_the_score_that_ships(report: dict[str, Any]) -> None:
    before = auc_table(report), tpr_tables(report), area_losses(report, "float")
    report["performance"].append(_performance("float", 0.5, []) | {"score": "mahalanobis"})
    assert (auc_table(report), tpr_tables(report), area_losses(report, "float")) == before


def test_a_model_with_one_score_has_no_table_of_scores(report: dict[str, Any]) -> None:
    assert score_tables(report) == ()


def test_every_score_of_the_float_model_is_compared_and_the_one_that_ships_is_named_first(
    report: dict[str, Any],
) -> None:
    report["performance"].append(_performance("float", 0.875, [_point(0.01)]) | {"score": "mahalanobis"})
    report["score"] = "mahalanobis"
    areas, rates = score_tables(report)
    assert [row[0] for row in areas.rows] == [
        "Mahalanobis distance in the latent space, ships",
        "sum of squared errors",
    ]
    assert areas.rows[0][1:] == ("0.8750 [0.8650, 0.8850]", *(UNKNOWN,) * 3)
    assert [row[0] for row in rates.rows] == [row[0] for row in areas.rows]
    assert rates.title.endswith("10⁻²")


def test_there_is_one_table_of_rates_for_each_supported_target(report: dict[str, Any]) -> None:
    assert [table.title for table in tpr_tables(report)] == [
        "True-positive rate at a target false-positive rate of 10⁻¹",
        "True-positive rate at a target false-positive rate of 10⁻²",
    ]
    assert tpr_table(report).title == tpr_tables(report)[-1].title
    assert tpr_tables(report)[-1].notes[3:] == (
        "A target of 10⁻³ is not supported: 2000 test background events leave fewer than 10 at this rate.",
        "A target of 10⁻⁴ is not supported: 2000 test background events leave fewer than 10 at this rate.",
    )


def test_the_table_of_rates_says_what_its_intervals_do_not_contain(report: dict[str, Any]) -> None:
    assert tpr_table(report).notes[1] == (
        "The intervals of both rates are those of the threshold as it stands: by how much another validation "
        "background would have moved it is in neither. Where few events are accepted that matters most."
    )


def test_every_trivial_score_of_the_table_is_explained_below_it_and_no_other(report: dict[str, Any]) -> None:
    told = auc_table(report).notes[-1]
    assert told.startswith(
        "Trivial scores need no network: Zero reconstruction is the sum of the squared network inputs"
    )
    assert all(f"{BASELINE_TITLES[name]} is {BASELINE_MEANINGS[name]}" in told for name in BASELINE_TITLES)
    report["performance"] = [row for row in report["performance"] if row["model"] in ("firmware", "ht")]
    assert auc_table(report).notes[-1] == "Trivial scores need no network: HT is the scalar sum of the jets' pT."


def test_rates_come_with_what_the_threshold_achieved(report: dict[str, Any]) -> None:
    small = {"fpr": 5.12e-5, "fpr_low": 4.7e-5, "fpr_high": 5.61e-5, "background_accepted": 512}
    report["performance"] = [_performance("firmware", 0.9, [_point(0.1), _point(1e-5, **small)])]
    rates, others = "0.612 [0.581, 0.643]", (UNKNOWN,) * 3
    first, last = tpr_tables(report)
    assert first.rows == (("Firmware", rates, *others, "0.100 [0.087, 0.113]", "1,997", "1079"),)
    assert last.rows == (("Firmware", rates, *others, "5.12 [4.70, 5.61] × 10⁻⁵", "512", "1079"),)


def test_intervals_of_rates_say_that_events_come_in_groups(report: dict[str, Any]) -> None:
    note = tpr_table(report).notes[0]
    assert "(Clopper-Pearson, with an effective number of events where they come in groups)" in note


def test_a_threshold_that_was_not_kept_is_unknown(report: dict[str, Any]) -> None:
    point = _point(0.1)
    del point["threshold"]
    report["performance"] = [_performance("firmware", 0.9, [point])]
    assert _row(tpr_table(report), "Firmware")[-1] == UNKNOWN


def test_without_any_supported_target_the_reasons_remain(report: dict[str, Any]) -> None:
    report["performance"] = []
    report["unsupported_targets"] = [{"fpr_target": 0.1, "reason": "too few events"}]
    assert tpr_tables(report) == ()
    assert tpr_table(report).rows == ()
    assert tpr_table(report).notes == (
        "No target false-positive rate is supported.",
        "A target of 10⁻¹ is not supported: too few events.",
    )


def test_each_emulator_is_held_against_the_reference(report: dict[str, Any]) -> None:
    emulators = report["agreement"]["emulators"]
    emulators["hls_vitis"] |= {"exact": False, "mismatches": 3, "max_lsb": 0.5, "seconds": None}
    emulators["hls_vivado"] |= {"alone": {"vectors": 2_003, "layers": 5, "mismatches": 7, "first_layer": "output"}}
    emulators["cosim_vitis"] = dict.fromkeys(("exact", "events", "mismatches", "max_lsb", "seconds"))
    table = agreement_table(report)
    assert table.rows == (
        ("Keras, float64, every layer", "yes", "12,666", "0", "0", UNKNOWN, "10,000"),
        ("HLS C++, Vitis", "NO", "12,666", "3", "0.5", UNKNOWN, UNKNOWN),
        ("HLS C++, Vivado", "yes", "12,666", "0", "0", "7 of 5 x 2,003", "10,000"),
        ("Keras, float32 (for information)", "no", "12,666", "17", "2", UNKNOWN, "21,000"),
        ("Vendor co-simulation, Vitis", *(UNKNOWN,) * 6),
    )
    assert [table.row_tags[index] for index in range(5)] == ["exact", "failed", "exact", "information", "failed"]


def test_agreement_says_what_was_run_and_where_a_difference_begins(report: dict[str, Any]) -> None:
    report["agreement"]["emulators"]["hls_vivado"] |= {
        "exact": False,
        "test_bench_passed": False,
        "alone": {"vectors": 9, "layers": 5, "mismatches": 7, "first_layer": "output"},
    }
    report["agreement"]["test_events"] = 50_000
    assert agreement_table(report).notes == (
        "Words are compared as integer codes: exact means that every one is equal.",
        "Vectors: 12,345 events, 321 corner.",
        "The emulators ran 12,345 of 50,000 test events, evenly spread; the firmware's score words of the others are "
        "those of the native library.",
        "Layers alone: each driven by itself, with any codes that it can be given.",
        "HLS C++, Vitis: the project's own test bench finds every word equal.",
        "HLS C++, Vivado: the project's own test bench FAILS.",
        "HLS C++, Vivado differs in layer output, driven alone.",
        "Keras, float32 (for information): it is not exact for wide words.",
        "Keras, float32 (for information) differs first in layer score.",
    )


def test_agreement_says_whose_accept_bits_were_compared(report: dict[str, Any]) -> None:
    emulators = report["agreement"]["emulators"]
    emulators["hls_vitis"]["accept_mismatches"] = 0
    emulators["hls_vivado"]["accept_mismatches"] = 1234
    notes = agreement_table(report).notes
    said = "Accept bits that are not score word > threshold: HLS C++, Vitis 0, HLS C++, Vivado 1,234."
    assert said in notes


def test_agreement_says_which_accumulator_overflows(report: dict[str, Any]) -> None:
    report["agreement"]["layers"][0] |= {"accumulator": "fixed<17,7>", "overflows": 3, "bits_missing": 1}
    assert agreement_table(report).notes[-1] == (
        "The accumulator of layer 'encoder_1', fixed<17,7>, which lacks 1 bit, overflows in 3 words of events and 0 of "
        "corner vectors."
    )


def test_areas_can_be_shown_before_there_is_firmware(report: dict[str, Any]) -> None:
    rows = [row for row in report["performance"] if row["model"] in ("float", "qat")]
    table = auc_table({"performance": rows})
    assert [row[0] for row in table.rows] == ["Float", "Trained quantized (QAT)"]
    assert table.notes == ("On test events, with 95 % intervals (DeLong, logit scale).",)


def test_every_row_has_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="one cell for each column"):
        Table("Wrong", ("a", "b"), (("1", "2"), ("3",)))


def test_what_the_verdict_compares_is_shown_for_every_model(report: dict[str, Any]) -> None:
    report["verdict"]["fpr_target"] = 0.1
    report["performance"] = [
        _performance("firmware", 0.9, [_point(0.1), _point(0.01, tpr_at_target=0.3)]),
        _performance("ht", 0.8, [_point(0.1, tpr_at_target=0.25)]),
    ]

    table, other = equal_rate_tables(report)

    assert "exactly 10⁻¹ of the test background" in table.title
    assert [row[:2] for row in table.rows] == [("Firmware", "0.6131"), ("HT", "0.2500")]
    assert "no significance is claimed" in table.notes[0]
    assert "exactly 10⁻² of the test background" in other.title
    assert [row[:2] for row in other.rows] == [("Firmware", "0.3000")]


def test_a_verdict_by_area_alone_has_no_rates_to_show(report: dict[str, Any]) -> None:
    report["verdict"]["fpr_target"] = None
    assert equal_rate_tables(report) == ()


def test_a_float_model_that_is_pruned_is_said_to_be(report: dict[str, Any]) -> None:
    assert not any("pruned" in note for note in auc_table(report).notes)
    report["config"]["training"]["pruning"] = {"sparsity": 0.5, "begin": 0.1, "end": 0.5}
    assert any(note.startswith("Float is pruned: 50 % of each kernel was set to 0") for note in auc_table(report).notes)
