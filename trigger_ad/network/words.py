"""The word of each node: the narrowest type that holds every value it can take, from exact interval bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import MAX_WIDTH, Codes, FixedPoint, Overflow
from trigger_ad.network.nodes import (
    Convolution,
    Dense,
    Elementwise,
    Input,
    Node,
    Pooling,
    Quantize,
    Reshape,
    Shape,
    Upsampling,
    ZeroPadding,
)
from trigger_ad.network.tensors import Tensor, matrix, padded, rearranged, require_shape, windows

EXACT_FLOAT: Final = 1 << MAX_WIDTH
"""float64 holds every integer up to this one."""


@dataclass(frozen=True)
class Word:
    """What is known of a node's output; the value of a code is `code * 2**-type.fraction / divisor`.

    Args:
        type: Of every element.
        low: The smallest code that each element can take, exactly; of the tensor's shape.
        high: The largest.
        divisor: Other than 1 for the sums of an average whose window does not hold a power of two of words.
    """

    type: FixedPoint
    low: Codes
    high: Codes
    divisor: int = 1

    @property
    def shape(self) -> Shape:
        """Of the tensor."""
        return self.low.shape

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.low.size

    @property
    def largest(self) -> int:
        """The largest magnitude of any code."""
        return max(-int(self.low.min()), int(self.high.max()), 0)


def word_of(node: Node, words: Mapping[str, Word]) -> Word:
    """The word of a node.

    Args:
        node: The node.
        words: Those of the nodes that it reads.

    Raises:
        UserError: If the exact result needs more than 53 bits, or the node cannot read such words; names the layer.
    """
    sources = [words[name] for name in node.sources]
    divisor = max((source.divisor for source in sources), default=1)
    if divisor != 1 and not isinstance(node, Quantize):
        raise undivided(node.name, divisor)
    match node:
        case Input():
            low, high = np.array(node.bounds or ((node.type.code_min, node.type.code_max),), dtype=np.int64).T
            return Word(node.type, np.resize(low, node.shape), np.resize(high, node.shape))
        case Dense() | Convolution():
            return _weighted_word(node, sources[0])
        case Quantize():
            return _quantize_word(node, sources[0])
        case Pooling() | Upsampling() | ZeroPadding() | Reshape():
            return _rearranged_word(node, sources[0])
        case Elementwise():
            return _elementwise_word(node, *sources)


def undivided(layer: str, divisor: int) -> UserError:
    """What a layer that reads, or gives, the sums of an average is refused with."""
    return UserError(
        f"layer '{layer}' has averages of {divisor} words each, which no word holds exactly",
        "Put a QActivation right after the average pooling, or let its window hold a power of two of words",
    )


def weighted_fraction(node: Dense | Convolution, source: FixedPoint) -> int:
    """Fraction bits of the exact result of a dense layer or a convolution."""
    product = source.fraction + node.kernel.type.fraction
    return product if node.bias is None else max(product, node.bias.type.fraction)


def largest_sum(weights: Tensor, largest: int) -> int:
    """What no sum of weighted words exceeds in magnitude, in part or as a whole, in whatever order it is added up.

    Args:
        weights: Shape (words that are read, outputs).
        largest: The largest magnitude of a word.
    """
    return largest * int(np.abs(weights).astype(object).sum(axis=0).max())


def _weighted_word(node: Dense | Convolution, source: Word) -> Word:
    require_shape(node, source.shape)
    fraction = weighted_fraction(node, source.type)
    weights = matrix(node)
    # float64 is exact where no sum leaves its integers, and far faster than Python's
    kind: Any = np.float64 if largest_sum(weights, source.largest) <= EXACT_FLOAT else object
    low, high = (_read(node, bounds).astype(kind) for bounds in (source.low, source.high))
    positive, negative = np.maximum(weights, 0).astype(kind), np.minimum(weights, 0).astype(kind)
    shift = fraction - source.type.fraction - node.kernel.type.fraction
    lowest = (_as_python(low @ positive) + _as_python(high @ negative)) << shift
    highest = (_as_python(high @ positive) + _as_python(low @ negative)) << shift
    if node.bias is not None:
        bias = node.bias.codes.astype(object) << (fraction - node.bias.type.fraction)
        lowest, highest = lowest + bias, highest + bias
    return _exact_word(node.name, lowest, highest, fraction)


def _read(node: Dense | Convolution, bounds: Codes) -> Codes:
    """What each output word reads: shape (..., words that are read)."""
    if isinstance(node, Dense):
        return bounds
    # an image's border reads zeros, which are a bound of their own on either side
    seen: Codes = windows(padded(bounds[None], node.padding), node)[0]
    return seen.reshape(*seen.shape[:2], -1)


def _as_python(integers: Tensor) -> Tensor:
    """Whole numbers of any type as Python's, which no shift or sum overflows."""
    return (integers.astype(np.int64) if integers.dtype == np.float64 else integers).astype(object)


