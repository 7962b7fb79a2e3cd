"""Stage `emulate`: every emulator on every test vector, held against the exact integer reference."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from trigger_ad.config import BackEnd, Config
from trigger_ad.events.dataset import evenly_spread
from trigger_ad.fixed_point import Codes
from trigger_ad.pipeline.convert import (
    ENCODING,
    EXPECTED_WORDS,
    VECTOR_KINDS,
    Segment,
    TestVectors,
    read_layer_vectors,
    read_vectors,
    shipped_network,
)
from trigger_ad.pipeline.emulators import NativeRun, check_alir, check_keras, check_native
from trigger_ad.pipeline.hls_emulation import BenchRun, check_cosim, check_hls, run_hls
from trigger_ad.pipeline.rtl_emulation import Clocked, check_rtl, run_rtl, tool_versions
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.run_directory import worked_on_alone, write_json, written_whole
from trigger_ad.tools import COMPILER, find_tool

if TYPE_CHECKING:
    from trigger_ad.emulation.agreement import Agreement, Difference
    from trigger_ad.network.graph import Network
    from trigger_ad.pipeline.given_vectors import GivenVectors

HLS_NOTE: Final = (
    "What is verified of HLS is values, not the schedule. C++ emulation knows neither clock cycles nor FIFO depths: "
    "until a co-simulation has run, latency, initiation interval and freedom from deadlock are not shown."
)
RTL_NOTE: Final = (
    "The RTL was clocked: each output came as many clocks after its input as is said, with vectors at every clock and "
    "again with gaps between them."
)
_LOGGER = logging.getLogger(__name__)


def _execute(run: Run) -> None:
    _emulate(run, read_vectors(run.directory.vectors), None)


def emulate_given(run: Run, events: Path | None, inputs: Path | None) -> tuple[GivenVectors, dict[str, Any]]:
    """Runs every emulator on a user's vectors and the corner vectors; the results lie beside the run's own.

    Args:
        run: The run, converted.
        events: An events file of the run's layout, or None.
        inputs: A NumPy file of vectors, where there is no events file.

    Returns:
        The vectors, and what `results/emulation_given.json` says.

    Raises:
        UserError: If the file does not suit the run.
    """
    from trigger_ad.pipeline.given_vectors import given_vectors

    with worked_on_alone(run.directory):
        given = given_vectors(run, events, inputs)
        return given, _emulate(run, given.vectors, given)


def _emulate(run: Run, vectors: TestVectors, given: GivenVectors | None) -> dict[str, Any]:
    network = shipped_network(run)
    alone = read_layer_vectors(run.directory.vectors, network)
    back_ends, has_rtl = run.config.firmware.hls_back_ends, run.config.firmware.has_rtl
    with ExitStack() as programs:
        with ThreadPoolExecutor(max_workers=2) as pool:
            # the projects are compiled and run beside each other while the reference and Keras run here
            other = vectors if given else None
            pending = {name: pool.submit(run_hls, run, name, network, alone, programs, other) for name in back_ends}
            clocking = pool.submit(run_rtl, run, vectors) if has_rtl else None
            checked = check_keras(run, network, vectors, alone)
            native = check_native(run, network, vectors, checked.output)
            alir = check_alir(run, network, vectors, checked.output)
            benches = {name: future.result() for name, future in pending.items()}
            clocked = clocking.result() if clocking else {}
        agreements = [*checked.keras, native.agreement, *([] if isinstance(alir, str) else [alir])]
        agreements += [check_hls(run, name, network, vectors, checked.output, benches[name]) for name in back_ends]
    agreements += [check_rtl(run, name, network, vectors, checked.output, done) for name, done in _that_ran(clocked)]
    if not given:
        cosimulated = (check_cosim(run, name, network, vectors, checked.output) for name in back_ends)
        agreements += [agreement for agreement in cosimulated if agreement]
    tests = [item for item in vectors.segments if item.kind == "events"]
    source, words = _firmware(benches, clocked, native)
    results = {
        "reference": {"seconds": checked.seconds, "vectors": len(vectors.words)},
        "vectors": {kind: sum(len(item) for item in vectors.segments if item.kind == kind) for kind in VECTOR_KINDS},
        "test_events": sum(item.of or len(item) for item in tests),
        "vectors_expected_differ": int((vectors.expected != checked.output).any(axis=1).sum()),
        "emulators": _emulators(agreements, clocked),
        "not_run": _not_run({"alir": alir, **clocked}),
        "firmware_words": source,
        "layers": _layers(checked.tally.rows(agreements[0].layers), agreements),
        "value_ranges": checked.ranges.rows(),
        "note": " ".join([*([HLS_NOTE] if back_ends else []), *([RTL_NOTE] if any(_that_ran(clocked)) else [])]),
        "compiler": _compiler(),
    }
    suffix = "_given" if given else ""
    if given:
        results["given"] = given.to_json()
    else:
        with written_whole(run.directory.arrays("emulation")) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **_firmware_words(tests, words[:, 0], native.words))
    edited = _expected_difference(network, vectors, checked.output)
    differences = {"mismatches": _mismatches(agreements), "expected_words": edited}
    write_json(run.directory.results(f"mismatches{suffix}"), differences)
    write_json(run.directory.results(f"emulation{suffix}"), results)
    return results


def _that_ran(clocked: Mapping[str, Clocked | str]) -> Iterator[tuple[str, Clocked]]:
    return ((name, done) for name, done in clocked.items() if not isinstance(done, str))


def _not_run(done: Mapping[str, object]) -> dict[str, str]:
    """The emulators that could not run, with the reason."""
    reasons = {name: reason for name, reason in done.items() if isinstance(reason, str)}
    if "rtl" in reasons:
        _LOGGER.warning("rtl: not simulated, %s", reasons["rtl"])
    return reasons


def _emulators(agreements: list[Agreement], clocked: Mapping[str, Clocked | str]) -> dict[str, dict[str, Any]]:
    """What is said of each emulator; of RTL its clocks too."""
    clocks = {name: done.to_json() for name, done in _that_ran(clocked)}
    return {item.emulator: item.to_json() | clocks.get(item.emulator, {}) for item in agreements}


def _firmware(
    benches: Mapping[BackEnd, BenchRun], clocked: Mapping[str, Clocked | str], native: NativeRun
) -> tuple[str, Codes]:
    """The emulator whose words are those of the firmware: HLS, else the RTL, else what stands in for it."""
    for name, done in benches.items():
        return f"hls_{name}", done.words
    rtl = clocked.get("rtl")
    return ("rtl", rtl.run.words) if isinstance(rtl, Clocked) else ("native", native.output)


def _firmware_words(tests: list[Segment], emulated: Codes, scored: Mapping[str, Codes]) -> dict[str, Codes]:
    """The score word of every test event, by sample: as the firmware gave it, or else the native library."""
    words = {}
    for item in tests:
        own = emulated[item.start : item.stop]
        words[item.name] = own
        if item.of is not None:
            words[item.name] = scored[item.name].copy()
            words[item.name][evenly_spread(item.of, len(item))] = own
    return words


def _layers(rows: list[dict[str, Any]], agreements: list[Agreement]) -> list[dict[str, Any]]:
    """Adds how many codes each layer was driven alone with, and how many of them differed in any emulator."""
    tried = [item.alone for item in agreements if item.alone]

    def alone(layer: str) -> dict[str, int]:
        own = [item for item in tried if layer in item.layers]
        return {
            "alone": sum(item.vectors for item in own),
            "mismatches_alone": sum(item.layers[layer] for item in own),
        }

    return [row | alone(row["layer"]) for row in rows]


def _mismatches(agreements: list[Agreement]) -> list[dict[str, Any]]:
    return [
        {
            "emulator": item.emulator,
            "must_agree": item.must_agree,
            "test_bench_passed": item.test_bench_passed,
            "difference": _as_json(item.first_difference),
            "alone": _as_json(item.alone.first_difference) if item.alone else None,
        }
        for item in agreements
        if not item.exact
    ]


def _as_json(difference: Difference | None) -> dict[str, Any] | None:
    return asdict(difference) if difference else None


def _expected_difference(network: Network, vectors: TestVectors, output: Codes) -> dict[str, Any] | None:
    """Where the expected words that go with the vectors are not the reference's."""
    from trigger_ad.emulation.agreement import compare

    name = network.output.name
    found = {name: network.type(name).values(vectors.expected)}
    return _as_json(compare(EXPECTED_WORDS, network, {name: output}, found, 0.0).first_difference)


