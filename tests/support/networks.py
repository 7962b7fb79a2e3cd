"""Small random fixed-point types, integer networks and QKeras models, and slow independent definitions of them."""

from __future__ import annotations

import importlib
import math
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import MAX_WIDTH, Codes, FixedPoint, Overflow, Rounding
from trigger_ad.network.graph import Constant, Dense, Elementwise, Input, Network, Node, Quantize


@st.composite
def fixed_points(draw: st.DrawFn, max_width: int = MAX_WIDTH, max_point: int = 64) -> FixedPoint:
    """Any type; `max_point` limits how far the binary point lies outside the word."""
    signed = draw(st.booleans())
    width = draw(st.integers(2 if signed else 1, max_width))
    integer = draw(st.integers(-max_point, width + max_point))
    return FixedPoint(signed, width, integer, draw(st.sampled_from(Rounding)), draw(st.sampled_from(Overflow)))


def codes_of(kind: FixedPoint) -> st.SearchStrategy[int]:
    """Codes of a type, its extremes often."""
    return st.one_of(st.integers(kind.code_min, kind.code_max), st.sampled_from([kind.code_min, 0, kind.code_max]))


def expected_code(kind: FixedPoint, value: Fraction) -> int:
    """The code of an exact value, by the definition of the `ap_fixed` types."""
    scaled = value * Fraction(2) ** kind.fraction
    # Python rounds fractions to the nearest integer, ties to even
    code = round(scaled) if kind.rounding is Rounding.NEAREST_EVEN else math.floor(scaled)
    if kind.overflow is Overflow.SATURATE:
        return min(max(code, kind.code_min), kind.code_max)
    bits = code % (1 << kind.width)
    return bits - (1 << kind.width) if bits > kind.code_max else bits


def exact_value(kind: FixedPoint, code: int) -> Fraction:
    """What a code is worth."""
    return Fraction(code) / Fraction(2) ** kind.fraction


def input_vectors(network: Network, events: int = 4) -> st.SearchStrategy[Codes]:
    """Input codes of a network: shape (events, inputs)."""
    vector = st.lists(codes_of(network.input.type), min_size=network.input.size, max_size=network.input.size)
    return st.lists(vector, min_size=events, max_size=events).map(lambda rows: np.array(rows, dtype=np.int64))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A random graph of up to seven nodes after its input, narrow enough to stay exact, ending in a single word."""
    sizes = [draw(st.integers(1, 3))]
    nodes: list[Node] = [Input("inputs", sizes[0], draw(fixed_points(6, 3)).plain())]
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
    bias = draw(_constants((units,))) if draw(st.booleans()) else None
    return Dense(name, source, draw(_constants((inputs, units))), bias)


@st.composite
def _constants(draw: st.DrawFn, shape: tuple[int, ...]) -> Constant:
    size = math.prod(shape)
    codes = draw(st.lists(st.integers(-20, 20), min_size=size, max_size=size))
    return Constant.narrowest(np.array(codes, dtype=np.int64).reshape(shape), draw(st.integers(-3, 6)))


def exact_evaluation(network: Network, inputs: list[int]) -> dict[str, list[Fraction]]:
    """Every node's exact values for one event, in rational numbers and Python loops."""
    values: dict[str, list[Fraction]] = {}
    for node in network.nodes:
        match node:
            case Input():
                values[node.name] = [exact_value(node.type, code) for code in inputs]
            case Dense():
                values[node.name] = _exact_dense(node, values[node.source])
            case Quantize():
                codes = [expected_code(node.type, _activated(node, value)) for value in values[node.source]]
                values[node.name] = [exact_value(node.type, code) for code in codes]
            case Elementwise():
                pairs = zip(values[node.left], values[node.right], strict=True)
                values[node.name] = [a - b if node.kind == "subtract" else a * b for a, b in pairs]
    return values


def _activated(node: Quantize, value: Fraction) -> Fraction:
    return max(value, Fraction(0)) if node.activation == "relu" else value


def _exact_dense(node: Dense, source: list[Fraction]) -> list[Fraction]:
    results = []
    for unit in range(node.kernel.codes.shape[1]):
        weights = [exact_value(node.kernel.type, int(code)) for code in node.kernel.codes[:, unit]]
        total = sum((weight * value for weight, value in zip(weights, source, strict=True)), Fraction(0))
        if node.bias is not None:
            total += exact_value(node.bias.type, int(node.bias.codes[unit]))
        results.append(total)
    return results


def load_qkeras() -> Any:
    """QKeras, imported by the package, which silences the deprecation warnings of QKeras's own dependencies."""
    importlib.import_module("trigger_ad.models.quantized")
    return importlib.import_module("qkeras")


def small_architecture() -> Any:
    """A `DenseAutoencoder` of 4-3-2-4: a ReLU, a latent layer and a reconstruction."""
    from trigger_ad.models.architectures import DenseAutoencoder, DenseLayer

    return DenseAutoencoder(
        4,
        (
            DenseLayer("encoder_1", 4, 3, "relu", True, "activations"),
            DenseLayer("latent", 3, 2, "linear", False, "latent"),
            DenseLayer("reconstruction", 2, 4, "linear", False, "output"),
        ),
    )


def small_quantized(seed: int) -> Any:
    """A QKeras autoencoder of `small_architecture` with random weights, widths and binary points."""
    from trigger_ad.models.floating import DenseWeights
    from trigger_ad.models.precision import LayerPrecision
    from trigger_ad.models.quantized import build_quantized

    random = np.random.default_rng(seed)

    def kind(signed: bool) -> FixedPoint:
        integer = int(random.integers(0, 4)) + int(signed)
        return FixedPoint(signed, int(random.integers(2, 9)), integer, Rounding.NEAREST_EVEN, Overflow.SATURATE)

    weights, precisions = {}, {}
    for layer in small_architecture().layers:
        shape = (layer.inputs, layer.units)
        weights[layer.name] = DenseWeights(random.normal(0, 2, shape), random.normal(0, 2, layer.units))
        precisions[layer.name] = LayerPrecision(kind(True), kind(True), kind(layer.activation == "linear"))
    return build_quantized(small_architecture(), weights, precisions)
