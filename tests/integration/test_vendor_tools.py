"""Vendors' tools in a whole run: their figures reach the report, and stale ones do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support.runs import Command
from support.vendor_tools import FakeTools, good_reports

pytest.importorskip("tkinter")

RUN = Path("hls_projects/study")
PROJECT = RUN / "hls" / "vitis"
SYNTHESIZE = ("synthesize", "study.yaml", "--flow", "hls_vitis")


@pytest.fixture
def installed(tools: FakeTools) -> FakeTools:
    for name in ("vitis_hls", "vivado"):
        tools.install(name, leaves=good_reports("trigger_ad_study"))
    return tools


def test_figures_of_vendors_tools_reach_the_report_and_run_starts_none(
    study: Path, command: Command, installed: FakeTools
) -> None:
    outcome = command(*SYNTHESIZE, "--json")
    assert outcome.code == 0
    entries = [entry for entry in json.loads(outcome.stdout)["hardware"] if entry["flow"] == "hls_vitis"]
    digest = json.loads((RUN / "report.json").read_text())["network_digest"]
    assert [(entry["source"], entry["step"], entry["digest"]) for entry in entries] == [
        ("csynth", "csynth", digest),
        ("vivado", "synth", digest),
        ("vivado", "implement", digest),
    ]
    assert command("run", "study.yaml").code == 0
    report = json.loads((RUN / "report.json").read_text())
    assert [entry for entry in report["hardware"] if entry["flow"] == "hls_vitis"] == entries
    assert installed.steps("vitis_hls") == ["csynth"]
    header = PROJECT / "firmware" / "trigger_ad_study.h"
    header.write_text(header.read_text() + "// changed by hand\n")
    assert "csynth.xml is stale: it is of other sources than the project's" in command("report", str(RUN)).error


def test_a_tool_that_fails_ends_with_two_and_keeps_the_results(
    study: Path, command: Command, installed: FakeTools
) -> None:
    assert command(*SYNTHESIZE, "--steps", "csynth").code == 0
    before = (RUN / "results" / "hardware.json").read_bytes()
    said = "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xcvu9p'."
    installed.install("vivado", prints=[said], status=1)
    outcome = command(*SYNTHESIZE)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr[-1].startswith(f"trigger-ad: vivado 2024.2 failed in synth of {PROJECT}: {said}")
    assert "logs/synth.log" in outcome.stderr[-1]
    assert (RUN / "results" / "hardware.json").read_bytes() == before


def test_without_a_vendors_tool_it_is_said_in_one_line(study: Path, command: Command, tools: FakeTools) -> None:
    outcome = command("synthesize", "study.yaml")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr[-1].startswith(f"trigger-ad: no vendor's tool is installed that can work on {RUN}")


def test_a_project_that_is_made_anew_is_kept_with_its_reports(
    study: Path, command: Command, installed: FakeTools
) -> None:
    assert command(*SYNTHESIZE).code == 0
    settings = yaml.safe_load(Path("study.yaml").read_text())
    settings["firmware"] = settings.get("firmware", {}) | {"clock_ns": 4.0}
    Path("study.yaml").write_text(yaml.safe_dump(settings))
    assert command("convert", "study.yaml").code == 0
    previous = RUN / "hls" / "vitis.previous"
    assert json.loads((previous / "stamps" / "implement.json").read_text())["clock_ns"] == 5.0
    assert not (PROJECT / "stamps").exists()
