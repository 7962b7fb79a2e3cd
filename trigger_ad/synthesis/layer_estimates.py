"""The formulas of each kind of layer: clock cycles, look-up tables and DSP slices, with the formula in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from trigger_ad.synthesis.arithmetic import (
    FABRIC_OPERAND_BITS,
    REUSED_OPERAND_BITS,
    dsp_slices,
    signed_digits,
    tree_depth,
    tree_lut,
    uses_dsp,
)

Kind = Literal["dense", "activation", "subtract", "multiply", "sum", "maximum", "wiring"]
Strategy = Literal["latency", "resource"]

DSP_CYCLES: Final = 1
"""Cycles of a product in a DSP slice: Vivado HLS gave one product of 18 x 18 bits a latency of 1 (hls4ml issue 49)."""

ACTIVATION_LUT_PER_BIT: Final = 3
"""Rounding adder, range check and selection, for each input bit (see docs/hardware.md for what it was fitted to)."""

BOUNDARY_CYCLES: Final = 1
"""The register between the functions of two dense layers: totals in reports exceed the sum of their parts by these."""

STREAM_CYCLES: Final = 1
"""Reading a layer's words from a stream, in io_stream."""


@dataclass(frozen=True)
class LayerWork:
    """What one layer has to compute, in plain numbers.

    Args:
        name: The layer's name.
        kind: `dense` multiplies by constants and sums; `activation` rounds and saturates; `subtract` and `multiply`
            take two variables of equal shape element by element; `sum` adds all elements up; `maximum` chooses one of
            several words; `wiring` moves words and computes nothing. A convolution is `dense` at several places.
        input_width: Bits of one input word.
        output_width: Bits of one output word.
        weight_codes: For `dense`: the kernel's integer constants, shape (inputs, outputs); else None.
        accumulator_width: Bits of the accumulator (`dense`, `sum`) or of the exact result.
        elements: Number of output words; for `sum`, the number of words summed.
        places: How often the layer's computation is done for one event, one after the other: the places of a
            convolution's window, which hls4ml takes one by one in io_parallel too.
        choices: For `maximum`, and for a sum in each of several windows, of how many words.
        strategy: The layer's own, where it is not the project's.
        reuse_factor: The same.
    """

    name: str
    kind: Kind
    input_width: int
    output_width: int
    weight_codes: NDArray[np.int64] | None
    accumulator_width: int
    elements: int
    places: int = 1
    choices: int = 1
    strategy: Strategy | None = None
    reuse_factor: int | None = None

    @property
    def gives_one_word(self) -> bool:
        """Whether its output is a single word."""
        return self.places == 1 and (self.elements == 1 or (self.kind == "sum" and self.choices == 1))


@dataclass(frozen=True)
class LayerEstimate:
    """The estimate of one layer.

    Args:
        name: The layer's name.
        cycles: Clock cycles from its first input to its last output.
        lut: Look-up tables.
        dsp: DSP slices.
        formula: Where the numbers come from, in words.
        ff: Flip-flops, or None where there is no formula good enough to be shown.
    """

    name: str
    cycles: int
    lut: int
    dsp: int
    formula: str
    ff: int | None = None


def estimate_layer(
    layer: LayerWork, strategy: Strategy, reuse_factor: int, levels_per_cycle: int, io_type: str, part: str
) -> LayerEstimate:
    """Estimate one layer.

    Args:
        layer: What it computes.
        strategy: `latency` or `resource`.
        reuse_factor: How many products each multiplier computes for one event.
        levels_per_cycle: Two-input adder levels in one clock cycle.
        io_type: `io_parallel` or `io_stream`.
        part: The target part.

    Returns:
        Its estimate.

    Raises:
        ValueError: If a dense layer comes without its kernel.
    """
    if layer.kind == "dense":
        constant = strategy == "latency" and reuse_factor == 1
        levels, cycles, lut, dsp, formula = (
            _dense_of_constants(layer, part) if constant else _dense_reusing(layer, strategy, reuse_factor, part)
        )
    else:
        levels, cycles, lut, dsp, formula = _element_by_element(layer, part)
    cycles += max(1, math.ceil(levels / levels_per_cycle)) if layer.kind != "wiring" else 0
    if layer.kind == "dense":
        cycles += BOUNDARY_CYCLES
    if io_type == "io_stream":
        cycles += STREAM_CYCLES
        formula += "; one cycle to read the stream"
    if layer.places > 1:
        cycles += (layer.places - 1) * reuse_factor
        formula += f"; {layer.places} places of the window one after the other"
    return LayerEstimate(layer.name, cycles, lut, dsp, formula)


_Parts = tuple[int, int, int, int, str]
"""Adder levels, cycles beside them, look-up tables, DSP slices, the formula in words."""


