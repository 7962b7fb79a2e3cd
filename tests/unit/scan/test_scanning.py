"""A scan before anything of it runs: what its file says is checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trigger_ad.errors import UserError
from trigger_ad.scan.scanning import Scan

Write = Callable[..., Path]


@pytest.mark.parametrize("points", [{"grid": {"seed": [1, 2]}}, {"search": {"trials": 3, "space": {"seed": [1, 2]}}}])
def test_a_rate_that_the_background_cannot_support_is_refused_before_anything_runs(
    write_scan: Write, points: dict[str, Any]
) -> None:
    def scan(fpr: float) -> Scan:
        return Scan(write_scan(**points, objectives=[{"maximise": "tpr", "fpr": fpr}, {"maximise": "auc"}]))

    assert scan(0.01).false_positive_rates == [0.01]
    with pytest.raises(UserError) as error:
        scan(1e-12)
    assert error.value.what.startswith(
        "objectives: no true-positive rate where 1e-12 of the background passes: of about "
    )
    assert error.value.what.endswith(" may pass, and a threshold needs 10 to carry it")
    assert error.value.remedy == "Name a larger fpr, or give more background events"


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"seed": [1, 2], "quantization.weight": {"low": 3, "high": 5}}, "unknown key 'quantization.weight'"),
        ({"seed": {"low": 1, "high": 9}, "model.latent.first": [4]}, "unknown key 'model.latent.first'"),
        ({"seed": [1, 2], "quantization.weights": [4, 99]}, "quantization.weights: "),
        ({"quantization.weights": {"low": 3, "high": 99}}, "quantization.weights: "),
        ({"quantization.weights": {"low": 3.0, "high": 9.5}}, "quantization.weights: "),
    ],
)
def test_what_no_trial_of_a_search_could_set_is_refused_before_anything_runs(
    write_scan: Write, space: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError) as error:
        Scan(write_scan(search={"trials": 3, "space": space}))
    assert said in error.value.what


def test_a_value_that_some_combination_allows_is_not(write_scan: Write) -> None:
    # each dropout fits one of the lists of layers
    space: dict[str, Any] = {"model.dropout": [[0.1, 0.1], [0.1]], "model.hidden": [[8], [16, 8]]}
    many: dict[str, Any] = {
        f"quantization.{name}": {"low": 3, "high": 9} for name in ("weights", "biases", "activations", "latent")
    }
    many |= {"seed": [1, 2, 3], "training.epochs": [1, 2, 3, 4, 5]}
    for own in (space, space | many):
        assert Scan(write_scan(search={"trials": 3, "space": own})).listed == []
    space["model.hidden"].append([32, 16, 8])
    for own in (space, space | many):
        with pytest.raises(UserError, match="dropout: 2 rates for 3 hidden layers"):
            Scan(write_scan(search={"trials": 3, "space": own}))
