"""Codes with which a layer is driven alone: any that its inputs can have, whatever the layers before would give it."""

from __future__ import annotations

from typing import Final

import numpy as np

from trigger_ad.fixed_point import Codes
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Node
from trigger_ad.network.words import Word

LAYER_WORDS: Final = 1 << 20
"""Words of a layer's inputs, at most, if that is more than `FEWEST` vectors."""
FEWEST: Final = 64
MOST: Final = 2000


def layer_vectors(network: Network, node: Node, seed: int) -> dict[str, Codes]:
    """Codes for everything that a node reads.

    Every word at its lower end, every word at its upper end, zeros, then as many vectors of random codes within the
    interval bounds of each word as of words at random ends.

    Args:
        network: The frozen network.
        node: Any but its input.
        seed: Of the random codes.

    Returns:
        int64 codes of shape (vectors, *shape of the node that is read), by the name of that node.
    """
    random = np.random.default_rng([seed, network.nodes.index(node)])
    words = {name: network.words[name] for name in node.sources}
    size = sum(word.size for word in words.values())
    count = min(MOST, max(FEWEST, LAYER_WORDS // size)) // 2
    return {name: _codes(word, count, random) for name, word in words.items()}


def _codes(word: Word, count: int, random: np.random.Generator) -> Codes:
    shape = (count, *word.shape)
    anything = random.integers(word.low, word.high + 1, shape)
    ends = np.where(random.integers(0, 2, shape, dtype=bool), word.high, word.low)
    few = np.stack([word.low, word.high, np.clip(0, word.low, word.high)])
    codes: Codes = np.concatenate([few, anything, ends])
    return codes
