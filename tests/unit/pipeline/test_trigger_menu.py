"""A run's menu is made of the reference's score words; a rate that too few events carry never becomes firmware."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.runs import small_config, small_network

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.pipeline.accept import accept_of
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.trigger_menu import (
    menu_file,
    menu_of,
    require_carried,
    require_enough_events,
    trigger_section,
)
from trigger_ad.run_directory import RunDirectory

NETWORK = small_network()
WORDS = np.arange(1000)


def _run(folder: Path, accept: dict[str, Any] | None = None, **trigger: Any) -> Run:
    """A run whose validation and test background have the score words 0 to 999."""
    plain = small_config(NETWORK).model_dump(mode="json") | {"firmware": {"accept": accept or {}}}
    run = Run(Config.model_validate(plain | ({"trigger": trigger} if trigger else {})), RunDirectory(folder))
    path = run.directory.arrays("quantize")
    path.parent.mkdir(parents=True)
    key = f"{run.config.quantization.ship}/{run.config.score}"
    np.savez(path, allow_pickle=False, **{f"{key}/{name}": WORDS for name in ("validation_background", "background")})
    part = SimpleNamespace(group_id=None)
    run.__dict__["dataset"] = SimpleNamespace(background={"test": part}, signals={"a": {"test": part}})
    return run


def test_a_run_without_an_input_rate_has_no_menu(tmp_path: Path) -> None:
    run = _run(tmp_path)
    assert menu_of(run, NETWORK) is None
    assert menu_file(run) == []
    assert trigger_section(run.config, run.dataset, NETWORK, WORDS, WORDS, {}) is None
    require_carried(run, NETWORK)
    require_enough_events(run, 10)


def test_the_first_rate_sets_the_threshold_of_the_firmware_and_stands_in_the_menu(tmp_path: Path) -> None:
    run = _run(tmp_path, input_rate_hz=2000.0, rates_hz=[40.0, 200.0])
    accept = accept_of(run, np.zeros((3, 1), dtype=np.int64))
    assert accept is not None
    # 2 % of 1000 events
    assert (accept.code, accept.share) == (979, 0.02)
    menu = menu_of(run, NETWORK)
    assert menu is not None
    assert "\n40 0.02 979 " in menu
    assert "\n200 0.1 899 " in menu


def test_the_report_has_the_same_codes_with_what_they_accept(tmp_path: Path) -> None:
    run = _run(tmp_path, accept={"rate_hz": 200.0}, input_rate_hz=2000.0, rates_hz=[40.0, 200.0, 1.0])
    found = trigger_section(run.config, run.dataset, NETWORK, WORDS, WORDS, {"a": WORDS + 100})
    assert found is not None
    assert (found["input_rate_hz"], found["ships_rate_hz"]) == (2000.0, 200.0)
    points = found["working_points"]
    assert [point["threshold_code"] for point in points] == [979, 899, None]
    assert [point["tpr"] and point["tpr"]["a"]["tpr"] for point in points] == [0.12, 0.2, None]
    assert set(found["curve"]) == {"threshold_code", "rate_hz", "low", "high"}


def test_a_rate_that_too_few_events_carry_is_not_built(tmp_path: Path) -> None:
    run = _run(tmp_path, input_rate_hz=2000.0, rates_hz=[10.0, 40.0])
    with pytest.raises(UserError, match=r"firmware\.accept\.rate_hz: no threshold for 10 Hz: of 1000 .* 5 may"):
        require_carried(run, NETWORK)
    other = _run(tmp_path / "other", accept={"rate_hz": 40.0}, input_rate_hz=2000.0, rates_hz=[10.0, 40.0])
    require_carried(other, NETWORK)


def test_a_rate_that_no_chance_could_support_is_refused_by_the_number_of_events_alone(tmp_path: Path) -> None:
    run = _run(tmp_path, input_rate_hz=2000.0, rates_hz=[10.0])
    with pytest.raises(
        UserError, match=r"no threshold for 10 Hz: of about 1000 validation background events about 5 may pass"
    ) as caught:
        require_enough_events(run, 5000)
    assert "Name a larger rate of trigger.rates_hz" in caught.value.remedy
    # 9 are expected, and 10 may be
    require_enough_events(run, 9000)
