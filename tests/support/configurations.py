"""The shipped configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_ALL: Final = sorted((Path(__file__).resolve().parents[2] / "configs").glob("*.yaml"))

SCANS: Final = [path for path in _ALL if path.name.startswith("scan_")]
"""Those of many runs."""

CONFIGURATIONS: Final = [path for path in _ALL if path not in SCANS]
"""Those of one run."""
