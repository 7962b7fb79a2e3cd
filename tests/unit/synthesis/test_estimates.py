"""The estimates follow from their formulas, checked on networks small enough to count by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.synthesis.arithmetic import dsp_slices, signed_digits, tree_depth, tree_lut, uses_dsp
from trigger_ad.synthesis.encoding_estimates import estimate_encoding
from trigger_ad.synthesis.estimates import (
    LayerEstimate,
    LayerWork,
    ProjectEstimate,
    adder_levels_in_a_cycle,
    estimate_project,
    measuring_command,
)

VU9P = "xcvu9p-flgb2104-2l-e"


def _codes(*rows: list[int]) -> NDArray[np.int64]:
    return np.array(rows, dtype=np.int64)


def _dense(codes: NDArray[np.int64], width: int = 8, accumulator: int = 32) -> LayerWork:
    return LayerWork("dense", "dense", width, 8, codes, accumulator, codes.shape[1])


def _estimate(*layers: LayerWork, **changes: Any) -> ProjectEstimate:
    settings: dict[str, Any] = {
        "strategy": "latency",
        "reuse_factor": 1,
        "clock_ns": 5.0,
        "io_type": "io_parallel",
        "part": VU9P,
    }
    return estimate_project(layers, **(settings | changes))


def _one(layer: LayerWork, **changes: Any) -> LayerEstimate:
    (estimate,) = _estimate(layer, **changes).layers
    return estimate


def test_signed_digits_of_known_numbers() -> None:
    codes = _codes([0, 1, 2, 3, 5, 7, 11, 15, 21, 27, 64, -1, -3, -7])
    assert signed_digits(codes).tolist() == [[0, 1, 1, 2, 2, 2, 3, 2, 3, 3, 1, 1, 2, 2]]


@given(st.integers(-(2**40), 2**40))
def test_no_signed_form_has_fewer_digits(code: int) -> None:
    digits, left = 0, abs(code)
    while left:
        # the defining recursion: an odd number takes the digit that leaves a multiple of four
        if left & 1:
            digits += 1
            left -= 2 - (left & 3)
        left >>= 1
    assert int(signed_digits(np.array([code]))[0]) == digits


def test_adder_trees() -> None:
    assert [tree_depth(n) for n in (0, 1, 2, 3, 4, 5, 57)] == [0, 0, 1, 2, 2, 3, 6]
    assert [tree_lut(n, 8, 32) for n in (0, 1, 2, 3, 4)] == [0, 0, 9, 9 + 10, 2 * 9 + 10]
    assert tree_lut(4, 8, 9) == 3 * 9


def test_products_go_to_dsp_slices_when_both_operands_are_wide() -> None:
    assert [uses_dsp(16, 10), uses_dsp(16, 11), uses_dsp(10, 10)] == [False, True, False]
    assert [dsp_slices(18, 18, VU9P), dsp_slices(19, 19, VU9P), dsp_slices(27, 18, VU9P)] == [1, 2, 1]
    assert dsp_slices(27, 18, "xc7vx690tffg1927-2") == 2


def test_zero_weights_and_powers_of_two_need_no_multiplier() -> None:
    # the second output is the bias alone, which is a constant; the first adds two shifted inputs and the bias
    estimate = _one(_dense(_codes([4, 0], [-1, 0])))
    # the widest word is 4 x: 8 + 3 bits; three words in two levels
    assert estimate.lut == 12 + 13
    assert estimate.dsp == 0


def test_each_further_digit_costs_an_adder_as_wide_as_the_product() -> None:
    # 3 = 4 - 1: one adder of 8 + 2 bits, then one more for the bias
    assert _one(_dense(_codes([3]))).lut == 10 + 11
    # 11 = 8 + 4 - 1: two adders of 8 + 4 bits
    assert _one(_dense(_codes([11]))).lut == 2 * 12 + 13


def test_the_accumulator_bounds_the_tree() -> None:
    assert _one(_dense(_codes([1], [1], [1]), width=8, accumulator=9)).lut == 3 * 9


def test_wide_constants_take_a_dsp_slice_each_unless_they_are_wiring() -> None:
    estimate = _one(_dense(_codes([1025], [1027], [0], [1024]), width=16))
    assert estimate.dsp == 2
    assert "DSP" in estimate.formula


def test_levels_share_cycles() -> None:
    assert adder_levels_in_a_cycle(5.0, "vitis") == 6
    assert adder_levels_in_a_cycle(5.0, "vivado") == 7
    # one level for 3 x, six for 57 products and the bias: seven levels
    layer = _dense(np.full((57, 1), 3, dtype=np.int64))
    assert _one(layer, back_end="vivado").cycles == 1 + 1
    assert _one(layer, back_end="vitis").cycles == 2 + 1


def test_element_by_element_layers() -> None:
    activation = _one(LayerWork("a", "activation", 20, 8, None, 20, 32))
    subtract = _one(LayerWork("s", "subtract", 8, 9, None, 9, 57))
    multiply = _one(LayerWork("m", "multiply", 9, 18, None, 18, 57))
    total = _one(LayerWork("t", "sum", 18, 24, None, 24, 4))
    assert (activation.cycles, activation.lut, activation.dsp) == (1, 32 * 3 * 20, 0)
    assert (subtract.cycles, subtract.lut, subtract.dsp) == (1, 57 * 9, 0)
    assert (multiply.cycles, multiply.lut, multiply.dsp) == (1, 57 * 81, 0)
    assert (total.cycles, total.lut, total.dsp) == (1, 2 * 19 + 20, 0)


def test_wide_squares_take_dsp_slices() -> None:
    estimate = _one(LayerWork("m", "multiply", 11, 22, None, 22, 57))
    assert (estimate.cycles, estimate.lut, estimate.dsp) == (1, 0, 57)


def test_a_project_is_the_sum_of_its_layers_and_takes_an_event_every_cycle() -> None:
    layers = (_dense(_codes([3, 1], [0, 2])), LayerWork("a", "activation", 12, 8, None, 12, 2))
    estimate = _estimate(*layers)
    assert estimate.latency_cycles == sum(layer.cycles for layer in estimate.layers)
    assert estimate.latency_ns == estimate.latency_cycles * 5.0
    assert estimate.lut == sum(layer.lut for layer in estimate.layers)
    assert estimate.ii_cycles == 1
    assert (estimate.ff, estimate.bram) == (None, None)
    assert all(layer.formula for layer in estimate.layers)


def test_reusing_multipliers_divides_their_number_and_adds_cycles() -> None:
    codes = np.full((8, 4), 2047, dtype=np.int64)
    once, four_times = (_one(_dense(codes, 16), strategy="resource", reuse_factor=r) for r in (1, 4))
    assert (once.dsp, four_times.dsp) == (32, 8)
    assert four_times.cycles == once.cycles + 3
    assert _estimate(_dense(codes, 16), reuse_factor=4).ii_cycles == 4


def test_the_latency_strategy_drops_products_with_zero_as_hls4ml_does() -> None:
    codes = np.full((8, 4), 2047, dtype=np.int64)
    codes[:4] = 0
    assert _one(_dense(codes, 16), reuse_factor=4).dsp == 32 // 4 - 16 // 4
    assert _one(_dense(codes, 16), reuse_factor=4, strategy="resource").dsp == 32 // 4


def test_in_io_stream_the_slowest_layer_sets_the_interval() -> None:
    layers = (_dense(_codes([3])), LayerWork("a", "activation", 12, 8, None, 12, 1))
    parallel, stream = _estimate(*layers), _estimate(*layers, io_type="io_stream")
    assert stream.latency_cycles == parallel.latency_cycles + 2
    assert stream.ii_cycles == max(layer.cycles for layer in stream.layers)


def test_a_layer_of_zeros_costs_no_logic() -> None:
    estimate = _one(_dense(np.zeros((57, 3), dtype=np.int64)))
    assert (estimate.lut, estimate.dsp) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"strategy": "magic"}, r"firmware\.strategy"),
        ({"io_type": "io_serial"}, r"firmware\.io_type"),
        ({"back_end": "quartus"}, r"firmware\.back_ends"),
        ({"reuse_factor": 0}, r"firmware\.reuse_factor"),
        ({"clock_ns": 0.5}, r"firmware\.clock_ns"),
    ],
)
def test_impossible_settings_are_refused_by_key(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(UserError, match=key):
        _one(_dense(_codes([1])), **changes)


def test_no_layers_is_refused() -> None:
    with pytest.raises(UserError, match="no layer"):
        _estimate()


@pytest.mark.parametrize(("width", "slices"), [(6, 0), (8, 8), (10, 8)])
def test_a_reused_multiplier_of_more_than_six_bits_is_in_a_dsp_slice(width: int, slices: int) -> None:
    codes = np.full((8, 4), (1 << (width - 1)) - 1)
    assert _one(_dense(codes, width), reuse_factor=4, strategy="resource").dsp == slices
    # of the strategy latency nothing of the kind is published
    assert _one(_dense(codes, width), reuse_factor=4, strategy="latency").dsp == 0


def test_with_a_layer_of_the_strategy_resource_the_slowest_layer_sets_the_interval() -> None:
    layer = _dense(np.full((8, 4), 7))
    latency = _estimate(layer, layer, reuse_factor=4)
    resource = _estimate(layer, layer, reuse_factor=4, strategy="resource")
    assert latency.ii_cycles == 4
    assert resource.ii_cycles == max(estimate.cycles for estimate in resource.layers) > 4


def test_the_encoding_comes_first_and_adds_to_latency_and_resources_but_not_to_the_interval() -> None:
    # two outputs: there is no accept bit
    layers, encoding = (_dense(_codes([3, 3])),), InputEncoding(Config(name="a").inputs)
    plain, encoded = _estimate(*layers), _estimate(*layers, encoding=encoding)
    first = encoded.layers[0]
    assert encoded.layers[1:] == plain.layers
    assert first == estimate_encoding(encoding, adder_levels_in_a_cycle(5.0, "vitis"), "io_parallel", VU9P)
    assert encoded.latency_cycles == plain.latency_cycles + first.cycles
    assert encoded.lut == plain.lut + first.lut
    assert encoded.ii_cycles == plain.ii_cycles
    # the encoding's alone would not be the project's
    assert (first.ff is None, encoded.ff) == (False, None)


@pytest.mark.parametrize(
    ("score", "changes", "cycles"),
    [
        (_dense(_codes([3])), {}, 0),
        (_dense(_codes([3])), {"io_type": "io_stream"}, 1),
        (LayerWork("sum", "sum", 8, 11, None, 11, 57), {}, 0),
    ],
)
def test_the_accept_bit_of_a_single_score_word_comes_last(
    score: LayerWork, changes: dict[str, Any], cycles: int
) -> None:
    encoding = InputEncoding(Config(name="a").inputs)
    plain, whole = _estimate(score, **changes), _estimate(score, encoding=encoding, **changes)
    first, *layers, last = whole.layers
    assert tuple(layers) == plain.layers
    assert (last.name, last.cycles, last.lut, last.dsp) == ("accept bit", cycles, score.output_width, 0)
    assert whole.lut == plain.lut + first.lut + last.lut
    assert whole.latency_cycles == plain.latency_cycles + first.cycles + cycles
    assert whole.ii_cycles == plain.ii_cycles


def test_a_dense_layer_without_kernel_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="'d' needs its kernel"):
        _one(LayerWork("d", "dense", 8, 8, None, 16, 4))


def test_the_command_that_measures_names_the_tool() -> None:
    assert measuring_command("vitis") == "cd <project> && ./build.sh   # with vitis-run or vitis_hls on PATH"
    assert measuring_command("vivado") == "cd <project> && ./build.sh   # with vivado_hls on PATH"
