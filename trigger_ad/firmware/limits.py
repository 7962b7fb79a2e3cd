"""What the vendor's tools cannot synthesise, found before they run for hours: arrays too large to be registers.

hls4ml writes `config_array_partition -maximum_size 4096` into its build scripts, the largest that Vivado HLS takes: an
array that is completely partitioned, as every layer's words and products are, ends the synthesis with XFORM 203-103 if
it has more elements (hls4ml issues 79, 134 and 1157). With the resource strategy the same number is where the loop over
multipliers is too large to be unrolled (XFORM 203-504; issues 904 and 1013). Vitis HLS documents no limit; what is
refused here is what is known to fail in one of the two.
"""

from __future__ import annotations

import math
from typing import Final

from trigger_ad.config import FirmwareConfig
from trigger_ad.errors import UserError
from trigger_ad.firmware.hls_layers import multiplications, reuse_factor_of
from trigger_ad.firmware.reuse import valid_reuse_factors
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Convolution, Dense, Node

LARGEST_ARRAY: Final = 4096
"""Elements of an array that is completely partitioned."""


def check_limits(network: Network, config: FirmwareConfig) -> None:
    """Refuses a network of which a layer is too large for the vendor's tools.

    Args:
        network: The frozen network, or one with layers of the same sizes.
        config: Strategies, reuse factors and I/O type.

    Raises:
        UserError: Naming the layer, and what would make it fit.
    """
    for node in network.nodes:
        _check_multipliers(node, network, config)
        _check_words(node, network, config)


def _check_multipliers(node: Node, network: Network, config: FirmwareConfig) -> None:
    size = multiplications(node)
    if size is None:
        return
    products, factor = math.prod(size), reuse_factor_of(node, network, config)
    if config.strategy_of(node.name) == "latency":
        # the array of products has all of them, whatever the reuse factor
        if products > LARGEST_ARRAY:
            raise UserError(
                f"layer '{node.name}' has {products} products ({size[0]} x {size[1]}) in an array of registers, and "
                f"the tools take at most {LARGEST_ARRAY}",
                _shared_multipliers(node, products, config),
            )
    elif math.ceil(products / factor) > LARGEST_ARRAY:
        raise UserError(
            f"layer '{node.name}' has {math.ceil(products / factor)} multipliers ({size[0]} x {size[1]}, reuse factor "
            f"{factor}) in an unrolled loop, and the tools take at most {LARGEST_ARRAY}",
            _shared_multipliers(node, products, config),
        )


def _shared_multipliers(node: Node, products: int, config: FirmwareConfig) -> str:
    """The remedy for too many products: the smallest reuse factor that brings them below the limit and is valid."""
    factors = valid_reuse_factors(node, "resource", config.io_type)
    enough = [factor for factor in factors if math.ceil(products / factor) <= LARGEST_ARRAY]
    if not enough:
        return "Make the layer smaller"
    return (
        f"Set firmware.layers.{node.name} to {{strategy: resource, reuse_factor: {enough[0]}}}, or make the layer "
        "smaller"
    )


def _check_words(node: Node, network: Network, config: FirmwareConfig) -> None:
    words = _registered_words(node, network, config)
    if words > LARGEST_ARRAY:
        raise UserError(
            f"layer '{node.name}' has {words} words in an array of registers, and the tools take at most "
            f"{LARGEST_ARRAY}",
            "Use fewer channels or units"
            + (", or firmware.io_type: io_stream" if config.io_type == "io_parallel" else ""),
        )


def _registered_words(node: Node, network: Network, config: FirmwareConfig) -> int:
    """The largest array of words that a layer keeps in registers."""
    own = network.words[node.name]
    if config.io_type == "io_parallel":
        return own.size
    if isinstance(node, Dense):
        return int(max(node.kernel.codes.shape))
    if isinstance(node, Convolution):
        # what is under the window
        return math.prod(node.kernel.codes.shape[:-1])
    return own.shape[-1]
