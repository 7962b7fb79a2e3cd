"""The firmware as a program of alkaid, from raw trigger words to output words: it runs, and RTL can be written of it.

The program is traced: the encoding and every node of the frozen network are applied to words that record what is done
to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.firmware.alkaid_library import CombLogic, FVArrayInput, alir_interp_run, trace
from trigger_ad.firmware.rtl_encoding import encoded
from trigger_ad.firmware.rtl_layers import Tensor, traced_node
from trigger_ad.firmware.rtl_words import EXACT_BITS, HARDWARE, TooWideError, Variable, field, require_exact
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.inputs import require_encoding
from trigger_ad.network.nodes import Convolution, Dense, Input, Node
from trigger_ad.network.words import Word

LARGEST_PRODUCTS: Final = 100_000
"""Of a network that is traced: two minutes of processor time, and a gigabyte of memory."""

MOST_PRODUCTS_AS_RTL: Final = 15_000
"""Of a network that becomes RTL: some 150,000 look-up tables. Verilator and Yosys take far longer than alkaid does."""


@dataclass(frozen=True)
class Program:
    """A traced network.

    Args:
        logic: alkaid's program, from which it writes RTL too.
        inputs: The type of each trigger word, in the order of the words of an event.
        outputs: The words that it gives, by the name of their node, in order.
    """

    logic: CombLogic
    inputs: tuple[FixedPoint, ...]
    outputs: dict[str, Word]

    def run(self, words: NDArray[np.integer[Any]]) -> dict[str, Codes]:
        """Interprets the program.

        Args:
            words: Trigger words, each of its type, shape (events, inputs).

        Returns:
            int64 codes of shape (events, *shape of the node), by node name.
        """
        flat = np.ascontiguousarray(words, dtype=np.float64)
        values = alir_interp_run(self._bytes, flat, 0).reshape(len(words), -1)
        result, start = {}, 0
        for name, word in self.outputs.items():
            own = values[:, start : start + word.size].reshape(len(words), *word.shape)
            result[name] = word.type.exact_codes(own)
            start += word.size
        return result

    @cached_property
    def _bytes(self) -> bytes:
        return bytes(self.logic.to_bytecode())


def products(network: Network) -> int:
    """How many products of a weight that is not 0 and a word a network consists of."""
    count = 0
    for node in network.nodes:
        if isinstance(node, Dense | Convolution):
            positions = network.words[node.name].size // node.kernel.codes.shape[-1]
            count += positions * int(np.count_nonzero(node.kernel.codes))
    return count


def too_large(network: Network) -> str | None:
    """Why a network is not traced, or None if it is."""
    count = products(network)
    if count <= LARGEST_PRODUCTS:
        return None
    return f"{count} products with weights are more than the {LARGEST_PRODUCTS} that are traced in some minutes"


def no_rtl_of(network: Network, kept: float = 1.0) -> str | None:
    """Why a network does not become RTL, as far as its nodes and words show it; None if they do not.

    Args:
        network: The network.
        kept: The share of its weights that will not be 0.
    """
    for node in network.nodes:
        word = network.words[node.name]
        width = FixedPoint.holding(int(word.low.min()), int(word.high.max()), 0).width
        if width > EXACT_BITS:
            return f"layer '{node.name}' needs {width} bits, more than the {EXACT_BITS} that alkaid keeps exactly"
    count = round(products(network) * kept)
    if count <= MOST_PRODUCTS_AS_RTL:
        return None
    return f"{count} products with weights are more than the {MOST_PRODUCTS_AS_RTL} that are simulated within a run"


def traced(network: Network, encoding: InputEncoding, shown: Sequence[str] | None = None) -> Program:
    """The program of a network behind its encoding.

    Args:
        network: The frozen network.
        encoding: Makes its inputs from trigger words.
        shown: The nodes whose words it gives; None for the output alone.

    Raises:
        ValueError: If the network's inputs are not what the encoding makes.
        UserError: If alkaid would not keep a word exactly; names the layer.
    """
    require_encoding(network, encoding)
    kinds = tuple(feature.word for feature in encoding.features) * encoding.layout.objects
    ports = list(FVArrayInput(len(kinds), HARDWARE))
    words = [_as(kind, port) for kind, port in zip(kinds, ports, strict=True)]
    tensors: dict[str, Tensor] = {}
    for node in network.nodes:
        tensors[node.name] = _exact(node, network, tensors, words, encoding)
    names = (network.output.name,) if shown is None else shown
    outputs = {node.name: network.words[node.name] for node in network.nodes if node.name in names}
    # words are in their types, whatever alkaid's own bounds are
    results = [_as(outputs[name].type, word) for name in outputs for word in tensors[name].ravel()]
    return Program(trace(ports, results), kinds, outputs)


def _as(kind: FixedPoint, word: Variable) -> Variable:
    return field(word, kind.signed, kind.integer - kind.signed, kind.fraction)


def _exact(
    node: Node, network: Network, tensors: dict[str, Tensor], words: Sequence[Variable], encoding: InputEncoding
) -> Tensor:
    """The words of a node, each of which alkaid keeps exactly."""
    try:
        if isinstance(node, Input):
            result = encoded(words, encoding).reshape(node.shape)
        else:
            result = traced_node(node, [tensors[name] for name in node.sources], network)
        for word in result.ravel():
            require_exact(word)
    except TooWideError as error:
        raise UserError(
            f"layer '{node.name}' {error} that alkaid's programs keep exactly", "Use fewer bits for it or its weights"
        ) from None
    return result
