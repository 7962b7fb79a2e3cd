"""The exact integer graph: every word has a fixed-point type, and every operation is integer arithmetic.

Results of dense layers, differences and products have the narrowest type that holds every value that they can take
for any input code: their interval bounds are computed exactly, in unbounded integers, so no accumulator can
overflow. Only a `Quantize` node rounds or saturates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import MAX_WIDTH, Codes, FixedPoint, Overflow

Bounds = NDArray[np.object_]
"""Python integers, unbounded, one for each element of a word vector."""


@dataclass(frozen=True)
class Constant:
    """Constants of a layer as integer codes.

    Args:
        codes: int64 of any shape.
        type: Holds every code.
    """

    codes: Codes
    type: FixedPoint

    @classmethod
    def narrowest(cls, codes: Codes, fraction: int) -> Constant:
        """The same values in the fewest bits: zero bits that all codes end in are dropped."""
        common = int(np.bitwise_or.reduce(np.abs(codes), axis=None)) if codes.size else 0
        spare = (common & -common).bit_length() - 1 if common else 0
        kept = codes >> spare
        return cls(kept, FixedPoint.holding(int(kept.min()), int(kept.max()), fraction - spare))


@dataclass(frozen=True)
class Input:
    """The input words.

    Args:
        name: Of the node.
        size: Number of words.
        type: Of every word.
    """

    name: str
    size: int
    type: FixedPoint
    kind: Literal["input"] = "input"
    sources: tuple[()] = ()


@dataclass(frozen=True)
class Dense:
    """`source @ kernel + bias`, exact.

    Args:
        name: Of the node.
        source: The node it reads.
        kernel: Codes of shape (inputs, outputs).
        bias: Codes of shape (outputs,), or None.
    """

    name: str
    source: str
    kernel: Constant
    bias: Constant | None
    kind: Literal["dense"] = "dense"

    @property
    def sources(self) -> tuple[str]:
        """The nodes it reads."""
        return (self.source,)

    @property
    def is_sum(self) -> bool:
        """Whether it only adds its inputs up: one output, every weight 1, no bias."""
        weights = self.kernel.type.values(self.kernel.codes)
        return self.bias is None and weights.shape[1] == 1 and bool((weights == 1).all())


@dataclass(frozen=True)
class Quantize:
    """The only node that rounds or saturates: an activation into a type.

    Args:
        name: Of the node.
        source: The node it reads.
        type: Rounds and saturates as it says.
        activation: `relu` clips negative values to zero first.
    """

    name: str
    source: str
    type: FixedPoint
    activation: Literal["linear", "relu"]
    kind: Literal["quantize"] = "quantize"

    @property
    def sources(self) -> tuple[str]:
        """The nodes it reads."""
        return (self.source,)


@dataclass(frozen=True)
class Elementwise:
    """`left - right` or `left * right`, exact.

    Args:
        name: Of the node.
        left: A node.
        right: A node of the same size.
        kind: The operation.
    """

    name: str
    left: str
    right: str
    kind: Literal["subtract", "multiply"]

    @property
    def sources(self) -> tuple[str, str]:
        """The nodes it reads."""
        return (self.left, self.right)


Node = Input | Dense | Quantize | Elementwise


@dataclass(frozen=True)
class Word:
    """What is known of a node's output vector.

    Args:
        type: Of every element.
        low: The smallest code that each element can take, exactly.
        high: The largest.
    """

    type: FixedPoint
    low: Bounds
    high: Bounds

    @property
    def size(self) -> int:
        """Number of elements."""
        return len(self.low)


@dataclass(frozen=True)
class Network:
    """A network of integer words, its nodes in the order of the data.

    Args:
        nodes: One input first; each node reads nodes before it; the last is the output.

    Raises:
        UserError: If a node's exact result needs more than 53 bits; names the layer.
    """

    nodes: tuple[Node, ...]
    words: Mapping[str, Word] = field(init=False)

    def __post_init__(self) -> None:
        words: dict[str, Word] = {}
        for node in self.nodes:
            words[node.name] = _word(node, words)
        object.__setattr__(self, "words", words)

    @property
    def input(self) -> Input:
        """The input node."""
        first = self.nodes[0]
        assert isinstance(first, Input)
        return first

    @property
    def output(self) -> Node:
        """The last node: the score."""
        return self.nodes[-1]

    def type(self, name: str) -> FixedPoint:
        """The type of a node's output."""
        return self.words[name].type

    def consumers(self, name: str) -> tuple[Node, ...]:
        """The nodes that read a node."""
        return tuple(node for node in self.nodes if name in node.sources)

    def to_json(self) -> dict[str, Any]:
        """A JSON form that `from_json` reads back."""
        return {"nodes": [_node_to_json(node) for node in self.nodes]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Network:
        """Reads what `to_json` wrote."""
        return cls(tuple(_node_from_json(item) for item in data["nodes"]))


def _word(node: Node, words: Mapping[str, Word]) -> Word:
    match node:
        case Input():
            ends = np.full(node.size, 0, dtype=object)
            return Word(node.type, ends + node.type.code_min, ends + node.type.code_max)
        case Dense():
            return _dense_word(node, words[node.source])
        case Quantize():
            return _quantize_word(node, words[node.source])
        case Elementwise():
            return _elementwise_word(node, words[node.left], words[node.right])


def dense_fraction(node: Dense, source: FixedPoint) -> int:
    """Fraction bits of a dense layer's exact result."""
    product = source.fraction + node.kernel.type.fraction
    return product if node.bias is None else max(product, node.bias.type.fraction)


def _dense_word(node: Dense, source: Word) -> Word:
    fraction = dense_fraction(node, source.type)
    kernel = node.kernel.codes.astype(object) << (fraction - source.type.fraction - node.kernel.type.fraction)
    positive, negative = np.maximum(kernel, 0), np.minimum(kernel, 0)
    low = source.low @ positive + source.high @ negative
    high = source.high @ positive + source.low @ negative
    if node.bias is not None:
        bias = node.bias.codes.astype(object) << (fraction - node.bias.type.fraction)
        low, high = low + bias, high + bias
    return _exact_word(node.name, low, high, fraction)


def _elementwise_word(node: Elementwise, left: Word, right: Word) -> Word:
    if node.kind == "multiply":
        corners = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
        low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
        if node.left == node.right:
            # a square is not negative, which the product of two independent intervals cannot know
            low = np.where((left.low <= 0) & (left.high >= 0), 0, np.minimum(left.low**2, left.high**2))
        return _exact_word(node.name, low, high, left.type.fraction + right.type.fraction)
    fraction = max(left.type.fraction, right.type.fraction)
    up_left, up_right = fraction - left.type.fraction, fraction - right.type.fraction
    low = (left.low << up_left) - (right.high << up_right)
    high = (left.high << up_left) - (right.low << up_right)
    return _exact_word(node.name, low, high, fraction)


def _quantize_word(node: Quantize, source: Word) -> Word:
    relu, fraction = node.activation == "relu", source.type.fraction
    low, high = ((np.maximum(bounds, 0) if relu else bounds).astype(np.int64) for bounds in (source.low, source.high))
    # a wrapping type keeps no order beyond its range: any code can come out
    wraps = node.type.out_of_range(low, fraction) | node.type.out_of_range(high, fraction)
    anything = wraps & (node.type.overflow is Overflow.WRAP)
    lowest = np.where(anything, node.type.code_min, node.type.requantize(low, fraction))
    highest = np.where(anything, node.type.code_max, node.type.requantize(high, fraction))
    return Word(node.type, lowest.astype(object), highest.astype(object))


def _exact_word(name: str, low: Bounds, high: Bounds, fraction: int) -> Word:
    smallest, largest = int(low.min()), int(high.max())
    bits = max(largest, -smallest - 1).bit_length() + int(smallest < 0)
    if bits > MAX_WIDTH:
        raise UserError(
            f"layer '{name}' needs a word of {bits} bits to be exact, more than {MAX_WIDTH}",
            "Use fewer bits for its inputs or weights",
        )
    return Word(FixedPoint.holding(smallest, largest, fraction), low, high)


def _constant_to_json(constant: Constant) -> dict[str, Any]:
    return {"type": str(constant.type), "codes": constant.codes.tolist()}


def _constant_from_json(data: Mapping[str, Any]) -> Constant:
    return Constant(np.asarray(data["codes"], dtype=np.int64), FixedPoint.parse(data["type"]))


def _node_to_json(node: Node) -> dict[str, Any]:
    base: dict[str, Any] = {"name": node.name, "kind": node.kind, "sources": list(node.sources)}
    match node:
        case Input():
            return base | {"size": node.size, "type": str(node.type)}
        case Dense():
            bias = None if node.bias is None else _constant_to_json(node.bias)
            return base | {"kernel": _constant_to_json(node.kernel), "bias": bias}
        case Quantize():
            return base | {"type": str(node.type), "activation": node.activation}
        case Elementwise():
            return base


def _node_from_json(data: Mapping[str, Any]) -> Node:
    name, sources = str(data["name"]), [str(source) for source in data["sources"]]
    match data["kind"]:
        case "input":
            return Input(name, int(data["size"]), FixedPoint.parse(data["type"]))
        case "dense":
            bias = None if data["bias"] is None else _constant_from_json(data["bias"])
            return Dense(name, sources[0], _constant_from_json(data["kernel"]), bias)
        case "quantize":
            return Quantize(name, sources[0], FixedPoint.parse(data["type"]), data["activation"])
        case "subtract" | "multiply" as kind:
            return Elementwise(name, sources[0], sources[1], kind)
    raise ValueError(f"a network has no node of kind {data['kind']!r}")
