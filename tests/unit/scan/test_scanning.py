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
