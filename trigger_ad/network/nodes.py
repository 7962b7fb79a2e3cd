"""What an exact integer network consists of: its operations, each with its constants, and their JSON form.

Tensors have the shape of one event's words, channels last: `(words,)`, or `(rows, columns, channels)` for an image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from trigger_ad.fixed_point import Codes, FixedPoint

Shape = tuple[int, ...]
Activation = Literal["linear", "relu"]
Bounds = tuple[tuple[int, int], ...]
Padding = tuple[tuple[int, int], tuple[int, int]]
"""Rows before and after, columns before and after."""
NO_PADDING: Padding = ((0, 0), (0, 0))


def same_padding(image: tuple[int, int], window: tuple[int, int], strides: tuple[int, int]) -> Padding:
    """The zeros that TensorFlow puts around an image: as many as the windows need, the odd one after it.

    Args:
        image: Its rows and columns.
        window: Rows and columns of a window.
        strides: Rows and columns from one window to the next.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2.
    """
    pairs = []
    for size, covered, stride in zip(image, window, strides, strict=True):
        needed = max((-(-size // stride) - 1) * stride + covered - size, 0)
        pairs.append((needed // 2, needed - needed // 2))
    return (pairs[0], pairs[1])


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
        shape: Of the tensor; the words of an event are in C order.
        type: Of every word.
        bounds: The smallest and the largest code of the first word, the second, and so on, again from the first after
            the last: one pair for each feature of an object. None for every code of the type.
    """

    name: str
    shape: Shape
    type: FixedPoint
    bounds: Bounds = ()
    kind: Literal["input"] = "input"
    sources: tuple[()] = ()

    @property
    def size(self) -> int:
        """Number of words."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class _WithOneSource:
    """Any node that reads one other.

    Args:
        name: Of the node.
        source: The node it reads.
    """

    name: str
    source: str

    @property
    def sources(self) -> tuple[str]:
        """The nodes it reads."""
        return (self.source,)


@dataclass(frozen=True)
class Dense(_WithOneSource):
    """`source @ kernel + bias` of a vector, exact.

    Args:
        name: Of the node.
        source: The node it reads.
        kernel: Codes of shape (inputs, outputs).
        bias: Codes of shape (outputs,), or None.
    """

    kernel: Constant
    bias: Constant | None
    kind: Literal["dense"] = "dense"

    @property
    def is_sum(self) -> bool:
        """Whether it only adds its inputs up: one output, every weight 1, no bias."""
        weights = self.kernel.type.values(self.kernel.codes)
        return self.bias is None and weights.shape[1] == 1 and bool((weights == 1).all())


@dataclass(frozen=True)
class Convolution(_WithOneSource):
    """A two-dimensional convolution (cross-correlation) of an image, exact.

    Args:
        name: Of the node.
        source: The node it reads.
        kernel: Codes of shape (rows, columns, channels, filters).
        bias: Codes of shape (filters,), or None.
        strides: Rows and columns from one window to the next.
        padding: Zeros around the image.
    """

    kernel: Constant
    bias: Constant | None
    strides: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    kind: Literal["convolution"] = "convolution"


@dataclass(frozen=True)
class Quantize(_WithOneSource):
    """The only node that rounds or saturates: an activation into a type.

    Args:
        name: Of the node.
        source: The node it reads.
        type: Rounds and saturates as it says.
        activation: `relu` clips negative values to zero first.
    """

    type: FixedPoint
    activation: Activation
    kind: Literal["quantize"] = "quantize"


@dataclass(frozen=True)
class Pooling(_WithOneSource):
    """The largest or the average word of each window of an image, by channel; windows do not overlap.

    Rows and columns that do not fill a window are dropped. An average is exact where the window holds a power of two
    of words; elsewhere its words are the window's sums, which `Quantize` alone may read: it divides and rounds once.

    Args:
        name: Of the node.
        source: The node it reads.
        size: Rows and columns of a window.
        kind: Which.
    """

    size: tuple[int, int]
    kind: Literal["max_pooling", "average_pooling"]


@dataclass(frozen=True)
class Upsampling(_WithOneSource):
    """Every word of an image repeated in rows and columns.

    Args:
        name: Of the node.
        source: The node it reads.
        factors: How often, in rows and in columns.
    """

    factors: tuple[int, int]
    kind: Literal["upsampling"] = "upsampling"


@dataclass(frozen=True)
class ZeroPadding(_WithOneSource):
    """Zeros around an image.

    Args:
        name: Of the node.
        source: The node it reads.
        padding: How many.
    """

    padding: Padding
    kind: Literal["zero_padding"] = "zero_padding"


@dataclass(frozen=True)
class Reshape(_WithOneSource):
    """The same words in another shape, in C order.

    Args:
        name: Of the node.
        source: The node it reads.
        shape: The new shape.
    """

    shape: Shape
    kind: Literal["reshape"] = "reshape"


@dataclass(frozen=True)
class Elementwise:
    """`left - right` or `left * right`, exact.

    Args:
        name: Of the node.
        left: A node.
        right: A node of the same shape.
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


