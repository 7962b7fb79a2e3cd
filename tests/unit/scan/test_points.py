"""The points of a scan: which there are, what each is called, and what no point can set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trigger_ad.config import ScanConfig
from trigger_ad.config_file import load_scan
from trigger_ad.errors import UserError
from trigger_ad.scan.points import LONGEST_NAME, Point, Points, listed_points

Read = Callable[..., tuple[ScanConfig, Points]]


def _listed(read_scan: Read, **changes: Any) -> list[Point]:
    return listed_points(*read_scan(**changes))


def test_a_grid_has_every_combination(read_scan: Read) -> None:
    points = _listed(read_scan, grid={"quantization.weights": [4, 6], "seed": [1, 2]})
    assert [point.name for point in points] == [
        "weights_4-seed_1",
        "weights_4-seed_2",
        "weights_6-seed_1",
        "weights_6-seed_2",
    ]
    assert [(point.config.quantization.weights, point.config.seed) for point in points] == [
        (4, 1),
        (4, 2),
        (6, 1),
        (6, 2),
    ]
    # what no axis names is as the base configuration has it
    assert {point.config.quantization.qat.epochs for point in points} == {3}
    assert [point.config.name for point in points] == [point.name for point in points]


def test_an_axis_may_set_several_keys_together(read_scan: Read) -> None:
    keys = ["quantization.weights", "quantization.activations"]
    points = _listed(read_scan, grid={"bits": {"keys": keys, "values": [3, 5]}})
    assert [point.name for point in points] == ["bits_3", "bits_5"]
    assert points[1].keys == {"quantization.weights": 5, "quantization.activations": 5}
    assert points[1].config.quantization.activations == 5


def test_what_is_the_same_for_all_points_is_in_no_name(read_scan: Read) -> None:
    points = _listed(read_scan, grid={"firmware.flow": ["rtl"], "seed": [1, 2]})
    assert [point.name for point in points] == ["seed_1", "seed_2"]
    assert {point.config.firmware.flow for point in points} == {"rtl"}


def test_points_may_be_listed_one_by_one(read_scan: Read) -> None:
    points = _listed(read_scan, points=[{"seed": 3}, {"model.hidden": [16, 8], "training.learning_rate": 0.002}])
    assert [point.name for point in points] == ["seed_3", "hidden_16_8-learning_rate_0p002"]
    assert points[1].config.model.hidden == (16, 8)


def test_a_section_that_the_base_leaves_out_can_be_set(read_scan: Read) -> None:
    (point,) = _listed(read_scan, grid={"training.pruning.sparsity": [0.5]})
    assert point.config.training.pruning is not None
    assert point.config.training.pruning.sparsity == 0.5


def test_equal_endings_of_keys_are_told_apart(read_scan: Read) -> None:
    (point,) = _listed(read_scan, points=[{"training.epochs": 5, "quantization.qat.epochs": 2}])
    assert point.name == "training_epochs_5-qat_epochs_2"


def test_a_long_name_ends_in_a_digest_of_what_is_set(read_scan: Read) -> None:
    axes = {f"quantization.{name}": [4, 5] for name in ("weights", "biases", "activations", "latent", "output")}
    names = [point.name for point in _listed(read_scan, grid=axes)]
    assert len(set(names)) == 32
    assert max(map(len, names)) <= LONGEST_NAME


def test_a_number_that_is_not_written_out_is_told_from_its_neighbours(read_scan: Read) -> None:
    names = [point.name for point in _listed(read_scan, grid={"training.learning_rate": [0.0123456789, 0.0123456788]})]
    assert len(set(names)) == 2
    assert all(name.startswith("learning_rate_0p0123-") for name in names)


def test_a_name_does_not_depend_on_how_often_it_is_asked_for(read_scan: Read) -> None:
    _, points = read_scan(grid={"quantization.weights": [4, 6]})
    assert points.point({"quantization.weights": 6}).name == points.point({"quantization.weights": 6}).name


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"grid": {}}, "grid: is empty; name a key and its values"),
        ({"grid": {"seed": []}}, "grid.seed.values: has no values; give at least one"),
        ({"grid": {"seed": [1, 1]}}, "grid.seed.values: has a value twice; give each once"),
        ({"grid": {"seed": [1]}, "points": [{"seed": 1}]}, "give one of grid, points and search, not grid and points"),
        ({"grid": None}, "give one of grid, points and search, not none of them"),
        ({"points": []}, "points: give at least one point, and each at least one key"),
        ({"grid": {"seed": [1]}, "workers": 3}, "unknown key 'workers'"),
        ({"grid": {"seed": {"values": [1], "log": True}}}, "unknown key 'grid.seed.log'"),
        ({"grid": {"seed": [1]}, "objectives": [{"maximise": "tpr"}]}, "objectives.0: fpr belongs to tpr"),
        ({"grid": {"seed": [1]}, "objectives": [{"maximise": "auc", "minimise": "lut"}]}, "name one quantity"),
        (
            {"grid": {"seed": [1]}, "objectives": [{"minimise": "lut", "signal": "a"}]},
            "lut is the same for every signal",
        ),
        (
            {"grid": {"seed": [1]}, "through": "quantize", "objectives": [{"minimise": "lut"}]},
            "lut is known after synth",
        ),
        (
            {"grid": {"seed": 5}},
            "grid.seed: give a list of its values, or a mapping of its own keys such as values, not 5",
        ),
        ({"grid": 5}, "grid: Input should be keys with their values, not 5"),
        ({"points": [5]}, "points.0: Input should be keys with their values, not 5"),
        ({"points": 5}, "points: Input should be a valid list, not 5"),
        ({"search": "tpe"}, "search: Input should be keys with their values, not 'tpe'"),
        ({"search": {"trials": 3, "space": {"seed": 4}}}, "search.space.seed: give a list of its values, or"),
        ({"grid": {"seed": [1]}, "objectives": []}, "objectives: has 0 values; give at least 1"),
        (
            {"grid": {"seed": [1]}, "objectives": ["auc"]},
            "objectives.0: Input should be keys with their values, not 'auc'",
        ),
        ({"search": {"trials": 3, "space": {}}}, "search.space: is empty"),
        ({"search": {"trials": 3, "space": {"seed": {"low": 3, "high": 1}}}}, "low (3) is not below high (1)"),
        ({"search": {"trials": 3, "space": {"seed": {"low": 3}}}}, "give either a list of values, or low and high"),
        ({"search": {"trials": 0, "space": {"seed": [1]}}}, "search.trials"),
        (
            {"search": {"trials": 3, "space": {"seed": {"low": 3, "high": 8, "step": 2}}}},
            "high (8) is no whole number of steps of 2 from low (3); the last below it is 7",
        ),
        (
            {"search": {"trials": 3, "space": {"seed": {"low": 3, "high": 8, "step": 9}}}},
            "high (8) is no whole number of steps of 9 from low (3); not one fits",
        ),
        (
            {"search": {"trials": 3, "space": {"training.pruning.sparsity": {"low": 0.3, "high": 0.85, "step": 0.1}}}},
            "high (0.85) is no whole number of steps of 0.1 from low (0.3); the last below it is 0.8",
        ),
        (
            {"search": {"trials": 3, "space": {"seed": {"low": 1, "high": float("inf")}}}},
            "low, high and step are finite numbers",
        ),
        (
            {"grid": {"seed": [1]}, "objectives": [{"minimise": "auc"}]},
            "of auc more is better; name it under maximise",
        ),
        ({"grid": {"seed": [1]}, "objectives": [{"maximise": "lut"}]}, "of lut less is better; name it under minimise"),
    ],
)
def test_a_scan_file_that_makes_no_sense_is_refused_by_its_key(
    write_scan: Callable[..., Path], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError) as error:
        load_scan(write_scan(**changes))
    assert said in error.value.what


@pytest.mark.parametrize(
    ("axis", "said"),
    [
        ({"quantization.weight": [4]}, "point weight_4: unknown key 'quantization.weight'"),
        (
            {"model.latent.first": [4]},
            "unknown key 'model.latent.first': model.latent has no keys below it",
        ),
        ({"quantization.weights": [4, 99]}, "point weights_99: quantization.weights: "),
        ({"name": ["a"]}, "name: the scan names its points itself"),
    ],
)
def test_every_point_is_a_configuration_or_none_is_run(read_scan: Read, axis: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        _listed(read_scan, grid=axis)
    assert said in error.value.what


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"grid": {"seed": [1], "seeds": {"keys": ["seed"], "values": [2]}}},
            "'seed' of seed and 'seed' of seeds are the same key",
        ),
        (
            {"grid": {"bits": {"keys": ["quantization.weights"] * 2, "values": [2]}}},
            "'quantization.weights' of bits and 'quantization.weights' of bits are the same key",
        ),
        (
            {"points": [{"seed": 1}, {"model": {"hidden": [8]}, "model.hidden": [16]}]},
            "'model' of model and 'model.hidden' of model.hidden hold one another",
        ),
        (
            {"grid": None, "search": {"trials": 3, "space": {"model.hidden": [[8]], "model": [{"latent": 3}]}}},
            "'model.hidden' of model.hidden and 'model' of model hold one another",
        ),
    ],
)
def test_a_key_that_a_point_would_set_twice_is_refused(read_scan: Read, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        read_scan(**changes)
    assert said in error.value.what


def test_other_points_may_set_it_in_another_way(read_scan: Read) -> None:
    points = _listed(read_scan, points=[{"model": {"hidden": [16]}}, {"model.hidden": [32]}])
    assert [point.config.model.hidden for point in points] == [(16,), (32,)]


def test_two_points_that_set_the_same_are_refused(read_scan: Read) -> None:
    with pytest.raises(UserError, match="two points set the same, seed_1"):
        _listed(read_scan, points=[{"seed": 1}, {"seed": 1}])


def test_steps_are_counted_in_what_is_written(read_scan: Read) -> None:
    for step, high in ((0.1, 0.8), (0.05, 0.35), (1e-3, 0.3 + 0.007)):
        space = {"training.pruning.sparsity": {"low": 0.3, "high": high, "step": step}}
        assert read_scan(grid=None, search={"trials": 3, "space": space})[0].search is not None


def test_a_scan_goes_as_far_as_its_objectives_need(read_scan: Read) -> None:
    def last(*quantities: str, **more: str) -> str:
        objectives = [{"maximise" if item == "auc" else "minimise": item} for item in quantities]
        return read_scan(objectives=objectives, grid={"seed": [1]}, **more)[0].last_stage

    assert last("auc") == "quantize"
    assert last("auc", "lut_estimate") == "convert"
    assert last("latency_cycles", "lut") == "synthesize"
    assert last("auc", through="emulate") == "emulate"
