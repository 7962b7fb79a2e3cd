"""The HLS projects' own C++ and vendors' co-simulation, held against the exact reference."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import BackEnd
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes
from trigger_ad.pipeline.convert import TestVectors, shipped_vectors
from trigger_ad.pipeline.emulators import decided, expected_alone, located, require_same_outputs
from trigger_ad.pipeline.stage import Run

if TYPE_CHECKING:
    from trigger_ad.emulation.agreement import Agreement, Alone
    from trigger_ad.emulation.hls import CompiledProject
    from trigger_ad.network.graph import Network


@dataclass(frozen=True)
class BenchRun:
    """What a project's own test bench gave for its own vectors, and its layers for any codes; its program says more."""

    program: CompiledProject
    words: Codes
    accepted: NDArray[np.bool_] | None
    passed: bool
    said: str | None
    seconds: float
    alone: Alone


def run_hls(
    run: Run,
    back_end: BackEnd,
    network: Network,
    alone: Mapping[str, Codes],
    programs: ExitStack,
    vectors: TestVectors | None = None,
) -> BenchRun:
    """Compiles and runs a project, and leaves its program there as long as `programs` lasts.

    Args:
        run: The run.
        back_end: Of the project.
        network: The frozen network.
        alone: Codes that its layers are driven alone with.
        programs: Keeps the program.
        vectors: In place of the project's own.
    """
    from trigger_ad.emulation.hls import compiled

    program = programs.enter_context(compiled(run.directory.hls_project(back_end), network))
    started = time.perf_counter()
    done = program.run() if vectors is None else program.run_on(vectors.words, vectors.expected)
    seconds = time.perf_counter() - started
    layers = _hls_alone(run, program, network, alone)
    return BenchRun(program, done.words, done.accepted, done.passed, done.said, seconds, layers)


def _hls_alone(run: Run, bench: CompiledProject, network: Network, alone: Mapping[str, Codes]) -> Alone:
    """The project's layers for any codes of what they read; one that is not there differs in all of them.

    A layer whose accumulator's type the user has set is left out: it need not hold every sum.
    """
    from trigger_ad.emulation.agreement import compare_alone
    from trigger_ad.emulation.hls_units import driven_nodes
    from trigger_ad.firmware.hls_types import hls_layer_name

    own = run.config.firmware.accumulators
    driven = [node for node in driven_nodes(network) if hls_layer_name(node, network) not in own]
    sources: dict[str, tuple[str, ...]] = {node.name: node.sources for node in driven}
    sources |= {unit.node: unit.sources for unit in bench.units if unit.node in sources}
    expected = expected_alone(network, alone, sources)
    found = {name: np.full(codes.shape, np.nan) for name, codes in expected.items()}
    given = bench.alone(network, alone)
    found |= {name: network.type(name).values(given[name]) for name in expected if name in given}
    return compare_alone(network, expected, found)


def check_hls(
    run: Run,
    back_end: BackEnd,
    network: Network,
    vectors: TestVectors,
    expected: Codes,
    done: BenchRun,
) -> Agreement:
    """Holds what a project's test bench gave against the reference.

    Args:
        run: The run.
        back_end: Of the project.
        network: The frozen network.
        vectors: The vectors.
        expected: The reference's output words for them.
        done: What the test bench gave.
    """
    project = run.directory.hls_project(back_end)
    require_same_outputs(project, vectors, expected, done.words, done.accepted)
    shown = partial(done.program.layers, network)
    agreement = located(run, f"hls_{back_end}", network, vectors, expected, done.words, done.seconds, shown)
    agreement = decided(agreement, vectors, expected, done.words, done.accepted)
    return replace(agreement, test_bench_passed=done.passed, test_bench_said=done.said, alone=done.alone)


def check_cosim(
    run: Run, back_end: BackEnd, network: Network, vectors: TestVectors, expected: Codes
) -> Agreement | None:
    """Holds the words that a vendor's co-simulation of a project gave against the reference.

    Args:
        run: The run.
        back_end: Of the project.
        network: The frozen network.
        vectors: The run's vectors, of which a co-simulation runs a share.
        expected: The reference's output words for all of them.

    Returns:
        The agreement, or None if there has been no co-simulation.

    Raises:
        UserError: If what it left is damaged, or of other vectors.
    """
    from trigger_ad.emulation.agreement import compare
    from trigger_ad.emulation.hls import split_results
    from trigger_ad.firmware.project import COSIM_FILE

    path = run.directory.hls_project(back_end) / "tb_data" / COSIM_FILE
    if not path.is_file():
        return None
    ran, output = shipped_vectors(vectors).cosimulated, network.output.name
    try:
        words, accepted = split_results(path, expected.shape[1])
    except ValueError:
        words, accepted = np.empty((0, 0), dtype=np.int64), None
    if words.shape != expected[ran].shape or (vectors.accept is None) != (accepted is None):
        raise UserError(
            f"{path} does not hold the {len(ran)} vectors of this project's co-simulation",
            "Run the co-simulation again, or remove the file",
        )
    values = {output: network.type(output).values(words)}
    agreement = compare(f"cosim_{back_end}", network, {output: expected[ran]}, values, None)
    agreement = decided(agreement, vectors, expected[ran], words, accepted)
    return agreement.located_by(agreement, ran)
