"""`trigger-ad simulate`: what it prints and how it refuses; the generator itself is replaced."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from trigger_ad.cli.simulate import simulate
from trigger_ad.errors import UserError
from trigger_ad.simulation import generate, processes, published
from trigger_ad.simulation.chunks import Settings
from trigger_ad.simulation.generate import Progress, Report


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, Path, int]]:
    """What the command asks the generator for."""
    calls: list[tuple[Settings, Path, int]] = []

    def stand_in(settings: Settings, out: Path, *, jobs: int, report: Report) -> None:
        calls.append((settings, out, jobs))
        report(Progress(200, 1000, None, None))
        report(Progress(1000, 1000, 2.5, 160.0))

    monkeypatch.setattr(generate, "generate", stand_in)
    return calls


def test_options_reach_the_generator(asked: list[tuple[Settings, Path, int]], tmp_path: Path) -> None:
    out = tmp_path / "w.h5"
    options = ["--process", "w", "--events", "1000", "--seed", "7", "--jobs", "2", "--pool-events", "50"]
    result = CliRunner().invoke(simulate, [*options, "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout == f"{out}: 1,000 events of w, seed 7\n"
    assert asked == [(Settings("w", 1000, 7, 50), out, 2)]


def test_progress_is_plain_log_lines_where_there_is_no_terminal(
    asked: list[tuple[Settings, Path, int]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="trigger_ad")
    arguments = ["--process", "qcd", "--events", "1000", "--out", str(tmp_path / "qcd.h5")]
    CliRunner().invoke(simulate, arguments, catch_exceptions=False)
    assert [record.getMessage() for record in caplog.records] == [
        "simulating qcd: 1,000 of 1,000 events, 2.5 events/s, 3 min left",
    ]


def test_bad_values_are_the_users_error(tmp_path: Path) -> None:
    arguments = ["--process", "w", "--events", "0", "--out", str(tmp_path / "w.h5")]
    with pytest.raises(UserError, match="--events is 0"):
        CliRunner().invoke(simulate, arguments, catch_exceptions=False)


def test_the_help_names_every_process_and_has_an_example() -> None:
    text = " ".join(CliRunner().invoke(simulate, ["--help"]).stdout.split())
    assert all(name in text for name in ("background", *processes.PROCESSES))
    assert "Example: trigger-ad simulate --process background" in text


@pytest.mark.parametrize("option", ["--process", "--events", "--out"])
def test_what_is_needed_is_asked_for_and_the_help_says_that_check_does_without(option: str, tmp_path: Path) -> None:
    given = {"--process": "w", "--events": "10", "--out": str(tmp_path / "w.h5")}
    del given[option]
    result = CliRunner().invoke(simulate, [part for pair in given.items() for part in pair])
    assert result.exit_code == 2
    assert f"Missing option '{option}'" in result.output
    text = " ".join(CliRunner().invoke(simulate, ["--help"]).stdout.split())
    assert text.count("[required without --check]") == 3
    assert "[required]" not in text


def test_check_shows_the_comparison_and_needs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "sample_table", lambda: "| file |\n")
    result = CliRunner().invoke(simulate, ["--check"])
    assert (result.exit_code, result.output) == (0, "| file |\n")
