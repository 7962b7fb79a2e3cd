"""What goes with a library: a licence, vectors as text, and sources that are Python and name what they must."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.runs import encoding_of, small_config, small_network

from trigger_ad.native.package import PackagedVectors, package_files, vectors_text
from trigger_ad.native.source import LibraryNames, library_source

ROOT = Path(__file__).resolve().parents[3]
NETWORK = small_network()
VECTORS = PackagedVectors(np.arange(12).reshape(2, 6), np.array([[-7], [8]]), 1, 1, 2)
PORT = SimpleNamespace(name="pt", width=8, signed=False, low=0, high=255, unit="0.5 GeV")
HANDOVER: dict[str, Any] = {"ports": [PORT], "classes": [SimpleNamespace(name="jet", count=2)], "thresholds": []}


def _files(name: str = "small", version: str = "1") -> dict[str, str]:
    source = library_source(NETWORK, encoding_of(small_config(NETWORK)), LibraryNames(name, version))
    return package_files(source, NETWORK.type("score"), VECTORS, HANDOVER)


def test_the_licence_is_the_projects() -> None:
    assert _files()["LICENSE"] == (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_vectors_are_lines_of_words_and_scores_after_their_numbers() -> None:
    assert vectors_text(VECTORS) == "2 6 1\n0 1 2 3 4 5 -7\n6 7 8 9 10 11 8\n"


def test_the_loader_is_python_of_its_own() -> None:
    text = _files()["loader.py"]
    compile(text, "loader.py", "exec")
    assert "import trigger_ad" not in text
    assert "from trigger_ad" not in text


@pytest.mark.parametrize("name", ["Makefile", "test.cpp", "loader.py", "cms_adaptor.cpp", "README.md"])
def test_every_name_carries_name_and_version(name: str) -> None:
    text = _files("my-net", "2.1")[name]
    assert "trigger_ad_my_net_v2_1" in text
    assert "trigger_ad_small" not in text


def test_nothing_else_is_needed() -> None:
    """No source but the adaptor's includes anything that is neither standard C++ nor in the folder."""
    files = _files()
    standard = {"cms_adaptor.h": {'"hls4ml/emulator.h"', '"emulator.h"'}}
    for name, text in files.items():
        if name.endswith((".cpp", ".h")):
            quoted = {line.split()[1] for line in text.splitlines() if line.startswith('#include "')}
            assert {item.strip('"') for item in quoted - standard.get(name, set())} <= set(files)
