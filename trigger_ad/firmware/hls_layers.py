"""hls4ml's layer list of a frozen network, as its own front ends would produce it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trigger_ad.config import FirmwareConfig
from trigger_ad.errors import UserError
from trigger_ad.firmware.hls_types import bias_of, hls_layer_name, hls_nodes, merged_quantizer, node_of, precisions
from trigger_ad.firmware.naming import check_names
from trigger_ad.fixed_point import FixedPoint, Rounding
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    NO_PADDING,
    Convolution,
    Dense,
    Elementwise,
    Input,
    Node,
    Pooling,
    Quantize,
    Reshape,
    Shape,
    Upsampling,
    ZeroPadding,
)

Layer = dict[str, Any]
"""One entry of hls4ml's layer list."""
MOST_READINGS: Final = 7
"""How often hls4ml lets a stream be read."""


def multiplications(node: Node) -> tuple[int, int] | None:
    """Inputs and outputs of a layer's matrix of weights, or None if it has none that multipliers are used for.

    A convolution's is that of one position.
    """
    match node:
        case Dense() if not node.is_sum:
            inputs, outputs = node.kernel.codes.shape
        case Convolution():
            *window, outputs = node.kernel.codes.shape
            inputs = math.prod(window)
        case _:
            return None
    return int(inputs), int(outputs)


def reuse_factor_of(node: Node, network: Network, config: FirmwareConfig) -> int:
    """How often a layer uses its hardware for one event, or, in a convolution, for one position."""
    if isinstance(node, Dense) and node.is_sum:
        # it has no multipliers to use again
        return 1
    if isinstance(node, Pooling):
        # no more often than it has results
        return min(config.reuse_factor_of(node.name), network.words[node.name].size)
    return config.reuse_factor_of(node.name)


def check_layers(network: Network, config: FirmwareConfig) -> None:
    """Refuses what hls4ml would get wrong, or has no layer for.

    Raises:
        UserError: Naming the layer.
    """
    check_names(network)
    for node in network.nodes:
        shape = network.words[node.name].shape
        if len(shape) not in (1, 3):
            raise UserError(
                f"layer '{node.name}' gives words of shape {shape}", "Give a vector, or rows, columns and channels"
            )
        if config.io_type == "io_stream":
            _check_streamed(node, network)
        precisions(node, network)
        if isinstance(node, Quantize):
            _check_rounding(node, network)
    output = network.words[network.output.name].shape
    if len(output) != 1 or isinstance(network.output, Reshape):
        raise UserError(
            f"layer '{network.output.name}' ends the network with an image or a reshaped one",
            "End it with a dense layer, or with its quantizer",
        )


def _check_rounding(node: Quantize, network: Network) -> None:
    """Refuses a quantizer whose least significant bit is larger than any word that it reads.

    The vendor's fixed-point library stops the program where a word has no bits at the rounding position. Exact words
    are given some (`hls_types`), but an input's or a quantizer's type is what it is.
    """
    source = node_of(node.source, network)
    if merged_quantizer(source, network) is not None:
        # what is read is the layer's accumulator
        return
    read = precisions(source, network)["result"]
    if node.type.rounding is Rounding.NEAREST_EVEN and read.integer + node.type.fraction < 0:
        raise UserError(
            f"layer '{node.name}' rounds every word of '{source.name}' to 0: they are {read}, and its least "
            f"significant bit is {node.type.lsb:g}",
            "Give it more fraction bits",
        )


def _check_streamed(node: Node, network: Network) -> None:
    if isinstance(node, Convolution):
        rows, columns = node.kernel.codes.shape[:2]
        # hls4ml keeps no count of rows for a window of one row, unless it is a single position
        if rows == 1 and columns > 1 and node.strides[0] > 1:
            raise UserError(
                f"layer '{node.name}' has windows of one row and steps of {node.strides[0]} rows, which hls4ml gets "
                "wrong in io_stream",
                "Use steps of one row, a window of more rows, or firmware.io_type: io_parallel",
            )
    readings = [name for reader in network.nodes for name in reader.sources].count(node.name)
    if readings > MOST_READINGS:
        raise UserError(
            f"layer '{node.name}' is read {readings} times; hls4ml copies a stream {MOST_READINGS} times at most",
            "Use firmware.io_type: io_parallel",
        )


def layer_list(network: Network, config: FirmwareConfig) -> list[Layer]:
    """hls4ml's layer list of a network."""
    streamed = config.io_type == "io_stream"
    return [layer for node in hls_nodes(network) for layer in _layers(node, network, streamed)]


