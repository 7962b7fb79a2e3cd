"""What every test stands on: a cache that is nobody else's, and logging as it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.vendor_tools import FakeTools

from trigger_ad.events.cache import ENVIRONMENT

# how long an example takes says what else the machine does
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of `make fuzz`; without them, a few random networks are drawn, always the same ones."""
    group = parser.getgroup("random networks")
    group.addoption("--networks", type=int, metavar="N", help="how many random networks are drawn")
    group.addoption("--seed", type=int, default=1, metavar="S", help="the first seed that they are drawn from")


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cache of the whole session and of the processes that it starts: never the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT, str(folder))
        yield folder


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of one test's own, not yet made."""
    folder = tmp_path / "cache of one test"
    monkeypatch.setenv(ENVIRONMENT, str(folder))
    return folder


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    """No vendor's tool on PATH but those that a test installs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return FakeTools(folder)


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """The command line sets up logging for a whole process, also where a fixture of a whole module calls it."""
    logger = logging.getLogger("trigger_ad")
    logger.handlers, logger.level, logger.propagate = [], logging.NOTSET, True
    yield
    logger.handlers, logger.level, logger.propagate = [], logging.NOTSET, True
