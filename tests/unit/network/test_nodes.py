"""Nodes are read back from their JSON form; constants are kept in the fewest bits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fixed_points import exact_value
from support.image_networks import image_networks
from support.networks import networks

from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    Constant,
)

any_network = st.one_of(networks(), image_networks())


@given(any_network)
def test_a_network_is_read_back_from_json(network: Network) -> None:
    text = json.dumps(network.to_json(), allow_nan=False)
    again = Network.from_json(json.loads(text))
    assert json.dumps(again.to_json()) == text
    assert [type(node) for node in again.nodes] == [type(node) for node in network.nodes]
    for name, word in network.words.items():
        assert again.words[name].type == word.type
        assert again.words[name].low.tolist() == word.low.tolist()
        assert again.words[name].high.tolist() == word.high.tolist()


def test_a_node_of_another_kind_is_not_read() -> None:
    with pytest.raises(ValueError, match="no node of kind 'pool'"):
        Network.from_json({"nodes": [{"name": "a", "kind": "pool", "sources": []}]})


@given(st.lists(st.integers(-(2**51), 2**51), min_size=1), st.integers(-30, 60), st.integers(0, 1))
def test_constants_keep_their_values_in_the_fewest_bits(codes: list[int], fraction: int, zeros: int) -> None:
    stored = Constant.narrowest(np.array(codes) << zeros, fraction)
    assert [exact_value(stored.type, int(code)) for code in stored.codes] == [
        exact_value(FixedPoint(True, 53, 53 - fraction), code << zeros) for code in codes
    ]
    assert stored.type.plain() == FixedPoint.holding(
        int(stored.codes.min()), int(stored.codes.max()), stored.type.fraction
    )
    # one bit fewer would lose the lowest bit of some code
    assert (stored.codes % 2 == 1).any() or not stored.codes.any()
