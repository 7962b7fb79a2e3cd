"""Keras in float64 equals the integer reference in every layer; in float32 it does not once words are wide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.networks import load_qkeras
from support.qkeras_models import Role, dense_autoencoder
from support.runs import network_codes

from trigger_ad.emulation.agreement import compare, compare_alone
from trigger_ad.emulation.keras import float32_layers, float64_layers, float64_layers_alone
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.models.keras import tf_keras
from trigger_ad.network.evaluation import evaluate, evaluate_layer
from trigger_ad.network.freezing import freeze
from trigger_ad.network.graph import Network
from trigger_ad.network.layer_vectors import layer_vectors


def _model(bits: int) -> Any:
    """6-4-2-4-6 of words of so many bits: weights within -1 and 1, linear activations within -4 and 4."""
    return dense_autoencoder([4, 2, 4], 6, _quantizer(bits), seed=3, scale=0.5)


def _quantizer(bits: int) -> Callable[[Role], Any]:
    qkeras = load_qkeras()

    def quantizer(role: Role) -> Any:
        if role == "relu":
            return qkeras.quantized_relu(bits, 3)
        return qkeras.quantized_bits(bits, 0 if role == "weights" else 2, alpha=1)

    return quantizer


def _case(bits: int) -> tuple[Any, Network, Codes, dict[str, Codes]]:
    model = _model(bits)
    network = freeze(model, FixedPoint.parse(f"fixed<{bits},3>"))
    inputs = network_codes(network)
    return model, network, inputs, evaluate(network, inputs)


@pytest.mark.parametrize("bits", [6, 16])
def test_float64_equals_the_reference_in_every_layer(bits: int) -> None:
    model, network, inputs, reference = _case(bits)
    found = float64_layers(model, network)(inputs)
    assert found.keys() == {node.name for node in network.nodes[1:]}
    assert all(values.dtype == np.float64 for values in found.values())
    result = compare("keras_float64", network, reference, found, 0.0)
    assert (result.exact, result.layers) == (True, dict.fromkeys(found, 0))
    assert tf_keras.backend.floatx() == "float32"


def test_float32_equals_it_while_words_have_at_most_24_bits() -> None:
    model, network, inputs, reference = _case(6)
    assert max(word.type.width for word in network.words.values()) <= 24
    assert compare("keras_float32", network, reference, float32_layers(model, network)(inputs), 0.0).exact


def test_float32_differs_where_words_are_wider() -> None:
    model, network, inputs, reference = _case(16)
    assert network.type("score").width > 24
    result = compare("keras_float32", network, reference, float32_layers(model, network)(inputs), 0.0)
    assert not result.exact
    assert result.first_difference is not None
    assert result.layers["score"] > 0


def test_a_model_that_is_not_the_network_is_found_in_its_layer() -> None:
    model, network, inputs, reference = _case(6)
    kernel, bias = model.get_layer("decoder_1").get_weights()
    model.get_layer("decoder_1").set_weights([kernel, bias + 0.25])
    result = compare("keras_float64", network, reference, float64_layers(model, network)(inputs), 0.0)
    assert result.first_difference is not None
    assert result.first_difference.layer == "decoder_1"
    assert (result.layers["latent_quantized"], result.layers["decoder_1"]) == (0, len(inputs))


def test_another_model_is_refused_by_the_layer_that_it_lacks() -> None:
    _, network, _, _ = _case(8)
    for other, reason in [
        (dense_autoencoder([4], 6, _quantizer(8), seed=3), "has no layer 'encoder_1'"),
        (dense_autoencoder([4, 3, 4], 6, _quantizer(8), seed=3), r"has values of shape \(3,\) from the layer 'latent'"),
        (dense_autoencoder([4, 2, 4], 7, _quantizer(8), seed=3), r"has values of shape \(7,\) from the layer 'inputs'"),
    ]:
        for emulator in (float64_layers, float32_layers):
            with pytest.raises(UserError, match=reason):
                emulator(other, network)


def test_every_layer_alone_is_the_reference_s_for_any_codes() -> None:
    model, network, _, _ = _case(8)
    given = layer_vectors(network, seed=1)
    found = float64_layers_alone(model, network, given)
    assert list(found) == [node.name for node in network.nodes[1:]]
    for node in network.nodes[1:]:
        expected = evaluate_layer(network, node.name, {name: given[name] for name in node.sources})
        np.testing.assert_array_equal(network.type(node.name).values(expected), found[node.name])


def test_a_layer_that_is_not_the_network_s_differs_alone_and_no_other_does() -> None:
    model, network, _, _ = _case(8)
    kernel, bias = model.get_layer("decoder_1").get_weights()
    model.get_layer("decoder_1").set_weights([kernel, bias + 0.25])
    given = layer_vectors(network, seed=1)
    sources = {node.name: {name: given[name] for name in node.sources} for node in network.nodes[1:]}
    expected = {name: evaluate_layer(network, name, own) for name, own in sources.items()}
    alone = compare_alone(network, expected, float64_layers_alone(model, network, given))
    assert {name for name, count in alone.layers.items() if count} == {"decoder_1"}
    assert alone.first_difference is not None
    assert alone.first_difference.layer == "decoder_1"
