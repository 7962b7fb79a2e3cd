"""Which points no other is better than, and what a budget says of a point."""

from __future__ import annotations

import pytest

from trigger_ad.config import Config, ObjectiveConfig
from trigger_ad.errors import UserError
from trigger_ad.scan.objectives import Objective, front_of, objectives_of, over_budget

AUC, LUT = Objective("auc.mean", "AUC", maximise=True), Objective("lut", "LUT", maximise=False)


def test_no_point_of_the_front_is_worse_in_everything() -> None:
    values = {"dear": (0.9, 50.0), "cheap": (0.8, 10.0), "bad": (0.7, 20.0), "equal": (0.8, 30.0)}
    assert front_of(values, (AUC, LUT)) == ["dear", "cheap"]


def test_equal_points_are_all_on_the_front() -> None:
    assert front_of({"b": (0.9, 5.0), "a": (0.9, 5.0)}, (AUC, LUT)) == ["a", "b"]


def test_of_one_objective_the_front_is_the_best() -> None:
    assert front_of({"a": (3.0,), "b": (2.0,), "c": (2.0,)}, (LUT,)) == ["b", "c"]


def test_an_objective_is_of_one_signal_or_of_the_mean() -> None:
    settings = [
        ObjectiveConfig(maximise="auc"),
        ObjectiveConfig(maximise="tpr", fpr=0.01, signal="higgs"),
        ObjectiveConfig(minimise="lut"),
    ]
    found = objectives_of(settings, ["higgs", "other"])
    assert [(item.key, item.maximise) for item in found] == [
        ("auc.mean", True),
        ("tpr_0.01.higgs", True),
        ("lut", False),
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([ObjectiveConfig(maximise="auc", signal="none")], "there is no signal 'none'"),
        ([ObjectiveConfig(maximise="auc"), ObjectiveConfig(maximise="auc")], "auc.mean is named twice"),
    ],
)
def test_an_objective_that_means_nothing_is_refused(settings: list[ObjectiveConfig], said: str) -> None:
    with pytest.raises(UserError, match=said):
        objectives_of(settings, ["higgs"])


def test_a_signal_is_not_called_as_the_mean_is() -> None:
    with pytest.raises(UserError) as error:
        objectives_of([ObjectiveConfig(maximise="auc")], ["higgs", "mean"])
    assert error.value.what == (
        "events.signals: a signal of a scan is not called 'mean', which stands for the mean of all signals"
    )


def test_a_figure_that_was_not_measured_is_no_objective() -> None:
    with pytest.raises(UserError, match="LUT was not measured"):
        LUT.of({"lut": None})


def test_a_budget_is_held_against_what_was_counted_and_else_against_the_estimate() -> None:
    config = Config.model_validate({"name": "a", "budget": {"lut": 100, "latency_ns": 20.0}})
    assert over_budget(config, {"lut": 90, "lut_estimate": 110, "latency_ns": 20.0}) == {}
    assert over_budget(config, {"lut_estimate": 110, "latency_ns": 20.0}) == {"lut": 100}
    assert over_budget(config, {"latency_ns": 20.0}) is None
    assert over_budget(config, {"latency_ns": 25.0}) == {"latency_ns": 20.0}
    assert over_budget(Config(name="a"), {}) == {}
