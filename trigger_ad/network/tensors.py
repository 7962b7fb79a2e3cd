"""What operations do to tensors of shape (events, *shape), whatever their elements: windows, padding, repetition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.network.nodes import Convolution, Dense, Padding, Pooling, Reshape, Shape, Upsampling, ZeroPadding

Tensor = NDArray[Any]
"""Integers of one event or several, as int64 or, where they need more bits, as Python's own."""
Rearrangement = Pooling | Upsampling | ZeroPadding | Reshape
"""Operations whose words grow or stay whenever those that they read grow."""


def rearranged(node: Rearrangement, tensor: Tensor) -> Tensor:
    """The words of a node without constants; of an average, the sums.

    Args:
        node: The node.
        tensor: The words that it reads, shape (events, *shape).
    """
    match node:
        case Pooling():
            return _pooled(node, tensor)
        case Upsampling():
            return tensor.repeat(node.factors[0], axis=1).repeat(node.factors[1], axis=2)
        case ZeroPadding():
            return padded(tensor, node.padding)
        case Reshape():
            return tensor.reshape(len(tensor), *node.shape)


def padded(images: Tensor, padding: Padding) -> Tensor:
    """Images of shape (events, rows, columns, channels) with zeros around them."""
    (top, bottom), (left, right) = padding
    events, rows, columns, channels = images.shape
    result = np.zeros((events, top + rows + bottom, left + columns + right, channels), dtype=images.dtype)
    result[:, top : top + rows, left : left + columns] = images
    return result


def windows(images: Tensor, node: Convolution) -> Tensor:
    """What each output word of a convolution reads: a view of shape (events, rows, columns, *shape of a window).

    Args:
        images: Padded, shape (events, rows, columns, channels).
        node: The convolution.
    """
    kernel_rows, kernel_columns, *_ = node.kernel.codes.shape
    row_step, column_step = node.strides
    view = np.lib.stride_tricks.sliding_window_view(images, (kernel_rows, kernel_columns), axis=(1, 2))
    return np.moveaxis(view[:, ::row_step, ::column_step], 3, -1)


def matrix(node: Dense | Convolution) -> Tensor:
    """The kernel's codes, shape (words that an output word reads, outputs or filters)."""
    return node.kernel.codes.reshape(-1, node.kernel.codes.shape[-1])


def require_shape(node: Dense | Convolution | Rearrangement, source: Shape) -> None:
    """Checks that a node can read a tensor.

    Args:
        node: The node.
        source: The tensor's shape.

    Raises:
        UserError: If it cannot; names the layer.
    """
    match node:
        case Dense():
            inputs = node.kernel.codes.shape[0]
            if source != (inputs,):
                raise _misfit(node.name, source, f"its weights are for {(inputs,)}", "Flatten what it reads")
        case Reshape():
            if math.prod(source) != math.prod(node.shape):
                raise _misfit(node.name, source, f"which do not fill {node.shape}", "Give a shape of as many words")
        case _:
            _require_image(node, source)


def _require_image(node: Convolution | Pooling | Upsampling | ZeroPadding, source: Shape) -> None:
    if len(source) != 3:
        raise _misfit(node.name, source, "which is no image", "Reshape them to rows, columns and channels")
    rows, columns, channels = source
    least = (1, 1)
    if isinstance(node, Convolution):
        (top, bottom), (left, right) = node.padding
        rows, columns, least = rows + top + bottom, columns + left + right, node.kernel.codes.shape[:2]
        if channels != node.kernel.codes.shape[2]:
            expected = node.kernel.codes.shape[2]
            raise _misfit(node.name, source, f"its weights are for {expected} channels", "Give it as many channels")
    elif isinstance(node, Pooling):
        least = node.size
    if rows < least[0] or columns < least[1]:
        raise _misfit(node.name, source, f"fewer than a window of {tuple(least)} takes", "Use a smaller window")


def _misfit(layer: str, source: Shape, problem: str, remedy: str) -> UserError:
    return UserError(f"layer '{layer}' reads words of shape {source}, {problem}", remedy)


def _pooled(node: Pooling, images: Tensor) -> Tensor:
    (high, wide), (events, rows, columns, channels) = node.size, images.shape
    whole = images[:, : rows // high * high, : columns // wide * wide]
    split = whole.reshape(events, rows // high, high, columns // wide, wide, channels)
    pooled: Tensor = split.max(axis=(2, 4)) if node.kind == "max_pooling" else split.sum(axis=(2, 4))
    return pooled
