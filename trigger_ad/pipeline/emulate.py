"""Stage `emulate`: every emulator on every test vector, held against the exact integer reference."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import BackEnd, Config
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes
from trigger_ad.pipeline.convert import (
    ENCODING,
    EXPECTED_WORDS,
    VECTOR_KINDS,
    Segment,
    TestVectors,
    read_vectors,
    shipped_network,
)
from trigger_ad.pipeline.stage import Run, Stage, reading
from trigger_ad.run_directory import write_json, written_whole
from trigger_ad.tools import COMPILER, find_tool

if TYPE_CHECKING:
    from trigger_ad.emulation.agreement import Agreement
    from trigger_ad.emulation.hls import CompiledProject
    from trigger_ad.emulation.layer_tally import LayerTally
    from trigger_ad.network.graph import Network

SCHEDULE_NOTE = (
    "What is verified is values, not the schedule. C++ emulation knows neither clock cycles nor FIFO depths: until a "
    "co-simulation has run, latency, initiation interval and freedom from deadlock are not shown."
)


BLOCK_WORDS: Final = 20_000 * 512
"""Words of all layers that are in memory at a time: 20,000 vectors of the default network."""


def _execute(run: Run) -> None:
    network = shipped_network(run)
    vectors = read_vectors(run.directory.vectors)
    with ExitStack() as programs:
        with ThreadPoolExecutor(max_workers=2) as pool:
            # the back ends' C++ is compiled and run beside each other while the reference and Keras run here
            pending = {name: pool.submit(_run_hls, run, name, programs) for name in run.config.firmware.back_ends}
            checked = _check_blocks(run, network, vectors)
            benches = {name: future.result() for name, future in pending.items()}
        agreements = checked.keras
        agreements += [_hls_agreement(run, name, network, vectors, checked.output, benches[name]) for name in benches]
    results = {
        "reference": {"seconds": checked.seconds, "vectors": len(vectors.words)},
        "vectors": {kind: sum(len(item) for item in vectors.segments if item.kind == kind) for kind in VECTOR_KINDS},
        "vectors_expected_differ": int((vectors.expected != checked.output).any(axis=1).sum()),
        "emulators": {item.emulator: item.to_json() for item in agreements},
        "layers": checked.tally.rows(agreements[0].layers),
        "note": SCHEDULE_NOTE,
        "compiler": _compiler(),
    }
    with written_whole(run.directory.arrays("emulate")) as temporary, temporary.open("wb") as stream:
        words = {f"hls_{name}": done.words for name, done in benches.items()}
        np.savez_compressed(stream, allow_pickle=False, **words)
    edited = _expected_difference(network, vectors, checked.output)
    write_json(run.directory.results("mismatches"), {"mismatches": _mismatches(agreements), "expected_words": edited})
    write_json(run.directory.results("emulate"), results)


def _mismatches(agreements: list[Agreement]) -> list[dict[str, Any]]:
    return [
        {
            "emulator": item.emulator,
            "must_agree": item.must_agree,
            "test_bench_passed": item.test_bench_passed,
            "difference": asdict(item.first_difference) if item.first_difference else None,
        }
        for item in agreements
        if not item.exact
    ]


def _expected_difference(network: Network, vectors: TestVectors, output: Codes) -> dict[str, Any] | None:
    """Where the expected words that go with the vectors are not the reference's."""
    from trigger_ad.emulation.agreement import compare

    name = network.output.name
    found = {name: network.type(name).values(vectors.expected)}
    difference = compare(EXPECTED_WORDS, network, {name: output}, found, 0.0).first_difference
    return asdict(difference) if difference else None


@dataclass(frozen=True)
class _Checked:
    """What going through all vectors once has shown: the reference's output words, and Keras in both precisions."""

    output: Codes
    seconds: float
    tally: LayerTally
    keras: list[Agreement]


