"""Integers in C++: the narrowest types, literals, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from trigger_ad.fixed_point import Codes

WIDTHS: Final = (16, 32, 64)
"""Of the integers that tensors are kept in: narrower ones would have to be widened for every product."""

_LINE: Final = 110


def bits_for(low: int, high: int, least: int = WIDTHS[0]) -> int:
    """Bits of the narrowest of the integers, from `least` on, that holds everything from low to high.

    Raises:
        ValueError: If 64 bits do not.
    """
    needed = max(high, -low - 1, 0).bit_length() + 1
    for bits in WIDTHS:
        if bits >= max(needed, least):
            return bits
    raise ValueError(f"{low} to {high} needs {needed} bits")


def integer(bits: int) -> str:
    """The C++ name of a signed integer."""
    return f"std::int{bits}_t"


def literal(number: int) -> str:
    """A number as C++ writes it: the smallest integers have no literal of their own."""
    if number in (-(1 << 31), -(1 << 63)):
        return f"({number + 1} - 1)"
    return f"({number})" if number < 0 else str(number)


def table(kind: str, name: str, numbers: Iterable[int] | Codes) -> list[str]:
    """The lines that define an array of constants; C++ has none without elements, so that one gets a 0."""
    values = [literal(int(number)) for number in np.ravel(np.asarray(numbers, dtype=object))] or ["0"]
    return [f"constexpr {kind} {name}[{len(values)}] = {{", *_filled(values), "};"]


def _filled(values: Sequence[str]) -> list[str]:
    lines, line = [], "   "
    for value in values:
        if len(line) + len(value) > _LINE:
            lines.append(line)
            line = "   "
        line += f" {value},"
    return [*lines, line]
