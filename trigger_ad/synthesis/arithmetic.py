"""What additions and multiplications cost in the fabric of an FPGA.

Formulas used here and their sources:

* An adder or subtracter of n bits takes n look-up tables: one for each bit of the carry chain (UG574, Carry Logic).
* A product with a constant is a sum of shifted inputs, one for each non-zero digit of the constant in canonical
  signed digit form (A. Avizienis, IRE Trans. Electron. Comput. EC-10 (1961) 389): d digits take d - 1 adders, 0 takes
  nothing, a power of two is wiring.
* A product of two variables of a and b bits takes about a x b look-up tables in the fabric: a rows of b bits. For
  18 x 18 bits, 365 and 401 were seen in Vivado and 411 in Vivado HLS (hls4ml issue 99) where this gives 324.
* A 6-input look-up table decides on 6 bits, two combined by the slice's multiplexer on 7, and so on up to 9 bits in an
  UltraScale slice (UG574: F7, F8 and F9 multiplexers) and 8 in one of the 7 series (UG474); one more look-up table
  selects one of four such groups.
* A DSP slice multiplies 27 x 18 bits (UG579, DSP48E2) or 25 x 18 bits (UG479, DSP48E1).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

FABRIC_OPERAND_BITS: Final = 10
"""Assumption: a product goes to a DSP slice where both operands are wider than this, else to the fabric."""

REUSED_OPERAND_BITS: Final = 6
"""The same for multipliers that are used again, of the strategy `resource`: Vitis HLS 2023.2 put those of 8 to 16 bits
into DSP slices and those of 2 to 6 bits into the fabric, in every published design (docs/hardware.md)."""

SLICE_ADDRESS_BITS: Final = {"7": 8, "ultrascale": 9}
"""Address bits of the largest table that the multiplexers inside one slice combine."""

DSP_PORTS: Final = {"7": (25, 18), "ultrascale": (27, 18)}


def signed_digits(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of non-zero digits of integers in canonical signed digit form.

    The count is the number of bits in which 3x and x differ, as the form has a digit wherever adding 2x to x toggles
    a bit.

    Args:
        codes: Integers of any shape, below 2**60 in magnitude.

    Returns:
        The counts, of the same shape: 0 for 0, 1 for a power of two.
    """
    magnitude = np.abs(codes.astype(np.int64))
    counts: NDArray[np.int64] = np.bitwise_count(magnitude ^ (3 * magnitude)).astype(np.int64)
    return counts


def tree_depth(operands: int) -> int:
    """The number of two-input adder levels that sum `operands` words.

    Args:
        operands: Number of words to sum.

    Returns:
        0 for one word or none.
    """
    return 0 if operands <= 1 else math.ceil(math.log2(operands))


def tree_lut(operands: int, width: int, widest: int) -> int:
    """The look-up tables of a balanced tree of two-input adders.

    Args:
        operands: Number of words to sum.
        width: Bits of each word.
        widest: Bits beyond which no sum grows (the accumulator).

    Returns:
        The sum of the adders' widths; a level's adders are one bit wider than its inputs.
    """
    total, left, bits = 0, operands, width
    while left > 1:
        bits = min(bits + 1, widest)
        total += (left // 2) * bits
        left = (left + 1) // 2
    return total


def uses_dsp(first: int, second: int, fabric: int = FABRIC_OPERAND_BITS) -> bool:
    """Whether a product of words of these widths is expected in DSP slices.

    Args:
        first: Bits of one operand.
        second: Bits of the other operand.
        fabric: Up to how many bits of the narrower one it is expected in the fabric.

    Returns:
        True if both are wider than that.
    """
    return min(first, second) > fabric


def dsp_slices(first: int, second: int, part: str) -> int:
    """The DSP slices that one product takes: the tiles that cover its operands.

    Args:
        first: Bits of one operand.
        second: Bits of the other operand.
        part: The target part, which decides the size of a slice's ports.

    Returns:
        At least 1.
    """
    wide, narrow = DSP_PORTS[_family(part)]
    larger, smaller = max(first, second), min(first, second)
    return math.ceil(larger / wide) * math.ceil(smaller / narrow)


def table_lut(address: int, width: int, part: str) -> int:
    """The look-up tables of a table of constants, if nothing of its content is exploited.

    Args:
        address: Bits of its address.
        width: Bits of an entry.
        part: The target part, which decides how many address bits one slice combines.

    Returns:
        For each bit of an entry 2**(address - 6) look-up tables, and those that select among slices.
    """
    groups: int = 1 << max(address - SLICE_ADDRESS_BITS[_family(part)], 0)
    return width * ((1 << max(address - 6, 0)) + math.ceil((groups - 1) / 3))


def gate_lut(inputs: int) -> int:
    """The look-up tables of one gate: a tree of 6-input tables, each of which replaces up to six signals by one."""
    return math.ceil((inputs - 1) / 5)


def _family(part: str) -> str:
    return "7" if part.lower().startswith("xc7") else "ultrascale"
