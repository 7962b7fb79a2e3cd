"""Corner vectors: inputs that physics events do not reach, in which a wrong width, rounding or saturation shows."""

from __future__ import annotations

from typing import Final

import numpy as np

from trigger_ad.fixed_point import Codes, FixedPoint

RANDOM_VECTORS: Final = 2000


def corner_vectors(kind: FixedPoint, inputs: int, seed: int) -> dict[str, Codes]:
    """Groups of input vectors that every emulator is held against the reference on.

    Args:
        kind: The input type.
        inputs: Number of inputs.
        seed: Of the random groups.

    Returns:
        int64 codes of shape (vectors, inputs) by the group's name, in a fixed order.
    """
    low, high = kind.code_min, kind.code_max
    alone = np.eye(inputs, dtype=np.int64)
    generator = np.random.default_rng(seed)
    checkers = np.arange(inputs) % 2
    every_bit = (1 << kind.width) - 1
    alternating = int("01" * kind.width, 2) & every_bit
    return {
        "all zero": np.zeros((1, inputs), dtype=np.int64),
        "all at an extreme": np.array([[low] * inputs, [high] * inputs]),
        "extremes in turn": np.array([np.where(checkers, low, high), np.where(checkers, high, low)]),
        "one input at its largest": alone * high,
        "one input at its smallest": alone * low,
        "all but one at the largest": high - alone * (high - low),
        "one least significant bit": np.concatenate([alone, alone * max(low, -1)]),
        "alternating bits": _as_codes(np.array([[alternating] * inputs, [alternating ^ every_bit] * inputs]), kind),
        "random extremes": generator.choice([low, 0, high], (RANDOM_VECTORS // 2, inputs)),
        "random bits": generator.integers(low, high + 1, (RANDOM_VECTORS, inputs)),
    }


def _as_codes(bits: Codes, kind: FixedPoint) -> Codes:
    """Reads bit patterns as codes of a type, two's complement if it is signed."""
    return np.where(bits > kind.code_max, bits - (1 << kind.width), bits)
