"""Stage `report`: the physics of every model and score, and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config
from trigger_ad.evaluation.performance import PerformanceRow, performance_rows, verdict
from trigger_ad.events.dataset import Dataset, Part, describe
from trigger_ad.firmware.rtl_design import DESIGN_FILE, RtlDesign
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.convert import read_vectors, shipped_network
from trigger_ad.pipeline.parameters import weighted_nodes
from trigger_ad.pipeline.quantize import score_arrays
from trigger_ad.pipeline.stage import Run, Stage, package_versions, read_results, reading, timings
from trigger_ad.report.inputs import SCHEMA, ModelScores

_VALIDATION = "validation_background"
_BACKGROUND = "background"


Scores = dict[tuple[str, str], ModelScores]
"""By model and name of the score."""


EMULATION_KEYS = (
    "emulators",
    "not_run",
    "layers",
    "vectors",
    "firmware_words",
    "test_events",
    "vectors_expected_differ",
    "value_ranges",
    "compiler",
    "note",
)
"""What the report takes from the results of `emulate`."""


def stored_scores(run: Run) -> Scores:
    """Scores of the float and the quantized models, as the `quantize` stage left them."""
    return _by_model(_stored(run, "quantize"))


def _stored(run: Run, stage: str) -> dict[str, NDArray[Any]]:
    path = run.directory.arrays(stage)
    with reading(path), np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def rows_of(scores: Mapping[tuple[str, str], ModelScores], dataset: Dataset) -> list[PerformanceRow]:
    """The performance of every model and score, with intervals that know which events share a parton event."""
    background = dataset.background["test"].group_id
    signals = {name: parts["test"].group_id for name, parts in dataset.signals.items()}
    grouped = {name: groups for name, groups in signals.items() if groups is not None}
    rows = []
    for (model, score), values in scores.items():
        rows += performance_rows(
            model,
            score,
            values.validation_background,
            values.test_background,
            values.signals,
            background_groups=background,
            signal_groups=grouped or None,
        )
    return rows


def _by_model(arrays: Mapping[str, NDArray[Any]]) -> Scores:
    """From arrays by `<model>/<score>/<sample>`."""
    samples: dict[tuple[str, str], dict[str, NDArray[Any]]] = {}
    for key, values in arrays.items():
        # a signal may be called anything
        model, score, sample = key.split("/", 2)
        samples.setdefault((model, score), {})[sample] = values
    return {key: ModelScores(own.pop(_VALIDATION), own.pop(_BACKGROUND), own) for key, own in samples.items()}


def _firmware_scores(run: Run) -> ModelScores:
    """Score words as the emulated firmware gave them; thresholds are set on the reference's validation words."""
    events = dict(_stored(run, "emulation"))
    key = f"{run.config.quantization.ship}/{run.config.score}/{_VALIDATION}"
    validation = _stored(run, "quantize")[key]
    background = events.pop(_BACKGROUND)
    return ModelScores(validation, background, events)


def _trivial_scores(run: Run) -> Scores:
    from trigger_ad.evaluation.baselines import available_baselines, zero_reconstruction

    def score(name: str, part: Part) -> NDArray[Any]:
        if (values := part.quantities.get(name)) is not None:
            return values
        return np.concatenate([zero_reconstruction(run.encoding.values_of_words(words)) for words in part.words()])

    found: Scores = {}
    for name in available_baselines(run.encoding.layout):
        found |= _by_model(score_arrays(run, partial(score, name), f"{name}/{name}"))
    return found


def _execute(run: Run) -> None:
    from trigger_ad.firmware.project import write_handover
    from trigger_ad.report.page import write_report

    shipped = run.config.score
    scores = stored_scores(run) | {("firmware", shipped): _firmware_scores(run)} | _trivial_scores(run)
    rows = rows_of(scores, run.dataset)
    report = build_report(run, scores["firmware", shipped], rows)
    network = shipped_network(run)
    thresholds = firmware_thresholds(report)
    accept = read_vectors(run.directory.vectors).accept
    write_handover(network, run.config, accept, thresholds, run.directory)
    drawn = {model: values for (model, score), values in scores.items() if model != "float" or score == shipped}
    write_report(report, drawn, run.config.to_yaml(), run.directory)


