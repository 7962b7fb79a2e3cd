"""Every rounding and overflow, compiled: each code must be the one that the number system itself gives."""

from __future__ import annotations

import ctypes
import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from trigger_ad.fixed_point import Codes, FixedPoint, Overflow, Rounding
from trigger_ad.native.quantizing import QUOTIENT_BITS, quantizer
from trigger_ad.native.rendering import render
from trigger_ad.network.nodes import Activation, Quantize
from trigger_ad.network.words import Word
from trigger_ad.tools import require_compiler


@dataclass(frozen=True)
class Case:
    """A quantizer and what it reads: codes from low to high, of a number of fraction bits, to be divided."""

    kind: FixedPoint
    activation: Activation
    low: int
    high: int
    fraction: int
    divisor: int = 1

    @property
    def source(self) -> Word:
        """The word that holds the codes."""
        low, high = (np.array([end], dtype=np.int64) for end in (self.low, self.high))
        return Word(FixedPoint.holding(self.low, self.high, self.fraction), low, high, self.divisor)

    def expected(self, codes: Codes) -> Codes:
        """What the number system makes of codes."""
        positive = np.maximum(codes, 0) if self.activation == "relu" else codes
        return self.kind.requantize(positive, self.fraction, self.divisor)

    def codes(self) -> Codes:
        """The ends of what it reads, the ends of its range, and ties, with their neighbours; and some at random."""
        span = self.high - self.low
        random = np.random.default_rng(1)
        found = [self.low + int(random.random() * span) for _ in range(60)]
        down = self.fraction - self.kind.fraction
        for end in (self.kind.code_min, 0, 1, self.kind.code_max):
            centre = end * self.divisor << down if down >= 0 else end * self.divisor >> min(-down, 200)
            half = (1 << down) // 2 if down > 0 else 0
            found += [centre + side * half + step for side in (-1, 0, 1) for step in (-1, 0, 1)]
        found += [self.low, self.low + 1, self.high - 1, self.high, -1, 0, 1]
        return np.array([min(max(code, self.low), self.high) for code in found], dtype=np.int64)


def modes() -> Iterator[tuple[Rounding, Overflow, Activation]]:
    """Every combination."""
    activations: tuple[Activation, ...] = ("linear", "relu")
    return itertools.product(Rounding, Overflow, activations)


def all_cases() -> list[Case]:
    """Sources and targets of all sorts, and some drawn at random, in every mode."""
    shapes: list[tuple[bool, int, int, int, int, int, int]] = [
        # signed, width, integer, lowest, highest, fraction, divisor
        (True, 8, 3, -1200, 1300, 9, 1),
        (False, 8, 3, -1200, 1300, 5, 1),
        (True, 8, 3, -100, 100, 2, 1),
        (False, 1, 1, -1024, 1023, 0, 1),
        (True, 8, 3, 5, 9, 5, 1),
        (True, 4, -60, -(2**40), 2**40, 3, 1),
        (False, 4, 70, -(2**40), 2**40, 3, 1),
        (True, 53, 20, -(2**52), 2**52 - 1, 34, 1),
        (True, 53, 40, -(2**52), 2**52 - 1, 40, 1),
        (False, 31, 31, -(2**31), 2**31 - 1, 0, 1),
        (True, 32, 32, -(2**31), 2**31 - 1, 1, 1),
        (True, 6, 3, -700, 800, 4, 3),
        (False, 9, 3, 0, 765, 4, 3),
        (True, 12, 3, -(2**30), 2**30, 2, 7),
        (True, 53, -20, -(2**50), 2**50, 2, 5),
        (False, 20, -180, -50, 60, 2, 6),
        (True, 53, 50, -(2**52), 2**52 - 1, -3, 15),
    ]
    random = np.random.default_rng(3)
    for _ in range(40):
        signed, divisor = bool(random.integers(2)), int(random.choice([1, 1, 3, 5, 6]))
        width = int(random.integers(2, 54))
        ends = sorted(int(end) for end in random.integers(-(2**50), 2**50, 2) >> random.integers(0, 50))
        integer, fraction = (int(number) for number in random.integers([-30, -30], [60, 60]))
        shapes.append((signed, width, integer, ends[0], ends[1] + 1, fraction, divisor))
    return [
        Case(FixedPoint(signed, width, integer, rounding, overflow), activation, *rest)
        for (signed, width, integer, *rest) in shapes
        for rounding, overflow, activation in modes()
    ]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """A library with a function for each case, which quantizes one code."""
    folder = tmp_path_factory.mktemp("quantizers")
    facts = {"events": 128, "terms": 2, "slow_quotients": True, "quotient_bits": QUOTIENT_BITS, "macro": "VECTORS"}
    headers = [f"#include <{name}>" for name in ("cstddef", "cstdint", "cstring", "type_traits")]
    lines = [*headers, "namespace {", render("kernels.h.j2", facts)]
    for number, case in enumerate(all_cases()):
        node = Quantize("quantize", "source", case.kind, case.activation)
        lines += quantizer(f"case_{number}", node, case.source, "std::int64_t")
    lines.append("}")
    lines += [
        f'extern "C" std::int64_t quantize_{number}(std::int64_t code) {{ return case_{number}()(code); }}'
        for number in range(len(all_cases()))
    ]
    (folder / "quantizers.cpp").write_text("\n".join(lines))
    # quantizers alone are of interest
    options = ["-std=c++17", "-O1", "-U__SSE2__", "-fPIC", "-shared", "-o", "quantizers.so"]
    subprocess.run([str(require_compiler()), *options, "quantizers.cpp"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "quantizers.so"))


def test_every_code_is_the_one_that_the_number_system_gives(library: ctypes.CDLL) -> None:
    wrong = []
    for number, case in enumerate(all_cases()):
        function = library[f"quantize_{number}"]
        function.argtypes, function.restype = [ctypes.c_int64], ctypes.c_int64
        codes = case.codes()
        found = [function(code) for code in codes.tolist()]
        if found != case.expected(codes).tolist():
            wrong.append(case)
    assert wrong == []


def test_a_limit_that_no_code_reaches_is_left_out() -> None:
    kind = FixedPoint.parse("fixed<8,8,RND_CONV,SAT>")
    node = Quantize("quantize", "source", kind, "relu")
    text = "\n".join(quantizer("finish", node, Case(kind, "relu", 3, 100, 0).source, "std::int16_t"))
    assert "?" not in text
    beyond = "\n".join(quantizer("finish", node, Case(kind, "relu", 3, 1000, 0).source, "std::int16_t"))
    assert "code > 127 ? 127 : code" in beyond
