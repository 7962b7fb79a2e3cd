"""Networks on images with every operation of a convolutional one, their configuration, and vectors for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from support.runs import encoding_of

from trigger_ad.config import Config
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    Activation,
    Constant,
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

RELU = "ufixed<6,3,RND_CONV,SAT>"
LINEAR = "fixed<7,4,RND_CONV,SAT>"
AROUND: Padding = ((1, 1), (1, 1))
ROWS, COLUMNS = 7, 3
"""Objects, and features of each."""


class ImageNetwork:
    """Puts a network together, node by node, with random constants that reach both ends of their type."""

    def __init__(
        self, shape: tuple[int, int, int] = (ROWS, COLUMNS, 1), kind: str = "fixed<8,3>", seed: int = 1
    ) -> None:
        self._random = np.random.default_rng(seed)
        self.nodes: list[Node] = [Input("inputs", shape, FixedPoint.parse(kind))]

    @property
    def last(self) -> str:
        """The node added last, which others read unless told otherwise."""
        return self.nodes[-1].name

    def convolution(
        self,
        name: str,
        shape: tuple[int, int, int, int],
        source: str | None = None,
        strides: tuple[int, int] = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        *,
        biased: bool = True,
    ) -> None:
        """A convolution with a kernel of a shape."""
        kernel, bias = self._constant("fixed<5,0>", shape), self._constant("fixed<6,1>", shape[-1:])
        node = Convolution(name, source or self.last, kernel, bias if biased else None, strides, padding)
        self.nodes.append(node)

    def dense(self, name: str, inputs: int, outputs: int, source: str | None = None) -> None:
        """A dense layer without a bias."""
        kernel = self._constant("fixed<6,0>", (inputs, outputs))
        self.nodes.append(Dense(name, source or self.last, kernel, None))

    def quantize(self, name: str, kind: str, activation: Activation, source: str | None = None) -> None:
        """A quantizer into a type."""
        self.nodes.append(Quantize(name, source or self.last, FixedPoint.parse(kind), activation))

    def score(self) -> Network:
        """The network, closed by the sum of all words of its last node."""
        size = Network(tuple(self.nodes)).words[self.last].size
        self.nodes.append(Reshape("score_flat", self.last, (size,)))
        ones = Constant.narrowest(np.ones((size, 1), dtype=np.int64), 0)
        self.nodes.append(Dense("score", self.last, ones, None))
        return Network(tuple(self.nodes))

    def _constant(self, text: str, shape: Sequence[int]) -> Constant:
        kind = FixedPoint.parse(text)
        codes = self._random.integers(kind.code_min, kind.code_max + 1, shape)
        codes.flat[0] = kind.code_min
        codes.flat[-1] = kind.code_max
        return Constant(codes, kind)


def autoencoder() -> Network:
    """A small convolutional autoencoder with its reconstruction score, whose input passes by the network to it."""
    net = ImageNetwork()
    net.convolution("encoder_1", (3, 3, 1, 4), padding=AROUND)
    net.quantize("encoder_1_output", RELU, "relu")
    net.nodes.append(Pooling("pooled", net.last, (3, 1), "max_pooling"))
    net.nodes.append(Reshape("flat", net.last, (24,)))
    net.dense("latent", 24, 3)
    net.quantize("latent_output", LINEAR, "linear")
    net.dense("decoder_1", 3, 12)
    net.quantize("decoder_1_output", RELU, "relu")
    net.nodes.append(Reshape("image", net.last, (2, 3, 2)))
    net.nodes.append(Upsampling("upsampled", net.last, (3, 1)))
    net.nodes.append(ZeroPadding("padded", net.last, ((0, 1), (0, 0))))
    net.convolution("reconstruction", (3, 3, 2, 1), padding=AROUND)
    net.quantize("reconstruction_output", LINEAR, "linear")
    net.nodes.append(Elementwise("difference", "inputs", net.last, "subtract"))
    net.nodes.append(Elementwise("square", net.last, net.last, "multiply"))
    return net.score()


def every_operation() -> Network:
    """Strides, windows of one position, averages, dropped rows and columns, and shapes that fit no stream."""
    net = ImageNetwork(seed=3)
    net.convolution("strided", (2, 2, 1, 3), strides=(1, 2), padding=((0, 0), (0, 1)))
    net.quantize("strided_output", RELU, "relu")
    # (6, 2, 3); the sums of three words are read by two quantizers
    net.nodes.append(Pooling("average", net.last, (3, 1), "average_pooling"))
    net.quantize("average_coarse", "fixed<4,3,RND_CONV,SAT>", "linear")
    net.quantize("average_fine", "ufixed<7,3,RND_CONV,SAT>", "relu", "average")
    net.nodes.append(Elementwise("rounded", "average_coarse", "average_fine", "subtract"))
    # (2, 2, 3); divided and rounded in one layer
    net.nodes.append(Pooling("averaged", "strided_output", (5, 1), "average_pooling"))
    net.quantize("averaged_output", "ufixed<5,3,RND_CONV,SAT>", "relu")
    net.convolution("point", (1, 1, 3, 4), biased=False)
    net.quantize("point_output", LINEAR, "linear")
    # (1, 2, 4); an exact average, then one that drops a column
    net.nodes.append(Pooling("exact", net.last, (1, 2), "average_pooling"))
    net.nodes.append(Upsampling("columns", net.last, (1, 5)))
    net.nodes.append(Pooling("dropped", net.last, (1, 4), "max_pooling"))
    # transfers of 3 words become some of 2, and those of 4 one of 12
    net.nodes.append(Reshape("pairs", "rounded", (1, 6, 2)))
    net.quantize("pairs_output", LINEAR, "linear")
    net.nodes.append(Reshape("words", net.last, (12,)))
    net.dense("first", 12, 4)
    net.dense("second", 12, 4, "words")
    net.nodes.append(Elementwise("product", "first", "second", "multiply"))
    net.quantize("product_output", "fixed<9,3,RND_CONV,SAT>", "linear")
    net.nodes.append(Reshape("dropped_flat", "dropped", (4,)))
    net.nodes.append(Elementwise("combined", "product_output", net.last, "subtract"))
    return net.score()


def image_config(network: Network, **firmware: Any) -> Config:
    """A configuration whose objects are the rows, and features the columns, of a network's images."""
    kind, (rows, *_) = network.input.type, network.input.shape
    feature = {"lsb": 0.5, "width": kind.width, "shift": kind.fraction}
    objects = [{"name": "met", "count": 1}, {"name": "jet", "count": rows - 1}]
    layout = {"objects": objects, "features": ("pt", "eta", "phi")}
    return Config.model_validate(
        {
            "name": "small",
            "events": {"background": "background.h5", "signals": {"signal": "signal.h5"}, "layout": layout},
            "inputs": {"pt": feature | {"offset": -kind.code_min}, "eta": feature, "phi": feature},
            "training": {"augmentation": 1},
            "firmware": firmware,
        }
    )


def image_vectors(network: Network, vectors: int = 200) -> Codes:
    """Random trigger words for `image_config`, some of them at their ends, some objects absent."""
    random = np.random.default_rng(1)
    features = encoding_of(image_config(network)).features
    shape = (vectors, network.input.shape[0])
    words = np.stack([random.integers(item.word.code_min, item.word.code_max + 1, shape) for item in features], -1)
    ends = [np.where(random.random(shape) < 0.5, item.word.code_min, item.word.code_max) for item in features]
    words = np.where(random.random((*shape, 1)) < 0.3, np.stack(ends, -1), words)
    return words.reshape(vectors, -1)
