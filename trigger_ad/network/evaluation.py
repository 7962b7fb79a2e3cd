"""The reference: evaluates a network on integer codes, and counts what its quantizers saturate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from trigger_ad.fixed_point import Codes
from trigger_ad.network.graph import Network
from trigger_ad.network.inputs import require_inputs
from trigger_ad.network.nodes import (
    Convolution,
    Dense,
    Elementwise,
    Input,
    Node,
    Pooling,
    Quantize,
    Reshape,
    Upsampling,
    ZeroPadding,
)
from trigger_ad.network.tensors import Tensor, matrix, padded, rearranged, windows
from trigger_ad.network.words import EXACT_FLOAT, largest_sum, weighted_fraction

BLOCK_WORDS: Final = 1 << 21
"""Words of a block of events, those of every node: many more than the processor's caches hold are slower."""
PRODUCT_ROWS: Final = 32
"""Rows of the products into which a large one is split."""


@dataclass(frozen=True)
class Saturation:
    """What one quantizer clipped.

    Args:
        values: How many values it was given.
        saturated: How many of them lay outside its range (a ReLU's negative values do not count: it cuts on purpose).
    """

    values: int
    saturated: int


def evaluate(network: Network, inputs: Codes) -> dict[str, Codes]:
    """The codes of every node.

    Args:
        network: The frozen network.
        inputs: Codes of its input type, shape (events, inputs), those of a tensor in C order.

    Returns:
        int64 codes by node name, of shape (events, ...) with the node's shape at the end, and of type
        `network.type(name)`.

    Raises:
        ValueError: If an input cannot have one of the codes.
    """
    require_inputs(network, inputs)
    codes: dict[str, Codes] = {}
    for node in network.nodes:
        codes[node.name] = _evaluate_node(node, codes, network, inputs)
    return codes


def evaluate_layer(network: Network, name: str, given: Mapping[str, Codes]) -> Codes:
    """The codes of one node from codes of nodes before it, which need not be those that the network gives them.

    Args:
        network: The frozen network.
        name: Of the node.
        given: Codes of shape (vectors, *shape of the node) by the name of the node, within its bounds; every path from
            the input to the node passes one of them.

    Returns:
        int64 codes of shape (vectors, *shape of the node).
    """
    nodes = {node.name: node for node in network.nodes}
    codes = dict(given)

    def known(wanted: str) -> Codes:
        if wanted not in codes:
            node = nodes[wanted]
            assert not isinstance(node, Input)
            for source in node.sources:
                known(source)
            codes[wanted] = _evaluate_node(node, codes, network, codes[node.sources[0]])
        return codes[wanted]

    return known(name)


def outputs(network: Network, inputs: Codes, batch: int | None = None) -> Codes:
    """The output words of each event, shape (events, words), in bounded memory.

    Args:
        network: The frozen network.
        inputs: Codes of its input type, shape (events, inputs).
        batch: Events that are evaluated at once; None for as many as is fastest.
    """
    output, batch = network.output.name, batch or block_events(network)
    result = np.empty((len(inputs), network.words[output].size), dtype=np.int64)
    for start in range(0, len(inputs), batch):
        block = result[start : start + batch]
        block[:] = evaluate(network, inputs[start : start + batch])[output].reshape(block.shape)
    return result


def scores(network: Network, inputs: Codes, batch: int | None = None) -> Codes:
    """The score word of each event, shape (events,): the first of its `outputs`."""
    return outputs(network, inputs, batch)[:, 0]


