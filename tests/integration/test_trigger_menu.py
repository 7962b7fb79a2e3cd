"""A menu of trigger rates, from the configuration into the firmware, the projects and the report, without training."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from support.runs import SIGNALS, Command, write_config

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.pipeline.convert import read_vectors
from trigger_ad.report.inputs import main_rows

RUN = Path("hls_projects/study")
MENU = Path("trigger_menu.txt")
TRIGGER: dict[str, Any] = {"trigger": {"input_rate_hz": 1000.0, "rates_hz": [100.0, 200.0, 1.0]}}


def _report() -> dict[str, Any]:
    report: dict[str, Any] = json.loads((RUN / "report.json").read_text())
    return report


def _words(stage: str, key: str) -> np.ndarray:
    with np.load(RUN / "results" / f"{stage}.npz", allow_pickle=False) as stored:
        words: np.ndarray = stored[key]
        return words


def test_a_rate_reaches_firmware_projects_and_report_without_training(study: Path, command: Command) -> None:
    write_config(Path("study.yaml"), firmware__back_ends=["vitis"], **TRIGGER)
    outcome = command("run", "study.yaml")
    assert outcome.stderr == ["convert", "emulate", "synthesize", "report"]
    assert outcome.code == 0
    validation = _words("quantize", "qat/squared_error/validation_background")
    code = int(np.sort(validation)[len(validation) - 1 - int(0.1 * len(validation))])

    accept = read_vectors(RUN / "vectors").accept
    assert accept is not None
    assert accept.code == code
    points = _report()["trigger"]["working_points"]
    assert [point["threshold_code"] is None for point in points] == [False, False, True]
    assert points[0]["threshold_code"] == code
    background = _words("emulation", "background")
    assert points[0]["achieved_rate_hz"] == 1000 * float((background > code).mean())
    assert points[0]["tpr"].keys() == set(SIGNALS)
    menu = (RUN / MENU).read_text()
    assert (RUN / "hls" / "vitis" / MENU).read_text() == menu
    assert re.search(rf"^100 0\.1 {code} 0x", menu, re.MULTILINE)
    assert f"| 100 Hz, ships | {code} |" in (RUN / "README.md").read_text()

    # without rates no file says older thresholds
    write_config(Path("study.yaml"), firmware__back_ends=["vitis"])
    assert command("convert", "study.yaml").stderr == ["convert"]
    assert not (RUN / MENU).exists()
    assert not (RUN / "hls" / "vitis" / MENU).exists()


def test_a_rate_that_the_sample_does_not_support_is_not_built(study: Path, command: Command) -> None:
    # 1.4 % of about 300 validation events
    write_config(Path("study.yaml"), trigger={"input_rate_hz": 1000.0, "rates_hz": [14.0]})
    for verb in ("check", "convert", "run"):
        outcome = command(verb, "study.yaml")
        assert outcome.code == 2
        assert "firmware.accept.rate_hz: no threshold for 14 Hz: of " in outcome.error


def test_a_rate_above_the_input_rate_is_refused(study: Path, command: Command) -> None:
    write_config(Path("study.yaml"), trigger={"input_rate_hz": 100.0, "rates_hz": [200.0]})
    outcome = command("run", "study.yaml")
    assert outcome.code == 2
    assert "study.yaml: trigger.rates_hz: 200 Hz is not below trigger.input_rate_hz, which is 100 Hz" in outcome.error


def test_the_report_compares_pairs_on_the_same_events(study: Path) -> None:
    report = _report()
    pairs = {(entry["model"], entry["reference"]) for entry in report["differences"]}
    assert pairs == {(name, "float") for name in ("float_encoded", "ptq", "qat", "firmware")} | {
        ("firmware", name) for name in BASELINE_TITLES
    }
    areas = {(row["model"], row["signal"]): row["auc"] for row in main_rows(report)}
    for entry in report["differences"]:
        expected = areas[entry["model"], entry["signal"]] - areas[entry["reference"], entry["signal"]]
        assert abs(entry["auc_difference"] - expected) < 1e-12
        assert entry["low"] <= entry["auc_difference"] <= entry["high"]
    assert report["trigger"] is None
