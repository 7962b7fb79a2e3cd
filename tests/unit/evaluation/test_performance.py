"""The performance table, the cost of quantization and the verdict on the firmware."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from trigger_ad.evaluation.metrics import auc_interval
from trigger_ad.evaluation.performance import VERDICT_ACCEPTED, PerformanceRow, performance_rows, verdict
from trigger_ad.evaluation.working_points import WorkingPoint, working_points


def row(model: str, signal: str, auc: float, rates: Mapping[float, float] | None = None) -> PerformanceRow:
    points = tuple(
        WorkingPoint(target, 7, target, 0.0, 1.0, 0.5, 0.0, 1.0, 1, round(VERDICT_ACCEPTED / target), rate)
        for target, rate in (rates or {}).items()
    )
    return PerformanceRow(model, model, signal, auc, 0.0, 1.0, "DeLong", points)


def test_a_row_holds_the_interval_and_the_working_points_of_each_signal() -> None:
    generator = np.random.default_rng(1)
    validation, test = generator.integers(0, 1000, 2000), generator.integers(0, 1000, 2000)
    signals = {"ato4l": generator.integers(200, 1200, 300), "leptoquark": generator.integers(400, 1400, 300)}

    rows = performance_rows("firmware", "score word", validation, test, signals)

    assert [(entry.model, entry.score, entry.signal) for entry in rows] == [
        ("firmware", "score word", "ato4l"),
        ("firmware", "score word", "leptoquark"),
    ]
    for entry in rows:
        area = auc_interval(test, signals[entry.signal])
        assert (entry.auc, entry.auc_low, entry.auc_high) == (area.auc, area.low, area.high)
        assert entry.tpr == tuple(working_points(validation, test, signals[entry.signal]))


def test_groups_reach_the_interval_of_their_signal() -> None:
    generator = np.random.default_rng(2)
    background, signal = generator.normal(size=500), np.repeat(generator.normal(1.0, size=50), 4)
    groups = np.repeat(np.arange(50), 4)

    plain, grouped = performance_rows(
        "float", "s", background, background, {"a": signal, "b": signal}, signal_groups={"b": groups}
    )

    assert grouped.auc_low < plain.auc_low < plain.auc_high < grouped.auc_high
    assert grouped.tpr[0].low < plain.tpr[0].low


def test_a_row_is_written_with_the_names_of_the_report() -> None:
    scores = np.arange(1000)
    (entry,) = performance_rows("met", "met", scores, scores, {"ato4l": scores + 100})

    written = json.loads(json.dumps(entry.to_json()))

    assert list(written) == ["model", "score", "signal", "auc", "auc_low", "auc_high", "method", "tpr"]
    assert written["tpr"] == [point.to_json() for point in entry.tpr]


SIGNALS = ("ato4l", "leptoquark", "htotautau", "hchtotaunu")


def test_a_firmware_that_beats_each_score_for_three_of_four_signals_is_worth_shipping_and_its_losses_are_named() -> (
    None
):
    rows = [row("firmware", signal, 0.9, {0.1: 0.5, 0.01: 0.2}) for signal in SIGNALS]
    rows += [row("met", signal, 0.95, {0.1: 0.3, 0.01: 0.1}) for signal in SIGNALS[:3]]
    rows += [row("met", SIGNALS[3], 0.85, {0.1: 0.3, 0.01: 0.3})]
    # another score may be better for another signal
    rows += [row("ht", signal, 0.85, {0.1: 0.3, 0.01: 0.1}) for signal in SIGNALS[1:]]
    rows += [row("ht", SIGNALS[0], 0.85, {0.1: 0.3, 0.01: 0.25})]

    found = verdict(rows)

    assert found.beats == {"ato4l": False, "leptoquark": True, "htotautau": True, "hchtotaunu": False}
    assert found.won == {"met": 3, "ht": 3}
    assert found.worth_shipping
    assert found.sentence == (
        "The firmware is better than each trivial score for at least 3 of 4 signals, by true-positive rate at a "
        "false-positive rate of 1e-2; it is better than all of them at once for 2 of 4 signals (LQ → bτ, h⁰ → ττ); "
        "for A → 4l HT (0.2500) is better (true-positive rate, against 0.2000); for h± → τν MET (0.3000) is better "
        "(true-positive rate, against 0.2000). By AUC it is better than all for 1 of 4 signals (h± → τν)."
    )


def test_a_score_that_is_better_for_two_of_four_signals_is_enough_not_to_ship() -> None:
    rows = [row("firmware", signal, 0.8) for signal in SIGNALS]
    rows += [row("ht", signal, 0.9) for signal in SIGNALS[:2]] + [row("ht", signal, 0.7) for signal in SIGNALS[2:]]
    rows += [row("met", signal, 0.7) for signal in SIGNALS]

    found = verdict(rows)

    assert found.won == {"met": 4, "ht": 2}
    assert not found.worth_shipping
    assert found.sentence.startswith(
        "The firmware is NOT better than each trivial score for at least 3 of 4 signals, by AUC (the background is too "
        "small for a common false-positive rate) (than HT for 2); it is better than all of them at once for 2 of 4 "
        "signals (h⁰ → ττ, h± → τν); for A → 4l HT (0.9000) is better (AUC, against 0.8000)"
    )


@pytest.mark.parametrize(("signals", "needed"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (8, 6)])
def test_three_quarters_of_the_signals_are_needed(signals: int, needed: int) -> None:
    def with_wins(number: int) -> bool:
        rows = [row("firmware", str(index), 0.8) for index in range(signals)]
        return verdict(
            rows + [row("ht", str(index), 0.7 if index < number else 0.9) for index in range(signals)]
        ).worth_shipping

    assert (with_wins(needed - 1), with_wins(needed)) == (False, True)


def test_a_firmware_that_wins_nothing_says_so() -> None:
    sentence = verdict([row("firmware", "a", 0.5), row("ht", "a", 0.75)]).sentence

    assert sentence.startswith("The firmware is NOT better than each trivial score for at least 1 of 1 signals, by AUC")
    assert "better than all of them at once for 0 of 1 signals;" in sentence


def test_a_larger_area_does_not_make_up_for_a_smaller_true_positive_rate() -> None:
    rows = [row("firmware", "a", 0.9, {0.01: 0.1}), row("ht", "a", 0.8, {0.01: 0.25})]

    found = verdict(rows)

    assert found.beats == {"a": False}
    assert "for a HT (0.2500) is better (true-positive rate, against 0.1000)" in found.sentence


def test_true_positive_rates_are_compared_at_the_smallest_target_that_all_support() -> None:
    rows = [row("firmware", "a", 0.9, {0.1: 0.5, 0.01: 0.3, 0.001: 0.01})]
    rows += [row("ht", "a", 0.8, {0.1: 0.6, 0.01: 0.2, 0.001: 0.1}), row("met", "a", 0.7, {0.1: 0.1, 0.01: 0.1})]

    found = verdict(rows)

    assert found.fpr_target == 0.01
    assert found.worth_shipping


def test_a_rate_that_rests_on_few_background_events_decides_nothing() -> None:
    rows = [row("firmware", "a", 0.9, {0.1: 0.5, 0.01: 0.3}), row("ht", "a", 0.8, {0.1: 0.4, 0.01: 0.5})]
    few = replace(rows[1].tpr[1], background_events=rows[1].tpr[1].background_events - 100)
    rows[1] = replace(rows[1], tpr=(rows[1].tpr[0], few))

    found = verdict(rows)

    assert (found.fpr_target, found.worth_shipping) == (0.1, True)


def test_rates_are_compared_where_equal_shares_of_the_test_background_pass() -> None:
    """Two thresholds of one target, set on validation events, would let different shares pass."""
    validation, test, signal = np.arange(1000.0), np.arange(10_000.0) / 10, np.linspace(800, 1100, 500)
    rows = performance_rows("firmware", "s", validation, test, {"a": signal})
    # the same order of all test events, but a threshold that is too low for them
    rows += performance_rows("ht", "s", validation - 50, test, {"a": signal})

    found = verdict(rows)

    assert rows[1].tpr[0].tpr > rows[0].tpr[0].tpr
    assert "for a HT (0.3680) is as good" in found.sentence


def test_to_equal_a_trivial_score_is_not_to_beat_it() -> None:
    found = verdict([row("firmware", "a", 0.8), row("ht", "a", 0.8)])

    assert found.beats == {"a": False}
    assert "for a HT (0.8000) is as good" in found.sentence


def test_every_trivial_score_that_is_better_is_named_the_strongest_first() -> None:
    rows = [row("firmware", "a", 0.5), row("ht", "a", 0.7), row("met", "a", 0.9), row("zero_reconstruction", "a", 0.4)]

    found = verdict(rows)

    assert [rival.name for rival in found.rivals["a"]] == ["met", "ht"]
    assert "for a MET (0.9000) and HT (0.7000) are better (AUC, against 0.5000)" in found.sentence
    assert "Zero" not in found.sentence


def test_other_models_among_the_rows_are_not_trivial_scores() -> None:
    found = verdict([row("firmware", "a", 0.8), row("float", "a", 0.9), row("ht", "a", 0.7)])

    assert found.beats == {"a": True}


def test_a_verdict_needs_trivial_scores_for_the_same_signals() -> None:
    with pytest.raises(ValueError, match="trivial scores"):
        verdict([row("firmware", "a", 0.8), row("float", "a", 0.9)])
    with pytest.raises(ValueError, match="trivial scores"):
        verdict([row("firmware", "a", 0.8), row("ht", "b", 0.9)])
    with pytest.raises(ValueError, match="one row of firmware"):
        verdict([row("firmware", "a", 0.8), row("firmware", "a", 0.8), row("ht", "a", 0.9)])


def test_a_verdict_is_written_with_what_it_rests_on() -> None:
    written = json.loads(json.dumps(verdict([row("firmware", "a", 0.5), row("ht", "a", 0.75)]).to_json()))

    assert written["beats"] == {"a": False}
    assert written["worth_shipping"] is False
    assert (written["won"], written["needed"]) == ({"ht": 0}, 1)
    assert written["rivals"] == {"a": [{"name": "ht", "measure": "auc", "value": 0.75, "model_value": 0.5}]}
