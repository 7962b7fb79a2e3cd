"""The descriptions that the float, the quantized and the integer model share."""

from __future__ import annotations

from typing import Any

import pytest
from support.architectures import MODELS, small

from trigger_ad.config import (
    ConvolutionalAutoencoderConfig,
    DenseAutoencoderConfig,
    ModelConfig,
    StudentConfig,
    VariationalConfig,
)
from trigger_ad.errors import UserError
from trigger_ad.models.architectures import (
    Architecture,
    ConvolutionLayer,
    DenseLayer,
    PaddingLayer,
    PoolingLayer,
    WeightedLayer,
    architecture,
)


def convolutional(**given: Any) -> ConvolutionalAutoencoderConfig:
    blocks = [{"filters": 16, "kernel": [3, 3], "pool": [3, 1]}, {"filters": 32, "kernel": [3, 1], "pool": [3, 1]}]
    data = {"architecture": "convolutional_autoencoder", "blocks": blocks} | given
    return ConvolutionalAutoencoderConfig.model_validate(data)


def test_the_default_is_the_published_autoencoder() -> None:
    found = architecture(DenseAutoencoderConfig(), 19, 3)
    assert found.input_shape == (57,)
    assert found.inputs == 57
    assert [(layer.name, shape, layer.output_shape(shape)) for layer, shape in found.steps()] == [
        ("encoder_1", (57,), (32,)),
        ("encoder_2", (32,), (16,)),
        ("latent", (16,), (3,)),
        ("decoder_1", (3,), (16,)),
        ("decoder_2", (16,), (32,)),
        ("reconstruction", (32,), (57,)),
    ]
    assert found.latent == 3
    assert not found.variational


def test_a_student_ends_in_its_score() -> None:
    found = architecture(StudentConfig(architecture="student"), 19, 3)
    assert [(layer.name, layer.output_shape(shape)) for layer, shape in found.steps()] == [
        ("hidden_1", (32,)),
        ("hidden_2", (16,)),
        ("score", (1,)),
    ]
    assert found.decoder == ()
    assert found.weighted[-1] == DenseLayer("score", 1, "linear", "score")


def test_the_decoder_of_images_undoes_every_block() -> None:
    found = architecture(convolutional(), 19, 3)
    assert found.input_shape == (19, 3, 1)
    assert [(layer.name, layer.output_shape(shape)) for layer, shape in found.steps()] == [
        ("encoder_1", (19, 3, 16)),
        ("encoder_1_pooling", (6, 3, 16)),
        ("encoder_2", (6, 3, 32)),
        ("encoder_2_pooling", (2, 3, 32)),
        ("flatten", (192,)),
        ("latent", (8,)),
        ("decoder_1", (192,)),
        ("unflatten", (2, 3, 32)),
        ("decoder_2_upsampling", (6, 3, 32)),
        ("decoder_2", (6, 3, 16)),
        ("reconstruction_upsampling", (18, 3, 16)),
        # the row that did not fill a window
        ("reconstruction_padding", (19, 3, 16)),
        ("reconstruction", (19, 3, 1)),
    ]
    kernels = {layer.name: layer.kernel for layer in found.layers if isinstance(layer, ConvolutionLayer)}
    assert kernels == {"encoder_1": (3, 3), "encoder_2": (3, 1), "decoder_2": (3, 1), "reconstruction": (3, 3)}


POOLS = [
    [(1, 1)],
    [(19, 3)],
    [(5, 2), (2, 1), (1, 1)],
    [(1, 1), (4, 1), (4, 3)],
    [(2, 1), (2, 1), (2, 1), (2, 1)],
]


@pytest.mark.parametrize("pools", POOLS)
@pytest.mark.parametrize("hidden", [(), (11,), (11, 7)])
def test_every_reconstruction_has_the_shape_of_the_image(pools: list[tuple[int, int]], hidden: tuple[int, ...]) -> None:
    # kernels larger than the image are padded like any other
    blocks = [{"filters": 2 + index, "kernel": (3, 5), "pool": pool} for index, pool in enumerate(pools)]
    found = architecture(convolutional(blocks=blocks, hidden=hidden), 19, 3)
    shapes = found.shapes()
    assert shapes["reconstruction"] == (19, 3, 1)
    assert len(shapes) == len(found.layers)
    # every convolution of the decoder gives what the one before it read in the encoder
    read = [shape for layer, shape in found.steps() if isinstance(layer, ConvolutionLayer)]
    made = [shapes[layer.name] for layer in found.decoder if isinstance(layer, ConvolutionLayer)]
    assert made == read[: len(pools)][::-1]
    assert [layer.size for layer in found.layers if isinstance(layer, PoolingLayer)] == [
        pool for pool in pools if pool != (1, 1)
    ]


