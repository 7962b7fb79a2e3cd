"""Generates the HLS project of a frozen network with hls4ml. The only module that imports hls4ml.

The layer list that hls4ml's own front ends produce is made from the frozen network (`hls_layers`), with an explicit
precision for every word (`hls_types`), so that nothing is left to be inferred: hls4ml's defaults would be silently
wrong by whole units. What hls4ml then made of it is checked layer by layer before anything is written.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from trigger_ad.config import BackEnd, FirmwareConfig
from trigger_ad.firmware.accumulators import check_accumulators
from trigger_ad.firmware.hls4ml_library import hls4ml_library
from trigger_ad.firmware.hls_layers import (
    Layer,
    check_layers,
    layer_list,
    layer_precisions,
    multiplications,
    reuse_factor_of,
)
from trigger_ad.firmware.hls_types import (
    ap_type,
    hls_layer_name,
    hls_nodes,
    node_of,
    parse_ap_type,
    traced_layers,
)
from trigger_ad.firmware.reuse import check_reuse_factor
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Convolution, Node

StreamDepths = Mapping[tuple[str, str], int]
"""The depth of the FIFO from one node to another that reads it, in transfers, by the names of the two."""
DEFAULT_DEPTHS: Final[StreamDepths] = MappingProxyType({})
"""hls4ml's own: every FIFO holds all transfers of one event."""

_LOGGER = logging.getLogger(__name__)
_BACK_END_NAMES: Final[Mapping[BackEnd, str]] = {"vitis": "Vitis", "vivado": "Vivado"}
_PADS_STREAM: Final = "zp2d_"
_COPIES_STREAM: Final = "clone_"


def top_function(name: str) -> str:
    """The name of the top function, and of the files, of a run's HLS project: a C identifier."""
    return "trigger_ad_" + name.replace("-", "_")


def network_function(name: str) -> str:
    """The name of hls4ml's function, and of its files: it takes the network's input codes, and the top calls it."""
    return f"{top_function(name)}_network"


def write_hls_project(
    network: Network,
    name: str,
    back_end: BackEnd,
    config: FirmwareConfig,
    folder: Path,
    depths: StreamDepths = DEFAULT_DEPTHS,
) -> None:
    """Writes the hls4ml project of a network, whose top function is `network_function(name)`.

    Args:
        network: The frozen network.
        name: The run's name.
        back_end: Which of hls4ml's back ends writes it.
        config: Part, clock, strategy, reuse factor and I/O type.
        folder: Where to; must not exist.
        depths: Of FIFOs that must hold more than one event; `io_stream` alone has any.

    Raises:
        UserError: If the reuse factor is not valid for a layer, hls4ml would get a layer wrong, or an accumulator of
            the user's would not keep every bit at the right.
        ValueError: If there is no FIFO from one node of `depths` to the other.
    """
    check_layers(network, config)
    check_reuse_factor(network, config)
    check_accumulators(network, config)
    get_backend, graph = hls4ml_library()

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
    layers, output = layer_list(network, config), hls_layer_name(network.output, network)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        model = graph.from_layer_list(settings, layers, [network.input.name], [output])
        _require_as_asked(model, layers, network, config)
        for names, depth in depths.items():
            source, reader = (hls_layer_name(node_of(item, network), network) for item in names)
            _set_depth(model, source, reader, depth)
        model.write()
    for line in said.getvalue().splitlines():
        _LOGGER.debug("hls4ml: %s", line)


def _hls_config(network: Network, config: FirmwareConfig) -> dict[str, Any]:
    factors = {node.name: reuse_factor_of(node, network, config) for node in network.nodes}
    traced = traced_layers(network)
    layers = {
        name: {
            "Precision": {key: ap_type(kind) for key, kind in types.items()},
            "ReuseFactor": factors.get(name, 1),
            # in small letters, as hls4ml writes it itself, or it warns of a change where it replaces a layer
            "Strategy": config.strategy_of(name),
            # one position after another through one copy of the hardware, from a buffer of lines
            "ParallelizationFactor": 1,
            "ConvImplementation": "LineBuffer",
            "Trace": name in traced,
        }
        for name, types in layer_precisions(network, config).items()
    }
    model = {
        # never used: every word has its own type, and _require_as_asked checks it
        "Precision": {"default": "ap_fixed<16,6>"},
        "ReuseFactor": config.reuse_factor,
        "Strategy": config.strategy,
    }
    return {"Model": model, "LayerName": layers}


