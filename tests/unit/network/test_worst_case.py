"""The network of extreme weights: as wide as any with the same types, and refused by name where it is too wide."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.networks import small_architecture

from trigger_ad.config import Config, QuantizationConfig
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.models.architectures import dense_autoencoder
from trigger_ad.network.graph import Constant, Dense, Network
from trigger_ad.network.worst_case import worst_case_network

bits = st.integers(2, 8)
widths = st.builds(QuantizationConfig, weights=bits, biases=bits, activations=bits, latent=bits, output=bits)


def with_random_weights(network: Network, seed: int) -> Network:
    random = np.random.default_rng(seed)

    def drawn(constant: Constant) -> Constant:
        low, high = constant.type.code_min, constant.type.code_max
        return Constant(random.integers(low, high + 1, constant.codes.shape), constant.type)

    nodes = [
        dataclasses.replace(node, kernel=drawn(node.kernel), bias=drawn(node.bias))
        if isinstance(node, Dense) and node.bias is not None
        else node
        for node in network.nodes
    ]
    return Network(tuple(nodes))


@given(config=widths, signed=st.booleans(), width=bits, seed=st.integers(0, 2**32 - 1))
def test_no_weights_of_the_same_types_need_wider_words(
    config: QuantizationConfig, signed: bool, width: int, seed: int
) -> None:
    worst = worst_case_network(small_architecture(), config, FixedPoint(signed, width, 3))
    drawn = with_random_weights(worst, seed)
    for name in worst.words:
        assert drawn.type(name).integer <= worst.type(name).integer
        assert drawn.type(name).fraction == worst.type(name).fraction


def test_the_default_configuration_stays_exact() -> None:
    config = Config(name="a")
    encoding = InputEncoding(config.inputs)
    network = worst_case_network(dense_autoencoder(config.model), config.quantization, encoding.network_type)
    assert network.output.name == "score"
    assert network.words["score"].size == 1
    assert max(word.type.width for word in network.words.values()) <= 53


def test_widths_of_the_configuration_are_those_of_the_words() -> None:
    config = QuantizationConfig(weights=3, biases=4, activations=5, latent=6, output=7)
    network = worst_case_network(small_architecture(), config, FixedPoint(True, 8, 3))
    assert [network.type(f"{name}_output").width for name in ("encoder_1", "latent", "reconstruction")] == [5, 6, 7]
    for node in network.nodes:
        if isinstance(node, Dense) and node.bias is not None:
            assert (node.kernel.type.width, node.bias.type.width) == (3, 4)


def test_the_layer_that_is_too_wide_is_named() -> None:
    config = QuantizationConfig(weights=24, biases=24, activations=24, latent=24, output=24)
    with pytest.raises(UserError, match=r"layer '\w+' needs a word of \d+ bits to be exact, more than 53"):
        worst_case_network(small_architecture(), config, FixedPoint(True, 24, 4))
