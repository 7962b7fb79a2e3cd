"""Vectors that drive accumulators: as far as there is to go where that is known, and never less far than before."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from support.runs import corners, encoding_of, small_config, small_network

from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.driving import LARGEST_GROUP, accumulators, driving_vectors
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Input, Quantize

WORD = FixedPoint(False, 3, 3)


def _same(words: Codes) -> Codes:
    return words


def _ends(network: Network, vectors: Codes) -> dict[str, tuple[Codes, Codes]]:
    found = evaluate(network, vectors)
    return {name: (found[name].min(axis=0), found[name].max(axis=0)) for name in accumulators(network)}


def test_the_first_layer_reaches_its_exact_ends() -> None:
    random = np.random.default_rng(3)
    kernel = Constant(random.integers(-8, 8, (4, 5)), FixedPoint(True, 4, 4))
    network = Network((Input("inputs", (4,), WORD), Dense("sums", "inputs", kernel, None)))
    vectors = driving_vectors(network, _same, [WORD], np.zeros((1, 4), dtype=np.int64), seed=1)
    low, high = _ends(network, vectors)["sums"]
    np.testing.assert_array_equal(low, network.words["sums"].low)
    np.testing.assert_array_equal(high, network.words["sums"].high)


def test_a_deep_layer_reaches_what_going_through_every_vector_finds() -> None:
    random = np.random.default_rng(5)

    def dense(name: str, source: str, shape: tuple[int, int]) -> Dense:
        return Dense(name, source, Constant(random.integers(-4, 4, shape), FixedPoint(True, 3, 1)), None)

    relu = Quantize("relu", "one", FixedPoint.parse("ufixed<3,3,RND_CONV,SAT>"), "relu")
    network = Network((Input("inputs", (4,), WORD), dense("one", "inputs", (4, 6)), relu, dense("two", "relu", (6, 2))))
    every = np.array(list(itertools.product(range(8), repeat=4)))
    # an object that is there and one that is not are all that a single feature can say
    vectors = driving_vectors(network, _same, [WORD], np.zeros((1, 4), dtype=np.int64), seed=1)
    for name in ("one", "two"):
        for found, wanted in zip(_ends(network, vectors)[name], _ends(network, every)[name], strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_accumulator_falls_behind_the_vectors_that_were_known(seed: int) -> None:
    network = small_network(seed=seed)
    encoding = encoding_of(small_config(network))
    known = np.concatenate(list(corners(encoding).values()))
    features = [feature.word for feature in encoding.features]
    vectors = driving_vectors(network, encoding.codes_of_words, features, known, seed)
    before, after = (_ends(network, encoding.codes_of_words(words)) for words in (known, vectors))
    farther = 0
    for name, (low, high) in before.items():
        assert (after[name][0] <= low).all()
        assert (after[name][1] >= high).all()
        farther += int((after[name][0] < low).sum() + (after[name][1] > high).sum())
    assert farther > 0


def test_the_same_seed_gives_the_same_vectors_and_none_is_given_twice() -> None:
    network = small_network()
    encoding = encoding_of(small_config(network))
    known = np.zeros((1, encoding.inputs), dtype=np.int64)
    features = [feature.word for feature in encoding.features]
    one, other = (driving_vectors(network, encoding.codes_of_words, features, known, 7) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert len(np.unique(one, axis=0)) == len(one) <= LARGEST_GROUP


def test_events_of_a_single_object_are_driven_too() -> None:
    kernel = Constant.narrowest(np.array([[1], [-3]]), 0)
    network = Network((Input("inputs", (2,), FixedPoint(True, 5, 5)), Dense("sum", "inputs", kernel, None)))
    known = np.zeros((1, 2), dtype=np.int64)
    vectors = driving_vectors(network, _same, [FixedPoint(False, 4, 4), FixedPoint(True, 5, 5)], known, seed=1)
    assert [int(end[0]) for end in _ends(network, vectors)["sum"]] == [0 - 3 * 15, 15 + 3 * 16]


def test_a_network_without_sums_has_nothing_to_drive() -> None:
    relu = Quantize("relu", "inputs", FixedPoint.parse("ufixed<3,3,RND_CONV,SAT>"), "relu")
    network = Network((Input("inputs", (4,), WORD), relu))
    known = np.array([[1, 2, 3, 4], [0, 0, 0, 0]])
    np.testing.assert_array_equal(driving_vectors(network, _same, [WORD], known, seed=1), known[:1])
