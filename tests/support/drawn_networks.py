"""Descriptions of networks, drawn at random by hypothesis."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

from hypothesis import strategies as st
from support.random_networks import (
    Bits,
    Combination,
    Convolution,
    Dense,
    Description,
    Firmware,
    Pooling,
    Quantizer,
    Reshape,
    Step,
    Upsampling,
    Weights,
    ZeroPadding,
)

from trigger_ad.config import ScoreName
from trigger_ad.config.model import RECONSTRUCTION_SCORES

Shape = tuple[int, ...]
LARGEST_WIDTH = 16
MOST_STEPS = 6
MOST_WORDS = 48
"""Of an image: C++ of larger ones takes long to compile."""
SCORES: tuple[ScoreName | None, ...] = (
    None,
    "network_output",
    "mu_squared",
    "squared_error",
    "squared_error_present",
    "mahalanobis",
)
ALPHAS: tuple[float | Literal["auto_po2"], ...] = (1.0, 1.0, "auto_po2", 0.25, 2.0)

widths = st.one_of(st.integers(2, 8), st.integers(2, LARGEST_WIDTH))
"""Small ones are more frequent: of wide words few layers stay exact."""


@st.composite
def _weights(draw: st.DrawFn) -> Weights:
    alpha = draw(st.sampled_from(ALPHAS))
    zeros = draw(st.sampled_from([*[0.0] * 9, *[0.5] * 9, 0.8, 1.0]))
    kernel = draw(widths)
    bias = draw(st.none() | st.builds(Bits, widths, st.integers(0, 4)))
    return Weights(Bits(kernel, draw(st.integers(0, min(kernel + 1, 4)))), bias, zeros, alpha, draw(st.booleans()))


@st.composite
def _quantizers(draw: st.DrawFn, magnitude: float) -> Quantizer:
    """A quantizer whose range is about that of its input, or some bits off: one that is far off gives one word alone.

    Args:
        draw: Of hypothesis.
        magnitude: Integer bits of what it reads.
    """
    integer = round(magnitude) + draw(st.sampled_from([*[0] * 4, -1, -1, 1, -3, 3]))
    return Quantizer(Bits(draw(widths), min(max(integer, 0), 12)), draw(st.sampled_from([False, False, True])))


_pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
_ends = st.tuples(st.integers(0, 2), st.integers(0, 2))


@st.composite
def descriptions(draw: st.DrawFn, least_width: int = 2) -> Description:
    """A network of a few layers on a few inputs, with any score.

    Args:
        draw: Of hypothesis.
        least_width: Of the input's words.
    """
    objects, features = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    words = max(draw(widths), least_width)
    score = draw(st.sampled_from(SCORES))
    empty = Description(
        objects,
        features,
        words,
        words - draw(st.integers(-1, 6)),
        (),
        signed=draw(st.booleans()),
        image=draw(st.booleans()),
        score=score,
        score_bits=draw(st.none() | widths) if score else None,
        whitening_bits=draw(widths),
        seed=draw(st.integers(0, 999)),
    )
    chain = _Chain(empty)
    for _ in range(draw(st.integers(0, MOST_STEPS))):
        chain.add(draw(_steps(chain)))
        if _divides(chain.steps[-1]) or draw(st.integers(0, 3)):
            chain.add(draw(_quantizers(chain.magnitudes[-1])))
    _add_last_steps(draw, empty, chain)
    return replace(empty, steps=tuple(chain.steps))


class _Chain:
    """Steps, and for the input and what comes out of each step its shape and about how many integer bits it has."""

    def __init__(self, description: Description) -> None:
        self.steps: list[Step] = []
        self.shapes: list[Shape] = [description.input_shape]
        self.magnitudes = [float(description.words - description.fraction - description.signed)]

    def add(self, step: Step) -> None:
        self.steps.append(step)
        self.magnitudes.append(self._magnitude(step))
        self.shapes.append(output_shape(step, self.shapes[-1]))

    def _magnitude(self, step: Step) -> float:
        last = self.magnitudes[-1]
        match step:
            case Dense() | Convolution():
                words = (
                    math.prod(step.window) * self.shapes[-1][-1]
                    if isinstance(step, Convolution)
                    else self.shapes[-1][0]
                )
                return last + step.weights.kernel.integer - 1 + math.log2(words) / 2
            case Quantizer():
                return min(last, step.bits.integer)
            case Combination("Multiply"):
                return last + self.magnitudes[step.step]
            case _:
                return last

    @property
    def alike(self) -> list[int]:
        """What a step can be combined with: the input, as 0, and steps of the shape of the last one."""
        shapes = enumerate(self.shapes)
        return [n for n, shape in shapes if shape == self.shapes[-1] and not (n and _divides(self.steps[n - 1]))]


def _divides(step: Step) -> bool:
    """Whether quantizers alone may read a step: averages of words that are no power of two in number."""
    words = math.prod(step.window) if isinstance(step, Pooling) and step.kind == "average" else 1
    return bool(words & (words - 1))


def output_shape(step: Step, shape: Shape) -> Shape:
    """The shape of what a step makes of a tensor."""
    match step:
        case Dense():
            return (step.units,)
        case Convolution(padding="valid"):
            sides = zip(shape, step.window, step.strides, strict=False)
            return (*((side - size) // stride + 1 for side, size, stride in sides), step.filters)
        case Convolution():
            return (*(-(-side // stride) for side, stride in zip(shape, step.strides, strict=False)), step.filters)
        case Pooling():
            return (shape[0] // step.window[0], shape[1] // step.window[1], shape[2])
        case Upsampling():
            return (shape[0] * step.factors[0], shape[1] * step.factors[1], shape[2])
        case ZeroPadding():
            return (shape[0] + sum(step.rows), shape[1] + sum(step.columns), shape[2])
        case Reshape():
            return step.shape
        case _:
            return shape


def _steps(chain: _Chain) -> st.SearchStrategy[Step]:
    """Any step that can follow these."""
    shape, alike = chain.shapes[-1], chain.alike
    combinations: st.SearchStrategy[Step] = st.builds(Combination, st.just("Multiply"), st.sampled_from(alike))
    if alike[:-1]:
        # less itself, it is nothing
        combinations |= st.builds(Combination, st.just("Subtract"), st.sampled_from(alike[:-1]))
    if len(shape) == 1:
        dense: st.SearchStrategy[Step] = st.builds(Dense, st.integers(1, 6), _weights())
        return st.one_of(dense, dense, dense, _to_image(shape[0]), combinations)
    image = _image_steps(shape).filter(lambda step: math.prod(output_shape(step, shape)) <= MOST_WORDS)
    return st.one_of(image, image, image, st.just(Reshape((math.prod(shape),))), combinations)


def _to_image(words: int) -> st.SearchStrategy[Step]:
    """Any image of so many words."""
    shapes = [
        (rows, columns, words // rows // columns)
        for rows in range(1, words + 1)
        for columns in range(1, words + 1)
        if words % (rows * columns) == 0
    ]
    return st.builds(Reshape, st.sampled_from(shapes))


def _image_steps(shape: Shape) -> st.SearchStrategy[Step]:
    windows = st.tuples(st.integers(1, min(3, shape[0])), st.integers(1, min(3, shape[1])))
    convolutions: st.SearchStrategy[Step] = st.builds(
        Convolution, st.integers(1, 3), windows, _weights(), _pairs, st.sampled_from(["valid", "same"])
    )
    return st.one_of(
        convolutions,
        # most have no strides
        convolutions.map(lambda step: replace(step, strides=(1, 1)) if isinstance(step, Convolution) else step),
        st.builds(Pooling, st.sampled_from(["average", "max"]), windows),
        st.builds(Upsampling, _pairs),
        st.builds(ZeroPadding, _ends, _ends),
    )


def _add_last_steps(draw: st.DrawFn, description: Description, chain: _Chain) -> None:
    """What brings a tensor into the shape that the score reads: the input's, or a vector."""
    if len(chain.shapes[-1]) > 1:
        chain.add(Reshape((math.prod(chain.shapes[-1]),)))
    score, units = description.score, draw(st.integers(1, 3))
    if score in RECONSTRUCTION_SCORES:
        units = description.objects * description.features
    weights = draw(_weights())
    if score == "mahalanobis":
        # a dimension that is the same for every event has no inverse variance
        chain.add(Dense(draw(st.integers(1, 2)), replace(weights, bias=None, zeros=0.0)))
        chain.add(Quantizer(Bits(draw(st.integers(5, 12)), min(max(round(chain.magnitudes[-1]), 0), 12))))
        return
    chain.add(Dense(1 if score == "network_output" else units, weights))
    # what a user's own model ends with may be a quantized word
    if score in RECONSTRUCTION_SCORES or draw(st.booleans()):
        chain.add(draw(_quantizers(chain.magnitudes[-1])))
    if score in RECONSTRUCTION_SCORES and description.image:
        chain.add(Reshape(description.input_shape))


@st.composite
def wide_descriptions(draw: st.DrawFn) -> Description:
    """Wide words through several layers without a quantizer: sums and squares of more than 53 bits, mostly."""
    word = st.integers(11, LARGEST_WIDTH)
    weights = st.builds(
        Weights, st.builds(Bits, word, st.integers(0, 4)), st.none() | st.builds(Bits, word, st.just(1))
    )
    layers = draw(st.lists(st.builds(Dense, st.integers(1, 4), weights), min_size=1, max_size=4))
    words = draw(word)
    return Description(
        draw(st.integers(1, 3)), 1, words, words - 2, tuple(layers), score=draw(st.sampled_from([None, "mu_squared"]))
    )


firmwares = st.builds(
    Firmware,
    st.sampled_from(["vitis", "vivado"]),
    st.sampled_from(["io_parallel", "io_stream"]),
    st.sampled_from(["latency", "resource"]),
    st.integers(0, 5),
)
