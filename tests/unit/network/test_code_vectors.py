"""Corner vectors of plain codes: every input sees its extremes, alone and together, and every word of a narrow type."""

from __future__ import annotations

import numpy as np
import pytest

from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.code_vectors import code_vectors
from trigger_ad.network.vectors import MANY, require_words

KINDS = [FixedPoint(True, 6, 2), FixedPoint(False, 1, 1), FixedPoint(True, 16, 6), FixedPoint(False, 31, 10)]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("inputs", [1, 2, 9])
def test_every_word_is_one_of_the_type_and_large_groups_come_last(kind: FixedPoint, inputs: int) -> None:
    groups = code_vectors(kind, inputs, seed=1)
    for words in groups.values():
        assert words.dtype == np.int64
        require_words([kind], inputs, words)
    large = [name.startswith(MANY) for name in groups]
    assert large == sorted(large)


def test_the_extremes_come_together_in_turn_and_alone() -> None:
    groups = code_vectors(FixedPoint(True, 4, 4), 3, seed=1)
    assert groups["all at an extreme"].tolist() == [[-8] * 3, [7] * 3]
    assert groups["extremes in turn"].tolist() == [[7, -8, 7], [-8, 7, -8]]
    assert groups["one input at its largest"].tolist() == [[7, 0, 0], [0, 7, 0], [0, 0, 7]]
    assert groups["one input at its smallest"].tolist() == [[-8, 0, 0], [0, -8, 0], [0, 0, -8]]
    assert groups["all but one at the largest"].tolist() == [[-8, 7, 7], [7, -8, 7], [7, 7, -8]]
    assert groups["all but one at the smallest"].tolist() == [[7, -8, -8], [-8, 7, -8], [-8, -8, 7]]
    assert groups["alternating bits"].tolist() == [[5] * 3, [-6] * 3]


def test_every_input_sees_every_word_of_a_narrow_type() -> None:
    words = code_vectors(FixedPoint(True, 5, 2), 4, seed=1)["every word of input"]
    for column in words.T:
        assert sorted(column) == list(range(-16, 16))


def test_random_vectors_follow_the_seed() -> None:
    first, again, other = (code_vectors(FixedPoint(True, 8, 2), 4, seed)["random bits"] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
