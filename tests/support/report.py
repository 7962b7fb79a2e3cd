"""A made-up report and made-up scores: no figure in it was measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from trigger_ad.config import Config
from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.evaluation.comparisons import compare, compared_pairs
from trigger_ad.evaluation.performance import PerformanceRow, performance_rows, verdict
from trigger_ad.evaluation.trigger_rates import rate_curve, rate_points
from trigger_ad.evaluation.working_points import unsupported_targets
from trigger_ad.events.layout import SIGNALS
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.report.inputs import ModelScores

QUANTIZED = ("ptq", "qat", "firmware")


def make_scores(events: int = 2000, seed: int = 1) -> dict[str, ModelScores]:
    """Scores of every model, integer words for the firmware: signals score higher, trivial scores separate less."""
    random = np.random.default_rng(seed)
    samples = {"validation": events, "test": events, **dict.fromkeys(SIGNALS, events // 2)}
    shifts = {"validation": 0.0, "test": 0.0} | {name: 1.0 + 0.5 * index for index, name in enumerate(SIGNALS)}
    true = {name: random.normal(shifts[name], 1.0, size) for name, size in samples.items()}
    scores = {}
    for model in ("float", "float_encoded", *QUANTIZED, *BASELINE_TITLES):
        smearing = {"float": 0.0, "float_encoded": 0.02}.get(model, 0.1 if model in QUANTIZED else 2.0)
        values = {name: np.exp(value + random.normal(0, smearing, len(value))) for name, value in true.items()}
        if model == "firmware":
            values = {name: np.rint(300 * value).astype(np.int64) for name, value in values.items()}
        scores[model] = ModelScores(values.pop("validation"), values.pop("test"), values)
    return scores


def make_report(scores: dict[str, ModelScores] | None = None) -> dict[str, Any]:
    """A complete report of schema 1, measured on the scores."""
    scores = make_scores() if scores is None else scores
    rows: list[PerformanceRow] = []
    for model, sample in scores.items():
        rows += performance_rows(
            model, "squared_error", sample.validation_background, sample.test_background, sample.signals
        )
    firmware = scores["firmware"]
    refused = unsupported_targets(firmware.validation_background, firmware.test_background, 1e-4)
    return {
        "schema": 1,
        "name": "example",
        "config": Config(name="example").model_dump(mode="json"),
        "versions": {"trigger-ad": "0.1.0", "python": "3.11.2", "hls4ml": "1.3.0"},
        "model": {
            "architecture": "dense_autoencoder",
            "parameters": 5_012,
            "sparsity": 0.031,
            "bits": {"weights": 8, "activations": 8},
            "seed": 1,
        },
        "events": _events(firmware),
        "performance": [row.to_json() for row in rows],
        "agreement": _agreement(),
        "hardware": [make_hardware("hls_vitis"), make_hardware("hls_vivado")],
        "trigger": None,
        "timings": {"train": 41.23, "quantize": 60.5, "emulate": 0.417, "report": None},
        "verdict": verdict(rows).to_json(),
        "ships": "qat",
        "score": "squared_error",
        "inputs": [_feature("pt", 1.0, 8), _feature("eta", 0.0625, 7), _feature("phi", 0.0625, 7)],
        "score_type": "ufixed<25,15>",
        "network_digest": "0123456789abcdef" * 4,
        "estimate_layers": _estimated_layers(),
        "measuring_commands": {
            "hls_vitis": "cd hls/vitis && ./build.sh",
            "hls_vivado": "cd hls/vivado && ./build.sh",
        },
        "unsupported_targets": [target.to_json() for target in refused],
        "schedule_note": "Values are verified; the schedule is not, until a co-simulation has run.",
        "vectors": {"events": 12_345, "corner": 321},
        "calibration": {
            "encoder_1": {
                "weights": {"type": "fixed<8,1,RND_CONV,SAT>", "saturated": 0.0},
                "biases": {"type": "fixed<8,2,RND_CONV,SAT>", "saturated": 0.0},
                "output": {"type": "ufixed<8,3,RND_CONV,SAT>", "saturated": 0.0123},
            },
            "pooling": {"output": {"type": "ufixed<8,3,RND_CONV,SAT>", "saturated": 0.0}},
        },
        "training": {"float": _fit(40), "qat": _fit(25)},
    }


def make_comparisons(scores: dict[str, ModelScores]) -> list[dict[str, Any]]:
    """The entry `differences` of a report, measured on the scores at two shares of background."""
    return [entry.to_json() for entry in compare(scores, compared_pairs(list(scores)), [0.1, 0.01])]


def make_trigger(firmware: ModelScores) -> dict[str, Any]:
    """The entry `trigger` of a report: a menu of which the last rate is not supported."""
    kind = FixedPoint.parse("ufixed<25,15>")
    words = (firmware.validation_background, firmware.test_background, firmware.signals)
    points = rate_points(2000.0, [200.0, 40.0, 0.5], *words, kind)
    return {
        "input_rate_hz": 2000.0,
        "ships_rate_hz": 40.0,
        "working_points": [point.to_json() for point in points],
        "curve": rate_curve(2000.0, firmware.test_background, kind),
    }


def make_hardware(flow: str, **changes: Any) -> dict[str, Any]:
    """One hardware entry: an estimate unless the changes say otherwise."""
    return {
        "flow": flow,
        "source": "estimate",
        "tool": "trigger-ad estimate",
        "part": "xcvu9p-flgb2104-2l-e",
        "clock_ns": 5.0,
        "clock_status": "assumed",
        "fmax_mhz": None,
        "latency_cycles": 23,
        "latency_ns": 115.0,
        "ii_cycles": 1,
        "lut": 51_234,
        "ff": None,
        "dsp": 57,
        "bram": None,
        "utilisation": {"lut": 0.0433, "ff": None, "dsp": 0.0083, "bram": None},
    } | changes


def _events(firmware: ModelScores) -> dict[str, Any]:
    signals = {
        name: {"validation": len(sample) // 4, "test": len(sample), "source": f"{name}.h5"}
        for name, sample in firmware.signals.items()
    }
    tested = len(firmware.test_background)
    background = {"train": 10_000, "validation": tested, "test": tested, "source": "background.h5"}
    return {"background": background, "signals": signals}


def _agreement() -> dict[str, Any]:
    emulators = {
        "keras_float64": make_emulator(),
        "hls_vitis": make_emulator(test_bench_passed=True),
        "hls_vivado": make_emulator(test_bench_passed=True),
        "keras_float32": make_emulator(
            exact=False, must_agree=False, mismatches=17, max_lsb=2.0, seconds=0.613, first_layer="score"
        ),
    }
    layers = [
        _layer("encoder_1", "dense", "fixed<19,9>", None),
        _layer("encoder_1_relu", "quantize", "ufixed<8,3,RND_CONV,SAT>", 1_234),
        _layer("output", "quantize", "fixed<8,3,RND_CONV,SAT>", 0),
        _layer("score", "dense", "ufixed<25,15>", None),
    ]
    ranges = [
        {
            "layer": row["layer"],
            "precision": row["precision"],
            "divisor": 1,
            "magnitudes": [500, *range(FixedPoint.parse(row["precision"]).width - 1)],
            "largest_bits": FixedPoint.parse(row["precision"]).width - 2,
        }
        for row in layers
    ]
    return {
        "reference": "integer",
        "emulators": emulators,
        "layers": layers,
        "vectors_expected_differ": 0,
        "value_ranges": ranges,
    }


def make_emulator(**changes: Any) -> dict[str, Any]:
    """One emulator's entry: exact unless the changes say otherwise."""
    return {
        "exact": True,
        "must_agree": True,
        "events": 12_666,
        "mismatches": 0,
        "max_lsb": 0.0,
        "seconds": 1.25,
        "first_layer": None,
        "test_bench_passed": None,
    } | changes