Node = Input | Dense | Convolution | Quantize | Pooling | Upsampling | ZeroPadding | Reshape | Elementwise


def node_to_json(node: Node) -> dict[str, Any]:
    """A JSON form that `node_from_json` reads back."""
    base: dict[str, Any] = {"name": node.name, "kind": node.kind, "sources": list(node.sources)}
    match node:
        case Input():
            return base | {"shape": list(node.shape), "type": str(node.type), "bounds": _lists(node.bounds)}
        case Dense():
            return base | _weights_to_json(node)
        case Convolution():
            return base | _weights_to_json(node) | {"strides": list(node.strides), "padding": _lists(node.padding)}
        case Quantize():
            return base | {"type": str(node.type), "activation": node.activation}
        case Pooling():
            return base | {"size": list(node.size)}
        case Upsampling():
            return base | {"factors": list(node.factors)}
        case ZeroPadding():
            return base | {"padding": _lists(node.padding)}
        case Reshape():
            return base | {"shape": list(node.shape)}
        case Elementwise():
            return base


def node_from_json(data: Mapping[str, Any]) -> Node:
    """Reads what `node_to_json` wrote.

    Raises:
        ValueError: If there is no such kind of node.
    """
    name, sources = str(data["name"]), [str(source) for source in data["sources"]]
    match data["kind"]:
        case "input":
            bounds = tuple((int(low), int(high)) for low, high in data["bounds"])
            return Input(name, tuple(data["shape"]), FixedPoint.parse(data["type"]), bounds)
        case "dense":
            return Dense(name, sources[0], *_weights_from_json(data))
        case "convolution":
            strides = (int(data["strides"][0]), int(data["strides"][1]))
            return Convolution(name, sources[0], *_weights_from_json(data), strides, _padding(data["padding"]))
        case "quantize":
            return Quantize(name, sources[0], FixedPoint.parse(data["type"]), data["activation"])
        case "max_pooling" | "average_pooling" as kind:
            return Pooling(name, sources[0], (int(data["size"][0]), int(data["size"][1])), kind)
        case "upsampling":
            return Upsampling(name, sources[0], (int(data["factors"][0]), int(data["factors"][1])))
        case "zero_padding":
            return ZeroPadding(name, sources[0], _padding(data["padding"]))
        case "reshape":
            return Reshape(name, sources[0], tuple(data["shape"]))
        case "subtract" | "multiply" as operation:
            return Elementwise(name, sources[0], sources[1], operation)
    raise ValueError(f"a network has no node of kind {data['kind']!r}")


def _weights_to_json(node: Dense | Convolution) -> dict[str, Any]:
    return {
        "kernel": _constant_to_json(node.kernel),
        "bias": None if node.bias is None else _constant_to_json(node.bias),
    }


def _weights_from_json(data: Mapping[str, Any]) -> tuple[Constant, Constant | None]:
    bias = None if data["bias"] is None else _constant_from_json(data["bias"])
    return _constant_from_json(data["kernel"]), bias


def _constant_to_json(constant: Constant) -> dict[str, Any]:
    return {"type": str(constant.type), "codes": constant.codes.tolist()}


def _constant_from_json(data: Mapping[str, Any]) -> Constant:
    return Constant(np.asarray(data["codes"], dtype=np.int64), FixedPoint.parse(data["type"]))


def _lists(pairs: Bounds) -> list[list[int]]:
    return [list(pair) for pair in pairs]


def _padding(data: Any) -> Padding:
    (top, bottom), (left, right) = data
    return ((int(top), int(bottom)), (int(left), int(right)))