def _rearranged_word(node: Pooling | Upsampling | ZeroPadding | Reshape, source: Word) -> Word:
    require_shape(node, source.shape)
    low, high = (rearranged(node, bounds.astype(object)[None])[0] for bounds in (source.low, source.high))
    if not isinstance(node, Pooling) or node.kind == "max_pooling":
        return Word(source.type, low.astype(np.int64), high.astype(np.int64))
    words = node.size[0] * node.size[1]
    if words & (words - 1):
        return _exact_word(node.name, low, high, source.type.fraction, words)
    return _exact_word(node.name, low, high, source.type.fraction + words.bit_length() - 1)


def _elementwise_word(node: Elementwise, left: Word, right: Word) -> Word:
    if left.shape != right.shape:
        raise UserError(
            f"layer '{node.name}' reads words of shape {left.shape} and {right.shape}", "Give both the same shape"
        )
    (left_low, left_high), (right_low, right_high) = (
        (word.low.astype(object), word.high.astype(object)) for word in (left, right)
    )
    if node.kind == "multiply":
        corners = [one * other for one in (left_low, left_high) for other in (right_low, right_high)]
        low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
        if node.left == node.right:
            # a square is not negative, which the product of two independent intervals cannot know
            low = np.where((left_low <= 0) & (left_high >= 0), 0, np.minimum(left_low**2, left_high**2))
        return _exact_word(node.name, low, high, left.type.fraction + right.type.fraction)
    fraction = max(left.type.fraction, right.type.fraction)
    up_left, up_right = fraction - left.type.fraction, fraction - right.type.fraction
    low, high = (left_low << up_left) - (right_high << up_right), (left_high << up_left) - (right_low << up_right)
    return _exact_word(node.name, low, high, fraction)


def _quantize_word(node: Quantize, source: Word) -> Word:
    ends = [np.maximum(bounds, 0) if node.activation == "relu" else bounds for bounds in (source.low, source.high)]
    reading = source.type.fraction, source.divisor
    # a wrapping type keeps no order beyond its range: any code can come out
    wraps = node.type.out_of_range(ends[0], *reading) | node.type.out_of_range(ends[1], *reading)
    anything = wraps & (node.type.overflow is Overflow.WRAP)
    low = np.where(anything, node.type.code_min, node.type.requantize(ends[0], *reading))
    high = np.where(anything, node.type.code_max, node.type.requantize(ends[1], *reading))
    return Word(node.type, low, high)


def _exact_word(name: str, low: Tensor, high: Tensor, fraction: int, divisor: int = 1) -> Word:
    """A word from bounds in Python's integers."""
    smallest, largest = int(low.min()), int(high.max())
    bits = max(largest, -smallest - 1).bit_length() + int(smallest < 0)
    if bits > MAX_WIDTH:
        raise UserError(
            f"layer '{name}' needs a word of {bits} bits to be exact, more than {MAX_WIDTH}",
            "Use fewer bits for its inputs or weights",
        )
    return Word(FixedPoint.holding(smallest, largest, fraction), low.astype(np.int64), high.astype(np.int64), divisor)
