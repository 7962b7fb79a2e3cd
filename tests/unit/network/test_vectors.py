"""Corner vectors: each group is what its name says, and every code is one of the input type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.networks import fixed_points

from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.vectors import RANDOM_VECTORS, corner_vectors

GROUPS = (
    "all zero",
    "all at an extreme",
    "extremes in turn",
    "one input at its largest",
    "one input at its smallest",
    "all but one at the largest",
    "one least significant bit",
    "alternating bits",
    "random extremes",
    "random bits",
)
types = pytest.mark.parametrize(
    "kind", [FixedPoint(True, 8, 3), FixedPoint(False, 5, 5), FixedPoint(True, 7, 2)], ids=str
)


@given(kind=fixed_points(), inputs=st.integers(1, 4), seed=st.integers(0, 2**31 - 1))
def test_every_code_is_one_of_the_type(kind: FixedPoint, inputs: int, seed: int) -> None:
    groups = corner_vectors(kind, inputs, seed)
    assert tuple(groups) == GROUPS
    for codes in groups.values():
        assert codes.dtype == np.int64
        assert codes.ndim == 2
        assert codes.shape[1] == inputs
        assert kind.code_min <= codes.min()
        assert codes.max() <= kind.code_max


@types
def test_each_group_is_what_its_name_says(kind: FixedPoint) -> None:
    low, high = kind.code_min, kind.code_max
    groups = {name: codes.tolist() for name, codes in corner_vectors(kind, 3, 1).items()}
    assert groups["all zero"] == [[0, 0, 0]]
    assert groups["all at an extreme"] == [[low, low, low], [high, high, high]]
    assert groups["extremes in turn"] == [[high, low, high], [low, high, low]]
    assert groups["one input at its largest"] == [[high, 0, 0], [0, high, 0], [0, 0, high]]
    assert groups["one input at its smallest"] == [[low, 0, 0], [0, low, 0], [0, 0, low]]
    assert groups["all but one at the largest"] == [[low, high, high], [high, low, high], [high, high, low]]


@pytest.mark.parametrize(("kind", "steps"), [(FixedPoint(True, 8, 3), [1, -1]), (FixedPoint(False, 5, 5), [1, 0])])
def test_one_least_significant_bit_stands_alone(kind: FixedPoint, steps: list[int]) -> None:
    expected = [[step if index == one else 0 for index in range(2)] for step in steps for one in range(2)]
    assert corner_vectors(kind, 2, 1)["one least significant bit"].tolist() == expected


@given(fixed_points())
def test_alternating_bits_are_both_patterns_without_equal_neighbours(kind: FixedPoint) -> None:
    codes = corner_vectors(kind, 1, 1)["alternating bits"][:, 0].tolist()
    patterns = [f"{code % (1 << kind.width):0{kind.width}b}" for code in codes]
    assert sorted(pattern[0] for pattern in patterns) == ["0", "1"]
    assert not any("00" in pattern or "11" in pattern for pattern in patterns)


@types
def test_random_groups_reach_the_ends(kind: FixedPoint) -> None:
    groups = corner_vectors(kind, 5, 1)
    assert set(np.unique(groups["random extremes"])) == {kind.code_min, 0, kind.code_max}
    assert len(groups["random bits"]) == RANDOM_VECTORS
    assert (groups["random bits"].min(), groups["random bits"].max()) == (kind.code_min, kind.code_max)


def test_the_seed_fixes_the_random_groups_and_nothing_else() -> None:
    kind = FixedPoint(True, 8, 3)
    first, again, other = (corner_vectors(kind, 4, seed) for seed in (1, 1, 2))
    for name in GROUPS:
        np.testing.assert_array_equal(first[name], again[name])
        assert np.array_equal(first[name], other[name]) == (not name.startswith("random"))
