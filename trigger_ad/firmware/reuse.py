"""Reuse factors: how many products one multiplier computes in turn, and which of them hls4ml takes as they are."""

from __future__ import annotations

from collections.abc import Collection

from trigger_ad.config import FirmwareConfig, IOType, Strategy
from trigger_ad.errors import UserError
from trigger_ad.firmware.hls4ml_library import hls4ml_library
from trigger_ad.firmware.hls_layers import multiplications
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Convolution, Node


def check_reuse_factor(network: Network, config: FirmwareConfig) -> None:
    """Refuses a reuse factor that hls4ml would silently replace by another, or get wrong.

    Raises:
        UserError: Naming a layer and the nearest factors that are valid for it, and for all layers together.
    """
    layers = {node.name: (node, *size) for node in network.nodes if (size := multiplications(node)) is not None}
    unknown = next((name for name in config.layers if name not in layers), None)
    if unknown:
        raise UserError(
            f"firmware.layers: '{unknown}' is no layer with multipliers", f"Those that are: {', '.join(layers)}"
        )
    valid = {
        name: valid_reuse_factors(node, config.strategy_of(name), config.io_type) for name, (node, *_) in layers.items()
    }
    common = set.intersection(*map(set, valid.values())) if valid else {1}
    for name, (_, inputs, outputs) in layers.items():
        factor = config.reuse_factor_of(name)
        if factor not in valid[name]:
            raise UserError(
                f"firmware.reuse_factor: {factor} is not valid for layer '{name}' ({inputs} x {outputs}, "
                f"{config.strategy_of(name)})",
                f"Valid for every layer: {_nearest(common, factor)}; for this one, under firmware.layers.{name}: "
                f"{_nearest(valid[name], factor)}",
            )


def _nearest(factors: Collection[int], wanted: int) -> str:
    """The four factors nearest to one that is not possible."""
    nearest = sorted(factors, key=lambda factor: (abs(factor - wanted), factor))[:4]
    return ", ".join(map(str, sorted(nearest))) or "none"


def valid_reuse_factors(node: Node, strategy: Strategy, io_type: IOType) -> list[int]:
    """The reuse factors of a layer that hls4ml takes as they are, in ascending order.

    Args:
        node: A layer with multipliers.
        strategy: Of the layer.
        io_type: Of the network.
    """
    size = multiplications(node)
    if size is None:
        raise ValueError(f"layer '{node.name}' has no multipliers")
    inputs, outputs = size
    if strategy == "latency":
        # multipliers are shared evenly only when the factor divides their number
        products = inputs * outputs
        return [factor for factor in range(1, products + 1) if products % factor == 0]
    get_backend, _ = hls4ml_library()
    factors = sorted(get_backend("Vitis").get_valid_reuse_factors(inputs, outputs))
    if isinstance(node, Convolution) and io_type == "io_parallel":
        # beyond them hls4ml's function stops the program, or reads words outside the window
        return [factor for factor in factors if factor <= inputs]
    return factors
