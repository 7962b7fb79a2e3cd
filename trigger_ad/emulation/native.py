"""The C++ library of the exact network as an emulator: compiled afresh, and cut off after a layer to find an error."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import Values
from trigger_ad.native.build import LOCAL_FLAGS, compile_library
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.native.source import LibraryNames, library_source
from trigger_ad.network.graph import Network

_NAMES: Final = LibraryNames("emulated")


@contextmanager
def compiled_library(network: Network, encoding: InputEncoding) -> Iterator[NativeEmulator]:
    """The library of a network, compiled in a temporary folder, so that it cannot be stale.

    Args:
        network: The frozen network.
        encoding: Makes its inputs from trigger words.

    Raises:
        UserError: If there is no compiler, or it does not compile.
    """
    source = library_source(network, encoding, _NAMES)
    with tempfile.TemporaryDirectory() as name:
        library = Path(name) / "emulated.so"
        compile_library(source, library, LOCAL_FLAGS)
        with NativeEmulator(library, source) as emulator:
            yield emulator


def native_layers(network: Network, encoding: InputEncoding, words: NDArray[np.integer[Any]]) -> dict[str, Values]:
    """What each layer is for some trigger words, from libraries that end with it.

    Args:
        network: The frozen network.
        encoding: Makes its inputs from trigger words.
        words: Raw trigger words, shape (vectors, inputs).

    Returns:
        Values of shape (vectors, *shape of the node) by node name; sums that no type holds exactly are left out.
    """
    values = {}
    for position, node in enumerate(network.nodes[1:], start=2):
        word = network.words[node.name]
        if word.divisor == 1:
            with compiled_library(Network(network.nodes[:position]), encoding) as emulator:
                values[node.name] = word.type.values(emulator.output_words(words)).reshape(-1, *word.shape)
    return values
