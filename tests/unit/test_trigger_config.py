"""The section `trigger`: rates of a menu, and the one that the firmware's threshold is set for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from trigger_ad.config import Config
from trigger_ad.config_file import load_config
from trigger_ad.errors import UserError

TRIGGER = {"input_rate_hz": 1000, "rates_hz": [100.0, 10]}


def _config(**sections: Any) -> Config:
    return Config.model_validate({"name": "menu"} | sections)


def test_without_a_menu_the_share_of_background_sets_the_threshold() -> None:
    config = _config()
    assert config.trigger is None
    assert config.accept_fpr == 0.01
    assert "trigger" not in config.model_dump()
    assert config.model_dump()["firmware"]["accept"] == {"threshold": "constant", "fpr": 0.01}


def test_the_first_rate_of_the_menu_ships() -> None:
    config = _config(trigger=TRIGGER)
    assert config.firmware.accept.rate_hz == 100.0
    assert config.accept_fpr == 0.1


def test_another_rate_ships_if_it_is_named() -> None:
    config = _config(trigger=TRIGGER, firmware={"accept": {"rate_hz": 10}})
    assert config.accept_fpr == 0.01
    assert config.model_dump()["firmware"]["accept"] == {"threshold": "constant", "rate_hz": 10.0}


def test_a_share_of_background_may_set_the_threshold_beside_a_menu() -> None:
    assert _config(trigger=TRIGGER, firmware={"accept": {"fpr": 0.03}}).accept_fpr == 0.03


def test_rates_keep_their_order() -> None:
    config = _config(trigger={"input_rate_hz": 1000.0, "rates_hz": [10, 100, 1]})
    assert config.trigger is not None
    assert config.trigger.rates_hz == (10.0, 100.0, 1.0)


@pytest.mark.parametrize("accept", [{}, {"rate_hz": 10.0}, {"fpr": 0.2}, {"threshold": "register"}])
def test_the_resolved_configuration_reads_back_as_itself(accept: dict[str, Any]) -> None:
    config = _config(trigger=TRIGGER, firmware={"accept": accept})
    assert Config.model_validate(yaml.safe_load(config.to_yaml())) == config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{rates_hz: [1]}", r"trigger\.input_rate_hz: Field required"),
        ("{input_rate_hz: 1000}", r"trigger\.rates_hz: Field required"),
        ("{input_rate_hz: 0, rates_hz: [1]}", r"trigger\.input_rate_hz: .*greater than 0, not 0"),
        ("{input_rate_hz: .inf, rates_hz: [1]}", r"trigger\.input_rate_hz: .*finite"),
        ("{input_rate_hz: fast, rates_hz: [1]}", r"trigger\.input_rate_hz: .*not 'fast'"),
        ("{input_rate_hz: 1000, rates_hz: []}", r"trigger\.rates_hz: has 0 values; give at least 1"),
        ("{input_rate_hz: 1000, rates_hz: 10}", r"trigger\.rates_hz: give a list of rates in Hz"),
        ("{input_rate_hz: 1000, rates_hz: [yes]}", r"trigger\.rates_hz\.0: .*valid number"),
        (
            "{input_rate_hz: 1000, rates_hz: [10, 2000]}",
            r"rates_hz: 2000 Hz is not below trigger\.input_rate_hz.*1000 Hz",
        ),
        (
            "{input_rate_hz: 1000, rates_hz: [1000]}",
            r"rates_hz: 1000 Hz is not below .*: one of the two is wrong\. Correct the key; docs",
        ),
        ("{input_rate_hz: 1000, rates_hz: [.inf]}", r"rates_hz: inf Hz is not below"),
        ("{input_rate_hz: 1000, rates_hz: [.nan]}", r"rates_hz: nan Hz is no rate above 0"),
        ("{input_rate_hz: 1000, rates_hz: [-1]}", r"rates_hz: -1 Hz is no rate above 0"),
        ("{input_rate_hz: 1000, rates_hz: [10, 10.0]}", r"rates_hz: 10 Hz is named twice"),
        ("{input_rate_hz: 1000, rates_hz: [10], rate: 1}", r"unknown key 'trigger\.rate'"),
        ("sample", r"trigger: Input should be .*"),
    ],
)
def test_what_is_no_menu_is_refused_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "menu.yaml"
    path.write_text(f"name: menu\ntrigger: {text}\n", encoding="utf-8")
    with pytest.raises(UserError, match=said):
        load_config(path)


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"firmware": {"accept": {"rate_hz": 10}}}, r"accept\.rate_hz: 10 Hz is a share of trigger\.input_rate_hz"),
        (
            {"trigger": TRIGGER, "firmware": {"accept": {"rate_hz": 20}}},
            r"accept\.rate_hz: 20 Hz is none of trigger\.rates_hz \(100, 10\)",
        ),
        (
            {"trigger": TRIGGER, "firmware": {"accept": {"rate_hz": 10, "fpr": 0.01}}},
            r"fpr \(0\.01\) and rate_hz \(10\) both set the threshold",
        ),
        ({"trigger": TRIGGER, "own_model": {"file": "model.h5"}}, r"trigger: a model of one's own has no background"),
    ],
)
def test_what_contradicts_itself_is_refused(sections: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _config(**sections)
