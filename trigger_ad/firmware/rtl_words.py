"""What is done to one word of a traced program: constants, bits, rounding, saturation, division by a constant.

A word is an alkaid variable: an exact interval, and the operations that gave it. Additions of constants, bits that are
dropped and powers of two cost nothing; a bit that depends on a few others costs a look-up table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.firmware.alkaid_library import CombLogic, FVariable, HWConfig, cmvm_solve
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding, Values

Variable = Any
"""An alkaid variable."""

HARDWARE: Final = HWConfig(1, 1, -1)
"""Adders of any width, whose carry takes time for each bit."""
EXACT_BITS: Final = 48
"""Of the widest word: intervals are floats of 53 bits, and sums in between may need a few more than their result."""
FARTHEST_POINT: Final = 60
"""How far the binary point may be from either end of a word: products of two must stay within float32."""
CONSTANT_BITS: Final = 24
"""Of the widest constant or weight, without the zeros that it ends in: alkaid looks for its last bit in float32."""
SOLVER: Final = {"hard_dc": 2, "search_all_decompose_dc": False}
"""Sums of products take at most two additions in a row more than the fewest; one way to share terms is tried."""


class TooWideError(ValueError):
    """A word or a constant that alkaid would not keep exactly; the message says what a layer needs."""


def constant(value: float) -> Variable:
    """A word that is always the same.

    Raises:
        TooWideError: If it needs more bits than alkaid keeps.
    """
    _require_constant(Fraction(value))
    return FVariable.from_const(float(value), hwconf=HARDWARE)


def is_constant(word: Variable) -> bool:
    """Whether a word is always the same."""
    return bool(word.low == word.high)


def require_exact(word: Variable) -> None:
    """Checks that alkaid's floats and bytes hold a word.

    Raises:
        TooWideError: If they do not.
    """
    signed, integer, fraction = word.kif
    if word.low == word.high == 0:
        return
    if signed + integer + fraction > EXACT_BITS:
        raise TooWideError(f"needs a word of {signed + integer + fraction} bits, more than the {EXACT_BITS}")
    if Fraction(word._affine.bias) % Fraction(word.step):
        # the sum of all constants that went into it
        _require_constant(Fraction(word._affine.bias))
    away = max(abs(integer), abs(fraction))
    if away > FARTHEST_POINT:
        raise TooWideError(f"has a binary point {away} bits away, more than the {FARTHEST_POINT}")


def added(word: Variable, value: float) -> Variable:
    """A word plus a constant.

    Raises:
        TooWideError: If the constants added to a word so far need more bits than alkaid keeps: it adds them up.
    """
    if is_constant(word):
        return constant(word.low + value)
    result = word + float(value)
    if result.opr == "cadd":
        (source,) = result._from
        ratio = result._factor / source._factor
        sum_ = Fraction(result.low) - Fraction(source.low if ratio > 0 else source.high) * Fraction(ratio)
        _require_constant(sum_)
    return result


def _require_constant(value: Fraction) -> None:
    lowest = abs(value.numerator) & -abs(value.numerator)
    bits = (abs(value.numerator) // max(lowest, 1)).bit_length()
    if bits > CONSTANT_BITS:
        raise TooWideError(f"has a constant of {bits} bits, more than the {CONSTANT_BITS}")


def field(word: Variable, signed: bool, integer: int, fraction: int) -> Variable:
    """Some of a word's bits, as a word of their own.

    Args:
        word: The word.
        signed: Whether the highest of them is a sign.
        integer: How many of them are left of the binary point, without the sign; may be negative.
        fraction: How many are right of it.
    """
    if not is_constant(word):
        return word.quantize(signed, integer, fraction)
    if signed + integer + fraction <= 0:
        return constant(0)
    # alkaid 0.8.2 wraps constants without a sign at twice their range
    code = math.floor(Fraction(word.low) * Fraction(2) ** fraction) % (1 << (signed + integer + fraction))
    code -= (code >> (integer + fraction) & 1) << (signed + integer + fraction) if signed else 0
    return constant(math.ldexp(code, -fraction))


def any_bit(word: Variable) -> Variable:
    """1 where a word is not 0."""
    return word.unary_bit_op("any")


def where(bit: Variable, word: Variable, other: Variable) -> Variable:
    """One word where a bit (or the sign of a word) is set, the other elsewhere."""
    return _inverted(bit).msb_mux(other, word)


def larger(left: Variable, right: Variable) -> Variable:
    """The larger of two words."""
    difference = left - right
    if difference.low >= 0:
        return left
    if difference.high <= 0:
        return right
    bounds = (max(left.low, right.low), max(left.high, right.high), min(left.step, right.step))
    return _inverted(difference).msb_mux(left, right, qint=tuple(map(float, bounds)))


def _inverted(word: Variable) -> Variable:
    """1 where the highest bit of a word is not set.

    alkaid 0.8.2 takes the word itself for its highest bit. If its optimizer finds, by what words have in common, that
    a signed word is never negative, it gives it no sign, and another bit is the highest. An inverted bit stays one.
    """
    return word.msb().unary_bit_op("not")


def sums_of_products(
    rows: Sequence[NDArray[Any]], intervals: Sequence[Any], latencies: Sequence[float], weights: Values
) -> list[NDArray[Any]]:
    """`row @ weights` for some rows, in shifts and additions that share terms; how, is found once for all of them.

    Args:
        rows: Words, each row of shape (words,).
        intervals: Of the words, the same in every row.
        latencies: When each word is there, at the latest.
        weights: Shape (words, sums).
    """
    stages = _solved(tuple(map(tuple, intervals)), tuple(latencies), weights.shape, weights.tobytes())
    results = []
    for row in rows:
        for stage in stages:
            row = stage(row, quantize=False)
        results.append(row)
    return results


@lru_cache(maxsize=64)
def _solved(
    intervals: tuple[Any, ...], latencies: tuple[float, ...], shape: tuple[int, ...], weights: bytes
) -> tuple[CombLogic, CombLogic]:
    """Two programs of alkaid, one after the other, for weights given by their bytes."""
    kernel = np.frombuffer(weights, dtype=np.float64).reshape(shape)
    if not (kernel == kernel.astype(np.float32)).all():
        raise TooWideError(f"has weights of more than the {CONSTANT_BITS} bits")
    stages: tuple[CombLogic, CombLogic] = cmvm_solve(
        np.ascontiguousarray(kernel, dtype=np.float32),
        qintervals=list(intervals),
        latencies=list(latencies),
        **SOLVER,
    )
    return stages


def product(left: Variable, right: Variable) -> Variable:
    """The product of two words: one of a single bit lets the other through or does not."""
    for bit, other in ((left, right), (right, left)):
        if bit.low == 0 and bit.high == bit.step and not is_constant(other):
            return where(bit, other * bit.high, constant(0))
    return left * right


def quantized(word: Variable, kind: FixedPoint, relu: bool) -> Variable:
    """A word in a type, rounded and saturated as it says, negative values set to 0 before if `relu`.

    Rounding comes first: its addition of a half joins that of a bias. Setting to 0 what is negative commutes with it.
    """
    integer, fraction = kind.integer - kind.signed, kind.fraction
    rounded = _rounded(word, fraction, kind.rounding)
    if kind.overflow is Overflow.WRAP:
        return field(rounded.relu() if relu else rounded, kind.signed, integer, fraction)
    if relu or not kind.signed:
        return _clipped_from_zero(rounded, integer, fraction)
    return _clipped(rounded, integer, fraction)


def quotient(word: Variable, divisor: int, fraction: int) -> Variable:
    """A word divided by a constant, inexact, that rounds to so many fraction bits as the exact quotient does.

    It has two fraction bits more: the first decides, the second says whether there is a rest. The division is a
    product with the reciprocal (T. Granlund, P. Montgomery, "Division by invariant integers using multiplication",
    1994): with m = ceil(2**k / d), floor(n m / 2**k) is floor(n / d) for n of 0 to N if (m d - 2**k) N < 2**k.
    """
    twos = (divisor & -divisor).bit_length() - 1
    divisor, word, unit = divisor >> twos, word * 2.0**-twos, 2.0 ** -(fraction + 1)
    if divisor == 1:
        return word
    if is_constant(word):
        exact = Fraction(word.low) / divisor / Fraction(unit)
        return constant((math.floor(exact) + (exact.denominator != 1) / 2) * unit)
    own = word.kif[2]
    kept = _floor(word, min(own, fraction + 1))
    # from 0 on, in whole multiples of the divisor
    lift = max(0, math.ceil(-kept.low / (divisor * unit)))
    positive = added(kept, lift * divisor * unit)
    multiplier, bits = _reciprocal(divisor, round(positive.high / unit))
    if multiplier.bit_length() > CONSTANT_BITS:
        raise TooWideError(f"divides by a reciprocal of {multiplier.bit_length()} bits, more than the {CONSTANT_BITS}")
    scaled = _multiple(positive, math.ldexp(multiplier, -bits))
    whole = field(scaled, False, scaled.kif[1], fraction + 1)
    # an odd divisor leaves no quotient between two codes where no bit was dropped: any rest will do
    rest = constant(1) if own <= fraction else _rest(word, kept, positive, _multiple(whole, divisor), fraction)
    return added(whole, -lift * unit) + rest * (unit / 2)


def _multiple(word: Variable, factor: float) -> Variable:
    """A word times a constant."""
    if is_constant(word):
        return constant(word.low * factor)
    (result,) = sums_of_products([np.array([word])], [word.qint], [0.0], np.array([[float(factor)]]))[0]
    require_exact(result)
    return result


def _rest(word: Variable, kept: Variable, positive: Variable, multiple: Variable, fraction: int) -> Variable:
    """1 where a division has a rest: in the bits that were dropped before it, or in itself."""
    rest = any_bit(positive - multiple)
    own = word.kif[2]
    return rest | any_bit(field(word, False, -(fraction + 1), own)) if own > kept.kif[2] else rest


def _reciprocal(divisor: int, largest: int) -> tuple[int, int]:
    """The smallest multiplier, and the bits to drop then, that divide everything from 0 to `largest`."""
    bits = 0
    while True:
        multiplier = -(-(1 << bits) // divisor)
        if (multiplier * divisor - (1 << bits)) * largest < 1 << bits:
            return multiplier, bits
        bits += 1


def _rounded(word: Variable, fraction: int, rounding: Rounding) -> Variable:
    """A word with as many fraction bits as given, at most."""
    if word.kif[2] <= fraction:
        return word
    if rounding is Rounding.TRUNCATE:
        return _floor(word, fraction)
    # half a unit more, truncated, is right but for ties, which it rounds up: those that became odd lose their last bit
    more = added(word, 2.0 ** -(fraction + 1))
    no_tie = any_bit(field(more, False, -fraction, more.kif[2]))
    last = field(more, False, 1 - fraction, fraction) & no_tie * 2.0**-fraction
    return _floor(more, fraction - 1) + last


def _floor(word: Variable, fraction: int) -> Variable:
    """A word without the bits beyond so many fraction bits."""
    signed, integer, _ = word.kif
    return field(word, signed, max(integer, -fraction), fraction)


def _clipped_from_zero(word: Variable, integer: int, fraction: int) -> Variable:
    """A word between 0 and the largest without sign of so many bits."""
    largest = 2.0**integer - 2.0**-fraction
    if is_constant(word):
        return constant(min(max(word.low, 0.0), largest))
    if word.high <= largest:
        return word.relu()
    result = field(word, False, integer, fraction)
    beyond = any_bit(field(word, False, word.kif[1], -integer))
    result = where(beyond, constant(largest), result)
    return where(word, constant(0), result) if word.low < 0 else result


def _clipped(word: Variable, integer: int, fraction: int) -> Variable:
    """A word in the range of a signed type with so many bits."""
    smallest, largest = -(2.0**integer), 2.0**integer - 2.0**-fraction
    if is_constant(word):
        return constant(min(max(word.low, smallest), largest))
    if smallest <= word.low and word.high <= largest:
        return word
    if word.low >= 0:
        return _clipped_from_zero(word, integer, fraction)
    # in range where all bits beyond it are the sign
    sign = word.msb()
    beyond = any_bit(field(word, True, word.kif[1], -integer) ^ (-sign * 2.0**integer))
    limit = where(sign, constant(smallest), constant(largest))
    return where(beyond, limit, field(word, True, integer, fraction))
