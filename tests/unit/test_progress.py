"""Progress of long work: a bar on a terminal, log lines elsewhere, nothing on standard output."""

from __future__ import annotations

import logging
import time

import pytest

from trigger_ad.progress import progress, silenced


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test may set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_away_from_a_terminal_a_line_is_logged_now_and_then(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], clock: list[float]
) -> None:
    caplog.set_level(logging.INFO)
    with progress("float fit", 100, "epochs") as advance:
        for done in range(1, 101):
            clock[0] += 1
            advance(done, f"loss {done}")
    expected = [*range(11, 100, 11), 100]
    assert caplog.messages == [f"float fit: {done} of 100 epochs, loss {done}" for done in expected]
    assert capsys.readouterr() == ("", "")


def test_the_last_step_is_always_logged(caplog: pytest.LogCaptureFixture, clock: list[float]) -> None:
    caplog.set_level(logging.INFO)
    with progress("fit", 2, "epochs") as advance:
        advance(1, "")
        advance(2, "done")
    assert caplog.messages == ["fit: 2 of 2 epochs, done"]


def test_a_terminal_shows_title_steps_and_note_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with progress("float fit", 5, "epochs") as advance:
        advance(5, "loss 0.5, 1,000 events/s")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "float fit" in shown.err
    assert "5/5" in shown.err
    assert "loss 0.5, 1,000 events/s" in shown.err
    assert caplog.messages == []


def test_an_error_ends_the_display_and_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    for _ in range(2):
        with pytest.raises(KeyError), progress("fit", 5, "epochs"):
            raise KeyError("from the work")


def test_silenced_progress_says_nothing(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.INFO, "trigger_ad")
    with silenced(), progress("work", 1, "steps") as advance:
        advance(1, "done")
    assert caplog.messages == []
    assert capfd.readouterr() == ("", "")
