"""Layers of images: the frozen network is the QKeras model in float64, value for value, or a layer is refused."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from support.networks import load_qkeras

from trigger_ad.emulation.agreement import compare
from trigger_ad.emulation.keras import float64_layers
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.models.keras import tf_keras
from trigger_ad.network.evaluation import evaluate, saturations
from trigger_ad.network.freezing import freeze
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Convolution, Input, Pooling, Reshape, Upsampling, ZeroPadding

qkeras = load_qkeras()
layers = tf_keras.layers
INPUT_TYPE = FixedPoint(True, 7, 3)


def bits(width: int = 6, integer: int = 2) -> Any:
    return qkeras.quantized_bits(width, integer, alpha=1)


def convolution(filters: int = 2, size: Any = (2, 2), /, **changes: Any) -> Any:
    """A layer that converts, unless the changes say otherwise."""
    settings = {"kernel_quantizer": bits(), "bias_quantizer": bits(8, 3), "name": "my_layer"}
    # QKeras draws start values at random, and warns of some
    return qkeras.QConv2D(filters, size, **(settings | {"kernel_initializer": "zeros"} | changes))


def dense(units: int, /, **changes: Any) -> Any:
    settings = {"kernel_quantizer": bits(), "bias_quantizer": bits(), "kernel_initializer": "zeros"}
    return qkeras.QDense(units, **(settings | changes))


def relu(width: int = 6, integer: int = 2) -> Any:
    return qkeras.QActivation(qkeras.quantized_relu(width, integer))


def linear(width: int = 7, integer: int = 3) -> Any:
    return qkeras.QActivation(bits(width, integer))


def chain(*steps: Any, shape: Sequence[int | None] = (5, 3, 2), seed: int = 1) -> Any:
    """A model of layers one after another, with random weights."""
    values = first = tf_keras.Input(tuple(shape), name="inputs")
    for layer in steps:
        values = layer(values)
    model, random = tf_keras.Model(first, values), np.random.default_rng(seed)
    model.set_weights([random.normal(0, 2, weight.shape) for weight in model.get_weights()])
    return model


def codes_for(network: Network, seed: int = 1) -> Codes:
    """Codes at random, at extremes, and few and falling as those of an event's objects."""
    random, kind, size = np.random.default_rng(seed), network.input.type, network.input.size
    falling = np.floor(random.exponential(kind.code_max / 8, (300, size))) * random.choice([1, -1 * kind.signed], size)
    absent = random.random((300, size)) < 0.4
    return np.concatenate(
        [
            np.array([[kind.code_min] * size, [0] * size, [kind.code_max] * size]),
            random.choice([kind.code_min, 0, kind.code_max], (300, size)),
            random.integers(kind.code_min, kind.code_max + 1, (300, size)),
            np.where(absent, 0, np.clip(falling, kind.code_min, kind.code_max)).astype(np.int64),
        ]
    )


def require_equal(model: Any, kind: FixedPoint = INPUT_TYPE) -> Network:
    """The frozen network, after every layer was found equal to the model's in float64."""
    network = freeze(model, kind)
    inputs = codes_for(network)
    reference, found = evaluate(network, inputs), float64_layers(model, network)(inputs)
    assert list(found) == [node.name for node in network.nodes[1:]]
    for name, values in found.items():
        word = network.words[name]
        assert values.shape == (len(inputs), *word.shape)
        np.testing.assert_array_equal(word.type.values(reference[name]) / word.divisor, values)
    assert compare("keras_float64", network, reference, found, 0.0).exact
    return network


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size", [(3, 1), (2, 3), (3, 3)])
@pytest.mark.parametrize("strides", [(1, 1), (2, 3), (4, 4)])
def test_a_convolution_is_the_layer(padding: str, size: tuple[int, int], strides: tuple[int, int]) -> None:
    # an image of even and odd size, as the zeros around it depend on that
    model = chain(convolution(3, size, padding=padding, strides=strides), relu(), shape=(6, 5, 2))
    node = require_equal(model).nodes[1]
    assert isinstance(node, Convolution)
    assert node.strides == strides


@pytest.mark.parametrize("size", [(1, 6), (2, 5), (7, 3)])
def test_zeros_around_an_image_are_where_tensorflow_puts_them(size: tuple[int, int]) -> None:
    for kernel, stride in itertools.product((1, 2, 3, 4), (1, 2, 3)):
        other = {"strides": (stride, 4 - stride), "padding": "same"}
        require_equal(chain(convolution(1, (kernel, 5 - kernel), **other), shape=(*size, 1)))


