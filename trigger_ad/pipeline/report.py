"""Stage `report`: the physics of every model and score, and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config
from trigger_ad.evaluation.comparisons import Comparison, compare, compared_pairs
from trigger_ad.evaluation.performance import PerformanceRow, performance_rows, verdict
from trigger_ad.evaluation.working_points import supported_targets
from trigger_ad.events.dataset import Dataset, describe
from trigger_ad.firmware.rtl_design import DESIGN_FILE, RtlDesign
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.baselines import trivial_score_arrays
from trigger_ad.pipeline.convert import read_vectors, shipped_network
from trigger_ad.pipeline.parameters import weighted_nodes
from trigger_ad.pipeline.repeats import repeats_files, repeats_of
from trigger_ad.pipeline.stage import Run, Stage, package_versions, read_results, reading, timings
from trigger_ad.pipeline.trigger_menu import trigger_section
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
    background, signals = _group_ids(dataset)
    rows = []
    for (model, score), values in scores.items():
        rows += performance_rows(
            model,
            score,
            values.validation_background,
            values.test_background,
            values.signals,
            background_groups=background,
            signal_groups=signals,
        )
    return rows


def _group_ids(dataset: Dataset) -> tuple[NDArray[np.int64] | None, dict[str, NDArray[np.int64]]]:
    """Which test events belong together: of the background, and of each signal whose events say it."""
    signals = {name: parts["test"].group_id for name, parts in dataset.signals.items()}
    return dataset.background["test"].group_id, {name: own for name, own in signals.items() if own is not None}


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


def _comparisons(
    scores: Mapping[str, ModelScores], dataset: Dataset, menu: Mapping[str, Any] | None
) -> list[Comparison]:
    """Models in pairs, at every share of background that the firmware has a working point for."""
    firmware = scores["firmware"]
    shares = set(supported_targets(firmware.validation_background, firmware.test_background))
    points = menu["working_points"] if menu else ()
    shares |= {point["fpr_target"] for point in points if point["reason"] is None}
    background, signals = _group_ids(dataset)
    return compare(
        scores, compared_pairs(list(scores)), list(shares), background_groups=background, signal_groups=signals
    )


def _execute(run: Run) -> None:
    from trigger_ad.firmware.project import write_handover
    from trigger_ad.report.page import write_report

    shipped = run.config.score
    scores = stored_scores(run) | {("firmware", shipped): _firmware_scores(run)} | _by_model(trivial_score_arrays(run))
    rows = rows_of(scores, run.dataset)
    drawn = {model: values for (model, score), values in scores.items() if model != "float" or score == shipped}
    firmware, network = drawn["firmware"], shipped_network(run)
    words = (firmware.validation_background, firmware.test_background, dict(firmware.signals))
    menu = trigger_section(run.config, run.dataset, network, *words)
    report = build_report(run, firmware, rows, menu, _comparisons(drawn, run.dataset, menu))
    thresholds = firmware_thresholds(report)
    accept = read_vectors(run.directory.vectors).accept
    write_handover(network, run.config, accept, thresholds, run.directory, menu)
    write_report(report, drawn, run.config.to_yaml(), run.directory)


def build_report(
    run: Run,
    firmware: ModelScores,
    rows: list[PerformanceRow],
    menu: dict[str, Any] | None,
    comparisons: list[Comparison],
) -> dict[str, Any]:
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
        "differences": [item.to_json() for item in comparisons],
        "repeats": repeats_of(run),
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
        "trigger": menu,
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
        *repeats_files(run),
    ],
    lambda run: [
        run.directory.path / name for name in ("report.html", "report.json", "report.md", "figures", "README.md")
    ],
    _execute,
    (
        "pipeline/report.py",
        "pipeline/baselines.py",
        "pipeline/repeats.py",
        "pipeline/trigger_menu.py",
        "pipeline/parameters.py",
        "events",
        "network",
        "firmware",
        "evaluation",
        "report",
    ),
)
