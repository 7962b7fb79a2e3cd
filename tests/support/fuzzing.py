"""Random networks through every emulator: what is computed, with which vectors, and what counts as agreement."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from support.hls_bundle import compiled_together
from support.native import compiled_together as compiled_into_one_library
from support.random_networks import Description, Firmware, build, config_for, firmware_config, random_words
from support.runs import corners, encoding_of, middle_threshold

from trigger_ad.emulation import alir
from trigger_ad.emulation.agreement import Agreement, compare
from trigger_ad.emulation.hls import CompiledProject
from trigger_ad.emulation.hls_units import driven_nodes, layer_units
from trigger_ad.emulation.keras import float64_layers
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.firmware.project import Vectors, write_project
from trigger_ad.firmware.rtl import traced
from trigger_ad.fixed_point import Codes
from trigger_ad.models.keras import tf_keras
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.native.source import LibraryNames, library_source
from trigger_ad.network.driving import driving_vectors
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.freezing import freeze
from trigger_ad.network.graph import Network

WordEmulator = Callable[[Network, InputEncoding, Codes], Codes | None]
"""From a network, its encoding and trigger words of shape (vectors, inputs) to output codes (vectors, outputs); None
for a network that the emulator says it would not compute exactly."""


def _alir(network: Network, encoding: InputEncoding, words: Codes) -> Codes | None:
    try:
        program = traced(network, encoding)
    except UserError as error:
        if "that alkaid's programs keep exactly" in error.what:
            return None
        raise
    return alir.output_words(program, words)


WORD_EMULATORS: Final[dict[str, WordEmulator]] = {"alir": _alir}
"""Emulators that need no compiler, by name: each is held against the reference on every network that Keras is."""

RANDOM_VECTORS: Final = 150
MOST_OF_A_GROUP: Final = 60
"""Vectors of a group of corner vectors, and of those that drive accumulators."""

REFUSED: Final = re.compile(
    r"layer '\w+' needs a word of \d+ bits (in HLS )?to be exact, more than 53"
    r"|layer '\w+' has a kernel whose values are so far apart that a word for all of them has \d+ bits, more than 53"
    r"|latent dimension \d+ .* the Mahalanobis distance has no meaning"
    r"|a latent dimension follows from the others: the Mahalanobis distance has no meaning"
    r"|layer '\w+' has windows of one row and steps of \d+ rows, which hls4ml gets wrong in io_stream"
    r"|layer '\w+' rounds every word of '\w+' to 0: .*"
    r"|layer '\w+' has the quantizer \w+ of \d+ integer bits, and QKeras overflows beyond 30"
    r"|layer '\w+' is read \d+ times; hls4ml copies a stream 7 times at most"
)
"""What a random network may be refused for; all else is a mistake, of the package or of what draws networks."""


TALLY: Final = Counter[str]()
"""How many networks each emulator has computed, how many were refused, and how many outputs never moved."""


@dataclass(frozen=True)
class Case:
    """A random network, frozen, and its vectors.

    Args:
        description: What it is made of.
        model: The QKeras model.
        network: Frozen from it.
        encoding: Makes its inputs.
    """

    description: Description
    model: Any
    network: Network
    encoding: InputEncoding

    @cached_property
    def words(self) -> Codes:
        """Trigger words: random, corners, and those that drive accumulators far."""
        random = random_words(self.encoding, RANDOM_VECTORS, seed=2)
        kinds = [feature.word for feature in self.encoding.features]
        driving = driving_vectors(self.network, self.encoding.codes_of_words, kinds, random, seed=3, rounds=5)
        return np.concatenate([random, *(_some(group) for group in (*corners(self.encoding).values(), driving))])

    @cached_property
    def codes(self) -> Codes:
        """The network's inputs."""
        return self.encoding.codes_of_words(self.words)

    @cached_property
    def reference(self) -> dict[str, Codes]:
        """Codes of every node."""
        return evaluate(self.network, self.codes)

    @property
    def expected(self) -> Codes:
        """The output codes, shape (vectors, outputs)."""
        return self.reference[self.network.output.name].reshape(len(self.words), -1)


def case_of(description: Description) -> Case | None:
    """The case of a description, or None if the package refuses it for a reason that it may have."""
    tf_keras.backend.clear_session()
    encoding = encoding_of(config_for(description))
    assert encoding.network_type == description.input_type
    try:
        model = build(description)
        network = freeze(model, description.input_type)
    except UserError as error:
        accept(error)
        return None
    case = Case(description, model, network, encoding)
    TALLY["networks"] += 1
    if (case.expected == case.expected[0]).all():
        TALLY["networks of one output word alone"] += 1
    return case