def test_the_odd_zero_is_after_the_image() -> None:
    (_, node) = require_equal(chain(convolution(1, (2, 4), padding="same"))).nodes
    assert isinstance(node, Convolution)
    assert node.padding == ((0, 1), (1, 2))


def test_a_convolution_without_bias_has_none() -> None:
    (_, node) = require_equal(chain(convolution(use_bias=False, activation="linear"))).nodes
    assert isinstance(node, Convolution)
    assert node.bias is None


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (3, 1), (3, 2), (5, 3), (2, 2)])
@pytest.mark.parametrize("kind", [layers.MaxPooling2D, layers.AveragePooling2D])
def test_pooling_is_the_layer(kind: Any, size: tuple[int, int]) -> None:
    network = require_equal(chain(linear(), kind(size, name="pool"), linear(5, 1), relu(3, 1)))
    assert isinstance(network.nodes[2], Pooling)


@pytest.mark.parametrize("size", [(5, 1), (3, 3)])
@pytest.mark.parametrize(("width", "integer"), [(4, 3), (8, 3), (16, 0), (3, 9)])
def test_an_average_is_rounded_once_to_any_word(size: tuple[int, int], width: int, integer: int) -> None:
    for activation in (bits(width, integer), qkeras.quantized_relu(width, integer)):
        network = require_equal(chain(layers.AveragePooling2D(size, name="pool"), qkeras.QActivation(activation)))
        assert network.words["pool"].divisor == size[0] * size[1]


def test_what_an_average_saturates_is_counted_after_the_division() -> None:
    model = chain(layers.AveragePooling2D((3, 1), name="pool"), qkeras.QActivation(bits(4, 1), name="narrow"))
    network = freeze(model, INPUT_TYPE)
    inputs = codes_for(network)
    averages = float64_layers(model, network)(inputs)["pool"]
    # quarters from -2 to 1.75; a tie at 1.875 goes to the even 2, beyond it, and one at -2.125 to -2
    outside = (averages >= 1.875) | (averages < -2.125)
    assert saturations(network, evaluate(network, inputs))["narrow"].saturated == outside.sum()
    assert outside.any()


@pytest.mark.parametrize("kind", [layers.MaxPooling2D, layers.AveragePooling2D])
def test_same_padding_of_a_pooling_converts_where_it_pads_nothing(kind: Any) -> None:
    require_equal(chain(kind((3, 1), padding="same"), linear(), shape=(6, 2, 1)))
    with pytest.raises(UserError, match=r"layer 'my_layer' pads an image of \(5, 3\) to windows of \(3, 1\)"):
        freeze(chain(kind((3, 1), padding="same", name="my_layer"), linear()), INPUT_TYPE)


def test_upsampling_padding_and_reshaping_are_the_layers() -> None:
    network = require_equal(
        chain(
            layers.UpSampling2D((3, 2)),
            layers.ZeroPadding2D(((1, 2), (0, 3))),
            layers.Flatten(),
            layers.Reshape((18, 9, 2)),
            layers.Reshape((-1,)),
        )
    )
    kinds = [Input, Upsampling, ZeroPadding, Reshape, Reshape, Reshape]
    assert [type(node) for node in network.nodes] == kinds
    assert network.words[network.output.name].shape == (18 * 9 * 2,)


@pytest.mark.parametrize("seed", range(3))
def test_an_autoencoder_of_images_with_its_score_is_the_model(seed: int) -> None:
    first = tf_keras.Input((57,), name="inputs")
    image = layers.Reshape((19, 3, 1))(first)
    steps = [
        convolution(4, (3, 3), padding="same", name="first"), relu(), layers.MaxPooling2D((3, 1)), layers.Dropout(0.3),
        convolution(5, (3, 1), name="second", strides=(1, 2)), relu(), layers.AveragePooling2D((2, 2)), linear(),
        layers.Flatten(), dense(3), linear(), dense(18), relu(), layers.GaussianNoise(0.5), layers.Reshape((6, 1, 3)),
        layers.UpSampling2D((3, 3)), layers.ZeroPadding2D(((0, 1), (0, 0))),
        convolution(1, (3, 1), padding="same", name="last"), linear(8, 4),
    ]  # fmt: skip
    values = image
    for step in steps:
        values = step(values)
    difference = layers.Subtract()([image, values])
    square = layers.Flatten()(layers.Multiply()([difference, difference]))
    model, random = tf_keras.Model(first, dense(1, use_bias=False)(square)), np.random.default_rng(seed)
    model.set_weights([random.normal(0, 1, weight.shape) for weight in model.get_weights()])
    network = require_equal(model, FixedPoint(bool(seed % 2), 8, 3))
    assert max(word.type.width for word in network.words.values()) > 24


