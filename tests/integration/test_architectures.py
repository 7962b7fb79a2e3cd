"""The main job on every kind of network: float to firmware, equal in every word, with the score that it ships with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from support.runs import SIGNALS, changed, write_config, write_study

from trigger_ad import cli
from trigger_ad.pipeline.convert import shipped_network
from trigger_ad.pipeline.parameters import weighted_nodes
from trigger_ad.pipeline.target import open_run

CNN: Final = {
    "architecture": "convolutional_autoencoder",
    "blocks": [{"filters": 3, "kernel": [3, 3], "pool": [3, 1]}, {"filters": 2, "kernel": [3, 1], "pool": [3, 1]}],
    "latent": 2,
}
STUDIES: Final[dict[str, dict[str, Any]]] = {
    "student": {
        "model": {"architecture": "student", "hidden": [4], "teacher": {"hidden": [4], "latent": 2}, "teachers": 2},
        "training__pruning": {"sparsity": 0.5},
        "training__epochs": 4,
        "quantization__score": 9,
    },
    "convolutional": {"model": CNN, "score": "squared_error_present"},
    "convolutional_encoder": {
        "model": CNN | {"pooling": "max"},
        "score": "mahalanobis",
        "firmware__io_type": "io_stream",
    },
    "variational": {
        "model": {"hidden": [4], "latent": 2, "variational": {}, "activation": "leaky_relu", "dropout": [0.1]},
        "training__schedule": "cosine",
        "quantization__layers": {"latent": {"output": 6}},
    },
    "distilled": {"quantization__qat__distillation": "score", "quantization__ship": "qat"},
}
"""What each study changes in the small one of a dense autoencoder."""


@pytest.fixture(scope="module", params=STUDIES)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of a finished run, with the run itself under `run`."""
    folder = tmp_path_factory.mktemp(request.param)
    write_study(folder, background=600, signal=100)
    changes = changed({"name": request.param, "firmware": {"back_ends": ["vitis"]}}, STUDIES[request.param])
    write_config(folder / "study.yaml", **changes)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert cli.run(["run", "study.yaml"]) == 0
        path = Path("hls_projects") / request.param
        content: dict[str, Any] = json.loads((path / "report.json").read_text(encoding="utf-8"))
        run = open_run(path.resolve())
        network = shipped_network(run)
    return content | {"network": network, "study": request.param}


def test_every_emulator_that_must_agree_does(report: dict[str, Any]) -> None:
    emulators = report["agreement"]["emulators"]
    found = {name: (entry["exact"], entry["mismatches"]) for name, entry in emulators.items() if entry["must_agree"]}
    assert found == {"keras_float64": (True, 0), "hls_vitis": (True, 0)}
    assert all(layer["overflows"] == 0 for layer in report["agreement"]["layers"])


def test_every_score_of_the_float_model_is_compared(report: dict[str, Any]) -> None:
    scores = {row["score"] for row in report["performance"] if row["model"] == "float"}
    dense = {"squared_error", "squared_error_present", "mahalanobis"}
    variational = {"mu_squared", "mu_squared_over_variance", "kl_divergence"}
    expected = {"student": {"network_output"}, "variational": dense | variational}.get(report["study"], dense)
    assert scores == expected
    assert report["score"] in scores


def test_what_ships_is_measured_by_its_own_score_for_every_signal(report: dict[str, Any]) -> None:
    for model in ("float", "float_encoded", "ptq", "qat", "firmware"):
        rows = [row for row in report["performance"] if (row["model"], row["score"]) == (model, report["score"])]
        assert {row["signal"] for row in rows} == set(SIGNALS)


def test_a_leaky_network_is_measured_with_relu_too_and_a_student_beside_its_teacher(report: dict[str, Any]) -> None:
    models = {row["model"] for row in report["performance"]}
    assert ("float_relu" in models) == (report["study"] == "variational")
    assert ("teacher" in models) == (report["study"] == "student")
    teachers = {"teacher_1", "teacher_2"} if report["study"] == "student" else set()
    assert set(report["training"]) == (models & {"float", "float_relu"}) | teachers | {"qat"}


def test_a_score_that_needs_no_decoder_ships_without_one(report: dict[str, Any]) -> None:
    names = [node.name for node in weighted_nodes(report["network"])]
    has_decoder = report["score"] in ("squared_error", "squared_error_present")
    assert ("reconstruction" in names) == has_decoder
    assert ("whitening" in names) == (report["score"] == "mahalanobis")


def test_pruned_weights_are_zero_in_the_firmware(report: dict[str, Any]) -> None:
    if report["study"] != "student":
        return
    for name, kernel in report["model"]["kernels"].items():
        weights = 1
        for size in kernel["shape"]:
            weights *= size
        assert kernel["zeros"] >= weights / 2, name


def test_the_score_word_has_the_bits_that_were_asked_for(report: dict[str, Any]) -> None:
    if report["study"] == "student":
        assert report["score_type"].startswith("fixed<9,")


def test_exceptions_by_layer_are_in_the_firmware(report: dict[str, Any]) -> None:
    if report["study"] == "variational":
        assert report["network"].type("latent_quantized").width == 6
