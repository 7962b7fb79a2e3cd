"""The main job on every kind of network: float to firmware, equal in every word, with the score that it ships with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from support.runs import SIGNALS, changed, write_config, write_study

from trigger_ad import cli
from trigger_ad.config import StudentConfig
from trigger_ad.fixed_point import Values
from trigger_ad.models.architectures import Architecture
from trigger_ad.models.floating import FloatEvaluation
from trigger_ad.models.scores import squared_error
from trigger_ad.models.tails import Tail
from trigger_ad.pipeline.convert import shipped_network
from trigger_ad.pipeline.parameters import weighted_nodes
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.target import open_run
from trigger_ad.pipeline.train import load_float, some_training_inputs, teacher_models
from trigger_ad.training import fit

CNN: Final = {
    "architecture": "convolutional_autoencoder",
    "blocks": [{"filters": 3, "kernel": [3, 3], "pool": [3, 1]}, {"filters": 2, "kernel": [3, 1], "pool": [3, 1]}],
    "latent": 2,
}
STUDIES: Final[dict[str, dict[str, Any]]] = {
    "student": {
        "model": {"architecture": "student", "hidden": [4], "teacher": {"hidden": [4], "latent": 2}, "teachers": 2}
        | {"teaches": "smaller_tail"},
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
    changes = changed(
        {"name": request.param, "firmware": {"flow": "hls", "back_ends": ["vitis"]}}, STUDIES[request.param]
    )
    write_config(folder / "study.yaml", **changes)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert cli.run(["run", "study.yaml"]) == 0
        path = Path("hls_projects") / request.param
        content: dict[str, Any] = json.loads((path / "report.json").read_text(encoding="utf-8"))
        run = open_run(path.resolve())
        network = shipped_network(run)
    return content | {"network": network, "study": request.param, "run": run}


def test_every_emulator_that_must_agree_does(report: dict[str, Any]) -> None:
    emulators = report["agreement"]["emulators"]
    found = {name: (entry["exact"], entry["mismatches"]) for name, entry in emulators.items() if entry["must_agree"]}
    assert found == dict.fromkeys(("keras_float64", "native", "alir", "hls_vitis"), (True, 0))
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


def test_teachers_differ_keep_all_their_weights_and_teach_the_smaller_tail(
    report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run: Run = report["run"]
    if not isinstance(run.config.model, StudentConfig):
        return
    monkeypatch.chdir(run.directory.path.parents[1])
    architecture = run.architecture_of(run.config.model.teacher)
    teachers = [load_float(path) for path in teacher_models(run)]
    kernels = [teacher.get_layer("encoder_1").get_weights()[0] for teacher in teachers]
    assert len(teachers) == 2
    assert not np.array_equal(*kernels)
    assert all(np.count_nonzero(kernel) == kernel.size for kernel in kernels)

    def both(inputs: Values) -> tuple[Values, Values]:
        errors = [squared_error(inputs, _reconstruction(teacher, architecture, inputs)) for teacher in teachers]
        return np.mean(errors, axis=0), squared_error(inputs, np.zeros_like(inputs))

    inputs = run.encoding.exact_values(next(run.dataset.test_events()["heavy"].particles()))
    tails = [Tail.of(scores) for scores in both(some_training_inputs(run))]
    expected = np.maximum(*(tail(scores) for tail, scores in zip(tails, both(inputs), strict=True)))
    with np.load(run.directory.arrays("quantize")) as stored:
        assert np.array_equal(stored["teacher/smaller_tail/heavy"], expected)


def _reconstruction(model: Any, architecture: Architecture, inputs: Values) -> Values:
    reconstruction = FloatEvaluation(model, architecture)(inputs).reconstruction
    assert reconstruction is not None
    return reconstruction


def test_a_student_interrupted_at_its_second_teacher_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(tmp_path, background=300, signal=50)
    monkeypatch.chdir(tmp_path)
    for name in ("whole", "interrupted"):
        write_config(tmp_path / f"{name}.yaml", **changed({"name": name}, STUDIES["student"]))
    assert cli.run(["train", "whole.yaml"]) == 0

    fits: list[str] = []

    def interrupt(model: Any, title: str, *arguments: Any, **options: Any) -> Any:
        fits.append(title)
        if len(fits) == 2:
            raise KeyboardInterrupt
        return fit(model, title, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trigger_ad.training.fit", interrupt)
        assert cli.run(["train", "interrupted.yaml"]) == 130
    assert fits[-1] == "training teacher 2 of 2"
    assert cli.run(["train", "interrupted.yaml"]) == 0

    for name in ("teacher_1.h5", "teacher_2.h5", "float.h5"):
        whole, interrupted = (Path("hls_projects") / run / name for run in ("whole", "interrupted"))
        assert whole.read_bytes() == interrupted.read_bytes(), name