def _require_as_asked(model: Any, layers: list[Layer], network: Network, config: FirmwareConfig) -> None:
    """Checks that hls4ml kept every layer as it is in the list, with its types, and added none but its own helpers."""
    found = {layer.name: layer for layer in model.get_layers()}
    asked = {layer["name"]: layer for layer in layers}
    for name in found.keys() - asked.keys():
        if name.removeprefix(_PADS_STREAM).removeprefix(_COPIES_STREAM) not in asked:
            raise RuntimeError(f"hls4ml added a layer '{name}' ({found[name].class_name})")
    for name, layer in asked.items():
        if name not in found:
            raise RuntimeError(f"hls4ml dropped layer '{name}'")
        _require_class(found[name], layer)
    for name, types in layer_precisions(network, config).items():
        for key, kind in types.items():
            made = found[name].get_output_variable().type if key == "result" else found[name].get_attr(f"{key}_t")
            if made is None or parse_ap_type(str(made.precision)) != parse_ap_type(ap_type(kind)):
                raise RuntimeError(f"hls4ml gave '{name}' the {key} type {made and made.precision}, not {kind}")
    for node in hls_nodes(network):
        if multiplications(node) is not None:
            _require_attributes(found[node.name], _hardware(node, network, config))


def _require_class(made: Any, layer: Layer) -> None:
    """Checks a layer's kind and sizes."""
    # hls4ml has a name of its own for a convolution whose window is one position
    names = {"PointwiseConv2D": "Conv2D", "Input": "InputLayer", "Pooling2D": layer["class_name"]}
    if names.get(made.class_name, made.class_name) != layer["class_name"]:
        raise RuntimeError(f"hls4ml made '{made.name}' a {made.class_name}, not a {layer['class_name']}")
    sizes = {key: value for key, value in layer.items() if isinstance(value, int)}
    if layer["class_name"] == "Conv2D" and f"{_PADS_STREAM}{made.name}" in made.model.graph:
        # a layer before it pads its stream
        for size, before, after in (("in_height", "pad_top", "pad_bottom"), ("in_width", "pad_left", "pad_right")):
            sizes[size] += sizes[before] + sizes[after]
            sizes[before] = sizes[after] = 0
    _require_attributes(made, sizes)
    if layer["class_name"].endswith("Pooling2D"):
        _require_attributes(made, {"pool_op": layer["class_name"].removesuffix("Pooling2D")})


def _hardware(node: Node, network: Network, config: FirmwareConfig) -> dict[str, object]:
    asked: dict[str, object] = {
        "reuse_factor": reuse_factor_of(node, network, config),
        "strategy": config.strategy_of(node.name),
    }
    if isinstance(node, Convolution):
        rows, columns, _ = network.words[node.name].shape
        asked |= {"implementation": "linebuffer", "n_partitions": rows * columns}
    return asked


def _require_attributes(made: Any, asked: Mapping[str, object]) -> None:
    for key, value in asked.items():
        if (given := made.get_attr(key)) != value:
            raise RuntimeError(f"hls4ml gave '{made.name}' the {key} {given}, not {value}")


def _set_depth(model: Any, source: str, reader: str, depth: int) -> None:
    """Sets the depth of the FIFO through which a layer reads another, a copy of it where others read it too."""
    layers = {layer.name: layer for layer in model.get_layers()}
    producers = {output: layer for layer in layers.values() for output in layer.outputs}
    found = 0
    for name in layers[reader].inputs if reader in layers else []:
        if producers[name].name == f"{_PADS_STREAM}{reader}":
            (name,) = producers[name].inputs
        if producers[name].name in (source, f"{_COPIES_STREAM}{source}"):
            variable = producers[name].get_output_variable(name)
            if not isinstance(variable.pragma, tuple) or variable.pragma[0] != "stream":
                raise ValueError(f"'{reader}' reads '{source}' through no FIFO")
            variable.pragma = ("stream", depth)
            found += 1
    if not found:
        raise ValueError(f"'{reader}' does not read '{source}'")