def _dense_of_constants(layer: LayerWork, part: str) -> _Parts:
    codes = _kernel(layer)
    digits = signed_digits(codes)
    weight_bits = _signed_width(codes)
    in_dsp = (digits > 1) & np.array(uses_dsp(layer.input_width, weight_bits))
    fabric = np.where(in_dsp, 0, digits)
    # one adder less than digits for each product, each as wide as the product
    products = int(np.sum(np.maximum(fabric - 1, 0) * _product_width(layer, codes)))
    used = np.count_nonzero(codes, axis=0)
    widths = np.minimum(np.max(_product_width(layer, codes), axis=0), layer.accumulator_width)
    # the bias is one more word in each output's tree
    trees = sum(
        tree_lut(int(words) + 1, int(width), layer.accumulator_width)
        for words, width in zip(used, widths, strict=True)
        if words
    )
    slices = int(np.count_nonzero(in_dsp)) * dsp_slices(layer.input_width, weight_bits, part)
    levels = tree_depth(int(fabric.max(initial=0))) + tree_depth(int(used.max(initial=0)) + 1)
    formula = (
        "constants in canonical signed digits: (digits - 1) adders for each product and an adder tree for each output, "
        "one LUT for each bit of an adder"
    )
    if slices:
        formula += f"; operands over 10 bits in DSP slices ({DSP_CYCLES} cycle)"
    return levels, DSP_CYCLES if slices else 0, products + trees, slices, formula


def _dense_reusing(layer: LayerWork, strategy: Strategy, reuse_factor: int, part: str) -> _Parts:
    codes = _kernel(layer)
    zeros = codes.size - int(np.count_nonzero(codes))
    multipliers = math.ceil(codes.size / reuse_factor)
    if strategy == "latency":
        # hls4ml gives the tool this limit: products with 0 need no multiplier
        multipliers -= zeros // reuse_factor
    weight_bits = _signed_width(codes)
    product_bits = layer.input_width + weight_bits
    select = math.ceil((reuse_factor - 1) / 3) * layer.input_width
    accumulate = min(product_bits + 1, layer.accumulator_width)
    lut, dsp, levels, cycles = multipliers * (select + accumulate), 0, tree_depth(codes.shape[0] + 1), reuse_factor - 1
    fabric = REUSED_OPERAND_BITS if strategy == "resource" else FABRIC_OPERAND_BITS
    if uses_dsp(layer.input_width, weight_bits, fabric):
        dsp = multipliers * dsp_slices(layer.input_width, weight_bits, part)
        cycles += DSP_CYCLES
    else:
        lut += multipliers * layer.input_width * weight_bits
        levels += tree_depth(min(layer.input_width, weight_bits))
    formula = (
        f"{multipliers} multipliers, each used {reuse_factor} times (products / reuse factor), input selection and "
        "accumulation; reuse factor - 1 more cycles"
    )
    return levels, cycles, lut, dsp, formula


def _element_by_element(layer: LayerWork, part: str) -> _Parts:
    width = layer.input_width
    if layer.kind == "wiring":
        return 0, 0, 0, 0, "wiring alone"
    if layer.kind == "maximum":
        lut = layer.elements * (layer.choices - 1) * 2 * width
        return tree_depth(layer.choices), 0, lut, 0, "comparators and selection, two LUT for each bit"
    if layer.kind == "activation":
        formula = f"rounding, saturation and selection: {ACTIVATION_LUT_PER_BIT} LUT for each input bit"
        return 1, 0, layer.elements * ACTIVATION_LUT_PER_BIT * width, 0, formula
    if layer.kind == "subtract":
        return 1, 0, layer.elements * (width + 1), 0, "one LUT for each bit of a subtracter"
    if layer.kind == "sum":
        words = layer.elements if layer.choices == 1 else layer.choices
        trees = 1 if layer.choices == 1 else layer.elements
        lut = trees * tree_lut(words, width, layer.accumulator_width)
        return tree_depth(words), 0, lut, 0, "adder tree, one LUT for each bit of an adder"
    if uses_dsp(width, width):
        slices = layer.elements * dsp_slices(width, width, part)
        return 0, DSP_CYCLES - 1, 0, slices, f"products of two variables in DSP slices ({DSP_CYCLES} cycle)"
    formula = "products of two variables in the fabric: width x width LUT each"
    return tree_depth(width), 0, layer.elements * width * width, 0, formula


def _kernel(layer: LayerWork) -> NDArray[np.int64]:
    if layer.weight_codes is None or layer.weight_codes.ndim != 2:
        raise ValueError(f"the dense layer '{layer.name}' needs its kernel as integers of shape (inputs, outputs)")
    return layer.weight_codes


def _signed_width(codes: NDArray[np.int64]) -> int:
    return int(np.abs(codes).max(initial=0)).bit_length() + 1


def _product_width(layer: LayerWork, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bits of input x |code|; trailing zeros of the code are wiring and add no adder bit, but they stay counted."""
    magnitude = np.abs(codes)
    bits = np.where(magnitude > 0, np.frexp(magnitude.astype(np.float64))[1], 0)
    return (layer.input_width + bits).astype(np.int64)
