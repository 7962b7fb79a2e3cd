"""Random fixed-point types and constants, and slow independent definitions of what their codes are worth."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from trigger_ad.fixed_point import MAX_WIDTH, FixedPoint, Overflow, Rounding
from trigger_ad.network.nodes import Constant


@st.composite
def fixed_points(draw: st.DrawFn, max_width: int = MAX_WIDTH, max_point: int = 64) -> FixedPoint:
    """Any type; `max_point` limits how far the binary point lies outside the word."""
    signed = draw(st.booleans())
    width = draw(st.integers(2 if signed else 1, max_width))
    integer = draw(st.integers(-max_point, width + max_point))
    return FixedPoint(signed, width, integer, draw(st.sampled_from(Rounding)), draw(st.sampled_from(Overflow)))


def codes_of(kind: FixedPoint) -> st.SearchStrategy[int]:
    """Codes of a type, its extremes often."""
    return st.one_of(st.integers(kind.code_min, kind.code_max), st.sampled_from([kind.code_min, 0, kind.code_max]))


def expected_code(kind: FixedPoint, value: Fraction) -> int:
    """The code of an exact value, by the definition of the `ap_fixed` types."""
    scaled = value * Fraction(2) ** kind.fraction
    # Python rounds fractions to the nearest integer, ties to even
    code = round(scaled) if kind.rounding is Rounding.NEAREST_EVEN else math.floor(scaled)
    if kind.overflow is Overflow.SATURATE:
        return min(max(code, kind.code_min), kind.code_max)
    bits = code % (1 << kind.width)
    return bits - (1 << kind.width) if bits > kind.code_max else bits


def exact_value(kind: FixedPoint, code: int) -> Fraction:
    """What a code is worth."""
    return Fraction(code) / Fraction(2) ** kind.fraction


@st.composite
def constants(draw: st.DrawFn, shape: tuple[int, ...]) -> Constant:
    """Small constants of a shape."""
    size = math.prod(shape)
    codes = draw(st.lists(st.integers(-20, 20), min_size=size, max_size=size))
    return Constant.narrowest(np.array(codes, dtype=np.int64).reshape(shape), draw(st.integers(-3, 6)))


def constant(codes: Any, fraction: int = 0) -> Constant:
    """Given constants in the fewest bits."""
    return Constant.narrowest(np.array(codes, dtype=np.int64), fraction)


def image_kernel(codes: Any, fraction: int = 0) -> Constant:
    """The kernel of a convolution from one channel to one filter."""
    return constant(np.array(codes)[:, :, None, None], fraction)
