"""Generates the HLS project of a frozen network with hls4ml. The only module that imports hls4ml.

The layer list that hls4ml's own front ends produce is made here from the frozen network, with an explicit precision
for every word, so that nothing is left to be inferred: hls4ml's defaults would be silently wrong by whole units.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from trigger_ad.config import BackEnd, FirmwareConfig
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding
from trigger_ad.network.graph import Constant, Dense, Elementwise, Input, Network, Node, Quantize

_LOGGER = logging.getLogger(__name__)
_BACK_END_NAMES: Final[Mapping[BackEnd, str]] = {"vitis": "Vitis", "vivado": "Vivado"}
_STRATEGIES: Final = {"latency": "Latency", "resource": "Resource"}


def top_function(name: str) -> str:
    """The name of the top function, and of the files, of a run's HLS project: a C identifier."""
    return "trigger_ad_" + name.replace("-", "_")


def network_function(name: str) -> str:
    """The name of hls4ml's function, and of its files: it takes the network's input codes, and the top calls it."""
    return f"{top_function(name)}_network"


def write_hls_project(network: Network, name: str, back_end: BackEnd, config: FirmwareConfig, folder: Path) -> None:
    """Writes the hls4ml project of a network, whose top function is `network_function(name)`.

    Args:
        network: The frozen network.
        name: The run's name.
        back_end: Which of hls4ml's back ends writes it.
        config: Part, clock, strategy, reuse factor and I/O type.
        folder: Where to; must not exist.

    Raises:
        UserError: If the reuse factor is not valid for a layer.
    """
    check_reuse_factor(network, config)
    get_backend, graph = _hls4ml()

    settings = get_backend(_BACK_END_NAMES[back_end]).create_initial_config(
        part=config.part, clock_period=config.clock_ns, io_type=config.io_type, write_weights_txt=False
    )
    settings |= {
        "OutputDir": str(folder),
        "ProjectName": network_function(name),
        "Backend": _BACK_END_NAMES[back_end],
        "HLSConfig": _hls_config(network, config),
        "TraceOutput": True,
    }
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        model = graph.from_layer_list(settings, _layer_list(network), [network.input.name], [network.output.name])
        _require_as_asked(model, network, config)
        model.write()
    for line in said.getvalue().splitlines():
        _LOGGER.debug("hls4ml: %s", line)


def check_reuse_factor(network: Network, config: FirmwareConfig) -> None:
    """Refuses a reuse factor that hls4ml would silently replace by another.

    Raises:
        UserError: Naming a layer and the nearest factors that are valid for all.
    """
    layers = [node for node in network.nodes if isinstance(node, Dense) and not node.is_sum]
    valid = {}
    for node in layers:
        inputs, outputs = node.kernel.codes.shape
        valid[node.name] = _valid_reuse_factors(inputs, outputs, config.strategy)
    common = set.intersection(*map(set, valid.values())) if valid else {1}
    for node in layers:
        if config.reuse_factor not in valid[node.name]:
            inputs, outputs = node.kernel.codes.shape
            nearest = sorted(common, key=lambda factor: (abs(factor - config.reuse_factor), factor))[:4]
            raise UserError(
                f"firmware.reuse_factor: {config.reuse_factor} is not valid for layer '{node.name}' "
                f"({inputs} x {outputs})",
                f"Valid for every layer: {', '.join(map(str, sorted(nearest)))}",
            )


def _valid_reuse_factors(inputs: int, outputs: int, strategy: str) -> list[int]:
    if strategy == "resource":
        get_backend, _ = _hls4ml()
        return list(get_backend("Vitis").get_valid_reuse_factors(inputs, outputs))
    # the latency strategy shares multipliers evenly only when the factor divides their number
    products = inputs * outputs
    return [factor for factor in range(1, products + 1) if products % factor == 0]


def _hls4ml() -> tuple[Any, Any]:
    """hls4ml's back ends and its graph. It imports TensorFlow, which only our own module does in silence."""
    from hls4ml.backends import get_backend
    from hls4ml.model import ModelGraph

    import trigger_ad.models.keras  # noqa: F401

    return get_backend, ModelGraph


def _hls_config(network: Network, config: FirmwareConfig) -> dict[str, Any]:
    layers = {
        node.name: {
            "Precision": {key: _ap_type(kind) for key, kind in _precisions(node, network).items()},
            "ReuseFactor": _reuse_and_strategy(node, config)["reuse_factor"],
            "Strategy": _STRATEGIES[config.strategy],
            "Trace": True,
        }
        for node in _hls_nodes(network)
    }
    model = {
        # never used: every word has its own type, and _require_as_asked checks it
        "Precision": {"default": "ap_fixed<16,6>"},
        "ReuseFactor": config.reuse_factor,
        "Strategy": _STRATEGIES[config.strategy],
    }
    return {"Model": model, "LayerName": layers}


def merged_quantizer(node: Node, network: Network) -> Quantize | None:
    """The linear quantizer that a dense layer's result is cast to, if it alone reads the layer.

    The cast from the accumulator to the result rounds and saturates just as the quantizer does, so it is not a layer
    of its own in HLS.
    """
    readers = network.consumers(node.name)
    if isinstance(node, Dense) and len(readers) == 1:
        reader = readers[0]
        if isinstance(reader, Quantize) and reader.activation == "linear":
            return reader
    return None


