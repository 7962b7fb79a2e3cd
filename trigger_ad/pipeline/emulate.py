"""Stage `emulate`: every emulator on every test vector, held against the exact integer reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trigger_ad.config import BackEnd, Config
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes, Values
from trigger_ad.pipeline.convert import VECTOR_KINDS, Segment, read_vectors, shipped_network
from trigger_ad.pipeline.stage import Run, Stage, reading
from trigger_ad.run_directory import write_json, written_whole
from trigger_ad.tools import COMPILER, find_tool

if TYPE_CHECKING:
    from trigger_ad.emulation.agreement import Agreement
    from trigger_ad.network.graph import Network

SCHEDULE_NOTE = (
    "What is verified is values, not the schedule. C++ emulation knows neither clock cycles nor FIFO depths: until a "
    "co-simulation has run, latency, initiation interval and freedom from deadlock are not shown."
)


def _execute(run: Run) -> None:
    from trigger_ad.network.evaluation import evaluate

    network = shipped_network(run)
    inputs, expected, segments = read_vectors(run.directory.vectors)
    started = time.perf_counter()
    reference = evaluate(network, inputs)
    seconds = time.perf_counter() - started
    agreements, words = _emulators(run, network, reference, inputs)
    results = {
        "reference": {"seconds": seconds, "vectors": len(inputs)},
        "vectors": {
            kind: sum(item.stop - item.start for item in segments if item.kind == kind) for kind in VECTOR_KINDS
        },
        "vectors_expected_differ": int((expected != reference[network.output.name]).any(axis=1).sum()),
        "emulators": {item.emulator: item.to_json() for item in agreements},
        "layers": _layers(network, reference, agreements, segments),
        "note": SCHEDULE_NOTE,
        "compiler": _compiler(),
    }
    mismatches = [
        {
            "emulator": item.emulator,
            "must_agree": item.must_agree,
            "test_bench_passed": item.test_bench_passed,
            "difference": asdict(item.first_difference) if item.first_difference else None,
        }
        for item in agreements
        if not item.exact
    ]
    with written_whole(run.directory.arrays("emulate")) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **words)
    write_json(run.directory.results("mismatches"), {"mismatches": mismatches})
    write_json(run.directory.results("emulate"), results)


def _emulators(
    run: Run, network: Network, reference: Mapping[str, Codes], inputs: Codes
) -> tuple[list[Agreement], dict[str, Codes]]:
    """Compiles the back ends' C++ beside each other while Keras runs here."""
    from trigger_ad.models.quantized import load_quantized

    path = run.directory.quantized_model(run.config.quantization.ship)
    with reading(path):
        model = load_quantized(path)
    back_ends = run.config.firmware.back_ends
    with ThreadPoolExecutor(max_workers=2) as pool:
        pending = {name: pool.submit(_hls, run, name, network, reference, inputs) for name in back_ends}
        agreements = _keras(model, network, reference, inputs)
        found = {name: future.result() for name, future in pending.items()}
    words = {f"hls_{name}": result[1] for name, result in found.items()}
    return agreements + [result[0] for result in found.values()], words


def _keras(model: Any, network: Network, reference: Mapping[str, Codes], inputs: Codes) -> list[Agreement]:
    from trigger_ad.emulation.keras import float32_layers, float64_layers

    return [
        _timed("keras_float64", lambda: float64_layers(model, network, inputs), network, reference, must_agree=True),
        _timed("keras_float32", lambda: float32_layers(model, network, inputs), network, reference, must_agree=False),
    ]


def _timed(
    name: str,
    emulate: Callable[[], dict[str, Values]],
    network: Network,
    reference: Mapping[str, Codes],
    *,
    must_agree: bool,
) -> Agreement:
    from trigger_ad.emulation.agreement import compare

    started = time.perf_counter()
    values = emulate()
    return compare(name, network, reference, values, time.perf_counter() - started, must_agree=must_agree)


