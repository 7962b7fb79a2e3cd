"""Codes for layers alone: any that a word can have, and no other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.networks import networks

from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.layer_vectors import CODES_OF_A_WORD, FEWEST, MOST, layer_vectors
from trigger_ad.network.nodes import Constant, Dense, Input, Quantize, Upsampling


@settings(max_examples=50)
@given(network=networks(), seed=st.integers(0, 9))
def test_every_word_that_is_read_has_as_many_codes_within_its_bounds(network: Network, seed: int) -> None:
    vectors = layer_vectors(network, seed)
    assert list(vectors) == [node.name for node in network.nodes if network.consumers(node.name)]
    for name, codes in vectors.items():
        word = network.words[name]
        assert codes.shape == (MOST + 3, *word.shape)
        assert (codes >= word.low).all()
        assert (codes <= word.high).all()
        np.testing.assert_array_equal(codes[0], word.low)
        np.testing.assert_array_equal(codes[1], word.high)


def test_they_go_beyond_what_the_layers_before_would_give() -> None:
    kind, relu = FixedPoint(False, 2, 2), FixedPoint.parse("ufixed<6,6,RND_CONV,SAT>")
    kernel = Constant(np.full((1, 2), 10), FixedPoint(False, 4, 4))
    nodes = (
        Input("inputs", (1,), kind),
        Dense("sums", "inputs", kernel, None),
        Quantize("relu", "sums", relu, "relu"),
        Dense("score", "relu", Constant(np.ones((2, 1), dtype=np.int64), FixedPoint(False, 1, 1)), None),
    )
    codes = layer_vectors(Network(nodes), seed=1)["relu"]
    # four inputs alone, and both sums always equal, are what the network itself could give
    assert len(np.unique(codes)) == 31
    assert (codes[:, 0] != codes[:, 1]).any()


def test_a_wide_word_has_fewer_vectors_but_not_too_few() -> None:
    kind = FixedPoint(False, 2, 2)
    small, large = (
        Network(
            (
                Input("inputs", (1, 1, 1), kind),
                Upsampling("more", "inputs", (size, 1)),
                Upsampling("same", "more", (1, 1)),
            )
        )
        for size in (1000, CODES_OF_A_WORD)
    )
    assert len(layer_vectors(small, 1)["more"]) == CODES_OF_A_WORD // 1000 + 3
    assert len(layer_vectors(large, 1)["inputs"]) == FEWEST + 3


def test_the_seed_decides() -> None:
    network = Network(
        (Input("inputs", (3,), FixedPoint(True, 8, 8)), Quantize("output", "inputs", FixedPoint(True, 8, 8), "linear"))
    )
    one, same, other = (layer_vectors(network, seed)["inputs"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
