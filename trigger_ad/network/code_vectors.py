"""Corner vectors of plain input codes: every input is a word of one type, and none says that another is absent."""

from __future__ import annotations

import numpy as np

from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.vectors import RANDOM_VECTORS, alternating_bits, words_of


def code_vectors(kind: FixedPoint, inputs: int, seed: int) -> dict[str, Codes]:
    """Groups of vectors that every emulator is held against the reference on.

    Args:
        kind: The type of every input.
        inputs: How many.
        seed: Of the random groups.

    Returns:
        int64 codes of shape (vectors, inputs) by the group's name, in a fixed order, the large groups last.
    """
    low, high = kind.code_min, kind.code_max
    one, odd = np.eye(inputs, dtype=np.int64), np.arange(inputs) % 2
    few = {
        "all zero": np.zeros((1, inputs), dtype=np.int64),
        "all at an extreme": np.full((2, inputs), [[low], [high]]),
        "extremes in turn": np.stack([np.where(odd, low, high), np.where(odd, high, low)]),
        "one input at its largest": one * high,
        "one input at its smallest": one * low,
        "all but one at the largest": high - one * (high - low),
        "all but one at the smallest": low + one * (high - low),
        "one least significant bit": np.concatenate([one, one * max(low, -1)]),
        "alternating bits": np.full((2, inputs), [[alternating_bits(kind, bits)] for bits in ("01", "10")]),
    }
    words = words_of(kind)
    turns = np.arange(len(words))[:, None] + np.arange(inputs)
    random = np.random.default_rng(seed)
    shape = (RANDOM_VECTORS // 2, inputs)
    return few | {
        "every word of input": words[turns % len(words)],
        "random extremes": random.choice([low, 0, high], shape),
        "random bits": random.integers(low, high + 1, shape),
    }
