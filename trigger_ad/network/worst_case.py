"""The widest network that a configuration could lead to, to see before training whether its words stay exact."""

from __future__ import annotations

import numpy as np

from trigger_ad.config import QuantizationConfig
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding
from trigger_ad.models.architectures import DenseAutoencoder
from trigger_ad.network.graph import Constant, Dense, Elementwise, Input, Network, Node, Quantize


def worst_case_network(architecture: DenseAutoencoder, config: QuantizationConfig, input_type: FixedPoint) -> Network:
    """The network with every weight at its extreme code, and binary points at the left of every word.

    Args:
        architecture: The architecture.
        config: The widths.
        input_type: The type of the inputs.

    Raises:
        UserError: If a word would need more than 53 bits; names the layer.
    """
    nodes: list[Node] = [Input("inputs", architecture.inputs, input_type)]
    widths = {"activations": config.activations, "latent": config.latent, "output": config.output}
    for layer in architecture.layers:
        kernel = np.full((layer.inputs, layer.units), -(1 << (config.weights - 1)), dtype=np.int64)
        bias = np.full(layer.units, -(1 << (config.biases - 1)), dtype=np.int64)
        dense = Dense(
            layer.name,
            nodes[-1].name,
            Constant(kernel, FixedPoint(True, config.weights, 1)),
            Constant(bias, FixedPoint(True, config.biases, 1)),
        )
        signed, width = layer.activation == "linear", widths[layer.group]
        kind = FixedPoint(signed, width, int(signed), Rounding.NEAREST_EVEN, Overflow.SATURATE)
        nodes += [dense, Quantize(f"{layer.name}_output", layer.name, kind, layer.activation)]
    nodes += [
        Elementwise("difference", "inputs", nodes[-1].name, "subtract"),
        Elementwise("square", "difference", "difference", "multiply"),
        Dense("score", "square", Constant.narrowest(np.ones((architecture.inputs, 1), dtype=np.int64), 0), None),
    ]
    return Network(tuple(nodes))
