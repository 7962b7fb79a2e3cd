"""Networks as descriptions: what is drawn at random, printed where it fails, and pasted into a regression test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from support.networks import load_qkeras
from support.runs import encoding_of

from trigger_ad.config import BackEnd, Config, QuantizationConfig, ScoreName
from trigger_ad.config.firmware import IOType, Strategy
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.graph import Network

FEATURES = ("pt", "eta", "phi")
"""Of signed inputs; those of unsigned ones have other names."""
BACKGROUND = 200
"""Events that a score is calibrated on."""


@dataclass(frozen=True)
class Bits:
    """The bits of a word, and how many of them are integer bits, the sign not counted, as QKeras has it."""

    width: int
    integer: int


@dataclass(frozen=True)
class Weights:
    """Kernel and, unless it is None, bias.

    Args:
        kernel: Of its words.
        bias: Of its words.
        zeros: The share of the kernel that is pruned.
        alpha: The scale of the kernel, as QKeras has it: a power of two, or `auto_po2` for those that fit each output.
        symmetric: Whether the kernel's smallest code is left out.
    """

    kernel: Bits
    bias: Bits | None = None
    zeros: float = 0.0
    alpha: float | Literal["auto_po2"] = 1.0
    symmetric: bool = False


@dataclass(frozen=True)
class Dense:
    """A dense layer of a vector, without a quantizer of its output."""

    units: int
    weights: Weights


@dataclass(frozen=True)
class Convolution:
    """A convolution of an image, without a quantizer of its output."""

    filters: int
    window: tuple[int, int]
    weights: Weights
    strides: tuple[int, int] = (1, 1)
    padding: Literal["valid", "same"] = "same"


@dataclass(frozen=True)
class Quantizer:
    """A quantizer of whatever comes before it, a ReLU or a linear one."""

    bits: Bits
    relu: bool = False


@dataclass(frozen=True)
class Pooling:
    """The average or the largest word of windows."""

    kind: Literal["average", "max"]
    window: tuple[int, int]


@dataclass(frozen=True)
class Upsampling:
    """Every word repeated."""

    factors: tuple[int, int]


@dataclass(frozen=True)
class ZeroPadding:
    """Zeros around an image."""

    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class Reshape:
    """Another shape of the same words."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Combination:
    """This times, or less, what came out of an earlier step: 0 is the input, 1 the first step."""

    kind: Literal["Subtract", "Multiply"]
    step: int


Step = Dense | Convolution | Quantizer | Pooling | Upsampling | ZeroPadding | Reshape | Combination


@dataclass(frozen=True)
class Description:
    """A quantized network with its inputs.

    Args:
        objects: Of an event.
        features: Of an object, 1 to 3, pT first; each is an input.
        words: Bits of every trigger word, and of the network's inputs.
        fraction: How many of these are fraction bits; may be negative, or more than all.
        signed: Whether features other than pT are signed, and pT's code is.
        steps: From the input to what the score reads.
        image: Whether the input is an image of objects x features x 1.
        score: What is made of the last step's words, or None: a model of a user's own, whose output they are.
        score_bits: Of the score word; None for as many as it takes.
        whitening_bits: Of a Mahalanobis distance's words.
        seed: Of the weights.
    """

    objects: int
    features: int
    words: int
    fraction: int
    steps: tuple[Step, ...]
    signed: bool = True
    image: bool = False
    score: ScoreName | None = None
    score_bits: int | None = None
    whitening_bits: int = 8
    seed: int = 1

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of the network's input."""
        return (self.objects, self.features, 1) if self.image else (self.objects * self.features,)

    @property
    def input_type(self) -> FixedPoint:
        """Of the network's input."""
        return FixedPoint(self.signed, self.words, self.words - self.fraction)


@dataclass(frozen=True)
class Firmware:
    """How HLS builds a network.

    Args:
        back_end: Which.
        io_type: Words side by side, or one after another.
        strategy: Of every layer.
        reuse: Which of the reuse factors valid for a layer each takes, counted from the smallest and over again.
    """

    back_end: BackEnd = "vitis"
    io_type: IOType = "io_parallel"
    strategy: Strategy = "latency"
    reuse: int = 0


def config_for(description: Description, **firmware: Any) -> Config:
    """A configuration whose trigger words become the inputs of a network, bit for bit but for pT's smallest code."""
    names = FEATURES if description.signed else ("pt", "energy", "quality")
    kind = description.input_type
    feature = {"lsb": 0.5, "width": kind.width, "shift": kind.fraction}
    others = dict.fromkeys(names[1 : description.features], feature)
    # what has no key of its own would get its default
    inputs = {"eta": None, "phi": None} | (others if description.signed else {"other": others})
    layout = {"objects": [{"name": "jet", "count": description.objects}], "features": names}
    return Config.model_validate(
        {
            "name": "small",
            "events": {"background": "background.h5", "signals": {"signal": "signal.h5"}, "layout": layout},
            "inputs": {"pt": feature | {"offset": -kind.code_min}} | inputs,
            "training": {"augmentation": 1},
            "firmware": firmware,
        }
    )


