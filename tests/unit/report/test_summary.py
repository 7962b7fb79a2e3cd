"""The first lines of a report."""

from __future__ import annotations

from typing import Any

import pytest
from support.report import make_hardware, make_report, make_scores

from trigger_ad.report.summary import cost_fact, key_facts, lead_fact, verdict_line

SCORES = make_scores(500)


@pytest.fixture
def report() -> dict[str, Any]:
    return make_report(SCORES)


def test_agreement_names_every_emulator_that_must_agree(report: dict[str, Any]) -> None:
    agreement, _ = key_facts(report)
    assert (agreement.value, agreement.good) == ("0 of 12,666 vectors", True)
    assert agreement.detail == (
        "Keras, float64, every layer: 0 of 12,666 vectors; HLS C++, Vitis: 0 of 12,666 vectors; "
        "HLS C++, Vivado: 0 of 12,666 vectors"
    )


def test_the_worst_emulator_is_the_headline(report: dict[str, Any]) -> None:
    report["agreement"]["emulators"]["hls_vivado"] |= {"exact": False, "mismatches": 2}
    assert (key_facts(report)[0].value, key_facts(report)[0].good) == ("2 of 12,666 vectors", False)


def test_an_emulator_that_did_not_finish_is_no_agreement(report: dict[str, Any]) -> None:
    report["agreement"]["emulators"]["hls_vivado"] |= {"exact": None, "mismatches": None}
    assert (key_facts(report)[0].value, key_facts(report)[0].good) == ("– of 12,666 vectors", False)


def test_a_test_bench_that_fails_is_no_agreement(report: dict[str, Any]) -> None:
    report["agreement"]["emulators"]["hls_vitis"] |= {"exact": False, "test_bench_passed": False}
    assert not key_facts(report)[0].good
    assert "HLS C++, Vitis: 0 of 12,666 vectors, its test bench FAILS" in key_facts(report)[0].detail


def test_expected_words_that_are_not_the_references_are_no_agreement(report: dict[str, Any]) -> None:
    report["agreement"]["vectors_expected_differ"] = 4
    assert not key_facts(report)[0].good
    assert key_facts(report)[0].detail.endswith("the expected words of 4 shipped vectors are not the reference's")


def test_without_an_emulator_nothing_is_proven(report: dict[str, Any]) -> None:
    report["agreement"]["emulators"] = {"keras_float32": report["agreement"]["emulators"]["keras_float32"]}
    assert (key_facts(report)[0].value, key_facts(report)[0].good) == ("not checked", False)


def test_the_largest_loss_names_its_signal(report: dict[str, Any]) -> None:
    for row in report["performance"]:
        row["auc"] = 0.75 if row["model"] == "firmware" and row["signal"] == "leptoquark" else 0.875
    assert (key_facts(report)[1].value, key_facts(report)[1].detail) == (
        "+0.1250",
        "LQ → bτ: 0.8750 float, 0.7500 firmware, on the same events",
    )


def test_a_loss_that_was_not_measured_is_not_known(report: dict[str, Any]) -> None:
    report["performance"] = [row for row in report["performance"] if row["model"] != "float"]
    assert key_facts(report)[1].value == "not known"


def test_the_largest_loss_of_rate_is_where_equal_shares_of_background_pass(report: dict[str, Any]) -> None:
    report["verdict"]["fpr_target"] = 0.01
    for row in report["performance"]:
        lower = row["model"] == "firmware" and row["signal"] == "leptoquark"
        row["tpr"] = [{"fpr_target": 0.01, "tpr_at_target": 0.25 if lower else 0.5}]
    fact = key_facts(report)[2]
    assert (fact.label, fact.value) == ("Largest loss of true-positive rate from float to firmware", "+0.2500")
    assert fact.detail == "LQ → bτ, where exactly 10⁻² of the test background passes"


def test_no_rate_is_compared_where_the_verdict_has_none(report: dict[str, Any]) -> None:
    report["verdict"]["fpr_target"] = None
    assert len(key_facts(report)) == 2


def test_the_verdict_is_said_before_its_reasons(report: dict[str, Any]) -> None:
    report["verdict"] |= {"worth_shipping": False, "sentence": "HT is better."}
    assert verdict_line(report) == "NOT better than trivial scores. HT is better."


def test_what_was_measured_of_rtl_is_said_with_its_sources(report: dict[str, Any]) -> None:
    assert cost_fact(report) is None
    clocks = make_hardware("rtl", source="verilator", tool="Verilator 5.048", latency_cycles=6, latency_ns=30.0)
    cells = make_hardware("rtl", source="yosys", tool="Yosys 0.70", lut=3_844, ff=1_101, dsp=0)
    report["hardware"] += [clocks, cells | {"utilisation": {"lut": 0.00325}}]
    fact = key_facts(report)[2]
    assert (fact.label, fact.value, fact.good) == ("RTL, measured", "6 clocks, 3,844 LUT", None)
    assert fact.detail == (
        "Verilator 5.048: latency 6 clocks, 30 ns at 5 ns assumed; interval 1; "
        "Yosys 0.70: 3,844 LUT (0.33 %), 1,101 FF, 0 DSP"
    )
    report["hardware"].remove(report["hardware"][-1])
    assert key_facts(report)[2].value == "6 clocks"


