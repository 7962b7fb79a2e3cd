"""What a quantizer does to one code, in C++: the arithmetic of `FixedPoint.requantize` for codes of known bounds.

The bounds decide what is written: a limit that no code can reach is left out, and every intermediate result is known
to fit the integers that it is computed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding
from trigger_ad.native.numbers import bits_for, integer, literal
from trigger_ad.network.nodes import Quantize
from trigger_ad.network.words import Word

LARGEST: Final = 1 << 62
"""Intermediate results stay below it; where they would not, codes are limited or divided bit by bit first."""

QUOTIENT_BITS: Final = 58
"""Of quotients that are computed bit by bit: more than any word, and two fraction bits, have."""


@dataclass
class _Computation:
    """Statements that change the variable `code`, and the bounds of what it then is.

    Args:
        low: The smallest code.
        high: The largest.
        lines: The statements.
        seen: Every number that an expression can become.
    """

    low: int
    high: int
    lines: list[str] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    @property
    def largest(self) -> int:
        return max(abs(self.low), abs(self.high))

    def becomes(self, expression: str, low: int, high: int, *between: int) -> None:
        """The code becomes the value of an expression, within new bounds, by way of other numbers."""
        self.lines.append(f"code = {expression};")
        self.seen += [self.low, self.high, low, high, *between]
        self.low, self.high = low, high

    def at_least(self, limit: int) -> None:
        if self.low < limit:
            text = literal(limit)
            self.becomes(f"code < {text} ? {text} : code", limit, max(self.high, limit))

    def at_most(self, limit: int) -> None:
        if self.high > limit:
            text = literal(limit)
            self.becomes(f"code > {text} ? {text} : code", min(self.low, limit), limit)


def quantizer(name: str, node: Quantize, source: Word, target: str) -> list[str]:
    """The lines of a C++ function object that quantizes one code.

    Args:
        name: Of the function object's type.
        node: The quantizer.
        source: The word that it reads.
        target: The C++ type of its results.
    """
    computed = _Computation(int(source.low.min()), int(source.high.max()))
    if node.activation == "relu":
        computed.at_least(0)
    fraction = source.type.fraction
    if source.divisor != 1:
        fraction = _divide(computed, node.type, fraction, source.divisor)
    _round(computed, node.type, fraction - node.type.fraction)
    _into_range(computed, node.type)
    numbers = [computed.low, computed.high, *computed.seen]
    kind = integer(bits_for(min(numbers), max(numbers), 32))
    return function_object(name, [f"{kind} code"], computed.lines, f"static_cast<{target}>(code)", target)


def function_object(name: str, arguments: list[str], lines: list[str], result: str, target: str) -> list[str]:
    """The lines of a type whose call operator makes one number of others."""
    body = [f"        {line}" for line in [*lines, f"return {result};"]]
    head = f"    inline {target} operator()({', '.join(arguments)}) const {{"
    return [f"struct {name} {{", head, *body, "    }", "};"]


def _divide(computed: _Computation, kind: FixedPoint, fraction: int, divisor: int) -> int:
    """Twice the quotient, with one fraction bit to round by, plus 1 if there is a rest; returns its fraction bits."""
    shift = max(0, kind.fraction + 1 - fraction)
    if shift > 62 or (computed.largest + divisor) << (shift + 1) >= LARGEST:
        wraps = kind.overflow is Overflow.WRAP
        end = 1 << (QUOTIENT_BITS + 1)
        call = f"{'wrapped' if wraps else 'limited'}_quotient(code, {divisor}, {shift})"
        computed.becomes(call, 0 if wraps else -end, end)
        return fraction + shift + 1
    low, high = computed.low << shift, computed.high << shift
    # C++ rounds quotients towards zero: they are computed where that is down
    lift = -(low // divisor) if low < 0 else 0
    if shift or lift:
        added = lift * divisor
        shifted = f"code * {1 << shift}" if shift else "code"
        computed.becomes(f"{shifted} + {added}" if lift else shifted, low + added, high + added)
    quotient = f"(code / {divisor} - {lift})" if lift else f"(code / {divisor})"
    computed.becomes(
        f"2 * {quotient} + (code % {divisor} != 0 ? 1 : 0)",
        2 * (low // divisor),
        2 * (high // divisor) + 1,
        2 * (high // divisor + lift) + 1,
    )
    return fraction + shift + 1


def _round(computed: _Computation, kind: FixedPoint, excess: int) -> None:
    """Drops `excess` fraction bits, or adds some."""
    if excess == 0:
        return
    if excess < 0:
        _shift_left(computed, kind, min(-excess, kind.width))
    elif kind.rounding is Rounding.TRUNCATE:
        # more bits than a code has leave its sign alone
        shift = min(excess, max(computed.high, -computed.low - 1, 0).bit_length())
        computed.becomes(f"code >> {shift}", computed.low >> shift, computed.high >> shift)
    elif excess > 63 or computed.largest <= 1 << (excess - 1):
        # at most a half, which goes to the even 0
        computed.becomes("0", 0, 0)
    else:
        rest = (1 << (excess - 1)) - 1
        ends = [(end + (end >> excess & 1) + rest) >> excess for end in (computed.low, computed.high)]
        added = f" + {rest}" if rest else ""
        between = computed.high + 1 + rest
        computed.becomes(f"(code + ((code >> {excess}) & 1){added}) >> {excess}", ends[0], ends[1], between)


def _shift_left(computed: _Computation, kind: FixedPoint, shift: int) -> None:
    if computed.largest << shift >= LARGEST:
        if kind.overflow is Overflow.SATURATE:
            # beyond the range they stay beyond it
            computed.at_least((kind.code_min >> shift) - 1)
            computed.at_most((kind.code_max >> shift) + 1)
        else:
            kept = (1 << (kind.width - shift)) - 1
            computed.becomes(f"code & {kept}", 0, kept)
    computed.becomes(f"code * {1 << shift}", computed.low << shift, computed.high << shift, 1 << shift)


def _into_range(computed: _Computation, kind: FixedPoint) -> None:
    if kind.overflow is Overflow.SATURATE:
        computed.at_least(kind.code_min)
        computed.at_most(kind.code_max)
    elif computed.low < kind.code_min or computed.high > kind.code_max:
        mask = (1 << kind.width) - 1
        sign = 1 << (kind.width - 1)
        wrapped = f"((code & {mask}) ^ {sign}) - {sign}" if kind.signed else f"code & {mask}"
        computed.becomes(wrapped, kind.code_min, kind.code_max, mask)
