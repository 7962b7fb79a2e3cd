"""The encoding's cost follows from its formulas, counted by hand for one object."""

from __future__ import annotations

from typing import Any

import pytest

from trigger_ad.config import InputsConfig, LayoutConfig
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.layout import EventLayout
from trigger_ad.synthesis.arithmetic import gate_lut, table_lut
from trigger_ad.synthesis.encoding_estimates import estimate_encoding
from trigger_ad.synthesis.layer_estimates import LayerEstimate

VU9P, VX690T = "xcvu9p-flgb2104-2l-e", "xc7vx690tffg1927-2"


def _encoding(pt: dict[str, Any], eta: dict[str, Any] | None, objects: int) -> InputEncoding:
    inputs = InputsConfig.model_validate({"pt": {"lsb": 1.0, "shift": 0} | pt, "eta": eta, "phi": None})
    layout = LayoutConfig.model_validate({"objects": [{"name": "jet", "count": objects}]})
    return InputEncoding(inputs, EventLayout(layout))


def _estimate(
    pt: dict[str, Any],
    eta: dict[str, Any] | None = None,
    objects: int = 1,
    levels: int = 6,
    io_type: str = "io_parallel",
) -> LayerEstimate:
    return estimate_encoding(_encoding(pt, eta, objects), levels, io_type, VU9P)


def test_a_plain_word_is_wiring() -> None:
    estimate = _estimate({"width": 8, "offset": 0})
    assert (estimate.name, estimate.cycles, estimate.lut, estimate.dsp, estimate.ff) == ("encoding", 0, 0, 0, 8)


@pytest.mark.parametrize(
    ("width", "offset", "lut"),
    [
        # 8 bits of words to a code of 9: an adder of 9 bits, and a test of 8 bits for pT being 0
        (8, -1, 9 + 2),
        # the 6 bits in which 64 ends stay as they are
        (8, -64, 3 + 2),
        # the offset stands above the word: its bit is the test itself
        (8, -256, 0 + 2),
        # a code in 8 bits that can come out as 0: found by a test of 8 bits, and set to 1 by one more
        (8, 128, 1 + 2 + 2 + 1),
    ],
)
def test_an_offset_takes_an_adder_of_the_bits_that_it_changes(width: int, offset: int, lut: int) -> None:
    assert _estimate({"width": width, "offset": offset}).lut == lut


def test_an_absent_object_sets_every_other_bit_to_0() -> None:
    # 6 bits, and a test of 8 bits for pT being 0
    estimate = _estimate({"width": 8, "offset": 0}, {"width": 6, "lsb": 0.125, "shift": 0})
    assert (estimate.lut, estimate.ff) == (6 + 2, 8 + 6)
    assert "absent" in estimate.formula


def test_a_logarithm_is_a_table_of_each_object() -> None:
    pt = {"lsb": 0.5, "width": 10, "logarithm": 4, "offset": 0}
    # codes of 8 bits, 0 to 160; 16 LUT and one that selects between two slices for each
    assert table_lut(10, 8, VU9P) == 8 * (16 + 1)
    assert _estimate(pt).lut == 8 * 17
    assert _estimate(pt, objects=19).lut == 19 * 8 * 17
    # offset and exceptions are in the table
    assert _estimate(pt | {"offset": -8}).lut == 8 * 17
    assert "table" in _estimate(pt).formula


def test_tables_and_gates_of_look_up_tables() -> None:
    assert [table_lut(address, 1, VU9P) for address in (1, 6, 7, 9, 10, 11, 12)] == [1, 1, 2, 8, 17, 33, 67]
    assert [table_lut(address, 1, VX690T) for address in (8, 9, 10)] == [4, 9, 17]
    assert table_lut(9, 7, VU9P) == 7 * 8
    assert [gate_lut(inputs) for inputs in (1, 2, 6, 7, 11, 12)] == [0, 1, 1, 2, 2, 3]


def test_cycles_are_the_levels_that_fit_one_and_reading_a_stream() -> None:
    pt = {"width": 8, "offset": 128}
    # adder, test for 0, mask
    assert [_estimate(pt, levels=levels).cycles for levels in (1, 2, 3, 6)] == [3, 2, 1, 1]
    stream = _estimate(pt, io_type="io_stream")
    assert stream.cycles == 2
    assert stream.formula.endswith("one cycle to read the streams")
    # a table over several slices: itself, and the selection
    assert _estimate({"width": 10, "logarithm": 4}, levels=1).cycles == 2


def test_every_object_costs_the_same() -> None:
    one, many = (_estimate({"width": 8, "offset": -64}, objects=objects) for objects in (1, 19))
    assert (many.lut, many.ff, many.cycles) == (19 * one.lut, 19 * (one.ff or 0), one.cycles)