def test_layers_of_training_only_are_left_out() -> None:
    quantized, dropped = linear(), layers.Dropout(0.5, name="dropped")
    model = chain(layers.Dropout(0.5), layers.GaussianNoise(0.1), quantized, dropped)
    network = require_equal(model)
    assert [(node.name, node.sources) for node in network.nodes] == [("inputs", ()), (quantized.name, ("inputs",))]


def test_an_image_as_input() -> None:
    network = freeze(chain(convolution()), INPUT_TYPE)
    assert network.input == Input("inputs", (5, 3, 2), INPUT_TYPE)


@pytest.mark.parametrize("shape", [(5, 2), (None, 3, 1), (2, 2, 2, 2)])
def test_an_input_of_another_shape_is_refused(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(UserError, match="layer 'inputs' gives values of shape"):
        freeze(chain(linear(), shape=shape), INPUT_TYPE)


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        (convolution(dilation_rate=(2, 1)), r"has the dilation_rate \(2, 1\)"),
        (convolution(groups=2), "has the groups 2"),
        (convolution(activation="relu"), "has an activation of its own"),
        (convolution(kernel_quantizer=None), "has a kernel without a quantizer"),
        (convolution(bias_quantizer=None), "has a bias without a quantizer"),
        (
            convolution(kernel_quantizer=qkeras.quantized_bits(4, 1, alpha="auto")),
            "has the kernel quantizer quantized_bits",
        ),
        (layers.MaxPooling2D((3, 1), strides=(2, 1), name="my_layer"), r"has the strides \(2, 1\)"),
        (layers.AveragePooling2D((2, 1), strides=1, name="my_layer"), r"has the strides \(1, 1\)"),
        (layers.UpSampling2D(2, interpolation="bilinear", name="my_layer"), "has the interpolation bilinear"),
        (layers.Flatten(data_format="channels_first", name="my_layer"), "has the data_format channels_first"),
        (layers.Reshape((5, 6), name="my_layer"), r"gives values of shape \(5, 6\)"),
    ],
)
def test_a_setting_that_does_not_convert_is_refused(layer: Any, problem: str) -> None:
    with pytest.raises(UserError, match=f"layer 'my_layer' {problem}") as refusal:
        freeze(chain(layer), INPUT_TYPE)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(2, 2, name="my_layer"),
        layers.Conv2DTranspose(2, 2, name="my_layer"),
        layers.GlobalAveragePooling2D(name="my_layer"),
        layers.BatchNormalization(name="my_layer"),
        layers.Cropping2D(name="my_layer"),
        layers.SpatialDropout2D(0.5, name="my_layer"),
        layers.LeakyReLU(name="my_layer"),
        qkeras.QDepthwiseConv2D((2, 2), depthwise_quantizer=bits(), name="my_layer", depthwise_initializer="zeros"),
        qkeras.QConv2DBatchnorm(2, 2, kernel_quantizer=bits(), name="my_layer", kernel_initializer="zeros"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_another_layer_is_refused(layer: Any) -> None:
    with pytest.raises(UserError, match=f"layer 'my_layer' is a {type(layer).__name__}, which does not convert"):
        freeze(chain(layer), INPUT_TYPE)


def test_a_dense_layer_of_an_image_is_refused() -> None:
    with pytest.raises(UserError, match=r"layer 'my_layer' reads words of shape \(5, 3, 2\)") as refusal:
        freeze(chain(dense(4, name="my_layer")), INPUT_TYPE)
    assert "Flatten" in refusal.value.remedy


@pytest.mark.parametrize("after", [layers.Flatten(), convolution(1, (1, 1)), layers.MaxPooling2D((1, 1))])
def test_an_average_that_no_quantizer_rounds_is_refused(after: Any) -> None:
    with pytest.raises(UserError, match=f"layer '{after.name}' has averages of 3 words") as refusal:
        freeze(chain(layers.AveragePooling2D((3, 1)), after), INPUT_TYPE)
    assert "QActivation" in refusal.value.remedy
