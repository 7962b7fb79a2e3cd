"""Codes with which layers are driven alone: any that a word can have, whatever the layers before would make it."""

from __future__ import annotations

from typing import Final

import numpy as np

from trigger_ad.fixed_point import Codes
from trigger_ad.network.graph import Network
from trigger_ad.network.words import Word

CODES_OF_A_WORD: Final = 1 << 19
"""Of all elements of the widest word together, at most, if that is more than `FEWEST` vectors."""
FEWEST: Final = 64
MOST: Final = 2000


def layer_vectors(network: Network, seed: int) -> dict[str, Codes]:
    """Codes for every word that a layer reads.

    Every element at its lower end, every one at its upper end, zeros as far as they can be, then as many vectors of
    random codes within the interval bounds of each element as of elements at random ends.

    Args:
        network: The frozen network.
        seed: Of the random codes.

    Returns:
        int64 codes of shape (vectors, *shape of the node) by node name, as many vectors of each.
    """
    read = [node.name for node in network.nodes if network.consumers(node.name)]
    largest = max(network.words[name].size for name in read)
    half = min(MOST, max(FEWEST, CODES_OF_A_WORD // largest)) // 2
    return {
        name: _codes(network.words[name], half, np.random.default_rng([seed, index])) for index, name in enumerate(read)
    }


def _codes(word: Word, half: int, random: np.random.Generator) -> Codes:
    shape = (half, *word.shape)
    anything = random.integers(word.low, word.high + 1, shape)
    ends = np.where(random.integers(0, 2, shape, dtype=bool), word.high, word.low)
    few = np.stack([word.low, word.high, np.clip(0, word.low, word.high)])
    codes: Codes = np.concatenate([few, anything, ends])
    return codes
