"""`trigger-ad synthesize`: what it takes, and that it shows what the reports say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner
from support.report import make_emulator, make_report

from trigger_ad.cli import synthesize as module
from trigger_ad.cli.synthesize import synthesize
from trigger_ad.config import Config
from trigger_ad.errors import CheckFailed
from trigger_ad.pipeline import check, target, vendor_tools
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory, read_json, write_json
from trigger_ad.synthesis.hardware import Flow
from trigger_ad.synthesis.projects import STEPS


def _emulation(**emulators: dict[str, Any]) -> dict[str, Any]:
    agreement: dict[str, Any] = make_report()["agreement"]
    return agreement | {"emulators": agreement["emulators"] | emulators}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """What was asked for, of a run whose stages are up to date and whose tools do nothing."""
    run = Run(Config(name="small"), RunDirectory(tmp_path))
    calls: list[tuple[Any, Any]] = []
    report = make_report()
    results = {key: report[key] for key in ("hardware", "measuring_commands")}
    write_json(run.directory.results("hardware"), results | {"budget": []})
    write_json(run.directory.results("emulation"), _emulation())
    monkeypatch.setattr(target, "open_run", lambda path: run)
    monkeypatch.setattr(target, "bring_up_to_date", lambda run, stage, **given: [])
    monkeypatch.setattr(check, "check_run", lambda run: [])
    monkeypatch.setattr(vendor_tools, "planned_steps", lambda run, steps, flows: calls.append((steps, flows)))
    monkeypatch.setattr(vendor_tools, "run_vendor_tools", lambda run, planned: None)
    return calls


def test_steps_are_done_in_their_order_whatever_order_they_are_named_in(asked: list[tuple[Any, Any]]) -> None:
    result = CliRunner().invoke(
        synthesize, ["any", "--steps", "cosim, csynth", "--flow", "rtl", "--flow", "hls_vitis"], catch_exceptions=False
    )
    assert result.exit_code == 0
    assert asked == [(("csynth", "cosim"), ("rtl", "hls_vitis"))]


def test_the_table_of_hardware_is_shown(asked: list[tuple[Any, Any]]) -> None:
    result = CliRunner().invoke(synthesize, ["any"], catch_exceptions=False)
    assert "Latency and resources" in result.stdout
    assert asked == [(None, None)]


def test_as_json_it_is_the_results(asked: list[tuple[Any, Any]]) -> None:
    result = CliRunner().invoke(synthesize, ["any", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout)["hardware"] == make_report()["hardware"]


def test_a_measured_figure_over_its_budget_ends_it_with_what_to_change(
    asked: list[tuple[Any, Any]], tmp_path: Path
) -> None:
    line = {"flow": "rtl", "figure": "lut", "limit": 4000, "asked": None, "value": 4190, "source": "yosys"}
    line |= {"step": None, "clock_ns": None, "clock_status": None, "estimated": False}
    path = RunDirectory(tmp_path).results("hardware")
    write_json(path, read_json(path) | {"budget": [line | {"within": False, "remedy": "fewer bits"}]})
    result = CliRunner().invoke(synthesize, ["any"])
    assert isinstance(result.exception, CheckFailed)
    assert str(result.exception) == "RTL: LUT 4,190 (yosys), over the budget of 4,000; fewer bits"
    assert "Budget" in result.stdout


@pytest.mark.parametrize("as_json", [True, False])
def test_a_project_that_does_not_agree_ends_it_after_its_figures_are_shown_as_such(
    asked: list[tuple[Any, Any]], tmp_path: Path, as_json: bool
) -> None:
    wrong = make_emulator(exact=False, mismatches=34_430, first_layer="score")
    write_json(RunDirectory(tmp_path).results("emulation"), _emulation(hls_vitis=wrong))
    result = CliRunner().invoke(synthesize, ["any", *(["--json"] if as_json else [])])
    assert isinstance(result.exception, CheckFailed)
    assert "hls_vitis differs from the reference, first in layer 'score'" in str(result.exception)
    if as_json:
        shown = json.loads(result.stdout)["agreement"]["emulators"]
        assert (shown["hls_vitis"]["exact"], shown["hls_vivado"]["exact"]) == (False, True)
    else:
        assert "DIFFER in 34,430 of 12,666 vectors" in result.stdout
        assert "are those of a project that does not agree with the reference" in " ".join(result.stdout.split())


def test_an_emulator_that_is_told_for_information_ends_nothing(asked: list[tuple[Any, Any]]) -> None:
    assert not make_report()["agreement"]["emulators"]["keras_float32"]["exact"]
    assert CliRunner().invoke(synthesize, ["any"], catch_exceptions=False).exit_code == 0


def test_an_unknown_step_is_refused() -> None:
    result = CliRunner().invoke(synthesize, ["any", "--steps", "csynth,vsynth"])
    assert result.exit_code == 2
    assert "'vsynth' is none of csynth, cosim, synth, implement" in result.output


def test_the_command_knows_every_step_and_project() -> None:
    assert module.STEPS == STEPS
    assert get_args(Flow) == module.FLOWS