def _check_blocks(run: Run, network: Network, vectors: TestVectors) -> _Checked:
    """Evaluates the reference and Keras on a block of vectors at a time."""
    from trigger_ad.emulation.agreement import compare, joined
    from trigger_ad.emulation.keras import float32_layers, float64_layers
    from trigger_ad.emulation.layer_tally import LayerTally
    from trigger_ad.models.quantized import load_quantized
    from trigger_ad.network.evaluation import evaluate

    path = run.directory.quantized_model(run.config.quantization.ship)
    with reading(path):
        model = load_quantized(path)
        emulators = {"keras_float64": float64_layers(model, network), "keras_float32": float32_layers(model, network)}
    found: dict[str, list[tuple[int, Agreement]]] = {name: [] for name in emulators}
    tally, outputs, seconds = LayerTally(network, run.config.firmware.accumulators), [], 0.0
    size = max(1, BLOCK_WORDS // sum(word.size for word in network.words.values()))
    for kind, start, stop in _blocks(vectors.segments, size):
        codes = _input_codes(run, vectors.words[start:stop])
        started = time.perf_counter()
        reference = evaluate(network, codes)
        seconds += time.perf_counter() - started
        outputs.append(reference[network.output.name])
        tally.add(reference, kind)
        for name, layers in emulators.items():
            started = time.perf_counter()
            values = layers(codes)
            took = time.perf_counter() - started
            # Keras in float32 is shown for information: it is not exact above 24 bits
            must = name == "keras_float64"
            found[name].append((start, compare(name, network, reference, values, took, must_agree=must)))
    return _Checked(np.concatenate(outputs), seconds, tally, [joined(parts) for parts in found.values()])


def _blocks(segments: list[Segment], size: int) -> Iterator[tuple[str, int, int]]:
    """Stretches of vectors of one kind, not longer than a block of some size."""
    for kind in VECTOR_KINDS:
        own = [segment for segment in segments if segment.kind == kind]
        first, last = min(segment.start for segment in own), max(segment.stop for segment in own)
        for start in range(first, last, size):
            yield kind, start, min(start + size, last)


def _input_codes(run: Run, words: NDArray[np.integer[Any]]) -> Codes:
    """What the encoding makes of vectors, by its definition."""
    from trigger_ad.network.vectors import require_words

    encoding = run.encoding
    with reading(run.directory.vectors):
        require_words([feature.word for feature in encoding.features], encoding.layout.objects, words)
    return encoding.codes_of_words(words)


@dataclass(frozen=True)
class _BenchRun:
    """What a project's own test bench gave for its own vectors, and its program, which can say more."""

    program: CompiledProject
    words: Codes
    passed: bool
    seconds: float


def _run_hls(run: Run, back_end: BackEnd, programs: ExitStack) -> _BenchRun:
    """Compiles and runs a project's test bench, and leaves its program there as long as `programs` lasts."""
    from trigger_ad.emulation.hls import compiled

    program = programs.enter_context(compiled(run.directory.hls_project(back_end)))
    started = time.perf_counter()
    done = program.run()
    return _BenchRun(program, done.words, done.passed, time.perf_counter() - started)


def _hls_agreement(
    run: Run, back_end: BackEnd, network: Network, vectors: TestVectors, expected: Codes, done: _BenchRun
) -> Agreement:
    from trigger_ad.emulation.agreement import compare

    output, project = network.output.name, run.directory.hls_project(back_end)
    if done.words.shape != expected.shape:
        raise UserError(
            f"{project}/tb_data does not hold the vectors of this run", f"Delete the folder {project} and run 'convert'"
        )
    values = {output: network.type(output).values(done.words)}
    agreement = compare(f"hls_{back_end}", network, {output: expected}, values, done.seconds)
    if agreement.mismatches:
        wrong = np.flatnonzero((done.words != expected).any(axis=1))[:100]
        agreement = agreement.located_by(_traced(run, back_end, network, vectors.words[wrong], done), wrong)
    return replace(agreement, test_bench_passed=done.passed)


def _traced(
    run: Run, back_end: BackEnd, network: Network, words: NDArray[np.integer[Any]], done: _BenchRun
) -> Agreement:
    """Finds the layer: runs some of the vectors that differ again, with every layer shown."""
    from trigger_ad.emulation.agreement import compare
    from trigger_ad.network.evaluation import evaluate

    reference = evaluate(network, _input_codes(run, words))
    return compare(f"hls_{back_end}", network, reference, done.program.layers(network, words), done.seconds)


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
    return {
        "back_ends": list(config.firmware.back_ends),
        "ship": config.quantization.ship,
        "accumulators": {name: str(kind) for name, kind in config.firmware.accumulators.items()},
        "inputs": config.inputs.model_dump(mode="json"),
        "layout": config.layout.model_dump(mode="json"),
        "compiler": _compiler(),
    }


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
    ("pipeline/emulate.py", *ENCODING, "models", "network", "firmware", "emulation"),
)
