"""Fixed-point types and their integer codes: the one number system of every tensor that the firmware sees.

A value is `code * 2**-fraction`, and the code is what is stored, compared and shipped. Floats are only a view of it.
The meaning of width, integer bits, rounding and overflow is that of the `ap_fixed` type of AMD's HLS tools
(UG1399, "Arbitrary precision fixed-point data types"); `integer` counts the sign bit, as it does there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError

MAX_WIDTH: Final = 53
"""The widest word that float64 still represents exactly, and so the widest that Keras can be checked against."""

Codes = NDArray[np.int64]
Values = NDArray[np.float64]


class Rounding(StrEnum):
    """What happens to fraction bits that do not fit."""

    TRUNCATE = "TRN"
    """Towards minus infinity (bits are dropped)."""
    NEAREST_EVEN = "RND_CONV"
    """To the nearest code, ties to the even one."""


class Overflow(StrEnum):
    """What happens to values outside the range."""

    WRAP = "WRAP"
    SATURATE = "SAT"


@dataclass(frozen=True)
class FixedPoint:
    """A fixed-point type.

    Args:
        signed: Two's complement if true.
        width: Number of bits, 1 to 53.
        integer: Bits left of the binary point, sign included; may be negative or exceed the width.
        rounding: How extra fraction bits are removed.
        overflow: How values outside the range are brought into it.

    Raises:
        UserError: If the width is outside 1 to 53, or a signed type has fewer than 2 bits.
    """

    signed: bool
    width: int
    integer: int
    rounding: Rounding = Rounding.TRUNCATE
    overflow: Overflow = Overflow.WRAP

    def __post_init__(self) -> None:
        smallest = 2 if self.signed else 1
        if not smallest <= self.width <= MAX_WIDTH:
            raise UserError(
                f"a word of type {self} has {self.width} bits",
                f"Use {smallest} to {MAX_WIDTH}: float64 Keras, which the firmware is checked against, is exact to 53",
            )

    @property
    def fraction(self) -> int:
        """Bits right of the binary point; one least significant bit is worth `2**-fraction`."""
        return self.width - self.integer

    @property
    def lsb(self) -> float:
        """The value of one least significant bit."""
        return float(2.0**-self.fraction)

    @property
    def code_min(self) -> int:
        """The smallest code."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def code_max(self) -> int:
        """The largest code."""
        return (1 << (self.width - int(self.signed))) - 1

    def __str__(self) -> str:
        kind = "fixed" if self.signed else "ufixed"
        plain = self.rounding is Rounding.TRUNCATE and self.overflow is Overflow.WRAP
        modes = "" if plain else f",{self.rounding},{self.overflow}"
        return f"{kind}<{self.width},{self.integer}{modes}>"

    @classmethod
    def parse(cls, text: str) -> FixedPoint:
        """Reads the form that `str` writes, such as `fixed<8,3,RND_CONV,SAT>` or `ufixed<6,2>`.

        Raises:
            UserError: If the text has another form.
        """
        match = re.fullmatch(r"(u?)fixed<(\d+),(-?\d+)(?:,(TRN|RND_CONV),(WRAP|SAT))?>", text.replace(" ", ""))
        if not match:
            raise UserError(
                f"'{text}' is not a fixed-point type", "Write for example fixed<8,3> or ufixed<8,3,RND_CONV,SAT>"
            )
        unsigned, width, integer, rounding, overflow = match.groups()
        plain = cls(not unsigned, int(width), int(integer))
        return replace(plain, rounding=Rounding(rounding), overflow=Overflow(overflow)) if rounding else plain

    @classmethod
    def holding(cls, low: int, high: int, fraction: int) -> FixedPoint:
        """The narrowest type with this many fraction bits that holds every code from low to high, zero included."""
        signed = low < 0
        magnitude = max(high, 0, -low - 1 if signed else 0)
        width = max(magnitude.bit_length() + int(signed), 2 if signed else 1)
        return cls(signed, width, width - fraction)

    def plain(self) -> FixedPoint:
        """The same bits, truncating and wrapping: the type of a word that needs neither."""
        return replace(self, rounding=Rounding.TRUNCATE, overflow=Overflow.WRAP)

    def values(self, codes: Codes) -> Values:
        """The values of codes, exact in float64."""
        return np.ldexp(codes.astype(np.float64), -self.fraction)

    def exact_codes(self, values: Values) -> Codes:
        """The codes of values that this type represents exactly.

        Raises:
            ValueError: If a value is not exactly a code of this type; the message names the first.
        """
        scaled = self._scaled(values)
        exact = (scaled == np.rint(scaled)) & (scaled >= self.code_min) & (scaled <= self.code_max)
        if not exact.all():
            index = np.unravel_index(int(np.argmin(exact)), exact.shape)
            raise ValueError(f"{np.asarray(values)[index]!r} at {tuple(map(int, index))} is not a value of {self}")
        return scaled.astype(np.int64)

    def quantize(self, values: Values) -> Codes:
        """The codes nearest to real values, by this type's rounding and overflow.

        Args:
            values: Finite float64 values of any shape; infinities saturate or are undefined when wrapping.
        """
        if self.overflow is Overflow.SATURATE:
            return np.clip(self._whole(self._scaled(values)), self.code_min, self.code_max).astype(np.int64)
        # whole periods of the range are dropped first, exactly: what is left fits in 64 bits
        within_period = np.fmod(values, np.ldexp(1.0, self.integer))
        return self._into_range(self._whole(self._scaled(within_period)).astype(np.int64))

    def requantize(self, codes: Codes, fraction: int, divisor: int = 1) -> Codes:
        """Converts codes with another number of fraction bits, in integer arithmetic alone.

        Args:
            codes: Codes of any shape, -2**62 to 2**62.
            fraction: Their number of fraction bits, however far from this type's.
            divisor: Divides their values, which are rounded once, after it; at least 1.
        """
        return self._into_range(self._rounded(codes, fraction, divisor)).astype(np.int64, copy=False)

    def out_of_range(self, codes: Codes, fraction: int, divisor: int = 1) -> NDArray[np.bool_]:
        """Which codes, read as `requantize` does, fall outside this type's range after rounding."""
        rounded = replace(self, overflow=Overflow.SATURATE)._rounded(codes, fraction, divisor)
        outside: NDArray[np.bool_] = (rounded < self.code_min) | (rounded > self.code_max)
        return outside

    def _scaled(self, values: Values) -> Values:
        """Values in units of the least significant bit; what is beyond float64 becomes infinite."""
        with np.errstate(over="ignore"):
            return np.ldexp(np.asarray(values, dtype=np.float64), self.fraction)

    def _whole(self, scaled: Values) -> Values:
        return np.floor(scaled) if self.rounding is Rounding.TRUNCATE else np.rint(scaled)

    def _rounded(self, codes: Codes, fraction: int, divisor: int) -> Codes:
        """Codes with this type's fraction bits: out of range if the exact result is, and equal modulo it."""
        if divisor != 1:
            codes, fraction = self._divided(codes, fraction, divisor)
        return self._round(codes, fraction - self.fraction)

    def _divided(self, codes: Codes, fraction: int, divisor: int) -> tuple[Codes, int]:
        """Quotients, inexact, that round to this type as the exact ones do; and their number of fraction bits."""
        # one fraction bit more than this type's, so that the quotients between which rounding decides are whole
        shift = max(0, self.fraction + 1 - fraction)
        largest = max(abs(int(codes.min(initial=0))), abs(int(codes.max(initial=0))))
        # Python's integers where 64 bits do not do
        numerators = codes << shift if largest << shift < 1 << 62 else codes.astype(object) << shift
        whole = numerators // divisor
        # and one more says whether there is a rest, however large
        return 2 * whole + (whole * divisor != numerators).astype(np.int64), fraction + shift + 1

    def _round(self, codes: Codes, excess: int) -> Codes:
        """Drops `excess` fraction bits, or adds some."""
        if excess <= 0:
            return self._shift_left(codes, -excess)
        # every bit is a fraction bit then, and worth half at most
        excess = min(excess, 63)
        kept = codes >> excess
        if self.rounding is Rounding.TRUNCATE:
            return kept
        # carries into what is kept if the rest is more than a half, or a half and what is kept is odd
        kept &= 1
        kept += codes
        kept += (1 << (excess - 1)) - 1
        kept >>= excess
        return kept

    def _shift_left(self, codes: Codes, shift: int) -> Codes:
        # a shift by the whole width already takes every code but 0 out of range, and a wrapping one to 0
        shift = min(shift, self.width)
        if self.overflow is Overflow.SATURATE:
            codes = np.clip(codes, (self.code_min >> shift) - 1, (self.code_max >> shift) + 1)
        # where the type wraps, bits that leave int64 would not have been kept
        return codes << shift

    def _into_range(self, codes: Codes) -> Codes:
        if self.overflow is Overflow.SATURATE:
            return np.clip(codes, self.code_min, self.code_max)
        modulus = 1 << self.width
        return (codes - self.code_min) % modulus + self.code_min
