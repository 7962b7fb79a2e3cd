"""One description of each architecture, from which the float, the folded and the quantized model are all built."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from trigger_ad.config import (
    ConvolutionalAutoencoderConfig,
    DenseAutoencoderConfig,
    ModelConfig,
    ScoreName,
    StudentConfig,
)
from trigger_ad.config.model import RECONSTRUCTION_SCORES
from trigger_ad.errors import UserError

Shape = tuple[int, ...]
"""Of one event: `(words,)`, or `(rows, columns, channels)` for an image."""
Activation = Literal["relu", "linear"]
Group = Literal["activations", "latent", "output", "score"]


@dataclass(frozen=True)
class DenseLayer:
    """A dense layer with what follows it.

    Args:
        name: Unique in the network; the same in every model, in the firmware and in reports.
        units: Number of outputs.
        activation: What follows the accumulator (after the batch normalisation, if any).
        group: Which words of `quantization` this layer's output uses.
        batch_normalization: Whether the float model normalises the accumulator.
        dropout: The share of its outputs that a step of the float fit leaves out.
    """

    name: str
    units: int
    activation: Activation
    group: Group
    batch_normalization: bool = False
    dropout: float = 0.0

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output, from that of its input."""
        return (self.units,)

    def kernel_shape(self, shape: Shape) -> Shape:
        """The shape of its kernel, from that of its input."""
        return (*shape, self.units)


@dataclass(frozen=True)
class ConvolutionLayer:
    """A convolution of an image that keeps its rows and columns (`same` padding), with what follows it.

    Args:
        name: Unique in the network.
        filters: Channels of its output.
        kernel: Rows and columns of its window.
        activation: What follows the accumulator (after the batch normalisation, if any).
        group: Which words of `quantization` this layer's output uses.
        batch_normalization: Whether the float model normalises the accumulator.
        dropout: The share of its outputs that a step of the float fit leaves out.
    """

    name: str
    filters: int
    kernel: tuple[int, int]
    activation: Activation
    group: Group
    batch_normalization: bool = False
    dropout: float = 0.0

    @property
    def units(self) -> int:
        """Number of biases."""
        return self.filters

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output, from that of its input."""
        return (*shape[:2], self.filters)

    def kernel_shape(self, shape: Shape) -> Shape:
        """The shape of its kernel, from that of its input."""
        return (*self.kernel, shape[2], self.filters)


@dataclass(frozen=True)
class PoolingLayer:
    """The largest or the average value of windows that do not overlap; what fills none is dropped.

    Args:
        name: Unique in the network. An average is quantized, in words of the group `activations`.
        kind: Which.
        size: Rows and columns of a window.
    """

    name: str
    kind: Literal["average", "max"]
    size: tuple[int, int]

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output, from that of its input."""
        return (shape[0] // self.size[0], shape[1] // self.size[1], shape[2])


@dataclass(frozen=True)
class UpsamplingLayer:
    """Every value repeated in rows and columns.

    Args:
        name: Unique in the network.
        factors: How often, in rows and in columns.
    """

    name: str
    factors: tuple[int, int]

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output, from that of its input."""
        return (shape[0] * self.factors[0], shape[1] * self.factors[1], shape[2])


@dataclass(frozen=True)
class PaddingLayer:
    """Zeros below and to the right of an image: the rows and columns that a pooling had dropped.

    Args:
        name: Unique in the network.
        rows: How many below.
        columns: How many to the right.
    """

    name: str
    rows: int
    columns: int

    @property
    def padding(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows before and after, columns before and after."""
        return ((0, self.rows), (0, self.columns))

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output, from that of its input."""
        return (shape[0] + self.rows, shape[1] + self.columns, shape[2])


@dataclass(frozen=True)
class ReshapeLayer:
    """The same values in another shape, in C order.

    Args:
        name: Unique in the network.
        shape: The new shape.
    """

    name: str
    shape: Shape

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output."""
        return self.shape


WeightedLayer = DenseLayer | ConvolutionLayer
Layer = WeightedLayer | PoolingLayer | UpsamplingLayer | PaddingLayer | ReshapeLayer


@dataclass(frozen=True)
class Architecture:
    """A network: an encoder, and perhaps a decoder.

    Args:
        input_shape: Of one event: `(inputs,)`, or `(objects, features, 1)` for an image.
        encoder: From the input to the layer `latent`, or to the layer `score` of a student.
        decoder: From the latent space to the layer `reconstruction`, of the shape of the input; none for a student.
        variational: Whether the latent space is one of Gaussians, whose means `latent` gives.
    """

    input_shape: Shape
    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...] = ()
    variational: bool = False

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return math.prod(self.input_shape)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """From the input to the last output."""
        return self.encoder + self.decoder

    @property
    def weighted(self) -> tuple[WeightedLayer, ...]:
        """The layers that have weights."""
        return tuple(layer for layer in self.layers if isinstance(layer, WeightedLayer))

    @property
    def latent(self) -> int:
        """Dimensions of the latent space (1 for a student)."""
        return math.prod(self.shapes()[self.encoder[-1].name])

    def shapes(self) -> dict[str, Shape]:
        """The shape of every layer's output, by its name."""
        return {layer.name: layer.output_shape(shape) for layer, shape in self.steps()}

    def steps(self) -> Iterator[tuple[Layer, Shape]]:
        """Every layer with the shape of its input."""
        shape = self.input_shape
        for layer in self.layers:
            yield layer, shape
            shape = layer.output_shape(shape)

    def shipped(self, score: ScoreName) -> Architecture:
        """The part that the firmware of a score holds: without the decoder, where the score does not need it."""
        if score in RECONSTRUCTION_SCORES:
            return self
        return Architecture(self.input_shape, self.encoder, variational=self.variational)