def _project_inputs(run: Run) -> list[Path]:
    """What the emulators compile and read: not what else a vendor tool leaves in the project."""
    from trigger_ad.firmware.project import COSIM_FILE
    from trigger_ad.firmware.rtl_design import DESIGN_FILE
    from trigger_ad.firmware.rtl_pipeline import LANGUAGES

    files: list[Path] = []
    for back_end in run.config.firmware.hls_back_ends:
        project = run.directory.hls_project(back_end)
        files += [
            project / "firmware",
            *sorted(project.glob("*_test.cpp")),
            *sorted((project / "tb_data").glob("*.dat")),
            project / "tb_data" / COSIM_FILE,
        ]
    if run.config.firmware.has_rtl:
        rtl = run.directory.rtl_project
        files += [rtl / DESIGN_FILE, *(rtl / language for language in LANGUAGES)]
    return files


def _settings(config: Config) -> dict[str, Any]:
    return {
        "back_ends": list(config.firmware.hls_back_ends),
        "rtl": tool_versions() if config.firmware.has_rtl else None,
        "ship": config.quantization.ship,
        "accumulators": {name: str(kind) for name, kind in config.firmware.accumulators.items()},
        "inputs": config.inputs.model_dump(mode="json"),
        "own_model": config.own_model.model_dump(mode="json") if config.own_model else None,
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
        run.network_file,
        run.model_file,
        *_project_inputs(run),
    ],
    lambda run: [
        run.directory.results("emulation"),
        run.directory.results("mismatches"),
        run.directory.arrays("emulation"),
    ],
    _execute,
    (
        "pipeline/emulate.py",
        "pipeline/emulators.py",
        "pipeline/hls_emulation.py",
        "pipeline/rtl_emulation.py",
        *ENCODING,
        "native",
        "models",
        "network",
        "firmware",
        "emulation",
    ),
)
