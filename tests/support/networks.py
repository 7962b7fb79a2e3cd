"""Small random integer networks and QKeras models, and a slow independent definition of a network's values."""

from __future__ import annotations

import importlib
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from support.exact_images import Tensor, exact_image, positions
from support.fixed_points import codes_of, constant, constants, exact_value, expected_code, fixed_points

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes, FixedPoint, Overflow, Rounding
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Dense, Elementwise, Input, Node, Quantize, Reshape
from trigger_ad.network.words import Word


def word_value(word: Word, code: int) -> Fraction:
    """What a code of a node's word is worth."""
    return exact_value(word.type, code) / word.divisor


def input_vectors(network: Network, events: int = 4) -> st.SearchStrategy[Codes]:
    """Input codes of a network: shape (events, inputs)."""
    word = network.words[network.input.name]
    ends = zip(word.low.reshape(-1).tolist(), word.high.reshape(-1).tolist(), strict=True)
    vector = st.tuples(*(st.integers(low, high) for low, high in ends))
    return st.lists(vector, min_size=events, max_size=events).map(lambda rows: np.array(rows, dtype=np.int64))


@st.composite
def networks(draw: st.DrawFn, *, bounded: bool = True) -> Network:
    """A random graph of up to seven nodes after its input, narrow enough to stay exact, ending in a single word.

    Its inputs may have bounds, unless they are to take every code of their type.
    """
    sizes = [draw(st.integers(1, 3))]
    kind = draw(fixed_points(6, 3)).plain()
    bounds = st.tuples(codes_of(kind), codes_of(kind)).map(lambda pair: (min(pair), max(pair)))
    features = draw(st.lists(bounds, max_size=sizes[0] if bounded else 0))
    nodes: list[Node] = [Input("inputs", (sizes[0],), kind, tuple(features))]
    for index in range(draw(st.integers(1, 6))):
        node, size = draw(_nodes(f"node_{index}", nodes, sizes))
        nodes.append(node)
        sizes.append(size)
    nodes.append(draw(_dense("score", nodes[-1].name, sizes[-1], 1)))
    try:
        return Network(tuple(nodes))
    except UserError:
        # a chain of products can need more than 53 bits
        assume(False)
        raise


@st.composite
def _nodes(draw: st.DrawFn, name: str, nodes: list[Node], sizes: list[int]) -> tuple[Node, int]:
    """A node that reads earlier ones, and its size."""
    source = draw(st.integers(0, len(nodes) - 1))
    kind = draw(st.sampled_from(["dense", "dense", "quantize", "quantize", "subtract", "multiply"]))
    if kind == "dense":
        units = draw(st.integers(1, 3))
        return draw(_dense(name, nodes[source].name, sizes[source], units)), units
    if kind == "quantize":
        relu = draw(st.booleans())
        quantize = Quantize(name, nodes[source].name, draw(fixed_points(8, 4)), "relu" if relu else "linear")
        return quantize, sizes[source]
    other = draw(st.sampled_from([index for index, size in enumerate(sizes) if size == sizes[source]]))
    left, right = nodes[source].name, nodes[other].name
    return Elementwise(name, left, right, "subtract" if kind == "subtract" else "multiply"), sizes[source]


@st.composite
def _dense(draw: st.DrawFn, name: str, source: str, inputs: int, units: int) -> Dense:
    bias = draw(constants((units,))) if draw(st.booleans()) else None
    return Dense(name, source, draw(constants((inputs, units))), bias)