def build_report(run: Run, firmware: ModelScores, rows: list[PerformanceRow]) -> dict[str, Any]:
    """The content of report.json, schema 1."""
    from trigger_ad.evaluation.working_points import unsupported_targets
    from trigger_ad.network.digest import network_digest

    config = run.config
    network = shipped_network(run)
    emulation = read_results(run, "emulation", EMULATION_KEYS)
    hardware = read_results(
        run, "hardware", ("hardware", "budget", "not_measured", "estimate_layers", "measuring_commands")
    )
    training, quantization = (
        read_results(run, "train", ("fits",)),
        read_results(run, "quantize", ("qat", "calibration")),
    )
    unsupported = unsupported_targets(firmware.validation_background, firmware.test_background)
    ships = config.quantization.ship
    return {
        "schema": SCHEMA,
        "name": config.name,
        "config": config.model_dump(mode="json"),
        "versions": package_versions(),
        "verdict": verdict(rows).to_json(),
        "ships": ships,
        "score": config.score,
        "model": _model_facts(network, config),
        "events": describe(config.events, run.dataset),
        "inputs": _input_facts(run),
        "performance": [row.to_json() for row in rows],
        "unsupported_targets": [vars(item) for item in unsupported],
        "agreement": {
            "reference": "integer",
            "emulators": emulation["emulators"],
            "not_run": emulation["not_run"],
            "firmware_words": emulation["firmware_words"],
            "layers": emulation["layers"],
            "vectors_expected_differ": emulation["vectors_expected_differ"],
            "compiler": emulation["compiler"],
            "test_events": emulation["test_events"],
            "value_ranges": emulation["value_ranges"],
        },
        "vectors": emulation["vectors"],
        "hardware": hardware["hardware"],
        "budget": hardware["budget"],
        "not_measured": hardware["not_measured"],
        "pipeline": _pipeline(run),
        "estimate_layers": [
            {"flow": flow} | layer for flow, layers in hardware["estimate_layers"].items() for layer in layers
        ],
        "measuring_commands": hardware["measuring_commands"],
        "schedule_note": emulation["note"],
        # working points in hertz need the input rate, which the configuration does not give yet
        "trigger": None,
        "score_type": str(network.type(network.output.name)),
        "network_digest": network_digest(network),
        "training": training["fits"] | {"qat": quantization["qat"]},
        "calibration": quantization["calibration"][ships],
        "timings": timings(run),
    }


def _pipeline(run: Run) -> dict[str, Any] | None:
    """The stages and ports of the RTL, if there is one."""
    from trigger_ad.firmware.rtl_pipeline import DELAY_UNITS_PER_NS

    if not run.config.firmware.has_rtl:
        return None
    design = asdict(RtlDesign.read(run.directory.rtl_project))
    facts = {key: design[key] for key in ("clock_ns", "latency_cycles", "ports", "output", "stages")}
    return facts | {"units_per_ns": DELAY_UNITS_PER_NS}


def _model_facts(network: Network, config: Config) -> dict[str, Any]:
    weighted = weighted_nodes(network)
    constants = [part.codes for node in weighted for part in (node.kernel, node.bias) if part is not None]
    total = sum(codes.size for codes in constants)
    bits = config.quantization.model_dump(include={"weights", "biases", "activations", "latent", "output", "score"})
    return {
        "architecture": config.model.architecture,
        "parameters": total,
        "sparsity": sum(int((codes == 0).sum()) for codes in constants) / total,
        "kernels": {
            node.name: {
                "shape": list(node.kernel.codes.shape),
                "zeros": int((node.kernel.codes == 0).sum()),
                "type": str(node.kernel.type),
            }
            for node in weighted
        },
        "bits": bits,
        "seed": config.seed,
    }


def _input_facts(run: Run) -> list[dict[str, Any]]:
    samples = {name: part.files for name, part in run.dataset.test_events().items()}
    present = {name: sum(file.present for file in files) for name, files in samples.items()}
    return [
        {
            "feature": encoding.name,
            "lsb": encoding.lsb,
            "width": encoding.word.width,
            "signed": encoding.word.signed,
            "offset": encoding.offset,
            "shift": encoding.shift,
            "logarithm": encoding.logarithm,
            "type": str(encoding.network_type),
            # of no object at all there is no share
            "saturated": {
                name: sum(file.saturated[encoding.name] for file in files) / present[name] if present[name] else None
                for name, files in samples.items()
            },
        }
        for encoding in run.encoding.features
    ]


def firmware_thresholds(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The firmware's threshold codes: they are set on background alone, so any signal's row has them."""
    kind = FixedPoint.parse(report["score_type"])
    row = next(row for row in report["performance"] if row["model"] == "firmware")
    return [
        {key: point[key] for key in ("fpr_target", "fpr", "fpr_low", "fpr_high")}
        | {"code": int(point["threshold"]), "value": int(point["threshold"]) * kind.lsb}
        for point in row["tpr"]
    ]


def _settings(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json")


REPORT = Stage(
    "report",
    _settings,
    lambda run: [
        *run.event_files(),
        run.directory.vectors,
        run.network_file,
        *(run.directory.results(stage) for stage in ("train", "quantize", "emulation", "hardware")),
        *(run.directory.arrays(stage) for stage in ("quantize", "emulation")),
        *([run.directory.rtl_project / DESIGN_FILE] if run.config.firmware.has_rtl else []),
    ],
    lambda run: [
        run.directory.path / name for name in ("report.html", "report.json", "report.md", "figures", "README.md")
    ],
    _execute,
    ("pipeline/report.py", "pipeline/parameters.py", "events", "network", "firmware", "evaluation", "report"),
)
