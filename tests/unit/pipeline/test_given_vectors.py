"""Vectors of a user's own: codes as they are, values rounded and saturated, and everything else refused by its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.events import make_particles, write_events

from trigger_ad.config import CodesConfig, Config, FirmwareConfig, OwnModelConfig
from trigger_ad.errors import UserError
from trigger_ad.events.sample import sample_paths
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Input
from trigger_ad.pipeline.convert import CONVERT, Segment, read_layer_vectors, read_vectors, shipped_network
from trigger_ad.pipeline.given_vectors import _event_words, given_vectors, require_suitable
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory, write_json

PLAIN = Config(
    name="mine",
    own_model=OwnModelConfig(file="model.h5", codes=CodesConfig(type="fixed<6,4>", count=4)),
    firmware=FirmwareConfig(back_ends=("vitis",)),
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A converted run of four plain inputs, without its projects."""
    run = Run(PLAIN, RunDirectory(tmp_path / "run"))
    kind = run.encoding.network_type
    kernel = Constant(np.array([[1], [2], [-1], [1]]), kind)
    write_json(run.network_file, Network((Input("in", (4,), kind), Dense("sum", "in", kernel, None))).to_json())
    folder = run.directory.vectors
    folder.mkdir(parents=True)
    np.save(folder / "input_words.npy", np.zeros((3, 4), dtype=np.int8))
    np.save(folder / "expected_words.npy", np.zeros((3, 1), dtype=np.int64))
    segments = [Segment("all zero", "corner", 0, 2), Segment("background", "events", 2, 3)]
    write_json(folder / "index.json", {"segments": [vars(segment) for segment in segments]})
    return run


def saved(folder: Path, array: Any) -> Path:
    path = folder / "given.npy"
    np.save(path, array)
    return path


def test_codes_follow_the_corner_vectors_in_place_of_the_test_events(run: Run, tmp_path: Path) -> None:
    given = given_vectors(run, None, saved(tmp_path, np.array([[1, 2, 3, -32], [31, 0, 0, 0]], dtype=np.int16)))
    assert given.to_json() == {"file": "given.npy", "vectors": 2, "of": 2, "saturated": 0}
    assert given.vectors.words.tolist() == [[0] * 4, [0] * 4, [1, 2, 3, -32], [31, 0, 0, 0]]
    # 1 + 4 - 3 - 32, in quarters as the kernel is
    assert given.vectors.expected[2:, 0].tolist() == [-30, 31]
    assert [(item.name, item.kind, len(item)) for item in given.vectors.segments] == [
        ("all zero", "corner", 2),
        ("given.npy", "events", 2),
    ]


def test_values_are_rounded_to_even_and_saturated_and_the_saturated_are_counted(run: Run, tmp_path: Path) -> None:
    # quarters from -8 to 7.75
    values = np.array([[0.125, 0.375, 7.75, 7.9], [-8.0, -8.125, -8.2, 0.1]], dtype=np.float32)
    given = given_vectors(run, None, saved(tmp_path, values.reshape(2, 2, 2, 1)))
    assert given.vectors.words[2:].tolist() == [[0, 2, 31, 31], [-32, -32, -32, 0]]
    # 7.9 is 31.6 quarters, and 32 is beyond; -8.125 is half a quarter below -32, which is even; -8.2 is beyond
    assert given.saturated == 2


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((2, 5), dtype=int), "holds an array of shape (2, 5)"),
        (np.zeros(4, dtype=int), "holds an array of shape (4,)"),
        (np.zeros((0, 4), dtype=int), "holds an array of shape (0, 4)"),
        (np.full((1, 4), 32), "word 0 of vector 0, 32, is none of fixed<6,6>"),
        (np.array([[0.0, np.nan, 0.0, 0.0]]), "holds NaN or infinite values"),
        (np.array([["a", "b", "c", "d"]]), "holds <U1"),
        (np.zeros((2, 4), dtype=bool), "holds bool"),
    ],
)
def test_other_arrays_are_refused(run: Run, tmp_path: Path, array: Any, reason: str) -> None:
    path = saved(tmp_path, array)
    with pytest.raises(UserError) as refused:
        require_suitable(run, None, path)
    assert str(path) in refused.value.what
    assert reason in refused.value.what


