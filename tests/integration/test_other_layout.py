"""The main job on another experiment's events: other counts, taus, isolation, features in another order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from support.events import OTHER, make_other_particles, write_other_events

from trigger_ad import cli
from trigger_ad.events.encoded import encode_file
from trigger_ad.pipeline.convert import read_vectors, shipped_network
from trigger_ad.pipeline.target import open_run

SIGNAL = "τ → 3μ, $x$ | <b>"
CONFIG: dict[str, Any] = {
    "name": "other",
    "events": {
        "background": "background_*.h5",
        "signals": {SIGNAL: "signal.h5", "nothing": ["nothing.h5"]},
        "layout": OTHER.config.model_dump(mode="json"),
    },
    "inputs": {
        "pt": {"lsb": 0.5, "width": 9, "logarithm": 5},
        "eta": None,
        "other": {"isolation": {"lsb": 0.0625, "width": 5, "offset": 3, "shift": 4}},
    },
    "model": {"hidden": [6], "latent": 2},
    "training": {"epochs": 2, "augmentation": 2},
    "quantization": {"qat": {"epochs": 1}},
    "firmware": {"flow": "hls", "back_ends": ["vitis"]},
}
QUANTITIES = ("met", "ht", "jet_number", "sum_of_pt", "object_number")
FEATURES = ["pt", "phi", "isolation"]
INPUTS = 27
RUN = Path("hls_projects/other")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of a finished run; some of its events, and one signal, have no object at all."""
    folder = tmp_path_factory.mktemp("other")
    for name, count, seed in (("background_1", 500, 1), ("background_2", 400, 2), ("signal", 200, 3)):
        particles = make_other_particles(count, seed)
        particles[::25] = 0
        write_other_events(folder / f"{name}.h5", particles)
    write_other_events(folder / "nothing.h5", np.zeros((100, *OTHER.shape)))
    (folder / "other.yaml").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert cli.run(["check", "other.yaml"]) == 0
        assert cli.run(["run", "other.yaml"]) == 0
    return folder


@pytest.fixture
def report(finished: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Its report.json; the working folder is the run's."""
    monkeypatch.chdir(finished)
    content: dict[str, Any] = json.loads((RUN / "report.json").read_text(encoding="utf-8"))
    return content


def test_every_emulator_that_must_agree_does(report: dict[str, Any]) -> None:
    emulators = report["agreement"]["emulators"]
    assert {name: entry["exact"] for name, entry in emulators.items() if entry["must_agree"]} == {
        "keras_float64": True,
        "native": True,
        "alir": True,
        "hls_vitis": True,
    }
    assert emulators["hls_vitis"]["mismatches"] == 0
    assert all(layer["mismatches"] == layer["overflows"] == 0 for layer in report["agreement"]["layers"])
    assert report["agreement"]["vectors_expected_differ"] == 0


def test_the_network_and_its_vectors_have_every_feature_of_every_object(report: dict[str, Any]) -> None:
    run = open_run(RUN)
    vectors = read_vectors(RUN / "vectors")
    inputs, segments = vectors.words, vectors.segments
    assert run.encoding.inputs == shipped_network(run).input.size == inputs.shape[1] == INPUTS
    tested = run.dataset.test_events()
    for segment in (item for item in segments if item.kind == "events"):
        words = run.encoding.words(np.concatenate(list(tested[segment.name].particles())))
        np.testing.assert_array_equal(inputs[segment.start : segment.stop], words)
        # what has no object is there too
        assert (~words.any(axis=1)).any()


def test_the_firmware_has_every_feature_of_every_object(report: dict[str, Any]) -> None:
    headers = "".join(path.read_text() for path in (RUN / "hls" / "vitis" / "firmware").glob("*.h"))
    assert re.findall(r"(\w+)_word_t \w+\[(\d+)\]", headers) == [(feature, "9") for feature in FEATURES]
    assert f"inputs[{INPUTS}]" in headers


def test_every_event_of_every_file_is_used(report: dict[str, Any]) -> None:
    events = report["events"]
    assert events["background"].pop("source") == ["background_1.h5", "background_2.h5"]
    assert sum(events["background"].values()) == 900
    assert events["signals"][SIGNAL].pop("source") == "signal.h5"
    assert sum(events["signals"][SIGNAL].values()) == 200
    encoding = open_run(RUN).encoding
    found = {oddity.name: oddity.count for oddity in encode_file(Path("signal.h5"), encoding).oddities}
    assert found == {"no_object": 8}


def test_trivial_scores_are_those_that_the_layout_has(report: dict[str, Any]) -> None:
    models = [row["model"] for row in report["performance"]]
    expected = [
        "float",
        "float_encoded",
        "ptq",
        "qat",
        "firmware",
        "zero_reconstruction",
        *QUANTITIES,
        "pca",
        "isolation_forest",
    ]
    assert list(dict.fromkeys(models)) == expected
    assert {row["signal"] for row in report["performance"]} == {SIGNAL, "nothing"}


def test_the_report_says_how_the_features_are_encoded(report: dict[str, Any]) -> None:
    assert [feature["feature"] for feature in report["inputs"]] == FEATURES
    assert [feature["signed"] for feature in report["inputs"]] == [False, True, False]
    assert [feature["logarithm"] for feature in report["inputs"]] == [5, None, None]
    # of no object there is no share that is saturated
    assert [feature["saturated"]["nothing"] for feature in report["inputs"]] == [None, None, None]


def test_the_users_name_of_the_signal_is_shown_as_it_is(report: dict[str, Any]) -> None:
    assert "τ → 3μ, $x$ | &lt;b&gt;" in (RUN / "report.html").read_text(encoding="utf-8")
