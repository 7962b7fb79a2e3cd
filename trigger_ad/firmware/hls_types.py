"""What HLS makes of a frozen network's nodes: which are layers of their own, and the type of every word in each.

What hls4ml would infer or drop in silence is decided here: which quantizer is a cast of the layer before it, and what
an accumulator must hold for the result to be exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import MAX_WIDTH, FixedPoint, Overflow, Rounding
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    Constant,
    Convolution,
    Dense,
    Input,
    Node,
    Pooling,
    Quantize,
    Reshape,
    Upsampling,
    ZeroPadding,
)


def node_of(name: str, network: Network) -> Node:
    """The node of a name."""
    return next(node for node in network.nodes if node.name == name)


def merged_quantizer(node: Node, network: Network) -> Quantize | None:
    """The quantizer that a layer's result is cast to, if it alone reads the layer.

    The cast from the accumulator to the result rounds and saturates just as a linear quantizer does, so it is not a
    layer of its own in HLS. An average's quotient is cast to a ReLU's type too, if that has no negative codes and
    saturates: it then takes every negative value to zero.
    """
    readers = network.consumers(node.name)
    if len(readers) != 1 or not isinstance(readers[0], Quantize):
        return None
    reader = readers[0]
    if isinstance(node, Dense | Convolution):
        return reader if reader.activation == "linear" else None
    if network.words[node.name].divisor != 1:
        clips = not reader.type.signed and reader.type.overflow is Overflow.SATURATE
        return reader if reader.activation == "linear" or clips else None
    return None


def hls_layer_name(node: Node, network: Network) -> str:
    """The HLS layer that holds a node's output.

    A merged quantizer's is that of the layer it reads, and so is that of a linear quantizer that changes nothing.
    """
    if isinstance(node, Quantize):
        source = node_of(node.source, network)
        merged = merged_quantizer(source, network) is not None
        if merged or (node.activation == "linear" and _result(source, network) == node.type):
            return hls_layer_name(source, network)
    return node.name


def hls_nodes(network: Network) -> list[Node]:
    """The nodes that are layers of their own in HLS."""
    return [node for node in network.nodes if hls_layer_name(node, network) == node.name]


def shown_nodes(network: Network) -> list[Node]:
    """The nodes whose words a trace of the HLS C++ shows.

    Not shown are a layer's sums that are cast to its quantizer's type at once, an average's sums, which are divided
    before they leave their layer, and reshaped words, which are those of the node before, quantized once more to the
    same type or not.
    """
    return [
        node
        for node in network.nodes
        if not isinstance(node_of(hls_layer_name(node, network), network), Reshape)
        and merged_quantizer(node, network) is None
        and network.words[node.name].divisor == 1
    ]


def traced_layers(network: Network) -> dict[str, int]:
    """The HLS layers that a trace writes, and how many words each has."""
    return {hls_layer_name(node, network): network.words[node.name].size for node in shown_nodes(network)}


def precisions(node: Node, network: Network) -> dict[str, FixedPoint]:
    """The type of every word in a node's layer: `result`, and `accum`, `weight` and `bias` where it has them.

    Raises:
        UserError: If one of them would have more than 53 bits; names the layer.
    """
    types = {"result": _result(node, network)}
    match node:
        case Dense() | Convolution():
            types |= {"weight": node.kernel.type, "bias": bias_of(node).type, "accum": _exact(node, network)}
        case Pooling():
            types["accum"] = _pooling_accumulator(node, network)
    return types


def _result(node: Node, network: Network) -> FixedPoint:
    if isinstance(node, Input | Quantize):
        return node.type
    if isinstance(node, Upsampling | ZeroPadding | Reshape):
        # hls4ml's functions that move words have one type for what they read and what they write
        return _result(node_of(hls_layer_name(node_of(node.source, network), network), network), network)
    merged = merged_quantizer(node, network)
    if merged is not None:
        return merged.type
    if network.words[node.name].divisor != 1:
        return _quotient(node, network)
    return _exact(node, network)


def _exact(node: Node, network: Network) -> FixedPoint:
    """A node's word, with bits on the left until it reaches the last bits of what it is rounded to.

    The vendor's fixed-point library reads the bits around the rounding position, and stops where a word that is far
    smaller than one least significant bit of the target has none there.
    """
    kind = network.type(node.name)
    targets = [item.type for item in _quantizers(node, network)]
    missing = max((2 - target.fraction - kind.integer for target in targets), default=0)
    return _wider(kind, node, left=max(missing, 0))


def _quantizers(node: Node, network: Network) -> Iterator[Quantize]:
    """The quantizers that read a node's words, moved or not."""
    for reader in network.consumers(node.name):
        if isinstance(reader, Quantize):
            yield reader
        elif isinstance(reader, Upsampling | ZeroPadding | Reshape):
            yield from _quantizers(reader, network)


