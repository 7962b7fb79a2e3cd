"""The reference: evaluates a network on integer codes, and counts what its quantizers saturate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trigger_ad.fixed_point import Codes
from trigger_ad.network.graph import Dense, Elementwise, Input, Network, Node, Quantize, dense_fraction


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
        inputs: Codes of its input type, shape (events, inputs).

    Returns:
        Codes of shape (events, size of the node) by node name, each of type `network.type(name)`.

    Raises:
        ValueError: If an input code is outside the input type.
    """
    kind = network.input.type
    if inputs.size and (inputs.min() < kind.code_min or inputs.max() > kind.code_max):
        raise ValueError(f"an input code is outside {kind}")
    codes: dict[str, Codes] = {}
    for node in network.nodes:
        codes[node.name] = _evaluate_node(node, codes, network, inputs)
    return codes


def scores(network: Network, inputs: Codes, batch: int = 65536) -> Codes:
    """The score word of each event, shape (events,), in bounded memory."""
    parts = [
        evaluate(network, inputs[start : start + batch])[network.output.name][:, 0]
        for start in range(0, len(inputs), batch)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def saturations(network: Network, codes: Mapping[str, Codes]) -> dict[str, Saturation]:
    """What each quantizer saturated, by node name, from what `evaluate` returned."""
    counts = {}
    for node in network.nodes:
        if isinstance(node, Quantize):
            source = codes[node.source]
            positive = np.maximum(source, 0) if node.activation == "relu" else source
            outside = node.type.out_of_range(positive, network.type(node.source).fraction)
            counts[node.name] = Saturation(source.size, int(outside.sum()))
    return counts


def _evaluate_node(node: Node, codes: Mapping[str, Codes], network: Network, inputs: Codes) -> Codes:
    match node:
        case Input():
            return inputs.astype(np.int64)
        case Dense():
            return _dense(node, codes[node.source], network)
        case Quantize():
            source = np.maximum(codes[node.source], 0) if node.activation == "relu" else codes[node.source]
            return node.type.requantize(source, network.type(node.source).fraction)
        case Elementwise():
            return _elementwise(node, codes[node.left], codes[node.right], network)


def _dense(node: Dense, source: Codes, network: Network) -> Codes:
    fraction = dense_fraction(node, network.type(node.source))
    product = source @ node.kernel.codes
    product <<= fraction - network.type(node.source).fraction - node.kernel.type.fraction
    if node.bias is not None:
        product += node.bias.codes << (fraction - node.bias.type.fraction)
    return product


def _elementwise(node: Elementwise, left: Codes, right: Codes, network: Network) -> Codes:
    if node.kind == "multiply":
        return left * right
    fraction = network.type(node.name).fraction
    up_left = left << (fraction - network.type(node.left).fraction)
    return up_left - (right << (fraction - network.type(node.right).fraction))
