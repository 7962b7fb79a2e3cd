"""Squares of words in a traced program, by look-up tables and additions: logic synthesis makes no DSP slice of them.

A word is b 2**p + r, or -b 2**p + r where b is its sign: its highest bit b, and r without a sign, all bits below. Its
square is b (2**(2 p) + 2**(p + 1) r) + r**2, or with a minus: an addition takes away a bit, until a table has the rest.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from trigger_ad.firmware.alkaid_library import reduce
from trigger_ad.firmware.rtl_words import Variable, added, constant, field, is_constant, where

TABLE_BITS: Final = 7
"""Of the widest word that is squared by a table, beside its sign."""


def squared(word: Variable) -> Variable:
    """The square of a word."""
    if is_constant(word):
        return constant(word.low**2)
    largest, terms = max(word.low**2, word.high**2), []
    signed, integer, fraction = (int(bits) for bits in word.kif)
    while integer + fraction > TABLE_BITS:
        place = integer if signed else integer - 1
        bit = field(word, False, place + 1, -place) * 2.0**-place
        word = field(word, False, place, fraction)
        terms.append(where(bit, added(word * (-2.0 if signed else 2.0) * 2.0**place, 4.0**place), constant(0)))
        signed, integer = False, place
    terms.append(_by_table(field(word, bool(signed), integer, fraction)))
    # never negative, which the intervals of the terms do not say
    result: Any = reduce(lambda left, right: left + right, np.array(terms, dtype=object))
    return field(result, False, math.frexp(largest)[1], 2 * fraction)


def _by_table(word: Variable) -> Variable:
    if is_constant(word):
        return constant(word.low**2)
    steps = np.arange(round((word.high - word.low) / word.step) + 1)
    return word.lookup((word.low + steps * word.step) ** 2)
