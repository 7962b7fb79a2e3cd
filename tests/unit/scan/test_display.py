"""What is shown of a scan while it runs."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from trigger_ad.config import ScanConfig
from trigger_ad.scan import display as module
from trigger_ad.scan.points import Points, listed_points
from trigger_ad.scan.schedule import Entry


@pytest.fixture
def left(
    read_scan: Callable[..., tuple[ScanConfig, Points]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[str]], str]:
    """The time left 60 s after the start of a scan of five points, by what became of those that have begun."""
    points = listed_points(*read_scan(grid={"seed": [1, 2, 3, 4, 5]}))
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 160.0))

    def of(fates: list[str]) -> str:
        entries = {}
        for point, fate in zip(points, fates, strict=False):
            state: Any = "done" if fate == "done before" else fate
            entries[point.name] = Entry(point, state, ran=["train"] if fate == "done" else [])
        schedule: Any = SimpleNamespace(entries=entries, total=len(points))
        return module._left(schedule, 100.0)

    return of


@pytest.mark.parametrize(
    ("fates", "said"),
    [
        ([], "not known yet"),
        (["running"], "not known yet"),
        (["done"], "0:04:00"),
        (["done", "failed", "running"], "0:01:30"),
        # what was done before a restart took no time of this one
        (["done before", "done before"], "not known yet"),
        (["done before", "done before", "done", "running"], "0:02:00"),
        (["done before"] * 5, "0:00:00"),
    ],
)
def test_the_time_left_is_by_the_points_that_ran(left: Callable[[list[str]], str], fates: list[str], said: str) -> None:
    assert left(fates) == said