def firmware_config(description: Description, firmware: Firmware, network: Network) -> Config:
    """The same with a firmware: each layer with a reuse factor that is valid for it."""
    from trigger_ad.firmware.hls_layers import multiplications
    from trigger_ad.firmware.reuse import valid_reuse_factors

    layers = {}
    for node in network.nodes:
        if multiplications(node) is not None:
            valid = valid_reuse_factors(node, firmware.strategy, firmware.io_type)
            layers[node.name] = {"reuse_factor": valid[firmware.reuse % len(valid)]}
    return config_for(description, io_type=firmware.io_type, strategy=firmware.strategy, layers=layers)


def random_words(encoding: InputEncoding, events: int, seed: int) -> Codes:
    """Trigger words over their whole range, many at its ends, some objects absent."""
    random = np.random.default_rng(seed)
    shape = (events, encoding.layout.objects)
    columns = []
    for feature in encoding.features:
        low, high = feature.word.code_min, feature.word.code_max
        ends = np.where(random.random(shape) < 0.5, low, high)
        columns.append(np.where(random.random(shape) < 0.3, ends, random.integers(low, high + 1, shape)))
    columns[0] = np.where(random.random(shape) < 0.2, 0, columns[0])
    return np.stack(columns, axis=-1).reshape(events, encoding.inputs)


def build(description: Description) -> Any:
    """The QKeras model of a description.

    Raises:
        UserError: If the score cannot be made of its words.
    """
    from trigger_ad.models.architectures import Architecture, DenseLayer
    from trigger_ad.models.score_layers import with_score

    part = _part(description)
    if description.score is None:
        return part
    encoding = encoding_of(config_for(description))
    latent = DenseLayer("latent", math.prod(part.output.shape[1:]), "linear", "latent")
    bits = description.whitening_bits
    return with_score(
        part,
        Architecture(description.input_shape, (latent,)),
        description.score,
        QuantizationConfig(weights=bits, biases=bits, latent=bits, score=description.score_bits),
        encoding.values_of_words(random_words(encoding, BACKGROUND, description.seed)),
        description.input_type,
        description.features,
    ).model


def _part(description: Description) -> Any:
    """The model without its score; each layer has the name of its step's class and number."""
    from trigger_ad.models.keras import tf_keras

    random = np.random.default_rng(description.seed)
    values = [tf_keras.Input(description.input_shape, name="inputs")]
    for number, step in enumerate(description.steps, start=1):
        name = f"{type(step).__name__.lower()}_{number}"
        if isinstance(step, Combination):
            combined = getattr(tf_keras.layers, step.kind)(name=name)([values[-1], values[step.step]])
            values.append(combined)
            continue
        layer = _layer(step, name)
        values.append(layer(values[-1]))
        if isinstance(step, Dense | Convolution):
            shapes = [weight.shape for weight in layer.get_weights()]
            layer.set_weights(_random_weights(step.weights, shapes, random))
    return tf_keras.Model(values[0], values[-1])


def _layer(step: Step, name: str) -> Any:
    from trigger_ad.models.keras import tf_keras

    layers, qkeras = tf_keras.layers, load_qkeras()
    match step:
        case Dense():
            return qkeras.QDense(step.units, name=name, **_quantizers(step.weights))
        case Convolution():
            settings = {"strides": step.strides, "padding": step.padding} | _quantizers(step.weights)
            return qkeras.QConv2D(step.filters, step.window, name=name, **settings)
        case Quantizer(bits, relu):
            quantizer = qkeras.quantized_relu(bits.width, bits.integer) if relu else _quantized_bits(bits)
            return qkeras.QActivation(quantizer, name=name)
        case Pooling(kind, window):
            pooling = layers.AveragePooling2D if kind == "average" else layers.MaxPooling2D
            return pooling(window, name=name)
        case Upsampling(factors):
            return layers.UpSampling2D(factors, name=name)
        case ZeroPadding(rows, columns):
            return layers.ZeroPadding2D((rows, columns), name=name)
        case Reshape(shape):
            return layers.Flatten(name=name) if len(shape) == 1 else layers.Reshape(shape, name=name)
    raise AssertionError(step)


def _quantizers(weights: Weights) -> dict[str, Any]:
    return {
        "kernel_quantizer": _quantized_bits(weights.kernel, weights.alpha, weights.symmetric),
        "bias_quantizer": None if weights.bias is None else _quantized_bits(weights.bias),
        "use_bias": weights.bias is not None,
        # QKeras draws start values at random, and warns of some
        "kernel_initializer": "zeros",
    }


def _quantized_bits(bits: Bits, alpha: float | str = 1.0, symmetric: bool = False) -> Any:
    return load_qkeras().quantized_bits(bits.width, bits.integer, symmetric=int(symmetric), alpha=alpha)


def _random_weights(weights: Weights, shapes: Sequence[tuple[int, ...]], random: np.random.Generator) -> list[Any]:
    """Weights over the whole range of their words and somewhat beyond, at any distance from their codes."""
    words = [weights.kernel, weights.bias]
    values = [
        random.normal(0, 2.0**word.integer / 2, shape) for word, shape in zip(words, shapes, strict=False) if word
    ]
    values[0] = np.where(random.random(shapes[0]) < weights.zeros, 0.0, values[0])
    return values