@pytest.mark.parametrize("content", [None, b"", b"text\n"])
def test_files_that_hold_no_array_are_refused(run: Run, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "given.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"--inputs: .*given.npy"):
        require_suitable(run, None, path)


def test_two_files_at_once_are_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--events and --inputs are given together"):
        require_suitable(run, tmp_path / "a.h5", tmp_path / "b.npy")


def test_events_are_refused_where_the_inputs_are_codes(run: Run) -> None:
    with pytest.raises(UserError, match="the inputs of this model are codes of fixed<6,4>, not trigger objects"):
        require_suitable(run, sample_paths().background[0], None)


def test_neither_is_refused(run: Run) -> None:
    with pytest.raises(UserError, match="neither --events nor --inputs"):
        given_vectors(run, None, None)


@pytest.fixture
def encoded(tmp_path: Path) -> Run:
    """A run whose inputs are trigger objects."""
    return Run(Config(name="ordinary"), RunDirectory(tmp_path / "ordinary"))


def test_trigger_words_are_given_as_integers_alone(encoded: Run, tmp_path: Path) -> None:
    require_suitable(encoded, None, saved(tmp_path, np.zeros((2, 57), dtype=int)))
    with pytest.raises(UserError, match="the firmware of this run takes raw trigger words"):
        require_suitable(encoded, None, saved(tmp_path, np.zeros((2, 57))))
    with pytest.raises(UserError, match="word 0 of vector 0, 256, is none of"):
        require_suitable(encoded, None, saved(tmp_path, np.full((1, 57), 256)))


def test_events_of_another_layout_or_none_are_refused(encoded: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--events: .*none.h5 does not exist"):
        require_suitable(encoded, tmp_path / "none.h5", None)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["Particles"] = np.zeros((3, 5, 4))
    with pytest.raises(UserError, match=r"other\.h5"):
        require_suitable(encoded, tmp_path / "other.h5", None)


def test_the_vectors_of_convert_are_not_touched(run: Run, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.directory.vectors.iterdir()}
    given_vectors(run, None, saved(tmp_path, np.zeros((1, 4), dtype=int)))
    assert {path.name: path.read_bytes() for path in run.directory.vectors.iterdir()} == before
    assert run.directory.vectors in CONVERT.outputs(run)


@pytest.mark.parametrize("name", ["input_words.npy", "expected_words.npy"])
@pytest.mark.parametrize("rows", [2, 4])
def test_vectors_of_another_number_than_the_index_says_are_damage(run: Run, name: str, rows: int) -> None:
    path = run.directory.vectors / name
    np.save(path, np.zeros((rows, np.load(path).shape[1]), dtype=np.int8))
    with pytest.raises(UserError, match="vectors is damaged"):
        read_vectors(run.directory.vectors)


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param(None, id="missing"),
        pytest.param(np.zeros((5, 3)), id="of another width"),
        pytest.param(np.full((5, 4), 1000), id="beyond the word"),
    ],
)
def test_codes_of_layers_alone_that_are_none_are_damage(run: Run, codes: np.ndarray | None) -> None:
    folder = run.directory.vectors / "layers"
    folder.mkdir()
    if codes is not None:
        np.save(folder / "in.npy", codes.astype(np.int16))
    with pytest.raises(UserError, match="layers is damaged"):
        read_layer_vectors(run.directory.vectors, shipped_network(run))
    np.save(folder / "in.npy", np.full((5, 4), -32, dtype=np.int8))
    assert read_layer_vectors(run.directory.vectors, shipped_network(run))["in"].shape == (5, 4)


def test_of_very_many_events_a_share_is_taken(encoded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    particles = make_particles(30, seed=1)
    events = write_events(tmp_path / "events.h5", particles)
    monkeypatch.setattr("trigger_ad.pipeline.given_vectors.MOST_EVENTS", 10)
    words, _, total = _event_words(encoded, events)
    assert total == 30
    np.testing.assert_array_equal(words, encoded.encoding.words(particles)[::3])
