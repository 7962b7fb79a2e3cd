"""Magnitudes are counted by their bits: of events each code, of corner vectors how far they reach."""

from __future__ import annotations

import numpy as np

from trigger_ad.emulation.value_ranges import ValueRanges
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Input, Quantize

NETWORK = Network(
    (Input("inputs", (2,), FixedPoint(True, 4, 2)), Quantize("output", "inputs", FixedPoint(False, 3, 3), "relu"))
)


def test_every_code_of_the_events_is_counted_by_the_bits_of_its_magnitude() -> None:
    ranges = ValueRanges(NETWORK)
    blocks = [np.array([[0, 1], [-1, 2]]), np.array([[-8, 7], [3, 0], [4, -4]])]
    for codes in blocks:
        ranges.add({"inputs": codes, "output": np.zeros_like(codes)}, "events")
    inputs, output = ranges.rows()
    # 0, 0 | 1, -1 | 2, 3 | 7, 4, -4, -8
    assert inputs == {
        "layer": "inputs",
        "precision": "fixed<4,2>",
        "accumulator": None,
        "divisor": 1,
        "magnitudes": [2, 2, 2, 4],
        "largest_bits": 3,
    }
    assert (output["magnitudes"], output["largest_bits"]) == ([10, 0, 0, 0], 0)


def test_corner_vectors_reach_farther_and_are_not_counted() -> None:
    ranges = ValueRanges(NETWORK)
    ranges.add({"inputs": np.array([[1, 0]]), "output": np.array([[5, 0]])}, "corner")
    ranges.add({"inputs": np.array([[0, 0]]), "output": np.array([[1, 0]])}, "events")
    inputs, output = ranges.rows()
    assert (inputs["magnitudes"], inputs["largest_bits"]) == ([2, 0, 0, 0], 1)
    assert (output["magnitudes"], output["largest_bits"]) == ([1, 1, 0, 0], 3)
