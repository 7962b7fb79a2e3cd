"""`trigger-ad inspect`: what it prints and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support.events import make_particles, write_events

from trigger_ad.cli.inspect import inspect
from trigger_ad.errors import UserError
from trigger_ad.events.inspection import inspect_file
from trigger_ad.events.layout import CLASS_OF_SLOT, ETA, JETS, PT


def test_a_sound_file(tmp_path: Path) -> None:
    particles = make_particles(1234)
    path = write_events(tmp_path / "events[1].h5", particles, group_id=np.arange(1234) // 2)
    result = CliRunner().invoke(inspect, [str(path)], catch_exceptions=False)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert result.stderr == ""
    assert lines[0] == "events[1].h5: sound"
    assert "events 1,234" in lines
    assert "stored as float64, gzip" in lines
    assert "groups (GroupId) 617" in lines
    assert any(line.startswith("electron 1,") for line in lines)
    met = particles[:, 0, PT]
    numbers = [met.min(), *np.quantile(met, (0.25, 0.5, 0.75)), met.max()]
    assert "MET pt " + " ".join(f"{number:.4g}" for number in numbers) in lines
    assert "Oddities" not in result.stdout


def test_output_that_is_not_a_terminal_is_plain_text(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(20))
    result = CliRunner().invoke(inspect, [str(path)], catch_exceptions=False)
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout


def test_wide_tables_are_not_cut_where_there_is_no_terminal(tmp_path: Path) -> None:
    particles = make_particles(3000)
    particles[0, JETS, PT] = np.arange(90, 40, -5)
    particles[0, :, 3] = CLASS_OF_SLOT
    path = write_events(tmp_path / "events.h5", particles)
    result = CliRunner().invoke(inspect, [str(path)], catch_exceptions=False, env={"COLUMNS": "40"})
    assert "0.00033  " * 7 + "0.00033" in result.stdout


def test_oddities_are_listed_whole_and_the_exit_code_stays_zero(tmp_path: Path) -> None:
    particles = make_particles(20)
    particles[[4, 7], 0, ETA] = 1.0
    path = write_events(tmp_path / "odd.h5", particles, names=None)
    result = CliRunner().invoke(inspect, [str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.startswith("odd.h5: sound with oddities\n")
    for oddity in inspect_file(path).oddities:
        where = "the file" if oddity.first_event is None else f"{oddity.count} events, first {oddity.first_event}"
        assert f"  {oddity.name} ({where}): {oddity.explanation}\n" in result.stdout


def test_an_empty_file(tmp_path: Path) -> None:
    path = write_events(tmp_path / "empty.h5", make_particles(0), compression=None)
    result = CliRunner().invoke(inspect, [str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.startswith("empty.h5: empty\n")


def test_json(tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.h5", make_particles(20))
    result = CliRunner().invoke(inspect, ["--json", str(path)], catch_exceptions=False)
    assert json.loads(result.stdout) == json.loads(json.dumps(inspect_file(path).to_json()))


def test_a_file_that_cannot_be_used_prints_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(inspect, [str(tmp_path / "missing.h5")])
    assert isinstance(result.exception, UserError)
    assert result.stdout == ""


def test_help_has_an_example() -> None:
    result = CliRunner().invoke(inspect, ["--help"])
    assert result.exit_code == 0
    assert "\n    trigger-ad inspect background_for_training.h5\n" in result.stdout


@pytest.mark.parametrize("module", ["numpy", "h5py", "rich"])
def test_help_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, trigger_ad.cli.inspect; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
