"""The network of extreme weights: as wide as any with the same types, and refused by name where it is too wide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.architectures import FEATURES, INPUT_TYPE, MODELS, events, randomise, small

from trigger_ad.config import Config, QuantizationConfig, ScoreName, meaningful_scores
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.models.architectures import architecture
from trigger_ad.models.floating import build_float, fold_batch_normalization
from trigger_ad.models.precision import calibrate
from trigger_ad.models.quantized import build_quantized
from trigger_ad.models.score_layers import with_score
from trigger_ad.network.freezing import freeze
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Convolution, Dense, Input, Node
from trigger_ad.network.worst_case import worst_case_network

bits = st.integers(2, 8)
widths = st.builds(QuantizationConfig, weights=bits, biases=bits, activations=bits, latent=bits, output=bits)
CASES = [(name, score) for name, model in MODELS.items() for score in meaningful_scores(model)]


def with_random_weights(network: Network, seed: int) -> Network:
    """The same network with weights drawn from the same words, extreme ones often."""
    random = np.random.default_rng(seed)

    def constant(given: Constant, width: int) -> Constant:
        low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
        codes = random.integers(low, high + 1, given.codes.shape)
        extremes = random.choice([low, high], given.codes.shape if random.random() < 0.5 else 1)
        return Constant(np.where(random.random() < 0.7, extremes, codes), given.type)

    def drawn(node: Node) -> Node:
        if not isinstance(node, Dense | Convolution) or node.bias is None:
            return node
        # a bias has a word of one bit more, so that the largest is of either sign
        return replace(
            node,
            kernel=constant(node.kernel, node.kernel.type.width),
            bias=constant(node.bias, node.bias.type.width - 1),
        )

    return Network(tuple(map(drawn, network.nodes)))


@settings(max_examples=300)
@given(
    case=st.sampled_from(CASES),
    config=widths,
    signed=st.booleans(),
    width=bits,
    integer=st.integers(-2, 10),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_weights_of_the_same_types_need_wider_words(
    case: tuple[str, ScoreName], config: QuantizationConfig, signed: bool, width: int, integer: int, seed: int
) -> None:
    name, score = case
    worst = worst_case_network(small(name), score, config, FixedPoint(signed, width, integer), FEATURES)
    drawn = with_random_weights(worst, seed)
    for node in drawn.words:
        assert drawn.type(node).integer <= worst.type(node).integer
        assert drawn.type(node).fraction == worst.type(node).fraction


@pytest.mark.parametrize("bits_of_score", [None, 10])
@pytest.mark.parametrize(("name", "score"), CASES)
def test_it_has_the_layers_of_the_network_that_ships(name: str, score: ScoreName, bits_of_score: int | None) -> None:
    config, inputs = QuantizationConfig(score=bits_of_score), events(200)
    weights = fold_batch_normalization(randomise(build_float(small(name))), small(name))
    calibration = calibrate(weights, small(name), config, inputs, score)
    part = build_quantized(small(name), weights, calibration.precisions, score)
    ships = freeze(with_score(part, small(name), score, config, inputs, INPUT_TYPE, FEATURES).model, INPUT_TYPE)
    worst = worst_case_network(small(name), score, config, INPUT_TYPE, FEATURES)
    # Keras lists its layers in an order of its own
    assert _layers(worst) == _layers(ships)


def _layers(network: Network) -> set[tuple[str, str, tuple[int, ...]]]:
    """What is there, without the inputs in the middle of a worst case."""
    free = {node.name for node in network.nodes[1:] if isinstance(node, Input)}
    return {(node.name, node.kind, network.words[node.name].shape) for node in network.nodes if node.name not in free}


def test_a_layer_behind_a_relu_is_not_taken_for_idle() -> None:
    config = QuantizationConfig(weights=8, biases=8, activations=8, latent=8, output=8)
    worst = worst_case_network(small("dense"), "squared_error", config, FixedPoint(False, 8, 3), FEATURES)
    # five products of 8 by 8 bits, signed, and a bias beside them
    assert worst.type("latent").width == 8 + 8 + 3


def test_the_default_configuration_stays_exact() -> None:
    config = Config(name="a")
    encoding = InputEncoding(config.inputs)
    network = worst_case_network(
        architecture(config.model, 19, 3), config.score, config.quantization, encoding.network_type, 3
    )
    assert network.output.name == "score"
    assert network.words["score"].size == 1
    assert max(word.type.width for word in network.words.values()) <= 53


def test_widths_of_the_configuration_are_those_of_the_words() -> None:
    config = QuantizationConfig(weights=3, biases=4, activations=5, latent=6, output=7)
    network = worst_case_network(small("dense"), "squared_error", config, FixedPoint(True, 8, 3), FEATURES)
    quantizers = ("encoder_1_relu", "latent_quantized", "reconstruction_quantized")
    assert [network.type(name).width for name in quantizers] == [5, 6, 7]
    layers = [node for node in network.nodes if isinstance(node, Dense) and node.bias is not None]
    assert [layer.kernel.codes.shape for layer in layers] == [(14, 6), (6, 5), (5, 3), (3, 5), (5, 6), (6, 14)]
    assert all(layer.kernel.type == FixedPoint(True, 3, 1) for layer in layers)
    # one bit more than a negative bias needs, so that a positive one can be as large
    assert all(layer.bias.type == FixedPoint(True, 5, 2) for layer in layers if layer.bias)


@pytest.mark.parametrize("name", ["dense", "average"])
def test_the_layer_that_is_too_wide_is_named(name: str) -> None:
    config = QuantizationConfig(weights=24, biases=24, activations=24, latent=24, output=24)
    with pytest.raises(UserError, match=r"layer '\w+' needs a word of \d+ bits to be exact, more than 53"):
        worst_case_network(small(name), "squared_error", config, FixedPoint(True, 24, 4), FEATURES)