def test_nothing_is_padded_where_windows_divide_the_image() -> None:
    found = architecture(convolutional(blocks=[{"filters": 2, "kernel": (1, 1), "pool": (3, 1)}]), 18, 3)
    assert not any(isinstance(layer, PaddingLayer) for layer in found.layers)


@pytest.mark.parametrize(
    ("pools", "block", "left"), [([(20, 1)], 1, "19x3"), ([(4, 1), (2, 1), (3, 1)], 3, "2x3"), ([(1, 4)], 1, "19x3")]
)
def test_a_window_larger_than_what_is_left_is_refused(pools: list[tuple[int, int]], block: int, left: str) -> None:
    blocks = [{"filters": 2, "kernel": (1, 1), "pool": pool} for pool in pools]
    with pytest.raises(UserError, match=rf"of block {block} is larger than the {left} image"):
        architecture(convolutional(blocks=blocks), 19, 3)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            DenseAutoencoderConfig(hidden=(8, 6), dropout=(0.1, 0.2)),
            {"encoder_1": 0.1, "encoder_2": 0.2, "decoder_1": 0.2, "decoder_2": 0.1},
        ),
        (
            convolutional(hidden=(9,), dropout=(0.1, 0.2, 0.3)),
            {
                "encoder_1": 0.1,
                "encoder_2": 0.2,
                "encoder_3": 0.3,
                "decoder_1": 0.3,
                "decoder_2": 0.2,
                "decoder_3": 0.1,
            },
        ),
        (StudentConfig(architecture="student", dropout=(0.1, 0.2)), {"hidden_1": 0.1, "hidden_2": 0.2}),
    ],
)
def test_dropout_is_mirrored(model: ModelConfig, expected: dict[str, float]) -> None:
    found = architecture(model, 19, 3)
    assert {layer.name: layer.dropout for layer in found.weighted if layer.dropout} == expected


@pytest.mark.parametrize("name", MODELS)
def test_hidden_layers_have_a_relu_and_the_others_are_linear(name: str) -> None:
    last = {"latent": "latent", "reconstruction": "output", "score": "score"}
    for layer in small(name).weighted:
        assert layer.activation == ("linear" if layer.name in last else "relu")
        assert layer.group == last.get(layer.name, "activations")
        assert layer.batch_normalization == (layer.activation == "relu")


@pytest.mark.parametrize("name", MODELS)
def test_batch_normalization_is_left_out_if_not_wanted(name: str) -> None:
    model = MODELS[name].model_copy(update={"batch_normalization": False})
    assert not any(layer.batch_normalization for layer in architecture(model, 7, 2).weighted)


@pytest.mark.parametrize("name", MODELS)
def test_names_are_unique(name: str) -> None:
    layers = small(name).layers
    assert len({layer.name for layer in layers}) == len(layers)


def test_firmware_leaves_the_decoder_out_where_the_score_needs_none() -> None:
    model = DenseAutoencoderConfig(variational=VariationalConfig())
    found = architecture(model, 19, 3)
    assert found.variational
    assert found.shipped("squared_error") is found
    assert found.shipped("squared_error_present") is found
    for score in ("mu_squared", "mahalanobis"):
        assert found.shipped(score) == Architecture((57,), found.encoder, (), True)


def test_kernels_have_the_shapes_of_keras() -> None:
    shapes = {
        layer.name: layer.kernel_shape(shape)
        for layer, shape in small("average").steps()
        if isinstance(layer, WeightedLayer)
    }
    assert shapes == {
        "encoder_1": (3, 2, 1, 3),
        "encoder_2": (3, 1, 3, 2),
        "latent": (2, 2),
        "decoder_1": (2, 2),
        "decoder_2": (3, 1, 2, 3),
        "reconstruction": (3, 2, 3, 1),
    }