def exact_evaluation(network: Network, inputs: list[int]) -> dict[str, list[Fraction]]:
    """Every node's exact values for one event in C order, in rational numbers and Python loops."""
    values: dict[str, Tensor] = {}
    for node in network.nodes:
        match node:
            case Input():
                codes = [exact_value(node.type, code) for code in inputs]
                values[node.name] = dict(zip(positions(node.shape), codes, strict=True))
            case Quantize():
                values[node.name] = {
                    position: exact_value(node.type, expected_code(node.type, _activated(node, value)))
                    for position, value in values[node.source].items()
                }
            case Elementwise():
                left, right = values[node.left], values[node.right]
                assert list(left) == list(right)
                subtract = node.kind == "subtract"
                values[node.name] = {at: a - right[at] if subtract else a * right[at] for at, a in left.items()}
            case Dense():
                values[node.name] = _exact_dense(node, list(values[node.source].values()))
            case Reshape():
                values[node.name] = dict(zip(positions(node.shape), values[node.source].values(), strict=True))
            case _:
                values[node.name] = exact_image(node, values[node.source])
    return {name: list(tensor.values()) for name, tensor in values.items()}


def _activated(node: Quantize, value: Fraction) -> Fraction:
    return max(value, Fraction(0)) if node.activation == "relu" else value


def _exact_dense(node: Dense, source: list[Fraction]) -> Tensor:
    results: Tensor = {}
    for unit in range(node.kernel.codes.shape[1]):
        weights = [exact_value(node.kernel.type, int(code)) for code in node.kernel.codes[:, unit]]
        total = sum((weight * value for weight, value in zip(weights, source, strict=True)), Fraction(0))
        if node.bias is not None:
            total += exact_value(node.bias.type, int(node.bias.codes[unit]))
        results[(unit,)] = total
    return results


def far_from_zero(sign: int) -> Network:
    """Nine times its input of 8 bits, from sums in which float64 does not tell neighbours apart."""
    nodes = (
        Input("inputs", (1,), FixedPoint(False, 8, 8)),
        # biases of 2**52 and -9 * 2**52, or the opposite
        Dense("far", "inputs", constant([[1]]), constant([sign], -52)),
        Dense("near", "far", constant([[9]]), constant([-9 * sign], -52)),
    )
    return Network(nodes)


def load_qkeras() -> Any:
    """QKeras, imported by the package, which silences the deprecation warnings of QKeras's own dependencies."""
    importlib.import_module("trigger_ad.models.quantized")
    return importlib.import_module("qkeras")


def small_architecture() -> Any:
    """An `Architecture` of 4-3-2-4: a ReLU, a latent layer and a reconstruction."""
    from trigger_ad.models.architectures import Architecture, DenseLayer

    return Architecture(
        (4,),
        (
            DenseLayer("encoder_1", 3, "relu", "activations", batch_normalization=True),
            DenseLayer("latent", 2, "linear", "latent"),
        ),
        (DenseLayer("reconstruction", 4, "linear", "output"),),
    )


def small_part(seed: int) -> Any:
    """A QKeras autoencoder of `small_architecture`, without score: random weights, widths and binary points."""
    from trigger_ad.models.floating import LayerWeights
    from trigger_ad.models.precision import LayerPrecision
    from trigger_ad.models.quantized import build_quantized

    random = np.random.default_rng(seed)

    def kind(signed: bool) -> FixedPoint:
        integer = int(random.integers(0, 4)) + int(signed)
        return FixedPoint(signed, int(random.integers(2, 9)), integer, Rounding.NEAREST_EVEN, Overflow.SATURATE)

    weights, precisions = {}, {}
    for layer, shape in small_architecture().steps():
        kernel, bias = random.normal(0, 2, layer.kernel_shape(shape)), random.normal(0, 2, layer.units)
        weights[layer.name] = LayerWeights(kernel, bias)
        precisions[layer.name] = LayerPrecision(kind(True), kind(True), kind(layer.activation == "linear"))
    return build_quantized(small_architecture(), weights, precisions)


def small_quantized(seed: int) -> Any:
    """The same with its sum of squared errors."""
    from trigger_ad.config import QuantizationConfig
    from trigger_ad.models.score_layers import with_score

    nothing, kind = np.zeros((1, 4)), FixedPoint(True, 8, 3)
    return with_score(
        small_part(seed), small_architecture(), "squared_error", QuantizationConfig(), nothing, kind, 1
    ).model
