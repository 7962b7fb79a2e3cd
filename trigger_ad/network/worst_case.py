"""A network as wide as a configuration makes it, to see before training whether its words stay exact."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trigger_ad.config import LayerBitsConfig, QuantizationConfig, ScoreName
from trigger_ad.config.model import RECONSTRUCTION_SCORES
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding
from trigger_ad.models.architectures import (
    Architecture,
    ConvolutionLayer,
    Layer,
    PaddingLayer,
    PoolingLayer,
    ReshapeLayer,
    UpsamplingLayer,
    WeightedLayer,
)
from trigger_ad.models.bits import layer_bits
from trigger_ad.models.names import (
    DIFFERENCE,
    MASKED,
    OBJECT_PT,
    PRESENT,
    SCORE,
    SCORE_WORD,
    SQUARE,
    WHITENING,
    quantized_name,
    relu_name,
)
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    Activation,
    Bounds,
    Constant,
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
    same_padding,
)


def worst_case_network(
    architecture: Architecture,
    score: ScoreName,
    config: QuantizationConfig,
    input_type: FixedPoint,
    features: int,
    bounds: Bounds = (),
) -> Network:
    """The network with every weight at its extreme code, and binary points at the left of every word.

    Its layers have the names, shapes and kinds of those that `models.score_layers.with_score` gives. No other weights
    of these types need wider words (one bit more at most, where a layer has a single unit). Every quantized word is
    read as one that can have any code: the weights that make one layer widest can leave the next one nothing but
    zeros. It has inputs in its middle and is not to be evaluated.

    Args:
        architecture: The architecture.
        score: The score that ships.
        config: The widths.
        input_type: The type of the inputs.
        features: Inputs of each object, pT first.
        bounds: The smallest and the largest code of each feature, or nothing for every code of the type.

    Raises:
        UserError: A word would need more than 53 bits, naming the layer; or as `layer_bits` does.
    """
    builder = _Builder(architecture, layer_bits(architecture, score, config), input_type, bounds)
    for layer, shape in architecture.shipped(score).steps():
        builder.add(layer, shape)
    builder.add_score(score, features)
    if config.score is not None:
        signed = score == "network_output"
        builder.nodes.append(Quantize(SCORE_WORD, builder.last, _leftmost(config.score, signed=signed), "linear"))
    return Network(tuple(builder.nodes))


def _leftmost(width: int, *, signed: bool) -> FixedPoint:
    """A word whose binary point is at its left."""
    return FixedPoint(signed, width, int(signed), Rounding.NEAREST_EVEN, Overflow.SATURATE)


class _Builder:
    """Nodes in the order of the data.

    Args:
        architecture: The whole architecture.
        bits: Of its layers.
        input_type: The type of the inputs.
        bounds: The smallest and the largest code of each feature of an object.
    """

    def __init__(
        self, architecture: Architecture, bits: Mapping[str, LayerBitsConfig], input_type: FixedPoint, bounds: Bounds
    ) -> None:
        self._architecture = architecture
        self._bits = bits
        self._input_type = input_type
        self.nodes: list[Node] = [Input("inputs", architecture.input_shape, input_type, bounds)]

    @property
    def last(self) -> str:
        """The name of the node that was added last."""
        return self.nodes[-1].name

    def add(self, layer: Layer, shape: Shape) -> None:
        """A layer of the architecture, and the quantizer that follows it.

        Args:
            layer: The layer.
            shape: Of what it reads.
        """
        output = layer.output_shape(shape)
        match layer:
            case PoolingLayer(kind="max"):
                self.nodes.append(Pooling(layer.name, self.last, layer.size, "max_pooling"))
            case PoolingLayer():
                self.nodes.append(Pooling(layer.name, self.last, layer.size, "average_pooling"))
                self._quantize(layer.name, "linear", output, signed=False)
            case UpsamplingLayer():
                self.nodes.append(Upsampling(layer.name, self.last, layer.factors))
            case PaddingLayer():
                self.nodes.append(ZeroPadding(layer.name, self.last, layer.padding))
            case ReshapeLayer():
                self.nodes.append(Reshape(layer.name, self.last, layer.shape))
            case _:
                self.nodes.append(self._weighted(layer, shape))
                if self._bits[layer.name].output is not None:
                    self._quantize(layer.name, layer.activation, output, signed=layer.activation == "linear")

    def _weighted(self, layer: WeightedLayer, shape: Shape) -> Node:
        weights = self._extremes(layer.name, layer.kernel_shape(shape))
        if isinstance(layer, ConvolutionLayer):
            rows, columns, _ = shape
            padding = same_padding((rows, columns), layer.kernel, (1, 1))
            return Convolution(layer.name, self.last, *weights, padding=padding)
        return Dense(layer.name, self.last, *weights)

    def _extremes(self, name: str, shape: Shape) -> tuple[Constant, Constant]:
        """Weights whose results reach farthest: the product of two smallest codes is the largest there is."""
        bits = self._bits[name]
        assert bits.weights is not None
        assert bits.biases is not None
        kernel = np.full(shape, -(1 << (bits.weights - 1)), dtype=np.int64)
        # of either sign in turn, and as large as a negative one can be
        size = 1 << (bits.biases - 1)
        bias = np.where(np.arange(shape[-1]) % 2, size, -size)
        return (
            Constant(kernel, FixedPoint(True, bits.weights, 1)),
            Constant(bias, FixedPoint(True, bits.biases + 1, 2)),
        )

    def _quantize(self, layer: str, activation: Activation, shape: Shape, *, signed: bool) -> None:
        """A quantizer, and in place of its words an input that can have any code."""
        width = self._bits[layer].output
        assert width is not None
        kind = _leftmost(width, signed=signed)
        name = relu_name(layer) if activation == "relu" else quantized_name(layer)
        self.nodes += [Quantize(name, self.last, kind, activation), Input(f"{layer}_any", shape, kind.plain())]

    def add_score(self, score: ScoreName, features: int) -> None:
        """The layers of a score, that of a student excepted: it is the last layer already."""
        if score == "network_output":
            return
        if score == "mahalanobis":
            size = self._architecture.latent
            self.nodes.append(Dense(WHITENING, self.last, *self._extremes(WHITENING, (size, size))))
            self._quantize(WHITENING, "linear", (size,), signed=True)
        size = self._architecture.latent
        if score in RECONSTRUCTION_SCORES:
            size = self._architecture.inputs
            self._add_difference(features, present=score == "squared_error_present")
        self.nodes.append(Elementwise(SQUARE, self.last, self.last, "multiply"))
        self.nodes.append(Dense(SCORE, SQUARE, Constant.narrowest(np.ones((size, 1), dtype=np.int64), 0), None))

    def _add_difference(self, features: int, *, present: bool) -> None:
        size = (self._architecture.inputs,)
        is_image = len(self._architecture.input_shape) > 1
        self.nodes.append(Elementwise(DIFFERENCE, "inputs", self.last, "subtract"))
        if is_image:
            self.nodes.append(Reshape(f"{DIFFERENCE}_flat", DIFFERENCE, size))
        if not present:
            return
        difference = self.last
        if is_image:
            self.nodes.append(Reshape("inputs_flat", "inputs", size))
        flat = self.last if is_image else "inputs"
        codes = np.zeros(size * 2, dtype=np.int64)
        inputs = np.arange(size[0])
        codes[inputs // features * features, inputs] = 1
        fraction = -max(self._input_type.fraction, 0)
        self.nodes += [
            Dense(OBJECT_PT, flat, Constant.narrowest(codes, fraction), None),
            Quantize(PRESENT, OBJECT_PT, FixedPoint(False, 1, 1, Rounding.NEAREST_EVEN, Overflow.SATURATE), "relu"),
            Elementwise(MASKED, difference, PRESENT, "multiply"),
        ]
