"""Corner vectors: each group is what its name says, and every word is one of its type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_ad.config import Config
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.vectors import MANY, RANDOM_VECTORS, corner_vectors, require_words

PT, ETA = FixedPoint(False, 4, 4), FixedPoint(True, 3, 3)
TWO = {"pt": PT, "eta": ETA}
"""pT words 0 to 15, eta words -4 to 3."""

GROUPS = (
    "all zero",
    "all at an extreme",
    "extremes in turn",
    "one input at its largest",
    "one input at its smallest",
    "one input of an absent object",
    "all but one at the largest",
    "one least significant bit",
    "alternating bits",
    "every word of pt",
    "every word of eta",
    "random extremes",
    "random bits",
    "random bits, half of the objects absent",
)
words_of_others = st.builds(FixedPoint, st.booleans(), st.integers(2, 10), st.just(0))


def _groups(objects: int = 2, seed: int = 1) -> dict[str, list[list[int]]]:
    return {name: words.tolist() for name, words in corner_vectors(TWO, objects, seed).items()}


@given(
    pt=st.integers(2, 10),
    others=st.lists(words_of_others, max_size=2),
    objects=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_every_word_is_one_of_its_type(pt: int, others: list[FixedPoint], objects: int, seed: int) -> None:
    features = {"pt": FixedPoint(False, pt, pt)} | {f"other_{index}": kind for index, kind in enumerate(others)}
    for words in corner_vectors(features, objects, seed).values():
        assert words.dtype == np.int64
        assert len(words) > 0
        require_words(tuple(features.values()), objects, words)


def test_the_groups_come_in_a_fixed_order_the_large_ones_last() -> None:
    assert tuple(_groups()) == GROUPS
    assert [name.startswith(MANY) for name in GROUPS] == [False] * 9 + [True] * 5
    # without a second feature nothing of an absent object can be there
    assert "one input of an absent object" not in corner_vectors({"pt": PT}, 2, 1)


def test_each_group_is_what_its_name_says() -> None:
    groups = _groups()
    assert groups["all zero"] == [[0, 0, 0, 0]]
    assert groups["all at an extreme"] == [[pt, eta, pt, eta] for pt in (0, 1, 15) for eta in (-4, 3)]
    assert groups["extremes in turn"] == [[15, -4, 15, -4], [0, 3, 0, 3], [15, -4, 15, -4], [1, 3, 1, 3]]
    assert groups["all but one at the largest"] == [
        [0, 3, 15, 3],
        [15, -4, 15, 3],
        [15, 3, 0, 3],
        [15, 3, 15, -4],
    ]
    assert groups["alternating bits"] == [[0b0101, 0b101 - 8, 0b0101, 0b101 - 8], [0b1010, 0b010, 0b1010, 0b010]]


def test_an_input_stands_alone_in_an_object_that_is_barely_there_and_in_one_of_the_largest_pt() -> None:
    groups = _groups()
    assert groups["one input at its largest"] == [
        [15, 0, 0, 0],
        [0, 0, 15, 0],
        *([1, 3, 0, 0], [0, 0, 1, 3]),
        *([15, 3, 0, 0], [0, 0, 15, 3]),
    ]
    assert groups["one input at its smallest"] == [
        [1, 0, 0, 0],
        [0, 0, 1, 0],
        *([1, -4, 0, 0], [0, 0, 1, -4]),
        *([15, -4, 0, 0], [0, 0, 15, -4]),
    ]
    assert groups["one least significant bit"] == [[1, 1, 0, 0], [0, 0, 1, 1], [1, -1, 0, 0], [0, 0, 1, -1]]


def test_words_of_an_absent_object_are_there() -> None:
    assert _groups()["one input of an absent object"] == [[0, 3, 0, 0], [0, 0, 0, 3], [0, -4, 0, 0], [0, 0, 0, -4]]


@given(objects=st.integers(1, 20))
def test_every_object_sees_every_word(objects: int) -> None:
    groups = corner_vectors(TWO, objects, 1)
    for index, (name, kind) in enumerate(TWO.items()):
        words = groups[f"every word of {name}"]
        assert len(words) == 1 << kind.width
        for column in words[:, index::2].T:
            assert sorted(column) == list(range(kind.code_min, kind.code_max + 1))
    # objects see eta's words while they are there
    assert (groups["every word of eta"][:, ::2] == 1).all()


def test_objects_see_different_words_at_a_time() -> None:
    assert _groups(3)["every word of pt"][14] == [14, 1, 15, 1, 0, 1]


def test_of_very_wide_words_many_are_seen_and_those_at_each_power_of_two() -> None:
    kind = FixedPoint(True, 20, 20)
    column = corner_vectors({"pt": PT, "x": kind}, 1, 1)["every word of x"][:, 1]
    assert 4096 <= len(column) < 4096 + 200
    assert {kind.code_min, -(2**17) - 1, -1, 0, 1, 2**17 - 1, 2**17, kind.code_max} <= set(column.tolist())


def test_random_groups_reach_the_ends_and_absent_objects() -> None:
    groups = corner_vectors(TWO, 3, 1)
    assert sum(len(words) for name, words in groups.items() if name.startswith("random")) == RANDOM_VECTORS
    extremes = groups["random extremes"]
    assert set(np.unique(extremes[:, ::2])) == {0, 1, 15}
    assert set(np.unique(extremes[:, 1::2])) == {-4, 0, 3}
    assert set(np.unique(groups["random bits"][:, 1::2])) == set(range(-4, 4))
    sparse = groups["random bits, half of the objects absent"]
    absent = sparse[:, ::2] == 0
    assert 0.45 < absent.mean() < 0.6
    # their other words are there nevertheless
    assert set(np.unique(sparse[:, 1::2][absent])) == set(range(-4, 4))


def test_the_seed_fixes_the_random_groups_and_nothing_else() -> None:
    first, again, other = (corner_vectors(TWO, 4, seed) for seed in (1, 1, 2))
    for name in GROUPS:
        np.testing.assert_array_equal(first[name], again[name])
        assert np.array_equal(first[name], other[name]) == (not name.startswith("random"))


def test_the_default_configuration_has_a_few_thousand() -> None:
    encoding = InputEncoding(Config(name="a").inputs)
    groups = corner_vectors({item.name: item.word for item in encoding.features}, encoding.layout.objects, 1)
    assert sum(map(len, groups.values())) < 6000
    # a co-simulation runs the small groups in full
    assert sum(len(words) for name, words in groups.items() if not name.startswith(MANY)) < 500


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([[0, 0, 0, 0], [0, 0, 16, 0]], "word 2 of vector 1, 16, is none of ufixed<4,4>"),
        ([[-1, 0, 0, 0]], "word 0 of vector 0, -1, is none of ufixed<4,4>"),
        ([[0, 0, 0, 4]], "word 3 of vector 0, 4, is none of fixed<3,3>"),
        ([[0, 0, 0]], r"vectors of the shape \(1, 3\) are not \(vectors, 4\)"),
    ],
)
def test_words_beyond_their_type_are_named(words: list[list[int]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        require_words((PT, ETA), 2, np.array(words))