def _pooling_accumulator(node: Pooling, network: Network) -> FixedPoint:
    word = network.words[node.name]
    if node.kind == "max_pooling":
        return _exact(node, network)
    if word.divisor != 1:
        return _quotient(node, network)
    # the sum of a window, before it is divided by a power of two
    return _wider(_exact(node, network), node, left=math.prod(node.size).bit_length() - 1)


def _quotient(node: Node, network: Network) -> FixedPoint:
    """The type in which an average's sum is divided, such that what its quantizers make of the quotient is exact.

    The vendor's library divides towards zero, to the fraction bits F of the dividend. A sum is s = i / 2**f, the
    quotient q = s / d, and a quantizer of t fraction bits changes its decision only at whole multiples of
    2**-(t + 1). With F > t every such point is on the grid of the truncated quotient Q, so Q and q lie on the same
    side of it, unless Q is the point itself and q beyond it. But the distance of q = i / (d 2**f) to a point
    k / 2**(t + 1) is a multiple of 1 / (d 2**m), m = max(f, t + 1), while |q - Q| < 2**-F. So with
    F = m + ceil(log2(d)) that distance is 0, and the quantizer finds what it would find for q.
    """
    word = network.words[node.name]
    point = max([word.type.fraction, *(item.type.fraction + 1 for item in _quantizers(node, network))])
    fraction = point + (word.divisor - 1).bit_length()
    return _wider(_exact(node, network), node, right=fraction - word.type.fraction)


def _wider(kind: FixedPoint, node: Node, left: int = 0, right: int = 0) -> FixedPoint:
    width, integer = kind.width + left + right, kind.integer + left
    if width > MAX_WIDTH:
        raise UserError(
            f"layer '{node.name}' needs a word of {width} bits in HLS to be exact, more than {MAX_WIDTH}",
            "Use fewer bits for its inputs or weights, or binary points closer to each other",
        )
    return FixedPoint(kind.signed, width, integer, kind.rounding, kind.overflow)


def bias_of(node: Dense | Convolution) -> Constant:
    """A layer's bias; zeros where it has none, since hls4ml always adds one."""
    return node.bias or Constant.narrowest(np.zeros(node.kernel.codes.shape[-1], dtype=np.int64), 0)


def ap_type(kind: FixedPoint) -> str:
    """A type in hls4ml's spelling."""
    base = "ap_fixed" if kind.signed else "ap_ufixed"
    if (kind.rounding, kind.overflow) == (Rounding.TRUNCATE, Overflow.WRAP):
        return f"{base}<{kind.width},{kind.integer}>"
    return f"{base}<{kind.width},{kind.integer},AP_{kind.rounding},AP_{kind.overflow}>"


def parse_ap_type(text: str) -> FixedPoint:
    """A type in hls4ml's spelling, whatever of its modes it writes out."""
    kind, _, rest = text.replace(" ", "").removeprefix("ap_").partition("<")
    parts = [part.removeprefix("AP_") for part in rest.rstrip(">").split(",")]
    if kind in ("int", "uint"):
        return FixedPoint(kind == "int", int(parts[0]), int(parts[0]))
    rounding = Rounding(parts[2]) if len(parts) > 2 else Rounding.TRUNCATE
    overflow = Overflow(parts[3]) if len(parts) > 3 else Overflow.WRAP
    return FixedPoint(kind == "fixed", int(parts[0]), int(parts[1]), rounding, overflow)