def _layers(node: Node, network: Network, streamed: bool) -> list[Layer]:
    sources = [hls_layer_name(node_of(name, network), network) for name in node.sources]
    layer: Layer = {"name": node.name, "inputs": sources}
    match node:
        case Input():
            return [{"class_name": "InputLayer", "name": node.name, "input_shape": list(node.shape)}]
        case Dense():
            inputs, outputs = node.kernel.codes.shape
            return [layer | _weights(node) | {"class_name": "Dense", "n_in": inputs, "n_out": outputs}]
        case Quantize():
            return [layer | {"class_name": "Activation", "activation": node.activation}]
        case Elementwise():
            return [layer | {"class_name": "Merge", "op": node.kind}]
        case Reshape():
            return _reshape(node, layer, network, streamed)
        case _:
            return [layer | _image_layer(node, network)]


def _image_layer(node: Convolution | Pooling | Upsampling | ZeroPadding, network: Network) -> Layer:
    shapes = _sizes("in", network.words[node.source].shape) | _sizes("out", network.words[node.name].shape)
    channels, filters = network.words[node.source].shape[-1], network.words[node.name].shape[-1]
    layer: Layer = {"data_format": "channels_last", "n_chan": channels} | shapes
    match node:
        case Convolution():
            rows, columns = node.kernel.codes.shape[:2]
            layer |= {"class_name": "Conv2D", "n_filt": filters, "filt_height": rows, "filt_width": columns}
            return layer | _strides(node.strides) | _padding(node.padding) | _weights(node)
        case Pooling():
            kind = {"max_pooling": "MaxPooling2D", "average_pooling": "AveragePooling2D"}[node.kind]
            window = {"pool_height": node.size[0], "pool_width": node.size[1]}
            layer |= {"class_name": kind, "n_filt": filters} | window
            return layer | _strides(node.size) | _padding(NO_PADDING)
        case Upsampling():
            return layer | {"class_name": "Resize", "algorithm": "nearest"}
        case ZeroPadding():
            return layer | {"class_name": "ZeroPadding2D"} | _padding(node.padding)


def _sizes(prefix: str, shape: Shape) -> Layer:
    return {f"{prefix}_height": shape[0], f"{prefix}_width": shape[1]}


def _strides(strides: Sequence[int]) -> Layer:
    return {"stride_height": strides[0], "stride_width": strides[1]}


def _padding(padding: Sequence[Sequence[int]]) -> Layer:
    (top, bottom), (left, right) = padding
    return {"pad_top": top, "pad_bottom": bottom, "pad_left": left, "pad_right": right}


def _weights(node: Dense | Convolution) -> Layer:
    bias = bias_of(node)
    return {
        "weight_data": node.kernel.type.values(node.kernel.codes),
        "bias_data": bias.type.values(bias.codes),
        "weight_quantizer": None,
        "bias_quantizer": None,
    }


def _reshape(node: Reshape, layer: Layer, network: Network, streamed: bool) -> list[Layer]:
    """In parallel, and where a dense layer alone reads the words, only a name; in a stream otherwise, packed anew.

    A transfer of a stream holds the channels of one position. hls4ml repacks where one transfer's size divides the
    other's; elsewhere the words pass one by one between two repackings.
    """
    readers = network.consumers(node.name)
    flat_for_dense = len(node.shape) == 1 and len(readers) == 1 and isinstance(readers[0], Dense)
    if not streamed or flat_for_dense:
        return [layer | {"class_name": "Reshape", "target_shape": list(node.shape)}]
    size, given, wanted = math.prod(node.shape), network.words[node.source].shape[-1], node.shape[-1]
    repack = layer | {"class_name": "Repack", "target_shape": list(node.shape)}
    if given % wanted == 0 or wanted % given == 0:
        return [repack]
    single = {"class_name": "Repack", "name": single_words_name(node), "inputs": layer["inputs"]}
    return [single | {"target_shape": [size, 1]}, repack | {"inputs": [single["name"]]}]


def single_words_name(node: Reshape) -> str:
    """The layer in which a reshaped stream passes word by word, if there is one."""
    return f"{node.name}_words"


def layer_precisions(network: Network, config: FirmwareConfig) -> Mapping[str, dict[str, FixedPoint]]:
    """The types of every layer of `layer_list`, by name."""
    types = {node.name: precisions(node, network) for node in hls_nodes(network)}
    for name, accumulator in config.accumulators.items():
        types[name]["accum"] = accumulator
    for layer in layer_list(network, config):
        if layer["name"] not in types:
            # one of two repackings moves what the other does
            (source,) = layer["inputs"]
            types[layer["name"]] = {"result": types[source]["result"]}
    return types
