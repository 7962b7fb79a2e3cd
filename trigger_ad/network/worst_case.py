"""A network as wide as a configuration makes it, to see before training whether its words stay exact."""

from __future__ import annotations

import numpy as np

from trigger_ad.config import QuantizationConfig
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding
from trigger_ad.models.architectures import DenseAutoencoder, DenseLayer
from trigger_ad.network.graph import Constant, Dense, Elementwise, Input, Network, Node, Quantize


def worst_case_network(architecture: DenseAutoencoder, config: QuantizationConfig, input_type: FixedPoint) -> Network:
    """The network with every weight at its extreme code, and binary points at the left of every word.

    No other weights of these types need wider words (one bit more at most, where a layer has a single unit). Every
    layer reads words of its own that can have any code: the weights that make one layer widest can leave the next one
    nothing but zeros.

    Args:
        architecture: The architecture.
        config: The widths.
        input_type: The type of the inputs.

    Raises:
        UserError: If a word would need more than 53 bits; names the layer.
    """
    nodes: list[Node] = [Input("inputs", architecture.inputs, input_type)]
    widths = {"activations": config.activations, "latent": config.latent, "output": config.output}
    source = nodes[0].name
    for layer in architecture.layers:
        dense = _widest_dense(layer, source, config)
        signed, width = layer.activation == "linear", widths[layer.group]
        kind = FixedPoint(signed, width, int(signed), Rounding.NEAREST_EVEN, Overflow.SATURATE)
        source = f"{layer.name}_any"
        nodes += [
            dense,
            Quantize(f"{layer.name}_output", layer.name, kind, layer.activation),
            Input(source, layer.units, kind),
        ]
    nodes += [
        Elementwise("difference", "inputs", source, "subtract"),
        Elementwise("square", "difference", "difference", "multiply"),
        Dense("score", "square", Constant.narrowest(np.ones((architecture.inputs, 1), dtype=np.int64), 0), None),
    ]
    return Network(tuple(nodes))


def _widest_dense(layer: DenseLayer, source: str, config: QuantizationConfig) -> Dense:
    """The layer whose results reach farthest: the product of two smallest codes is the largest there is."""
    kernel = np.full((layer.inputs, layer.units), -(1 << (config.weights - 1)), dtype=np.int64)
    # of either sign in turn, and as large as a negative one can be
    size = 1 << (config.biases - 1)
    bias = np.where(np.arange(layer.units) % 2, size, -size)
    return Dense(
        layer.name,
        source,
        Constant(kernel, FixedPoint(True, config.weights, 1)),
        Constant(bias, FixedPoint(True, config.biases + 1, 2)),
    )
