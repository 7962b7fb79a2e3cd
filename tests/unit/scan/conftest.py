"""A scan file with its base configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from trigger_ad.config import ScanConfig
from trigger_ad.config_file import load_scan
from trigger_ad.scan.points import Points

BASE: dict[str, Any] = {
    "name": "base",
    "model": {"hidden": [8], "latent": 2},
    "quantization": {"qat": {"epochs": 3}},
    "budget": {"lut": 4000},
}


@pytest.fixture
def write_scan(tmp_path: Path) -> Callable[..., Path]:
    """Writes a scan file and its base configuration; keys as in the file, None to leave one out."""

    def write(base: dict[str, Any] = BASE, **changes: Any) -> Path:
        (tmp_path / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
        scan: dict[str, Any] = {"name": "scan", "base": "base.yaml", "objectives": [{"maximise": "auc"}]}
        scan |= changes or {"grid": {"quantization.weights": [4, 6]}}
        path = tmp_path / "scan.yaml"
        path.write_text(
            yaml.safe_dump({key: value for key, value in scan.items() if value is not None}, sort_keys=False)
        )
        return path

    return write


@pytest.fixture
def read_scan(write_scan: Callable[..., Path]) -> Callable[..., tuple[ScanConfig, Points]]:
    """Writes and reads one."""

    def read(**changes: Any) -> tuple[ScanConfig, Points]:
        path = write_scan(**changes)
        scan = load_scan(path)
        return scan, Points(path, scan)

    return read
