"""The nodes of a network in a traced program: products with constant weights become additions that share terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.firmware.alkaid_library import reduce
from trigger_ad.firmware.rtl_squares import squared
from trigger_ad.firmware.rtl_words import (
    Variable,
    added,
    constant,
    larger,
    product,
    quantized,
    quotient,
    sums_of_products,
)
from trigger_ad.fixed_point import Values
from trigger_ad.network.graph import Network
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
from trigger_ad.network.tensors import matrix, padded, rearranged, windows

Tensor = NDArray[Any]
"""Words of one event, of the node's shape; those of an average are the sums."""


def traced_node(node: Node, sources: Sequence[Tensor], network: Network) -> Tensor:
    """The words of a node other than the input.

    Args:
        node: The node.
        sources: The words of the nodes that it reads.
        network: The network.

    Raises:
        TooWideError: If alkaid would not keep a word or a weight exactly.
    """
    match node:
        case Dense() | Convolution():
            return _weighted(node, sources[0]).reshape(network.words[node.name].shape)
        case Quantize():
            return _quantized(node, sources[0], network.words[node.source].divisor)
        case Pooling():
            return _pooled(node, sources[0])
        case Upsampling() | ZeroPadding() | Reshape():
            # the zeros of a padding are numbers yet
            return _each(_as_word, rearranged(node, sources[0][None])[0])
        case Elementwise() if node.kind == "multiply" and len(set(node.sources)) == 1:
            return _each(squared, sources[0])
        case Elementwise():
            return _each(product if node.kind == "multiply" else _difference, *sources)
        case Input():
            raise ValueError("the input reads no node")


def _each(function: Callable[..., Variable], *tensors: Tensor) -> Tensor:
    result: Tensor = np.frompyfunc(function, len(tensors), 1)(*tensors)
    return result


def _as_word(word: Any) -> Variable:
    return constant(word) if isinstance(word, int | float) else word


def _difference(left: Variable, right: Variable) -> Variable:
    return left - right


def _quantized(node: Quantize, source: Tensor, divisor: int) -> Tensor:
    def one(word: Variable) -> Variable:
        divided = word if divisor == 1 else quotient(word, divisor, node.type.fraction)
        return quantized(divided, node.type, node.activation == "relu")

    return _each(one, source)


def _pooled(node: Pooling, image: Tensor) -> Tensor:
    (high, wide), (rows, columns, channels) = node.size, image.shape
    shape = (rows // high, columns // wide, channels)
    whole = image[: shape[0] * high, : shape[1] * wide]
    split = whole.reshape(shape[0], high, shape[1], wide, channels).transpose(0, 2, 4, 1, 3)
    size = high * wide
    joined = [reduce(_JOIN[node.kind], window) for window in split.reshape(-1, size)]
    # an average of words that are a power of two in number is exact; others are divided where they are rounded
    exact = node.kind == "average_pooling" and size & (size - 1) == 0
    return np.array([word * (1 / size) if exact else word for word in joined], dtype=object).reshape(shape)


def _weighted(node: Dense | Convolution, source: Tensor) -> Tensor:
    weights = matrix(node)
    if isinstance(node, Dense):
        rows = source[None]
    else:
        rows = windows(padded(source[None], node.padding), node)[0].reshape(-1, len(weights))
    sums = _sums(_each(_as_word, rows), node.kernel.type.values(weights))
    return sums if node.bias is None else _each(added, sums, node.bias.type.values(node.bias.codes).astype(object))


def _sums(rows: Tensor, weights: Values) -> Tensor:
    """`rows @ weights`. Rows of words of the same intervals are added up in the same way."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for position, row in enumerate(rows):
        alike.setdefault(tuple(word.qint for word in row), []).append(position)
    sums = np.empty((len(rows), weights.shape[1]), dtype=object)
    for intervals, positions in alike.items():
        varies = np.array([interval.min < interval.max for interval in intervals])
        fixed = np.array([interval.min for interval in intervals])[~varies] @ weights[~varies]
        own = rows[positions][:, varies]
        if weights[varies].any():
            latencies = _each(lambda word: word.latency, own).astype(float).max(axis=0)
            kinds = [interval for interval, varying in zip(intervals, varies, strict=True) if varying]
            found = sums_of_products(list(own), kinds, latencies.tolist(), weights[varies])
        else:
            found = [np.zeros(weights.shape[1], dtype=object)] * len(positions)
        for position, row in zip(positions, found, strict=True):
            sums[position] = _each(lambda word, value: added(_as_word(word), value), row, fixed.astype(object))
    return sums


_JOIN: Final[dict[str, Callable[[Variable, Variable], Variable]]] = {
    "max_pooling": larger,
    "average_pooling": lambda left, right: left + right,
}
