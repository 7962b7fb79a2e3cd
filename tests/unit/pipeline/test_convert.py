"""Test vectors: corner cases first, then every test event, each stretch named."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.pipeline.convert import Segment, read_vectors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "input_words.npy", np.arange(12).reshape(4, 3))
    np.save(tmp_path / "expected_words.npy", np.arange(4).reshape(4, 1))
    segments = [
        {"name": "all zero", "kind": "corner", "start": 0, "stop": 1},
        {"name": "background", "kind": "events", "start": 1, "stop": 4},
    ]
    (tmp_path / "index.json").write_text(json.dumps({"segments": segments}))
    return tmp_path


def test_vectors_are_read_with_what_each_stretch_is(folder: Path) -> None:
    vectors = read_vectors(folder)
    words, expected, segments = vectors.words, vectors.expected, vectors.segments
    np.testing.assert_array_equal(words, np.arange(12).reshape(4, 3))
    np.testing.assert_array_equal(expected, np.arange(4).reshape(4, 1))
    assert segments == [Segment("all zero", "corner", 0, 1), Segment("background", "events", 1, 4)]


@pytest.mark.parametrize("accept", [Accept("constant", 7, 0.01), Accept("register", -3), None])
def test_the_threshold_is_read_with_them(folder: Path, accept: Accept | None) -> None:
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | {"accept": asdict(accept) if accept else None}))
    assert read_vectors(folder).accept == accept


def test_vectors_of_an_earlier_version_have_no_threshold(folder: Path) -> None:
    assert read_vectors(folder).accept is None


@pytest.mark.parametrize("name", ["input_words.npy", "expected_words.npy", "index.json"])
def test_damaged_vectors_are_one_clear_error(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"not what it was")
    with pytest.raises(UserError) as error:
        read_vectors(folder)
    assert str(folder) in error.value.what
    assert error.value.remedy.startswith("Delete it")


def test_objects_are_never_unpickled(folder: Path) -> None:
    np.save(folder / "input_words.npy", np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="is damaged"):
        read_vectors(folder)
