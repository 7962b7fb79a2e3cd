"""The description of the autoencoder, which the float, the quantized and the integer model share."""

from __future__ import annotations

import itertools

import pytest

from trigger_ad.config import ModelConfig
from trigger_ad.models.architectures import dense_autoencoder


def test_the_default_is_the_published_autoencoder() -> None:
    architecture = dense_autoencoder(ModelConfig(), 57)
    assert architecture.inputs == 57
    assert [(layer.name, layer.inputs, layer.units) for layer in architecture.layers] == [
        ("encoder_1", 57, 32),
        ("encoder_2", 32, 16),
        ("latent", 16, 3),
        ("decoder_1", 3, 16),
        ("decoder_2", 16, 32),
        ("reconstruction", 32, 57),
    ]


@pytest.mark.parametrize("hidden", [(5,), (9, 7, 5), (4, 4)])
def test_the_decoder_mirrors_the_encoder(hidden: tuple[int, ...]) -> None:
    layers = dense_autoencoder(ModelConfig(hidden=hidden, latent=2), 57).layers
    units = [layer.units for layer in layers]
    assert units == [*hidden, 2, *reversed(hidden), 57]
    assert all(one.units == following.inputs for one, following in itertools.pairwise(layers))
    assert len({layer.name for layer in layers}) == len(layers)


def test_hidden_layers_have_a_relu_and_the_others_are_linear() -> None:
    for layer in dense_autoencoder(ModelConfig(), 57).layers:
        hidden = layer.name not in ("latent", "reconstruction")
        assert layer.activation == ("relu" if hidden else "linear")
        assert layer.group == ("activations" if hidden else {"reconstruction": "output"}.get(layer.name, "latent"))


@pytest.mark.parametrize("wanted", [True, False])
def test_only_hidden_layers_are_normalised_and_only_if_wanted(wanted: bool) -> None:
    for layer in dense_autoencoder(ModelConfig(batch_normalization=wanted), 57).layers:
        assert layer.batch_normalization == (wanted and layer.activation == "relu")
