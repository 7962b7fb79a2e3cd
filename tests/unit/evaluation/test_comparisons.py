"""Pairs of models on the same events: who is compared with whom, and which events only one of them accepts."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from trigger_ad.evaluation.comparisons import compare, compared_pairs
from trigger_ad.evaluation.differences import Sample, auc_difference
from trigger_ad.evaluation.performance import performance_rows


@dataclass
class Scores:
    validation_background: NDArray[np.int64]
    test_background: NDArray[np.int64]
    signals: dict[str, NDArray[np.int64]]


def made_up(seed: int = 1, separation: float = 1.0) -> Scores:
    random = np.random.default_rng(seed)
    validation, test = (np.rint(1000 * random.normal(0, 1, 2000)).astype(np.int64) for _ in range(2))
    return Scores(validation, test, {"a": np.rint(1000 * random.normal(separation, 1, 400)).astype(np.int64)})


def test_everything_made_of_the_float_model_is_compared_with_it_and_the_firmware_with_trivial_scores() -> None:
    models = ["float", "float_encoded", "ptq", "qat", "firmware", "met", "pca"]
    assert compared_pairs(models) == [
        ("float_encoded", "float"),
        ("ptq", "float"),
        ("qat", "float"),
        ("firmware", "float"),
        ("firmware", "met"),
        ("firmware", "pca"),
    ]


def test_a_student_is_compared_with_its_teachers() -> None:
    pairs = compared_pairs(["teacher", "float", "firmware"])
    assert pairs == [("firmware", "float"), ("float", "teacher"), ("firmware", "teacher")]


def test_events_are_counted_that_one_two_or_none_accept() -> None:
    validation = np.arange(100)
    one = Scores(validation, validation, {"a": np.array([95, 95, 95, 10, 10])})
    other = Scores(validation, validation, {"a": np.array([95, 10, 10, 95, 10])})

    (found,) = compare({"firmware": one, "met": other}, [("firmware", "met")], [0.1])

    # above 89 ten of a hundred pass
    (rate,) = found.rates
    assert (rate.fpr, rate.tpr, rate.reference_tpr) == (0.1, 0.6, 0.4)
    assert (rate.only_model, rate.only_reference, rate.both, rate.events) == (2, 1, 1, 5)
    assert rate.difference.difference == pytest.approx(0.2, abs=1e-12)


def test_thresholds_of_the_counts_are_those_of_validation_background() -> None:
    test, signal = np.arange(100), np.array([50])
    low, high = Scores(test - 60, test, {"a": signal}), Scores(test, test, {"a": signal})
    (found,) = compare({"firmware": low, "met": high}, [("firmware", "met")], [0.1])
    assert (found.rates[0].only_model, found.rates[0].tpr) == (1, 0.0)


def test_rates_and_areas_are_those_of_the_performance_table() -> None:
    models = {"firmware": made_up(1), "float": made_up(2, 1.2)}
    (found,) = compare(models, [("firmware", "float")], [0.01, 0.1])
    rows = [
        performance_rows(name, name, own.validation_background, own.test_background, own.signals)[0]
        for name, own in models.items()
    ]
    assert [rate.fpr for rate in found.rates] == [0.1, 0.01]
    assert found.auc.difference == pytest.approx(rows[0].auc - rows[1].auc, abs=1e-12)
    for rate, own, other in zip(found.rates, rows[0].tpr, rows[1].tpr, strict=True):
        assert rate.tpr == pytest.approx(own.tpr_at_target, abs=1e-12)
        assert rate.reference_tpr == pytest.approx(other.tpr_at_target, abs=1e-12)


def test_groups_reach_both_samples() -> None:
    models = {"firmware": made_up(1), "float": made_up(2)}
    groups, own = np.arange(2000) // 4, np.arange(400) // 4
    (found,) = compare(
        models, [("firmware", "float")], [0.1], background_groups=groups, signal_groups={"a": own, "b": own}
    )
    first, second = models.values()
    expected = auc_difference(
        Sample.of(first.test_background, second.test_background, groups),
        Sample.of(first.signals["a"], second.signals["a"], own),
    )
    assert found.auc == expected


def test_scores_of_other_events_are_not_compared() -> None:
    longer = made_up()
    longer.signals["a"] = np.append(longer.signals["a"], 1)
    with pytest.raises(ValueError, match="not of the same events"):
        compare({"firmware": made_up(), "float": longer}, [("firmware", "float")], [0.1])


def test_nothing_is_compared_with_nothing() -> None:
    assert compare({}, [], [0.1]) == []


def test_a_comparison_is_written_with_the_names_of_the_report() -> None:
    (found,) = compare({"firmware": made_up(1), "float": made_up(2)}, [("firmware", "float")], [0.1])
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert list(written) == ["model", "reference", "signal", "auc_difference", "low", "high", "method", "tpr"]
    assert written["tpr"][0]["low"] < written["tpr"][0]["difference"] < written["tpr"][0]["high"]