def hls_layer_name(node: Node, network: Network) -> str:
    """The HLS layer that holds a node's output: for a merged quantizer, that of its dense layer."""
    if isinstance(node, Quantize) and node.activation == "linear":
        source = next(item for item in network.nodes if item.name == node.source)
        if merged_quantizer(source, network) is not None:
            return source.name
    return node.name


def _hls_nodes(network: Network) -> list[Node]:
    return [node for node in network.nodes if hls_layer_name(node, network) == node.name]


def _precisions(node: Node, network: Network) -> dict[str, FixedPoint]:
    result = network.type(node.name)
    if not isinstance(node, Dense):
        return {"result": result}
    exact = _reaching(result, [item.type for item in network.consumers(node.name) if isinstance(item, Quantize)])
    merged = merged_quantizer(node, network)
    return {
        "weight": node.kernel.type,
        "bias": _bias(node).type,
        "accum": exact,
        "result": merged.type if merged else exact,
    }


def _reaching(kind: FixedPoint, targets: Sequence[FixedPoint]) -> FixedPoint:
    """The same type, with bits on the left until it reaches the least significant bit of what it is rounded to.

    The vendor's fixed-point library reads the bits around the rounding position, and stops where a word that is far
    smaller than one least significant bit of the target has none there.
    """
    missing = max((2 - target.fraction - kind.integer for target in targets), default=0)
    return replace(kind, width=kind.width + missing, integer=kind.integer + missing) if missing > 0 else kind


def _bias(node: Dense) -> Constant:
    return node.bias or Constant.narrowest(np.zeros(node.kernel.codes.shape[1], dtype=np.int64), 0)


def _ap_type(kind: FixedPoint) -> str:
    base = "ap_fixed" if kind.signed else "ap_ufixed"
    if (kind.rounding, kind.overflow) == (Rounding.TRUNCATE, Overflow.WRAP):
        return f"{base}<{kind.width},{kind.integer}>"
    return f"{base}<{kind.width},{kind.integer},AP_{kind.rounding},AP_{kind.overflow}>"


def _layer_list(network: Network) -> list[dict[str, Any]]:
    return [_layer(node, network) for node in _hls_nodes(network)]


def _layer(node: Node, network: Network) -> dict[str, Any]:
    by_name = {item.name: item for item in network.nodes}
    sources = [hls_layer_name(by_name[source], network) for source in node.sources]
    layer: dict[str, Any] = {"name": node.name, "inputs": sources}
    match node:
        case Input():
            return {"class_name": "InputLayer", "name": node.name, "input_shape": [node.size]}
        case Dense():
            bias = _bias(node)
            return layer | {
                "class_name": "Dense",
                "n_in": node.kernel.codes.shape[0],
                "n_out": node.kernel.codes.shape[1],
                "weight_data": node.kernel.type.values(node.kernel.codes),
                "bias_data": bias.type.values(bias.codes),
                "weight_quantizer": None,
                "bias_quantizer": None,
            }
        case Quantize():
            return layer | {"class_name": "Activation", "activation": node.activation}
        case Elementwise():
            return layer | {"class_name": "Merge", "op": node.kind}


def _require_as_asked(model: Any, network: Network, config: FirmwareConfig) -> None:
    """Checks that hls4ml kept every layer, and gave each its types, its reuse factor and its strategy."""
    found = {layer.name: layer for layer in model.get_layers()}
    for node in _hls_nodes(network):
        if node.name not in found:
            raise RuntimeError(f"hls4ml dropped layer '{node.name}'")
        layer = found[node.name]
        if isinstance(node, Dense):
            for key, asked in _reuse_and_strategy(node, config).items():
                if (given := layer.get_attr(key)) != asked:
                    raise RuntimeError(f"hls4ml gave '{node.name}' the {key} {given}, not {asked}")
        for key, kind in _precisions(node, network).items():
            made = layer.get_output_variable().type if key == "result" else layer.get_attr(f"{key}_t")
            if made is None or _parse(str(made.precision)) != _parse(_ap_type(kind)):
                raise RuntimeError(f"hls4ml gave '{node.name}' the {key} type {made and made.precision}, not {kind}")


def _reuse_and_strategy(node: Node, config: FirmwareConfig) -> dict[str, object]:
    # a sum has no multipliers to use again
    factor = 1 if isinstance(node, Dense) and node.is_sum else config.reuse_factor
    return {"reuse_factor": factor, "strategy": config.strategy}


def _parse(text: str) -> FixedPoint:
    """A type in hls4ml's spelling, whatever of its modes it writes out."""
    kind, _, rest = text.replace(" ", "").removeprefix("ap_").partition("<")
    parts = [part.removeprefix("AP_") for part in rest.rstrip(">").split(",")]
    if kind in ("int", "uint"):
        return FixedPoint(kind == "int", int(parts[0]), int(parts[0]))
    rounding = Rounding(parts[2]) if len(parts) > 2 else Rounding.TRUNCATE
    overflow = Overflow(parts[3]) if len(parts) > 3 else Overflow.WRAP
    return FixedPoint(kind == "fixed", int(parts[0]), int(parts[1]), rounding, overflow)
