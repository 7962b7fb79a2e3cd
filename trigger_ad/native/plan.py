"""What is computed, in which order, and where it is kept: a network as steps from rows to rows.

A row holds one word of every event of a block. Operations that only move words (padding, repetition, another shape)
compute nothing: whoever reads their words reads the rows from which they come. A quantizer that alone reads a sum is
applied to the sum before it is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.native.numbers import bits_for, integer
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
    Shape,
    Upsampling,
    ZeroPadding,
)
from trigger_ad.network.tensors import padded, rearranged, windows
from trigger_ad.network.words import Word

Rows = NDArray[np.int64]
"""Numbers of rows."""
ZERO: Final = -1
"""Stands for a word that is always 0."""


@dataclass(frozen=True)
class Tensor:
    """Where the words of a node are.

    Args:
        buffer: The array.
        rows: Which row each word is, of the tensor's shape, or `ZERO`.
    """

    buffer: Buffer
    rows: Rows

    @property
    def table(self) -> Rows:
        """The rows as they are read: a row of zeros follows those of the words."""
        return np.where(self.rows == ZERO, self.buffer.size, self.rows)


@dataclass(frozen=True)
class Buffer:
    """The array of a node's words.

    Args:
        name: In C++.
        size: Number of words.
        kind: The C++ type of a code.
    """

    name: str
    size: int
    kind: str


@dataclass(frozen=True)
class Step:
    """Something that is computed.

    Args:
        number: Names it in C++.
        node: The operation.
        sources: What it reads.
        target: What it writes, one row for each word of its tensor.
        quantize: A quantizer that is applied to the result of `node` at once; the target then holds its codes.
    """

    number: int
    node: Dense | Convolution | Quantize | Pooling | Elementwise
    sources: tuple[Tensor, ...]
    target: Buffer
    quantize: Quantize | None = None

    @property
    def name(self) -> str:
        """A prefix for what belongs to it."""
        return f"step_{self.number}"


@dataclass(frozen=True)
class Plan:
    """All of it.

    Args:
        input: The input's words.
        steps: In order.
        output: The output's words.
    """

    input: Buffer
    steps: tuple[Step, ...]
    output: Tensor

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        """Every array."""
        return (self.input, *(step.target for step in self.steps))


def plan_of(network: Network) -> Plan:
    """How a network is computed."""
    tensors: dict[str, Tensor] = {}
    steps: list[Step] = []
    for node in network.nodes:
        match node:
            case Input():
                tensors[node.name] = _whole("input", network.words[node.name])
            case Upsampling() | ZeroPadding() | Reshape():
                tensors[node.name] = _moved(node, tensors[node.source])
            case _:
                step = _fused(node, network, steps) or _step(node, network, tensors, len(steps))
                steps = [*steps[: step.number], step]
                tensors[node.name] = Tensor(step.target, _counted(network.words[node.name].shape))
    return Plan(tensors[network.input.name].buffer, tuple(steps), tensors[network.output.name])


def storage(word: Word) -> str:
    """The C++ type in which the codes of a word are kept."""
    return integer(bits_for(int(word.low.min()), int(word.high.max())))


def gathered(step: Step) -> Rows:
    """The rows that each position of a step with one source reads, shape (positions, words)."""
    (source,) = step.sources
    node, rows = step.node, source.table
    match node:
        case Dense():
            return rows.reshape(1, -1)
        case Convolution():
            # zeros are put around rows counted from 1
            seen = windows(padded(source.rows[None] + 1, node.padding), node)[0] - 1
            found = seen.reshape(-1, int(np.prod(seen.shape[2:])))
            return np.where(found == ZERO, source.buffer.size, found)
        case Pooling():
            (high, wide), (all_rows, columns, channels) = node.size, rows.shape
            whole = rows[: all_rows // high * high, : columns // wide * wide]
            split = whole.reshape(all_rows // high, high, columns // wide, wide, channels)
            return split.transpose(0, 2, 4, 1, 3).reshape(-1, high * wide)
        case _:
            return rows.reshape(-1, 1)


def _whole(name: str, word: Word) -> Tensor:
    return Tensor(Buffer(name, word.size, storage(word)), _counted(word.shape))


def _counted(shape: Shape) -> Rows:
    return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)


def _moved(node: Upsampling | ZeroPadding | Reshape, source: Tensor) -> Tensor:
    # zeros are put around rows counted from 1
    moved: Rows = rearranged(node, source.rows[None] + 1)[0] - 1
    return Tensor(source.buffer, moved)


def _step(
    node: Dense | Convolution | Quantize | Pooling | Elementwise,
    network: Network,
    tensors: dict[str, Tensor],
    number: int,
) -> Step:
    sources = tuple(tensors[name] for name in node.sources)
    word = network.words[node.name]
    return Step(number, node, sources, Buffer(f"step_{number}", word.size, storage(word)))


def _fused(node: Node, network: Network, steps: list[Step]) -> Step | None:
    """The last step with a quantizer applied to it, if that alone reads it."""
    if not steps or not isinstance(node, Quantize):
        return None
    last = steps[-1]
    is_sum = isinstance(last.node, Dense | Convolution) and last.quantize is None
    if not is_sum or node.source != last.node.name or len(network.consumers(node.source)) != 1:
        return None
    word = network.words[node.name]
    return Step(last.number, last.node, last.sources, Buffer(last.target.name, word.size, storage(word)), node)
