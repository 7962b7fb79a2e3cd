"""When something that failed is tried again."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_ad.download.patience import Attempts, Patience, TemporaryFailure
from trigger_ad.errors import UserError


def test_the_wait_doubles_up_to_a_limit() -> None:
    patience = Patience(first_wait=1.0, longest_wait=10.0, draw=lambda: 0.5)
    assert [patience.wait_after(failures, None) for failures in range(1, 7)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_jitter_is_between_half_and_one_and_a_half() -> None:
    assert Patience(draw=lambda: 0.0).wait_after(3, None) == 2.0
    assert Patience(draw=lambda: 1.0).wait_after(3, None) == 6.0


def test_no_wait_is_shorter_than_the_server_asks_for() -> None:
    patience = Patience(draw=lambda: 0.5)
    assert patience.wait_after(1, 30.0) == 30.0
    assert patience.wait_after(4, 3.0) == 8.0
    assert patience.wait_after(1, 0.0) == 1.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Mon, 05 Jul 2021 12:01:30 GMT", 90.0),
        ("Monday, 05-Jul-21 12:01:30 GMT", 90.0),
        ("Mon Jul  5 12:01:30 2021", 90.0),
        ("Mon, 05 Jul 2021 14:01:30 +0200", 90.0),
        ("Mon, 05 Jul 2021 11:59:00 GMT", 0.0),
        ("Mon, 05 Jul 99999999999999999999 12:00:00 GMT", None),
    ],
)
def test_the_server_may_give_seconds_or_a_date(patience: Patience, header: str | None, seconds: float | None) -> None:
    assert patience.seconds_asked_for(header) == seconds


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
def test_a_date_that_names_no_zone_is_in_gmt(patience: Patience) -> None:
    assert patience.seconds_asked_for("Mon Jul  5 12:01:30 2021") == 90.0


@given(st.text())
def test_no_header_is_so_odd_that_it_ends_a_download(header: str) -> None:
    seconds = Patience().seconds_asked_for(header)
    assert seconds is None or seconds >= 0


def test_after_each_failure_there_is_a_wait_and_a_line(
    patience: Patience, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    attempts = Attempts(patience, "the file", "Try later")
    attempts.failed(TemporaryFailure("it broke"))
    attempts.failed(TemporaryFailure("it is busy", retry_after=7.0))
    assert waits == [1.0, 7.0]
    assert caplog.messages == [
        "the file: it broke; trying again in 1 s",
        "the file: it is busy; trying again in 7 s",
    ]


def test_it_is_given_up_after_a_number_of_failures_in_a_row(patience: Patience, waits: list[float]) -> None:
    attempts = Attempts(patience, "the file", "Try later")
    for _ in range(3):
        attempts.failed(TemporaryFailure("it broke"))
    with pytest.raises(UserError) as caught:
        attempts.failed(TemporaryFailure("it broke"))
    assert (caught.value.what, caught.value.remedy) == ("the file: it broke (4 attempts in a row failed)", "Try later")
    assert waits == [1.0, 2.0, 4.0]


def test_counting_starts_again_when_something_came_through(patience: Patience, waits: list[float]) -> None:
    attempts = Attempts(patience, "the file", "Try later")
    for _ in range(5):
        attempts.failed(TemporaryFailure("it broke"))
        attempts.failed(TemporaryFailure("it broke"))
        attempts.reset()
    assert waits == [1.0, 2.0] * 5


def test_nobody_is_made_to_wait_for_an_hour(patience: Patience, waits: list[float]) -> None:
    attempts = Attempts(patience, "the file", "Run the command again")
    with pytest.raises(UserError) as caught:
        attempts.failed(TemporaryFailure("the server answers 429", retry_after=3600.0))
    assert caught.value.what == "the file: the server answers 429, and asks to wait 3600 s"
    assert caught.value.remedy == "After that: Run the command again"
    assert waits == []