def architecture(model: ModelConfig, objects: int, features: int) -> Architecture:
    """The architecture of a configuration.

    Args:
        model: The `model` section, or that of a student's teacher.
        objects: Objects of an event, 19 for the ADC2021 layout.
        features: Inputs of each object.

    Raises:
        UserError: A pooling window is larger than what is left of the image; names the block.
    """
    match model:
        case DenseAutoencoderConfig():
            return _dense_autoencoder(model, objects * features)
        case ConvolutionalAutoencoderConfig():
            return _convolutional_autoencoder(model, (objects, features, 1))
        case StudentConfig():
            return _student(model, objects * features)


def _rates(model: ModelConfig, layers: int) -> tuple[float, ...]:
    return model.dropout or (0.0,) * layers


def _dense_autoencoder(model: DenseAutoencoderConfig, inputs: int) -> Architecture:
    """The published one is 57-32-16-3-16-32-57 (arXiv:2108.03986)."""
    hidden = list(zip(model.hidden, _rates(model, len(model.hidden)), strict=True))
    normalize = model.batch_normalization
    return Architecture(
        (inputs,),
        (
            *_hidden("encoder", 1, hidden, normalize),
            DenseLayer("latent", model.latent, "linear", "latent"),
        ),
        (
            *_hidden("decoder", 1, hidden[::-1], normalize),
            DenseLayer("reconstruction", inputs, "linear", "output"),
        ),
        model.variational is not None,
    )


def _hidden(prefix: str, first: int, units: list[tuple[int, float]], normalize: bool) -> Iterator[DenseLayer]:
    """Hidden dense layers, of so many units and with such rates of dropout."""
    for number, (width, rate) in enumerate(units, start=first):
        yield DenseLayer(f"{prefix}_{number}", width, "relu", "activations", normalize, rate)


def _student(model: StudentConfig, inputs: int) -> Architecture:
    hidden = list(zip(model.hidden, _rates(model, len(model.hidden)), strict=True))
    return Architecture(
        (inputs,),
        (
            *_hidden("hidden", 1, hidden, model.batch_normalization),
            DenseLayer("score", 1, "linear", "score"),
        ),
    )


def _convolutional_autoencoder(model: ConvolutionalAutoencoderConfig, image: Shape) -> Architecture:
    blocks, normalize = model.blocks, model.batch_normalization
    rates = _rates(model, len(blocks) + len(model.hidden))
    encoder: list[Layer] = []
    shapes = [image]
    for number, (block, rate) in enumerate(zip(blocks, rates, strict=False), start=1):
        rows, columns, _ = shapes[-1]
        if block.pool[0] > rows or block.pool[1] > columns:
            raise UserError(
                f"model.blocks: the pooling window {block.pool[0]}x{block.pool[1]} of block {number} is larger than "
                f"the {rows}x{columns} image that reaches it",
                "Choose a smaller 'pool', or fewer blocks with one",
            )
        name = f"encoder_{number}"
        convolution = ConvolutionLayer(name, block.filters, block.kernel, "relu", "activations", normalize, rate)
        pooling = PoolingLayer(f"{name}_pooling", model.pooling, block.pool)
        encoder += [convolution, pooling] if block.pool != (1, 1) else [convolution]
        shapes.append(pooling.output_shape(convolution.output_shape(shapes[-1])))
    size = math.prod(shapes[-1])
    hidden = list(zip(model.hidden, rates[len(blocks) :], strict=True))
    encoder += [
        ReshapeLayer("flatten", (size,)),
        *_hidden("encoder", len(blocks) + 1, hidden, normalize),
        DenseLayer("latent", model.latent, "linear", "latent"),
    ]
    decoder: list[Layer] = [
        *_hidden("decoder", 1, [*hidden[::-1], (size, rates[len(blocks) - 1])], normalize),
        ReshapeLayer("unflatten", shapes[-1]),
        *_mirrored(model, shapes, rates),
    ]
    return Architecture(image, tuple(encoder), tuple(decoder), model.variational is not None)


def _mirrored(model: ConvolutionalAutoencoderConfig, shapes: list[Shape], rates: tuple[float, ...]) -> Iterator[Layer]:
    """The blocks in reverse: each undoes its pooling, then convolves to the channels that its convolution read.

    Args:
        model: The blocks.
        shapes: Of the image before each block, and after the last.
        rates: Of dropout after each block.
    """
    first = len(model.hidden) + 2
    for index, block in reversed(list(enumerate(model.blocks))):
        name = f"decoder_{first + len(model.blocks) - 1 - index}" if index else "reconstruction"
        before, after = shapes[index], shapes[index + 1]
        if block.pool != (1, 1):
            yield UpsamplingLayer(f"{name}_upsampling", block.pool)
        rows, columns = (before[axis] - after[axis] * block.pool[axis] for axis in (0, 1))
        if rows or columns:
            yield PaddingLayer(f"{name}_padding", rows, columns)
        if index:
            yield ConvolutionLayer(
                name, before[2], block.kernel, "relu", "activations", model.batch_normalization, rates[index - 1]
            )
        else:
            yield ConvolutionLayer(name, before[2], block.kernel, "linear", "output")
