"""The network of extreme weights: as wide as any with the same types, and refused by name where it is too wide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.networks import small_architecture

from trigger_ad.config import Config, QuantizationConfig
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding
from trigger_ad.models.architectures import dense_autoencoder
from trigger_ad.network.graph import Constant, Dense, Elementwise, Input, Network, Node, Quantize
from trigger_ad.network.worst_case import worst_case_network

bits = st.integers(2, 8)
widths = st.builds(QuantizationConfig, weights=bits, biases=bits, activations=bits, latent=bits, output=bits)


def random_network(config: QuantizationConfig, input_type: FixedPoint, seed: int) -> Network:
    """Random weights, often extreme ones, in words with the same binary points as those of the worst case."""
    random = np.random.default_rng(seed)

    def constant(width: int, shape: tuple[int, ...]) -> Constant:
        kind = FixedPoint(True, width, 1)
        codes = random.integers(kind.code_min, kind.code_max + 1, shape)
        extremes = random.choice([kind.code_min, kind.code_max], shape if random.random() < 0.5 else 1)
        return Constant(np.where(random.random() < 0.7, extremes, codes), kind)

    nodes: list[Node] = [Input("inputs", 4, input_type)]
    widths = {"activations": config.activations, "latent": config.latent, "output": config.output}
    for layer in small_architecture().layers:
        kernel = constant(config.weights, (layer.inputs, layer.units))
        relu = layer.activation == "relu"
        kind = FixedPoint(not relu, widths[layer.group], int(not relu), Rounding.NEAREST_EVEN, Overflow.SATURATE)
        nodes.append(Dense(layer.name, nodes[-1].name, kernel, constant(config.biases, (layer.units,))))
        nodes.append(Quantize(f"{layer.name}_output", layer.name, kind, layer.activation))
    nodes.append(Elementwise("difference", "inputs", nodes[-1].name, "subtract"))
    nodes.append(Elementwise("square", "difference", "difference", "multiply"))
    nodes.append(Dense("score", "square", Constant.narrowest(np.ones((4, 1), dtype=np.int64), 0), None))
    return Network(tuple(nodes))


@settings(max_examples=300)
@given(config=widths, signed=st.booleans(), width=bits, integer=st.integers(-2, 10), seed=st.integers(0, 2**32 - 1))
def test_no_weights_of_the_same_types_need_wider_words(
    config: QuantizationConfig, signed: bool, width: int, integer: int, seed: int
) -> None:
    input_type = FixedPoint(signed, width, integer)
    worst = worst_case_network(small_architecture(), config, input_type)
    drawn = random_network(config, input_type, seed)
    for name in drawn.words:
        assert drawn.type(name).integer <= worst.type(name).integer
        assert drawn.type(name).fraction == worst.type(name).fraction


def test_a_layer_behind_a_relu_is_not_taken_for_idle() -> None:
    config = QuantizationConfig(weights=8, biases=8, activations=8, latent=8, output=8)
    worst = worst_case_network(small_architecture(), config, FixedPoint(False, 8, 3))
    # three products of 8 by 8 bits, signed, and a bias beside them
    assert worst.type("latent").width == 8 + 8 + 2


def test_the_default_configuration_stays_exact() -> None:
    config = Config(name="a")
    encoding = InputEncoding(config.inputs)
    network = worst_case_network(
        dense_autoencoder(config.model, encoding.inputs), config.quantization, encoding.network_type
    )
    assert network.output.name == "score"
    assert network.words["score"].size == 1
    assert max(word.type.width for word in network.words.values()) <= 53


def test_widths_of_the_configuration_are_those_of_the_words() -> None:
    config = QuantizationConfig(weights=3, biases=4, activations=5, latent=6, output=7)
    network = worst_case_network(small_architecture(), config, FixedPoint(True, 8, 3))
    assert [network.type(f"{name}_output").width for name in ("encoder_1", "latent", "reconstruction")] == [5, 6, 7]
    layers = [node for node in network.nodes if isinstance(node, Dense) and node.bias is not None]
    assert [layer.kernel.codes.shape for layer in layers] == [(4, 3), (3, 2), (2, 4)]
    assert all(layer.kernel.type == FixedPoint(True, 3, 1) for layer in layers)
    # one bit more than a negative bias needs, so that a positive one can be as large
    assert all(layer.bias.type == FixedPoint(True, 5, 2) for layer in layers if layer.bias)


def test_the_layer_that_is_too_wide_is_named() -> None:
    config = QuantizationConfig(weights=24, biases=24, activations=24, latent=24, output=24)
    with pytest.raises(UserError, match=r"layer '\w+' needs a word of \d+ bits to be exact, more than 53"):
        worst_case_network(small_architecture(), config, FixedPoint(True, 24, 4))
