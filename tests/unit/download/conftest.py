from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.downloads import CONTENT
from support.record_server import RecordServer, forget_environment, running_server

from trigger_ad.download.patience import Patience
from trigger_ad.download.records import RemoteFile
from trigger_ad.download.web import Web


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_environment(monkeypatch)


@pytest.fixture
def server() -> Iterator[RecordServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """How many seconds were waited for, without anybody waiting."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    """No jitter, a clock that stands at 2021-07-05 12:00:00 GMT, and waits that are only noted."""
    return Patience(attempts=4, sleep=waits.append, now=lambda: 1_625_486_400.0, draw=lambda: 0.5)


@pytest.fixture
def web(server: RecordServer, patience: Patience) -> Iterator[Web]:
    """Asks the local server in place of zenodo.org."""
    with Web(patience, server.url) as opened:
        yield opened


@pytest.fixture
def file(server: RecordServer) -> RemoteFile:
    """A file that the server has, as its record describes it."""
    return server.publish(7, "events.h5", CONTENT)


@pytest.fixture
def final(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "events.h5"
