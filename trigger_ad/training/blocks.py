"""What a fit reads: blocks of events, of which two are in memory, the next one made while one is trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.training.anomalies import Anomalies

BLOCK_ROWS: Final = 2**18
"""Training events that are shuffled among each other."""

SEGMENT_ROWS: Final = 2**12
"""A block of training events is put together from stretches of so many, evenly spread over all of them: files, and
processes within a file, may follow each other."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """Network inputs that are too many for memory, perhaps: an array in a file, and what its entries mean.

    Args:
        array: Shape (events, inputs), often memory-mapped.
        values: From some of its rows to the network's input values, float32 of the same shape.
        targets: From input values to what the network is to make of them, float32 of shape (events, ...), such as
            what another network makes of them; None for the input values themselves. Called in another thread.
        anomalies: Makes further rows of those of a block, other ones in each epoch; None for none.
    """

    array: NDArray[Any]
    values: Callable[[NDArray[Any]], Floats]
    targets: Callable[[Floats], Floats] | None = None
    anomalies: Anomalies | None = None

    def __len__(self) -> int:
        return len(self.array)


@dataclass(frozen=True)
class Block:
    """Events in the order in which they are trained on.

    Args:
        inputs: Shape (events, inputs).
        targets: Shape (events, outputs); the inputs themselves where these are to be reproduced.
    """

    inputs: Floats
    targets: Floats


class Blocks:
    """The blocks of every epoch.

    Those of training come in another order in each epoch, and the rows of each as well: what fits into one block is
    shuffled perfectly. Those of validation are always the same. What is drawn depends on seed, epoch and block alone.

    Args:
        rows: What is in them.
        batch_size: Blocks hold whole batches, but for the last one, and for anomalies.
        seed: Of the order, and of the anomalies.
        validation: Whether they are the same in each epoch, in the order of the rows.
    """

    def __init__(self, rows: Rows, batch_size: int, seed: int, *, validation: bool = False) -> None:
        self._rows = rows
        self._seed = seed
        self._validation = validation
        self._stretches = _blocks(len(rows), batch_size, spread=not validation)
        self._kept: Block | None = None
        self._next: tuple[tuple[int, int], Future[Block]] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> Blocks:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    @property
    def sizes(self) -> list[int]:
        """Events of each block, anomalies included, in the order of the rows."""
        anomalies = self._rows.anomalies
        rows = [sum(stop - start for start, stop in stretches) for stretches in self._stretches]
        return [count + (anomalies.count(count) if anomalies else 0) for count in rows]

    def epoch(self, number: int) -> Iterator[Block]:
        """The blocks of an epoch, counted from 0; while one is used, the next one is made, the next epoch's too."""
        count = len(self._stretches)
        for position in range(count):
            block = self._taken(number, position)
            following = (number, position + 1) if position + 1 < count else (number + 1, 0)
            self._next = following, self._thread.submit(self._block, *following)
            yield block

    def _taken(self, epoch: int, position: int) -> Block:
        if self._next is not None and self._next[0] == (epoch, position):
            return self._next[1].result()
        return self._thread.submit(self._block, epoch, position).result()

    def _block(self, epoch: int, position: int) -> Block:
        if self._validation and self._kept:
            return self._kept
        order = np.arange(len(self._stretches))
        if not self._validation:
            np.random.default_rng([self._seed, epoch]).shuffle(order)
        number = int(order[position])
        drawn_in = 0 if self._validation else epoch
        block = self._with_anomalies(
            self._background(number), number, np.random.default_rng([self._seed, drawn_in, number, 1])
        )
        if not self._validation:
            permuted = np.random.default_rng([self._seed, epoch, number]).permutation(len(block.inputs))
            return _in_order(block, permuted)
        if len(self._stretches) == 1:
            self._kept = block
        return block

    def _background(self, number: int) -> Block:
        """A block without anomalies, in the order of its rows; the only one is made once."""
        if self._kept:
            return self._kept
        block = self._made(self._words(number))
        if len(self._stretches) == 1 and not self._validation:
            self._kept = block
        return block

    def _with_anomalies(self, block: Block, number: int, generator: np.random.Generator) -> Block:
        if self._rows.anomalies is None or not self._rows.anomalies.count(len(block.inputs)):
            return block
        made = self._made(self._rows.anomalies(self._words(number), generator))
        inputs = np.concatenate([block.inputs, made.inputs])
        reproduced = block.targets is block.inputs
        return Block(inputs, inputs if reproduced else np.concatenate([block.targets, made.targets]))

    def _words(self, number: int) -> NDArray[Any]:
        return np.concatenate([self._rows.array[start:stop] for start, stop in self._stretches[number]])

    def _made(self, words: NDArray[Any]) -> Block:
        inputs = self._rows.values(words)
        if self._rows.targets is None:
            return Block(inputs, inputs)
        return Block(inputs, self._rows.targets(inputs).reshape(len(inputs), -1))


def _in_order(block: Block, order: NDArray[np.int64]) -> Block:
    inputs = block.inputs[order]
    return Block(inputs, inputs if block.targets is block.inputs else block.targets[order])


def _blocks(rows: int, batch_size: int, *, spread: bool) -> list[list[tuple[int, int]]]:
    """Cuts rows into blocks of about `BLOCK_ROWS`, each a list of stretches: neighbours, or spread over all rows."""
    block = max(1, BLOCK_ROWS // batch_size) * batch_size
    length = min(SEGMENT_ROWS, block)
    segments = [(start, min(start + length, rows)) for start in range(0, rows, length)]
    per_block = block // length
    count = -(-len(segments) // per_block)
    if spread:
        return [segments[number::count] for number in range(count)]
    return [segments[number * per_block : (number + 1) * per_block] for number in range(count)]