def _layer(name: str, kind: str, precision: str, saturations: int | None) -> dict[str, Any]:
    return {
        "layer": name,
        "kind": kind,
        "precision": precision,
        "mismatches": 0,
        "accumulator": None,
        "overflows": 0,
        "overflows_corner": 0,
        "bits_unused": 2,
        "bits_missing": 0,
        "saturations": saturations,
        "saturations_corner": saturations,
        "values": 405_312,
        "bound_low": -234_567,
        "bound_high": 234_511,
        "reached_low": -101_234,
        "reached_high": 99_876,
    }


def _feature(name: str, lsb: float, width: int) -> dict[str, Any]:
    return {
        "feature": name,
        "lsb": lsb,
        "width": width,
        "signed": name != "pt",
        "offset": 0,
        "shift": 5,
        "type": f"fixed<{width + 1},{width - 4}>",
        "saturated": {"background": 0.00123, **dict.fromkeys(SIGNALS, 0.0)},
    }


def _estimated_layers() -> list[dict[str, Any]]:
    formula = "constants in canonical signed digits: (digits - 1) adders for each product and an adder tree"
    return [
        {"name": "encoding", "cycles": 1, "lut": 437, "dsp": 0, "formula": "offsets: one LUT a bit", "ff": 399},
        {"name": "encoder_1", "cycles": 4, "lut": 20_123, "dsp": 0, "formula": formula},
        {"name": "encoder_1_relu", "cycles": 1, "lut": 1_824, "dsp": 0, "formula": "3 LUT for each input bit"},
        {"name": "score", "cycles": 2, "lut": 912, "dsp": 57, "formula": "products of two variables in DSP slices"},
    ]


def _fit(epochs: int) -> dict[str, Any]:
    losses = [1 / (5 + epoch) for epoch in range(epochs)]
    return {
        "objective": "mean squared error of the reconstruction",
        "epochs": epochs,
        "best_epoch": epochs - 3,
        "events_per_second": 123_456.7,
        "history": {"loss": losses, "val_loss": [loss + 0.01 for loss in losses]},
    }