def _hls(
    run: Run, back_end: BackEnd, network: Network, reference: Mapping[str, Codes], inputs: Codes
) -> tuple[Agreement, Codes]:
    from trigger_ad.emulation.agreement import compare
    from trigger_ad.emulation.hls import compiled

    output, project = network.output.name, run.directory.hls_project(back_end)
    with compiled(project) as bench:
        started = time.perf_counter()
        done = bench.run()
        seconds = time.perf_counter() - started
        if done.words.shape != reference[output].shape:
            raise UserError(
                f"{project}/tb_data does not hold the vectors of this run",
                f"Delete the folder {project} and run 'convert'",
            )
        values = {output: network.type(output).values(done.words)}
        agreement = compare(f"hls_{back_end}", network, reference, values, seconds)
        if agreement.mismatches:
            # find the layer: run some of the vectors that differ again, with every layer shown
            wrong = np.flatnonzero((done.words != reference[output]).any(axis=1))[:100]
            some = {name: codes[wrong] for name, codes in reference.items()}
            traced = compare(f"hls_{back_end}", network, some, bench.layers(network, inputs[wrong]), seconds)
            agreement = agreement.located_by(traced, wrong)
        return replace(agreement, test_bench_passed=done.passed), done.words


def _layers(
    network: Network, reference: Mapping[str, Codes], agreements: list[Agreement], segments: list[Segment]
) -> list[dict[str, Any]]:
    """For each layer: its type, how far the vectors reached in it, what saturated, and float64 Keras's mismatches."""
    from trigger_ad.network.evaluation import saturations

    keras = next(item for item in agreements if item.emulator == "keras_float64")
    first_event = min(segment.start for segment in segments if segment.kind == "events")
    on_events = saturations(network, {name: codes[first_event:] for name, codes in reference.items()})
    on_corners = saturations(network, {name: codes[:first_event] for name, codes in reference.items()})
    rows = []
    for node in network.nodes[1:]:
        word, codes = network.words[node.name], reference[node.name]
        row: dict[str, Any] = {
            "layer": node.name,
            "kind": node.kind,
            "precision": str(word.type),
            "mismatches": keras.layers[node.name],
            # a type is as wide as its interval bounds, so a word beyond its bounds is what an overflow would be
            "overflows": int(((codes < word.low.astype(np.int64)) | (codes > word.high.astype(np.int64))).sum()),
            "saturations": on_events[node.name].saturated if node.name in on_events else None,
            "saturations_corner": on_corners[node.name].saturated if node.name in on_corners else None,
            "values": int(codes[first_event:].size),
            "bound_low": int(word.low.min()),
            "bound_high": int(word.high.max()),
            "reached_low": int(codes.min()),
            "reached_high": int(codes.max()),
        }
        rows.append(row)
    return rows


def _project_inputs(run: Run) -> list[Path]:
    """What the emulator compiles and reads: not what a vendor tool leaves in the project."""
    files: list[Path] = []
    for back_end in run.config.firmware.back_ends:
        project = run.directory.hls_project(back_end)
        files += [
            project / "firmware",
            *sorted(project.glob("*_test.cpp")),
            *sorted((project / "tb_data").glob("*.dat")),
        ]
    return files


def _settings(config: Config) -> dict[str, Any]:
    return {"back_ends": list(config.firmware.back_ends), "ship": config.quantization.ship, "compiler": _compiler()}


def _compiler() -> str | None:
    """The version line of the C++ compiler: what was compiled by one says nothing of another."""
    compiler = find_tool(COMPILER)
    return compiler.version if compiler else None


EMULATE = Stage(
    "emulate",
    _settings,
    lambda run: [
        run.directory.vectors,
        run.directory.network(run.config.quantization.ship),
        run.directory.quantized_model(run.config.quantization.ship),
        *_project_inputs(run),
    ],
    lambda run: [
        run.directory.results("emulate"),
        run.directory.results("mismatches"),
        run.directory.arrays("emulate"),
    ],
    _execute,
    ("pipeline/emulate.py", "models", "network", "firmware", "emulation"),
)
