"""Small random integer networks of images."""

from __future__ import annotations

import math
from typing import Literal

from hypothesis import assume
from hypothesis import strategies as st
from support.fixed_points import constants, fixed_points

from trigger_ad.errors import UserError
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    Convolution,
    Dense,
    Elementwise,
    Input,
    Node,
    Padding,
    Pooling,
    Quantize,
    Reshape,
    Upsampling,
    ZeroPadding,
)

Image = tuple[int, int, int]


@st.composite
def image_networks(draw: st.DrawFn) -> Network:
    """A chain of up to four operations on a small image, ending in a single word."""
    shape: Image = (draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2)))
    kind = draw(fixed_points(6, 3)).plain()
    nodes: list[Node] = [Input("inputs", shape, kind)]
    if draw(st.booleans()):
        nodes = [Input("inputs", (math.prod(shape),), kind), Reshape("image", "inputs", shape)]
    for index in range(draw(st.integers(1, 4))):
        added, shape = draw(_image_nodes(f"node_{index}", nodes[-1].name, shape))
        nodes += added
    nodes.append(Reshape("flat", nodes[-1].name, (math.prod(shape),)))
    nodes.append(Dense("score", "flat", draw(constants((math.prod(shape), 1))), None))
    try:
        return Network(tuple(nodes))
    except UserError as error:
        # a chain of products can need more than 53 bits
        assume("to be exact, more than 53" not in error.what)
        raise


@st.composite
def _image_nodes(draw: st.DrawFn, name: str, source: str, shape: Image) -> tuple[list[Node], Image]:
    """An operation, with the quantizer that an average needs, and the shape of what comes out."""
    rows, columns, channels = shape
    kind = draw(
        st.sampled_from(["convolution", "convolution", "pooling", "upsampling", "padding", "square", "quantize"])
    )
    if kind == "convolution":
        return draw(_convolutions(name, source, shape))
    if kind == "pooling":
        return draw(_poolings(name, source, shape))
    if kind == "upsampling" and math.prod(shape) <= 16:
        factors = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
        return [Upsampling(name, source, factors)], (rows * factors[0], columns * factors[1], channels)
    if kind == "padding":
        padding = draw(_paddings)
        return [ZeroPadding(name, source, padding)], (rows + sum(padding[0]), columns + sum(padding[1]), channels)
    if kind == "square":
        return [Elementwise(name, source, source, draw(st.sampled_from(["multiply", "subtract"])))], shape
    return [draw(_quantizers(name, source))], shape


@st.composite
def _quantizers(draw: st.DrawFn, name: str, source: str) -> Quantize:
    return Quantize(name, source, draw(fixed_points(8, 4)), draw(st.sampled_from(["relu", "linear"])))


_ends = st.tuples(st.integers(0, 1), st.integers(0, 1))
_paddings: st.SearchStrategy[Padding] = st.tuples(_ends, _ends)


@st.composite
def _convolutions(draw: st.DrawFn, name: str, source: str, shape: Image) -> tuple[list[Node], Image]:
    padding = draw(_paddings)
    rows, columns = shape[0] + sum(padding[0]), shape[1] + sum(padding[1])
    size = (draw(st.integers(1, min(rows, 3))), draw(st.integers(1, min(columns, 3))))
    strides, filters = (draw(st.integers(1, 3)), draw(st.integers(1, 3))), draw(st.integers(1, 2))
    kernel = draw(constants((*size, shape[2], filters)))
    bias = draw(constants((filters,))) if draw(st.booleans()) else None
    out = ((rows - size[0]) // strides[0] + 1, (columns - size[1]) // strides[1] + 1, filters)
    return [Convolution(name, source, kernel, bias, strides, padding)], out


@st.composite
def _poolings(draw: st.DrawFn, name: str, source: str, shape: Image) -> tuple[list[Node], Image]:
    kind: Literal["max_pooling", "average_pooling"] = draw(st.sampled_from(["max_pooling", "average_pooling"]))
    size = (draw(st.integers(1, shape[0])), draw(st.integers(1, shape[1])))
    nodes: list[Node] = [Pooling(name, source, size, kind)]
    words = math.prod(size)
    if kind == "average_pooling" and words & (words - 1):
        nodes.append(draw(_quantizers(f"{name}_quantized", name)))
    return nodes, (shape[0] // size[0], shape[1] // size[1], shape[2])