def block_events(network: Network) -> int:
    """Events that are best evaluated at once: few enough for the codes of all nodes to stay small."""
    return max(1, BLOCK_WORDS // sum(word.size for word in network.words.values()))


def saturations(network: Network, codes: Mapping[str, Codes]) -> dict[str, Saturation]:
    """What each quantizer saturated, by node name, from what `evaluate` returned."""
    counts = {}
    for node in network.nodes:
        if isinstance(node, Quantize):
            source, word = codes[node.source], network.words[node.source]
            positive = np.maximum(source, 0) if node.activation == "relu" else source
            outside = node.type.out_of_range(positive, word.type.fraction, word.divisor)
            counts[node.name] = Saturation(source.size, int(outside.sum()))
    return counts


def _evaluate_node(node: Node, codes: Mapping[str, Codes], network: Network, inputs: Codes) -> Codes:
    match node:
        case Input():
            return inputs.astype(np.int64).reshape(len(inputs), *node.shape)
        case Dense() | Convolution():
            return _weighted(node, codes[node.source], network)
        case Quantize():
            source, word = codes[node.source], network.words[node.source]
            positive = np.maximum(source, 0) if node.activation == "relu" else source
            return node.type.requantize(positive, word.type.fraction, word.divisor)
        case Pooling() | Upsampling() | ZeroPadding() | Reshape():
            return rearranged(node, codes[node.source])
        case Elementwise():
            return _elementwise(node, codes[node.left], codes[node.right], network)


def _weighted(node: Dense | Convolution, source: Codes, network: Network) -> Codes:
    word, weights = network.words[node.source], matrix(node)
    fraction = weighted_fraction(node, word.type)
    number = _number_type(largest_sum(weights, word.largest))
    if isinstance(node, Dense):
        product = _multiplied(source.astype(number), weights.astype(number)).astype(np.int64)
    else:
        product = _convolved(node, source, weights.astype(number), (len(source), *network.words[node.name].shape))
    product <<= fraction - word.type.fraction - node.kernel.type.fraction
    if node.bias is not None:
        product += node.bias.codes << (fraction - node.bias.type.fraction)
    return product


def _number_type(largest: int) -> type[np.float32 | np.float64 | np.int64]:
    """The fastest numbers in which sums up to a magnitude, whole or in part, are exact.

    Processors multiply matrices of floats ten times as fast as NumPy those of integers. No float is rounded as long as
    it stays within the integers that its type holds, in whatever order the sums are added up.
    """
    if largest <= 1 << 24:
        return np.float32
    return np.float64 if largest <= EXACT_FLOAT else np.int64


def _multiplied(rows: Tensor, weights: Tensor) -> Tensor:
    """`rows @ weights`, a few rows at a time: the libraries behind NumPy share larger products out among threads.

    That takes longer than these products do, many times longer if another program uses a core.
    """
    whole = len(rows) - len(rows) % PRODUCT_ROWS
    result = np.empty((len(rows), weights.shape[1]), dtype=rows.dtype)
    stacks = result[:whole].reshape(-1, PRODUCT_ROWS, weights.shape[1])
    # no sum of these integers is invalid; what the libraries compute beside them and throw away may be, and is flagged
    with np.errstate(all="ignore"):
        np.matmul(rows[:whole].reshape(-1, PRODUCT_ROWS, len(weights)), weights, out=stacks)
        np.matmul(rows[whole:], weights, out=result[whole:])
    return result


def _convolved(node: Convolution, source: Codes, weights: Tensor, shape: tuple[int, ...]) -> Codes:
    """The sums of products of a convolution, a few events at a time: their windows side by side take much memory."""
    events, *positions, filters = shape
    step = max(1, BLOCK_WORDS // (math.prod(positions) * len(weights)))
    result = np.empty(shape, dtype=np.int64)
    for start in range(0, events, step):
        block = padded(source[start : start + step].astype(weights.dtype), node.padding)
        rows = windows(block, node).reshape(-1, len(weights))
        result[start : start + step] = _multiplied(rows, weights).reshape(-1, *positions, filters)
    return result


def _elementwise(node: Elementwise, left: Codes, right: Codes, network: Network) -> Codes:
    if node.kind == "multiply":
        return left * right
    fraction = network.type(node.name).fraction
    up_left = left << (fraction - network.type(node.left).fraction)
    return up_left - (right << (fraction - network.type(node.right).fraction))
