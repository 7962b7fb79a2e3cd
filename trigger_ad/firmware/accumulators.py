"""Accumulator types that the user sets, in place of those that hold every sum: what they lack, what is refused.

In every one of hls4ml's templates each product, the bias and each partial sum is cast to the accumulator's type, which
wraps. So a sum that is too large in between does no harm, and what leaves the accumulator is the exact sum modulo its
range: it is wrong if, and only if, the exact sum is out of range. Fraction bits that are missing would round every
product by itself, which no reference of exact sums can foresee, and nothing that is worth having.
"""

from __future__ import annotations

import numpy as np

from trigger_ad.config import FirmwareConfig
from trigger_ad.errors import UserError
from trigger_ad.firmware.hls_types import merged_quantizer, node_of
from trigger_ad.network.graph import Network


def check_accumulators(network: Network, config: FirmwareConfig) -> None:
    """Refuses accumulator types that cannot be converted.

    Args:
        network: The frozen network.
        config: With the types that the user sets, of layers with multipliers.

    Raises:
        UserError: If one has fewer fraction bits than the layer's exact sums, or none that its quantizer reads; names
            the layer.
    """
    for name, kind in config.accumulators.items():
        key = f"firmware.layers.{name}.accumulator"
        exact = network.type(name)
        if kind.fraction < exact.fraction:
            enough = _type(kind.signed, kind.integer, exact.fraction)
            raise UserError(
                f"{key}: {kind} has {kind.fraction} fraction bits, and the sums of layer '{name}' have "
                f"{exact.fraction}, none of which the reference rounds",
                f"Write {enough}: only bits at the left can be left out",
            )
        quantizer = merged_quantizer(node_of(name, network), network)
        # the vendor's library reads the bits around the last one of what it rounds to
        if quantizer is not None and kind.integer < (least := 2 - quantizer.type.fraction):
            raise UserError(
                f"{key}: {kind} has {kind.integer} integer bits, fewer than the quantizer of layer '{name}' reads",
                f"Write {_type(kind.signed, least, exact.fraction)} or wider",
            )


def narrowed(network: Network, config: FirmwareConfig) -> list[str]:
    """A line for each accumulator type that the user sets and that does not hold every sum there can be.

    Args:
        network: The frozen network.
        config: With the types that the user sets, of layers with multipliers.
    """
    lines = []
    for name, kind in config.accumulators.items():
        word = network.words[name]
        ends = np.array([word.low.min(), word.high.max()])
        if kind.out_of_range(ends, word.type.fraction).any():
            lines.append(
                f"layer '{name}': its accumulator {kind} is narrower than the bounds of its sums need ({word.type}): "
                "where a sum is beyond it, it wraps, and the firmware differs from the reference"
            )
    return lines


def _type(signed: bool, integer: int, fraction: int) -> str:
    """How a type of these bits is written, however many they are."""
    return f"{'fixed' if signed else 'ufixed'}<{integer + fraction},{integer}>"
