"""What each layer did is the same whether it is counted at once or block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.runs import network_codes, small_network

from trigger_ad.emulation.layer_tally import LayerTally
from trigger_ad.fixed_point import FixedPoint, Overflow
from trigger_ad.network.evaluation import evaluate, saturations
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Input, Pooling, Quantize

NETWORK = small_network()
CODES = network_codes(NETWORK)[:300]
NO_MISMATCH = dict.fromkeys([node.name for node in NETWORK.nodes], 0)


def test_blocks_add_up_to_the_whole() -> None:
    whole, blocks = LayerTally(NETWORK), LayerTally(NETWORK)
    whole.add(evaluate(NETWORK, CODES), "events")
    for start in (0, 100, 200):
        blocks.add(evaluate(NETWORK, CODES[start : start + 100]), "events")
    assert blocks.rows(NO_MISMATCH) == whole.rows(NO_MISMATCH)


def test_corners_and_events_are_counted_apart() -> None:
    tally = LayerTally(NETWORK)
    corners, events = evaluate(NETWORK, CODES[:200]), evaluate(NETWORK, CODES[200:])
    tally.add(corners, "corner")
    tally.add(events, "events")
    for row in tally.rows(NO_MISMATCH):
        name = str(row["layer"])
        assert row["values"] == events[name].size
        assert (row["overflows"], row["overflows_corner"], row["accumulator"]) == (0, 0, None)
        expected = (saturations(NETWORK, events), saturations(NETWORK, corners))
        found = [part[name].saturated if name in part else None for part in expected]
        assert [row["saturations"], row["saturations_corner"]] == found
        both = np.concatenate([corners[name], events[name]])
        assert (row["reached_low"], row["reached_high"]) == (both.min(), both.max())


def test_a_code_beyond_the_bounds_is_an_overflow() -> None:
    reference = evaluate(NETWORK, CODES)
    reference["score"][7] = int(NETWORK.words["score"].high.max()) + 1
    tally = LayerTally(NETWORK)
    tally.add(reference, "events")
    assert {row["layer"]: row["overflows"] for row in tally.rows(NO_MISMATCH) if row["overflows"]} == {"score": 1}


def test_mismatches_are_those_given() -> None:
    tally = LayerTally(NETWORK)
    tally.add(evaluate(NETWORK, CODES), "corner")
    assert {row["layer"]: row["mismatches"] for row in tally.rows(NO_MISMATCH | {"latent": 3})}["latent"] == 3


def test_images_are_counted_word_by_word() -> None:
    nodes = (
        Input("inputs", (3, 1, 2), FixedPoint(True, 4, 4)),
        Pooling("largest", "inputs", (3, 1), "max_pooling"),
        Quantize("narrow", "largest", FixedPoint(True, 3, 3, overflow=Overflow.SATURATE), "linear"),
    )
    network = Network(nodes)
    tally = LayerTally(network)
    reference = evaluate(network, np.array([[-8, 0, -7, 1, -6, 2], [7, 0, 0, 0, 0, 5]]))
    reference["largest"][1, 0, 0, 0] = 8
    tally.add(reference, "events")
    largest, narrow = tally.rows({"largest": 0, "narrow": 0})
    assert (largest["kind"], largest["values"], largest["overflows"]) == ("max_pooling", 4, 1)
    assert (largest["reached_low"], largest["reached_high"]) == (-6, 8)
    # -6, 8 and 5 are beyond -4 to 3
    assert (narrow["values"], narrow["saturations"]) == (4, 3)


def _one_layer(accumulator: FixedPoint, corner: list[int], events: list[int]) -> dict[str, Any]:
    """The row of a layer of one sum with two fraction bits, of some codes, in an accumulator set by the user."""
    kernel = Constant.narrowest(np.array([[1], [1]]), 0)
    network = Network((Input("inputs", (2,), FixedPoint(True, 8, 6)), Dense("sum", "inputs", kernel, None)))
    tally = LayerTally(network, {"sum": accumulator})
    for kind, codes in (("corner", corner), ("events", events)):
        tally.add({"sum": np.array(codes).reshape(-1, 1)}, kind)
    (row,) = tally.rows({"sum": 0})
    return row


def test_what_the_users_accumulator_does_not_hold_is_counted_for_corners_and_events_apart() -> None:
    row = _one_layer(FixedPoint(True, 5, 3), corner=[-17, -16, 15, 16], events=[3, 40, 0])
    assert (row["overflows_corner"], row["overflows"]) == (2, 1)
    assert (row["precision"], row["accumulator"]) == ("fixed<9,7>", "fixed<5,3>")
    assert (row["reached_low"], row["reached_high"]) == (-17, 40)


@pytest.mark.parametrize(
    ("accumulator", "reached", "unused", "missing"),
    [
        # 40 has six bits, its type four and a sign
        ("fixed<5,3>", [-17, 40], 0, 2),
        ("fixed<7,5>", [-17, 40], 0, 0),
        ("fixed<7,5>", [-64, 63], 0, 0),
        ("fixed<7,5>", [-65, 63], 0, 1),
        ("fixed<9,7>", [-17, 40], 2, 0),
        # fraction bits beyond those of the sums are at the right
        ("fixed<12,5>", [-17, 40], 0, 0),
        ("ufixed<6,4>", [0, 40], 0, 0),
        ("ufixed<6,4>", [-1, 40], 0, 1),
        ("ufixed<5,3>", [-1, 40], 0, 2),
        ("fixed<5,3>", [0, 0], 4, 0),
    ],
)
def test_bits_never_used_and_bits_missing(accumulator: str, reached: list[int], unused: int, missing: int) -> None:
    row = _one_layer(FixedPoint.parse(accumulator), reached, [0])
    assert (row["bits_unused"], row["bits_missing"]) == (unused, missing)
    assert (row["overflows_corner"] > 0) is (missing > 0)


def test_bits_of_types_that_follow_from_bounds_are_never_missing() -> None:
    tally = LayerTally(NETWORK)
    assert all((row["bits_unused"], row["bits_missing"]) == (None, None) for row in tally.rows(NO_MISMATCH))
    tally.add(evaluate(NETWORK, CODES), "corner")
    rows = {row["layer"]: row for row in tally.rows(NO_MISMATCH)}
    assert all(row["bits_missing"] == 0 for row in rows.values())
    reached = rows["score"]["reached_high"].bit_length()
    assert rows["score"]["bits_unused"] == NETWORK.type("score").width - reached > 0
