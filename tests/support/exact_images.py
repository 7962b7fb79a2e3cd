"""Operations on images in rational numbers and Python loops, by their definitions."""

from __future__ import annotations

import itertools
from fractions import Fraction

from support.fixed_points import exact_value

from trigger_ad.network.nodes import Convolution, Node, Padding, Pooling, Upsampling, ZeroPadding

Tensor = dict[tuple[int, ...], Fraction]
"""Values by position, in C order."""


def positions(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All positions of a tensor in C order."""
    return list(itertools.product(*map(range, shape)))


def exact_image(node: Node, source: Tensor) -> Tensor:
    """What an operation makes of an image."""
    rows, columns, channels = (max(position[axis] for position in source) + 1 for axis in range(3))
    match node:
        case Convolution():
            return _convolved(node, _padded(source, node.padding), (rows, columns))
        case ZeroPadding():
            return _padded(source, node.padding)
        case Upsampling():
            (down, right), shape = node.factors, (rows * node.factors[0], columns * node.factors[1], channels)
            return {(r, c, channel): source[r // down, c // right, channel] for r, c, channel in positions(shape)}
        case Pooling():
            shape = (rows // node.size[0], columns // node.size[1], channels)
            return {position: _pooled(node, source, position) for position in positions(shape)}
    raise AssertionError(f"{node.kind} is no operation on images")


def _padded(source: Tensor, padding: Padding) -> Tensor:
    (top, bottom), (left, right) = padding
    rows, columns, channels = (max(position[axis] for position in source) + 1 for axis in range(3))
    shape = (top + rows + bottom, left + columns + right, channels)
    return {
        (r, c, channel): source.get((r - top, c - left, channel), Fraction(0)) for r, c, channel in positions(shape)
    }


def _pooled(node: Pooling, source: Tensor, position: tuple[int, ...]) -> Fraction:
    row, column, channel = position
    window = [source[row * node.size[0] + r, column * node.size[1] + c, channel] for r, c in positions(node.size)]
    return max(window) if node.kind == "max_pooling" else sum(window, Fraction(0)) / len(window)


def _convolved(node: Convolution, padded: Tensor, size: tuple[int, int]) -> Tensor:
    kernel_rows, kernel_columns, channels, filters = node.kernel.codes.shape
    (down, right), (above_below, left_right) = node.strides, node.padding
    shape = (
        (size[0] + sum(above_below) - kernel_rows) // down + 1,
        (size[1] + sum(left_right) - kernel_columns) // right + 1,
        filters,
    )
    results: Tensor = {}
    for row, column, unit in positions(shape):
        total = Fraction(0) if node.bias is None else exact_value(node.bias.type, int(node.bias.codes[unit]))
        for r, c, channel in positions((kernel_rows, kernel_columns, channels)):
            weight = exact_value(node.kernel.type, int(node.kernel.codes[r, c, channel, unit]))
            total += weight * padded[row * down + r, column * right + c, channel]
        results[row, column, unit] = total
    return results
