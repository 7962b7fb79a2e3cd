"""The estimate of the encoding: what it costs to make the network's inputs of raw trigger words.

For each object: a table in look-up tables for a logarithm (it holds offset and exceptions too); an adder for an offset,
as wide as the code less the zero bits in which the offset ends, which the absent object's mask costs nothing in; one
look-up table for each other bit that an absent object sets to 0; a test for pT being 0, and one for its code being 0
where that can be. A shift is wiring. Each bit of a code ends in one flip-flop.
"""

from __future__ import annotations

import math

from trigger_ad.events.encoding import FeatureEncoding, InputEncoding
from trigger_ad.synthesis.arithmetic import gate_lut, table_lut
from trigger_ad.synthesis.layer_estimates import STREAM_CYCLES, LayerEstimate

NAME = "encoding"


def estimate_encoding(encoding: InputEncoding, levels_per_cycle: int, io_type: str, part: str) -> LayerEstimate:
    """Estimates the encoding.

    Args:
        encoding: What it has to compute.
        levels_per_cycle: Two-input adder levels in one clock cycle.
        io_type: `io_parallel` or `io_stream`.
        part: The target part.

    Returns:
        Its estimate; it is pipelined, so it adds to the latency and never to the interval.
    """
    objects, first = encoding.layout.objects, encoding.features[0]
    lut = sum(_feature_lut(feature, part) for feature in encoding.features)
    if any(_masks(feature) for feature in encoding.features):
        lut += gate_lut(first.word.width)
    bits = sum(feature.network_type.width for feature in encoding.features)
    levels = max(_levels(feature, part) for feature in encoding.features)
    cycles = math.ceil(levels / levels_per_cycle)
    formula = _formula(encoding)
    if io_type == "io_stream":
        cycles += STREAM_CYCLES
        formula += "; one cycle to read the streams"
    return LayerEstimate(NAME, cycles, objects * lut, 0, formula, objects * bits)


def _is_pt(feature: FeatureEncoding) -> bool:
    return feature.name == "pt"


def _masks(feature: FeatureEncoding) -> bool:
    """Whether the code of an absent object needs to be set to 0: in a table it is, and a plain pT word is already."""
    plain = _is_pt(feature) and (feature.logarithm is not None or feature.offset == 0)
    return feature.can_be_absent and not plain


def _adder_bits(feature: FeatureEncoding) -> int:
    """Bits of the adder of an offset, or 0 where there is none or the offset's bits all stand above the word's."""
    if feature.offset == 0 or feature.logarithm is not None:
        return 0
    zeros = (feature.offset & -feature.offset).bit_length() - 1
    above = not feature.word.signed and feature.offset < 0 and zeros >= feature.word.width
    return 0 if above else max(feature.network_type.width - zeros, 0)


def _can_be_zero(feature: FeatureEncoding) -> bool:
    """Whether a present object's pT word can equal the offset, and its code must then be 1."""
    return _is_pt(feature) and feature.logarithm is None and feature.gives_zero


def _feature_lut(feature: FeatureEncoding, part: str) -> int:
    width = feature.network_type.width
    if feature.logarithm is not None:
        return table_lut(feature.word.width, width, part)
    adder = _adder_bits(feature)
    # the bits of an absent object's pT word that no adder changes are 0 already
    masks = 0 if _is_pt(feature) else width - adder
    return adder + masks + (gate_lut(feature.word.width) + 1 if _can_be_zero(feature) else 0)


def _levels(feature: FeatureEncoding, part: str) -> int:
    """Levels of logic, each taken to be as slow as an adder."""
    if feature.logarithm is not None:
        # the table, and the selection among the slices that hold it
        return 1 + int(table_lut(feature.word.width, 1, part) > 1 << max(feature.word.width - 6, 0))
    return int(_adder_bits(feature) > 0) + int(_can_be_zero(feature)) + int(_masks(feature))


def _formula(encoding: InputEncoding) -> str:
    parts = []
    if any(feature.logarithm is not None for feature in encoding.features):
        parts.append("a table of constants for each object: 2^(bits - 6) LUT for each bit of a code")
    if any(_adder_bits(feature) for feature in encoding.features):
        parts.append("offsets: one LUT for each bit of an adder")
    if any(_masks(feature) for feature in encoding.features):
        parts.append("absent objects: a test of pT and one LUT for each bit set to 0")
    return "; ".join([*parts, "one FF for each bit of a code"])
