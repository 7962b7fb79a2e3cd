"""Vendors' tools that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.vendor_tools import FakeTools


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    """No vendor's tool on PATH but those that a test installs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return FakeTools(folder)