def accept(error: UserError) -> None:
    """Counts a refusal; raises it again if no random network may be refused for that."""
    if not REFUSED.fullmatch(error.what):
        raise error
    TALLY["refused"] += 1


def require_agreement(agreement: Agreement, what: object) -> None:
    """Fails with the first layer that differs, and with what can be pasted into a regression test."""
    first = agreement.first_difference
    assert agreement.exact, (
        f"{agreement.emulator} differs in {agreement.mismatches} of {agreement.vectors} vectors, first in "
        f"{first.layer if first else 'no layer'}: expected {first and first.expected[:1]}, "
        f"found {first and first.found[:1]}\n{what!r}"
    )


def require_agreement_of_keras(description: Description) -> None:
    """Requires that of Keras, and of every emulator that takes words, unless the network is refused."""
    case = case_of(description)
    if case is None:
        return
    require_agreement(keras_agreement(case), description)
    for name, emulate in WORD_EMULATORS.items():
        words = emulate(case.network, case.encoding, case.words)
        if words is None:
            TALLY[f"beyond {name}"] += 1
        else:
            require_agreement(word_agreement(name, case, words), description)


def keras_agreement(case: Case) -> Agreement:
    """Every layer of the model in float64."""
    TALLY["through keras_float64"] += 1
    found = float64_layers(case.model, case.network)(case.codes)
    return compare("keras_float64", case.network, case.reference, found, 0.0)


def word_agreement(name: str, case: Case, found: Codes) -> Agreement:
    """The output words that an emulator gave for a case's vectors."""
    TALLY[f"through {name}"] += 1
    output = case.network.output.name
    values = case.network.type(output).values(found)
    return compare(name, case.network, case.reference, {output: values}, 0.0)


def native_agreements(drawn: Sequence[Description]) -> list[Agreement | None]:
    """Each network's native library, all of them compiled into one file; None for one that is refused."""
    cases = {number: case for number, item in enumerate(drawn) if (case := case_of(item)) is not None}
    agreements: list[Agreement | None] = [None] * len(drawn)
    sources = {
        number: library_source(case.network, case.encoding, LibraryNames(f"network_{number}"))
        for number, case in cases.items()
    }
    with tempfile.TemporaryDirectory() as name:
        library = Path(name) / "networks.so"
        if sources:
            compiled_into_one_library(list(sources.values()), library)
        for number, source in sources.items():
            with NativeEmulator(library, source, threads=1) as emulator:
                agreements[number] = word_agreement("native", cases[number], emulator.output_words(cases[number].words))
    return agreements


def hls_agreements(drawn: Sequence[tuple[Description, Firmware]]) -> list[Agreement | None]:
    """Each network's HLS project, all of one back end compiled into one program; None for one that is refused."""
    agreements: list[Agreement | None] = [None] * len(drawn)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases, projects = {}, {}
        for number, (description, firmware) in enumerate(drawn):
            case = case_of(description)
            if case is not None and _written(case, firmware, folder / f"project_{number}"):
                cases[number], projects[number] = case, folder / f"project_{number}"
        benches = compiled_together(list(projects.values()), folder) if projects else []
        for number, bench in zip(projects, benches, strict=True):
            agreements[number] = _hls_agreement(f"hls_{drawn[number][1].back_end}", cases[number], bench)
    return agreements


def _hls_agreement(name: str, case: Case, bench: CompiledProject) -> Agreement:
    """The output words; where one differs, every layer that HLS shows."""
    done = bench.run()
    agreement = word_agreement(name, case, done.words)
    assert done.passed == agreement.exact, "the test bench's verdict is another than that of the words it wrote"
    if agreement.exact:
        return agreement
    traced = compare(name, case.network, case.reference, bench.layers(case.network, case.words), 0.0)
    return agreement.located_by(traced, np.arange(len(case.words)))


def _written(case: Case, firmware: Firmware, folder: Path) -> bool:
    """Writes a case's HLS project; false if it is refused."""
    config = firmware_config(case.description, firmware, case.network)
    try:
        vectors = Vectors(case.words, case.expected)
        write_project(case.network, config, firmware.back_end, middle_threshold(case.expected), vectors, folder)
    except UserError as error:
        accept(error)
        return False
    # every layer can be cut out of the source, to be driven alone
    (source,) = (folder / "firmware").glob("*_network.cpp")
    found = [unit.node for unit in layer_units(source, case.network)]
    assert found == [node.name for node in driven_nodes(case.network)]
    return True


def _some(vectors: Codes) -> Codes:
    """A group of vectors, or, of a large one, as many as are run, evenly spaced."""
    if len(vectors) <= MOST_OF_A_GROUP:
        return vectors
    return vectors[np.linspace(0, len(vectors) - 1, MOST_OF_A_GROUP).astype(np.int64)]