def test_stages_that_are_estimated_to_be_too_long_are_said_with_the_clocks(report: dict[str, Any]) -> None:
    report["hardware"].append(make_hardware("rtl", source="verilator", tool="Verilator", latency_cycles=3))
    stages = [{"delay": delay} for delay in (4.0, 5.0, 5.5)]
    report["pipeline"] = {"clock_ns": 5.0, "units_per_ns": 1.0, "stages": stages}
    fact = cost_fact(report)
    assert fact is not None
    assert fact.detail.endswith("; 1 of 3 stages estimated to be longer than the clock")
    stages.pop()
    fact = cost_fact(report)
    assert fact is not None
    assert "estimated" not in fact.detail


def _pair(reference: str, signal: str, difference: float, low: float) -> dict[str, Any]:
    rate = {"fpr": 0.01, "difference": difference, "low": low, "high": 2 * difference - low}
    return {"model": "firmware", "reference": reference, "signal": signal, "tpr": [rate]}


def test_how_sure_the_verdict_is_comes_first(report: dict[str, Any]) -> None:
    report["verdict"]["fpr_target"] = 0.01
    report["events"]["signals"] = {"ato4l": {}, "leptoquark": {}}
    report["differences"] = [
        _pair("met", "ato4l", 0.3, 0.2),
        _pair("ht", "ato4l", 0.02, 0.01),
        _pair("met", "leptoquark", 0.01, -0.01),
        _pair("ht", "leptoquark", 0.2, 0.1),
    ]
    rates = {
        ("firmware", "ato4l"): 0.5,
        ("met", "ato4l"): 0.4,
        ("firmware", "leptoquark"): 0.5,
        ("met", "leptoquark"): 0.5,
    }
    report["performance"] = [
        {"model": model, "signal": signal, "score": report["score"]}
        | {"tpr": [{"fpr_target": target, "tpr_at_target": rate} for target in (0.1, 0.01)]}
        for (model, signal), rate in rates.items()
    ]
    fact = lead_fact(report)
    assert fact is not None
    assert (fact.label, fact.value, fact.good) == (
        "Lead over the best trivial score at 10⁻² of background, by signal",
        "significant for 1 of 2",
        None,
    )
    assert fact.detail == (
        "A → 4l +0.0200 [+0.0100, +0.0300]; LQ → bτ +0.0100 [−0.0100, +0.0300]; "
        "ahead of all trivial scores at other rates: 1 of 2 at 10⁻¹"
    )


def test_of_a_report_that_compared_nothing_no_lead_is_said(report: dict[str, Any]) -> None:
    report["verdict"]["fpr_target"] = 0.01
    assert lead_fact(report) is None


def _budget_line(**changes: Any) -> dict[str, Any]:
    line = {
        "flow": "rtl",
        "figure": "lut",
        "limit": 4000,
        "asked": None,
        "value": 3950,
        "source": "yosys",
        "step": None,
    }
    return line | {"within": True, "clock_ns": None, "clock_status": None, "estimated": False, "remedy": None} | changes


def test_a_budget_that_is_exceeded_is_among_the_first_lines(report: dict[str, Any]) -> None:
    over = _budget_line(value=4190, within=False, remedy="fewer bits")
    report["budget"] = [_budget_line(figure="dsp", limit=0, value=0), over]
    fact = key_facts(report)[-1]
    assert (fact.label, fact.value, fact.good) == ("Budget", "EXCEEDED in 1 of 2 figures", False)
    assert fact.detail == "RTL: LUT 4,190 (yosys), over the budget of 4,000"


def test_a_budget_that_is_kept_is_said_where_it_was_measured(report: dict[str, Any]) -> None:
    report["budget"] = [_budget_line(), _budget_line(figure="dsp", limit=0, value=0)]
    fact = key_facts(report)[-1]
    assert (fact.label, fact.value, fact.good) == ("Budget", "kept in all 2 figures", True)


def test_a_budget_that_is_estimated_or_unknown_in_part_is_not_said_to_be_kept(report: dict[str, Any]) -> None:
    estimated = _budget_line(flow="hls_vitis", source="estimate", estimated=True)
    unknown = _budget_line(flow="hls_vitis", value=None, source=None, within=None)
    report["budget"] = [_budget_line(), estimated, estimated | {"within": False}, unknown]
    fact = key_facts(report)[-1]
    assert (fact.value, fact.good) == ("kept in 1 of 4 figures", None)
    assert fact.detail == "the others are estimated or not known"


def test_nanoseconds_at_an_assumed_clock_are_not_said_to_be_measured(report: dict[str, Any]) -> None:
    clock = {"figure": "latency_ns", "clock_ns": 5.0, "clock_status": "assumed"}
    report["budget"] = [_budget_line(**clock, limit=25, value=25.0, source="verilator")]
    assert key_facts(report)[-1].detail == "nanoseconds are at a clock that is assumed"


def test_without_a_budget_nothing_is_said_of_one(report: dict[str, Any]) -> None:
    report["budget"] = []
    assert "Budget" not in [fact.label for fact in key_facts(report)]
