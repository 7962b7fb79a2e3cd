"""Every emulator on every test vector, and its layers alone where it has them, held against the exact reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes, Values
from trigger_ad.pipeline.convert import VECTOR_KINDS, Segment, TestVectors
from trigger_ad.pipeline.stage import Run, reading

if TYPE_CHECKING:
    from trigger_ad.emulation.agreement import Agreement
    from trigger_ad.emulation.layer_tally import LayerTally
    from trigger_ad.emulation.value_ranges import ValueRanges
    from trigger_ad.network.graph import Network

BLOCK_WORDS: Final = 20_000 * 512
"""Words of all layers that are in memory at a time: 20,000 vectors of the default network."""
LOCATED: Final = 100
"""Vectors that differ which are run again to find the layer, at most."""


@dataclass(frozen=True)
class Checked:
    """What going through all vectors once has shown: the reference's output words, and Keras in both precisions."""

    output: Codes
    seconds: float
    tally: LayerTally
    ranges: ValueRanges
    keras: list[Agreement]


def check_keras(run: Run, network: Network, vectors: TestVectors, alone: Mapping[str, Codes]) -> Checked:
    """Evaluates the reference and Keras on a block of vectors at a time, and Keras's layers alone in float64."""
    from trigger_ad.emulation.agreement import compare, compare_alone, joined
    from trigger_ad.emulation.keras import float32_layers, float64_layers, float64_layers_alone
    from trigger_ad.emulation.layer_tally import LayerTally
    from trigger_ad.emulation.value_ranges import ValueRanges
    from trigger_ad.models.quantized import load_quantized
    from trigger_ad.network.evaluation import evaluate

    path = run.model_file
    with reading(path):
        model = load_quantized(path)
        emulators = {"keras_float64": float64_layers(model, network), "keras_float32": float32_layers(model, network)}
    found: dict[str, list[tuple[int, Agreement]]] = {name: [] for name in emulators}
    own = run.config.firmware.accumulators
    tally, ranges = LayerTally(network, own), ValueRanges(network, own)
    outputs, seconds = [], 0.0
    size = max(1, BLOCK_WORDS // sum(word.size for word in network.words.values()))
    for kind, start, stop in _blocks(vectors.segments, size):
        codes = input_codes(run, vectors.words[start:stop])
        started = time.perf_counter()
        reference = evaluate(network, codes)
        seconds += time.perf_counter() - started
        outputs.append(reference[network.output.name])
        tally.add(reference, kind)
        ranges.add(reference, kind)
        for name, layers in emulators.items():
            started = time.perf_counter()
            values = layers(codes)
            took = time.perf_counter() - started
            # Keras in float32 is shown for information: it is not exact above 24 bits
            must = name == "keras_float64"
            found[name].append((start, compare(name, network, reference, values, took, must_agree=must)))
    float64, float32 = (joined(parts) for parts in found.values())
    sources = {node.name: node.sources for node in network.nodes[1:]}
    expected = expected_alone(network, alone, sources)
    float64 = replace(float64, alone=compare_alone(network, expected, float64_layers_alone(model, network, alone)))
    return Checked(np.concatenate(outputs), seconds, tally, ranges, [float64, float32])


def _blocks(segments: list[Segment], size: int) -> Iterator[tuple[str, int, int]]:
    """Stretches of vectors of one kind, not longer than a block of some size."""
    for kind in VECTOR_KINDS:
        own = [segment for segment in segments if segment.kind == kind]
        # plain input codes have no events
        first, last = min((item.start for item in own), default=0), max((item.stop for item in own), default=0)
        for start in range(first, last, size):
            yield kind, start, min(start + size, last)


def input_codes(run: Run, words: NDArray[np.integer[Any]]) -> Codes:
    """What the encoding makes of vectors, by its definition."""
    from trigger_ad.network.vectors import require_words

    encoding = run.encoding
    with reading(run.directory.vectors):
        require_words([feature.word for feature in encoding.features], encoding.layout.objects, words)
    return encoding.codes_of_words(words)


def expected_alone(
    network: Network, alone: Mapping[str, Codes], sources: Mapping[str, tuple[str, ...]]
) -> dict[str, Codes]:
    """What layers are for the codes of what they read."""
    from trigger_ad.network.evaluation import evaluate_layer

    return {name: evaluate_layer(network, name, {read: alone[read] for read in own}) for name, own in sources.items()}


@dataclass(frozen=True)
class NativeRun:
    """What the native library gave for the vectors, and for every test event of a sample that is not among them."""

    agreement: Agreement
    output: Codes
    words: dict[str, Codes]


def check_native(run: Run, network: Network, vectors: TestVectors, expected: Codes) -> NativeRun:
    """Runs the native library on all vectors, and on all events of samples of which the vectors hold a part.

    Args:
        run: The run.
        network: The frozen network.
        vectors: The vectors.
        expected: The reference's output words for them.
    """
    from trigger_ad.emulation.native import compiled_library, native_layers

    encoding = run.encoding
    with compiled_library(network, encoding) as library:
        started = time.perf_counter()
        found = library.output_words(vectors.words)
        seconds = time.perf_counter() - started
        tests = run.dataset.test_events()
        thinned = {item.name: tests[item.name] for item in vectors.segments if item.of is not None}
        words = {name: np.concatenate(list(map(library.scores, part.words()))) for name, part in thinned.items()}
    agreement = located(
        run, "native", network, vectors, expected, found, seconds, partial(native_layers, network, encoding)
    )
    return NativeRun(agreement, found, words)


def check_alir(run: Run, network: Network, vectors: TestVectors, expected: Codes) -> Agreement | str:
    """Runs alkaid's program of the network on all vectors.

    Args:
        run: The run.
        network: The frozen network.
        vectors: The vectors.
        expected: The reference's output words for them.

    Returns:
        The agreement, or why the network has no such program.
    """
    from trigger_ad.emulation.alir import layers, output_words
    from trigger_ad.firmware.rtl import too_large, traced

    reason = too_large(network)
    if reason:
        return reason
    try:
        program = traced(network, run.encoding)
    except UserError as error:
        # a limit of alkaid, and no mistake of the user's
        return error.what
    started = time.perf_counter()
    found = output_words(program, vectors.words).reshape(expected.shape)
    seconds = time.perf_counter() - started
    shown = partial(layers, network, run.encoding)
    return located(run, "alir", network, vectors, expected, found, seconds, shown)


def located(
    run: Run,
    emulator: str,
    network: Network,
    vectors: TestVectors,
    expected: Codes,
    found: Codes,
    seconds: float,
    shown: Callable[[NDArray[np.integer[Any]]], Mapping[str, Values]],
) -> Agreement:
    """The output words of an emulator against the reference's; where they differ, with the layer that does first.

    Args:
        run: The run.
        emulator: Its name.
        network: The frozen network.
        vectors: The vectors.
        expected: The reference's output words for them.
        found: The emulator's.
        seconds: What running it took.
        shown: Gives the layers that it shows for some vectors.
    """
    from trigger_ad.emulation.agreement import compare
    from trigger_ad.network.evaluation import evaluate

    output = network.output.name
    values = {output: network.type(output).values(found)}
    agreement = compare(emulator, network, {output: expected}, values, seconds)
    if not agreement.mismatches:
        return agreement
    wrong = np.flatnonzero((found != expected).any(axis=1))[:LOCATED]
    some = vectors.words[wrong]
    reference = evaluate(network, input_codes(run, some))
    return agreement.located_by(compare(emulator, network, reference, shown(some), seconds), wrong)


def decided(
    agreement: Agreement,
    vectors: TestVectors,
    expected: Codes,
    words: Codes,
    accepted: NDArray[np.bool_] | None,
) -> Agreement:
    """Adds the accept bit, where the vectors' firmware has one.

    Args:
        agreement: That of the output words.
        vectors: The vectors.
        expected: The reference's output words.
        words: Those of the emulator.
        accepted: Its accept bits.
    """
    if vectors.accept is None or accepted is None:
        return agreement
    return agreement.with_accept((words != expected).any(axis=1), expected[:, 0] > vectors.accept.code, accepted)


def require_same_outputs(
    project: Path, vectors: TestVectors, expected: Codes, words: Codes, accepted: NDArray[np.bool_] | None
) -> None:
    """Refuses a project that gave other words than one row for each vector, or no accept bit where there is one.

    Args:
        project: The project.
        vectors: The vectors of the run.
        expected: The reference's output words for those that ran.
        words: What the project gave.
        accepted: Its accept bits.

    Raises:
        UserError: If it is another project's.
    """
    remedy = f"Delete the folder {project} and run 'convert'"
    if words.shape != expected.shape:
        raise UserError(f"{project} does not give the output words of this run's vectors", remedy)
    if (vectors.accept is None) != (accepted is None):
        raise UserError(f"{project} and the vectors of this run do not agree on whether there is an accept bit", remedy)
