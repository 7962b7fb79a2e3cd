"""The text file of thresholds: comments that say what its words are, and a line for each working point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.runs import Types, small_config, small_network

from trigger_ad.config import Config
from trigger_ad.evaluation.trigger_rates import RatePoint, rate_points
from trigger_ad.firmware.trigger_menu import COLUMNS, menu_text
from trigger_ad.network.digest import network_digest

NETWORK = small_network(Types())


def _config(**accept: Any) -> Config:
    plain = small_config(NETWORK).model_dump(mode="json")
    trigger = {"input_rate_hz": 1e6, "rates_hz": [1e5, 2e4, 1.0]}
    return Config.model_validate(plain | {"trigger": trigger, "firmware": {"accept": accept}})


def _points() -> list[RatePoint]:
    words = np.arange(1000)
    return rate_points(1e6, [1e5, 2e4, 1.0], words, words, {}, NETWORK.type(NETWORK.output.name))


def test_a_program_reads_a_line_for_each_supported_working_point() -> None:
    lines = [line.split() for line in menu_text(_config(), NETWORK, _points()).splitlines() if line[0] != "#"]
    rows = [dict(zip(COLUMNS, line, strict=True)) for line in lines]
    assert [(row["rate_hz"], row["fpr_target"], row["threshold_code"]) for row in rows] == [
        ("100000", "0.1", "899"),
        ("20000", "0.02", "979"),
    ]
    assert [int(row["threshold_hex"], 16) for row in rows] == [899, 979]
    assert [float(row["achieved_rate_hz"]) for row in rows] == [1e5, 2e4]
    assert all(float(row["low_hz"]) < float(row["achieved_rate_hz"]) < float(row["high_hz"]) for row in rows)


def test_its_comments_say_what_is_compared_with_what() -> None:
    text = menu_text(_config(), NETWORK, _points())
    kind = NETWORK.type(NETWORK.output.name)
    assert f"# network digest {network_digest(NETWORK)}\n" in text
    assert f"# score word {kind}: {kind.width} bits, unsigned, one unit is worth {kind.lsb:g}\n" in text
    assert "# rule: accept = score word > threshold code\n" in text
    assert "# input rate 1000000 Hz" in text
    assert "as the configuration assumes it: no sample says it\n" in text
    assert "before overlap with other triggers" in text
    assert "# 1 Hz is not supported: of 1000 validation background events 0 may pass" in text
    assert text.splitlines()[8] == "# " + " ".join(COLUMNS)


@pytest.mark.parametrize(
    ("accept", "said"),
    [
        ({}, "the firmware is built for 100000 Hz"),
        ({"rate_hz": 2e4}, "the firmware is built for 20000 Hz"),
        ({"threshold": "register"}, "test benches set the register for 100000 Hz"),
        (
            {"fpr": 0.5},
            "the firmware is built for a false-positive rate of 0.5, which is no working point",
        ),
    ],
)
def test_it_says_which_threshold_the_firmware_has(accept: dict[str, Any], said: str) -> None:
    assert f"# {said}" in menu_text(_config(**accept), NETWORK, _points())


def test_a_negative_code_is_written_as_the_word_that_the_port_takes() -> None:
    point = RatePoint(1e5, 0.1, 10, 100, None, -169, -1.3, 0.1, 0.05, 0.2, 10, 100, 1e5, 5e4, 2e5, {})
    kind = NETWORK.type(NETWORK.output.name)
    line = menu_text(_config(), NETWORK, [point]).splitlines()[-1].split()
    assert line[2:4] == ["-169", f"0x{2**kind.width - 169:x}"]
