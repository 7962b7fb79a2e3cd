"""The frozen integer network is the QKeras model, or the model is refused by the name of a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.networks import load_qkeras
from support.qkeras_models import dense_autoencoder, random_quantizer

from trigger_ad.emulation.keras import float64_layers
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.models.keras import tf_keras
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.freezing import freeze
from trigger_ad.network.nodes import Dense, Elementwise, Input, Quantize

qkeras = load_qkeras()
INPUT_TYPE = FixedPoint(True, 6, 3)


def bits(width: int = 4, integer: int = 1) -> Any:
    return qkeras.quantized_bits(width, integer, alpha=1)


def dense(units: int = 2, /, **changes: Any) -> Any:
    """A layer that converts, unless the changes say otherwise."""
    # QKeras draws start values at random, and warns of some
    settings = {"kernel_quantizer": bits(), "bias_quantizer": bits(), "name": "my_dense", "kernel_initializer": "zeros"}
    return qkeras.QDense(units, **(settings | changes))


def small_autoencoder(seed: int) -> Any:
    """4-3-2-3-4 with random weights, widths and binary points."""
    return dense_autoencoder([3, 2, 3], 4, random_quantizer(np.random.default_rng(seed)), seed)


def chain(*layers: Any, inputs: int = 2) -> Any:
    values = first = tf_keras.Input((inputs,), name="inputs")
    for layer in layers:
        values = layer(values)
    return tf_keras.Model(first, values)


@pytest.mark.parametrize("seed", range(4))
def test_every_layer_equals_the_model_in_float64_on_random_and_corner_inputs(seed: int) -> None:
    model = small_autoencoder(seed)
    random = np.random.default_rng(seed)
    kind = FixedPoint(bool(seed % 2), int(random.integers(4, 12)), int(random.integers(0, 6)))
    network = freeze(model, kind)
    extremes = random.choice([kind.code_min, 0, kind.code_max], (1000, 4))
    vectors = np.concatenate([extremes, random.integers(kind.code_min, kind.code_max + 1, (2000, 4))])
    codes = evaluate(network, vectors)
    layers = float64_layers(model, network)(vectors)
    assert list(layers) == [node.name for node in network.nodes[1:]]
    for name, values in layers.items():
        np.testing.assert_array_equal(network.type(name).values(codes[name]), values)


def test_nodes_have_the_names_and_the_order_of_the_layers() -> None:
    model = small_autoencoder(1)
    network = freeze(model, INPUT_TYPE)
    assert [node.name for node in network.nodes] == [layer.name for layer in model.layers]
    assert network.input == Input("inputs", (4,), INPUT_TYPE)
    assert [type(node) for node in network.nodes] == [
        Input,
        *(Dense, Quantize) * 4,
        Elementwise,
        Elementwise,
        Dense,
    ]
    assert network.nodes[-3:-1] == (
        Elementwise("difference", "inputs", "reconstruction_quantized", "subtract"),
        Elementwise("square", "difference", "difference", "multiply"),
    )
    assert [node.activation for node in network.nodes if isinstance(node, Quantize)] == [*("relu", "linear") * 2]


def test_constants_are_what_the_quantizer_gives_in_the_narrowest_type() -> None:
    model = chain(dense(1, bias_quantizer=bits(6, 1)))
    model.get_layer("my_dense").set_weights([np.array([[0.6], [-9.0]]), np.array([1.05])])
    (_, node) = freeze(model, INPUT_TYPE).nodes
    assert isinstance(node, Dense)
    # quarters: 0.6 becomes 0.5 and -9 saturates at -2, which are 1 and -4 halves
    assert node.kernel.codes.tolist() == [[1], [-4]]
    assert node.kernel.type == FixedPoint(True, 3, 2)
    # sixteenths: 1.05 becomes 17 of them
    assert node.bias is not None
    assert node.bias.codes.tolist() == [17]
    assert node.bias.type == FixedPoint(False, 5, 1)


def test_a_layer_without_bias_has_none() -> None:
    (_, node) = freeze(chain(dense(use_bias=False)), INPUT_TYPE).nodes
    assert isinstance(node, Dense)
    assert node.bias is None


SYMMETRIC = qkeras.quantized_bits(4, 1, alpha=1, symmetric=1)
SCALED = qkeras.quantized_bits(4, 1, alpha="auto_po2")
NOT_EVERYWHERE = [SYMMETRIC, SCALED, qkeras.quantized_po2(4), qkeras.ternary()]
"""Quantizers whose constants are exact in a kernel or a bias, and which have no type as an activation."""
NOWHERE = [
    qkeras.quantized_bits(4, 1, alpha="auto"),
    qkeras.quantized_bits(4, 1, alpha=1, use_stochastic_rounding=True),
]


def of(quantizer: Any) -> Any:
    """A copy: QKeras changes the quantizer of a weight."""
    return type(quantizer).from_config(quantizer.get_config())


@pytest.mark.parametrize("quantizer", [*NOT_EVERYWHERE, *NOWHERE], ids=str)
def test_an_activation_that_has_no_type_is_refused(quantizer: Any) -> None:
    model = chain(qkeras.QActivation(of(quantizer), name="my_layer"))
    with pytest.raises(UserError, match=r"layer 'my_layer' has the quantizer"):
        freeze(model, INPUT_TYPE)


@pytest.mark.parametrize("quantizer", NOWHERE, ids=str)
@pytest.mark.parametrize("place", ["kernel", "bias"])
def test_a_weight_of_arbitrary_scale_is_refused(quantizer: Any, place: str) -> None:
    with pytest.raises(UserError, match=f"layer 'my_layer' has the {place} quantizer"):
        freeze(chain(dense(name="my_layer", **{f"{place}_quantizer": of(quantizer)})), INPUT_TYPE)


@pytest.mark.parametrize("quantizer", [*NOT_EVERYWHERE, qkeras.quantized_bits(5, 1)], ids=str)
@pytest.mark.parametrize("place", ["kernel", "bias"])
@pytest.mark.parametrize("seed", range(3))
def test_constants_of_other_quantizers_are_those_of_the_model(quantizer: Any, place: str, seed: int) -> None:
    model, random = chain(dense(3, **{f"{place}_quantizer": of(quantizer)})), np.random.default_rng(seed)
    model.get_layer("my_dense").set_weights([random.normal(0, 1, (2, 3)), random.normal(0, 1, 3)])
    network = freeze(model, INPUT_TYPE)
    vectors = random.integers(INPUT_TYPE.code_min, INPUT_TYPE.code_max + 1, (500, 2))
    codes, values = evaluate(network, vectors)["my_dense"], INPUT_TYPE.values(vectors)
    found = network.type("my_dense").values(codes)
    np.testing.assert_array_equal(found, float64_layers(model, network)(vectors)["my_dense"])
    # so few bits are exact in float32 as well, in which the model was made
    np.testing.assert_array_equal(found, model.predict(values, verbose=0))


def test_constants_are_those_of_float32_where_float64_would_give_others() -> None:
    """A weight just below a tie: adding a half rounds it up in float32, but not in float64."""
    model = chain(dense(1, kernel_quantizer=qkeras.quantized_bits(3, 0), use_bias=False))
    below = float(np.nextafter(np.float32(0.5), np.float32(0)))
    model.get_layer("my_dense").set_weights([np.array([[3.0], [below]])])
    network = freeze(model, INPUT_TYPE)
    vectors = np.array([[0, 1], [1, 0]])
    layers = float64_layers(model, network)(vectors)
    codes = evaluate(network, vectors)["my_dense"]
    assert network.type("my_dense").values(codes).tolist() == layers["my_dense"].tolist()
    assert layers["my_dense"][:, 0].tolist() == model.predict(INPUT_TYPE.values(vectors), verbose=0)[:, 0].tolist()


def test_constants_too_far_apart_for_one_word_are_refused() -> None:
    model = chain(dense(kernel_quantizer=qkeras.quantized_po2(8), use_bias=False))
    model.get_layer("my_dense").set_weights([np.array([[2.0**40, 1.0], [1.0, 1e-6]])])
    with pytest.raises(UserError, match="layer 'my_dense' has a kernel whose values are so far apart"):
        freeze(model, INPUT_TYPE)


@pytest.mark.parametrize("place", ["kernel", "bias"])
def test_a_weight_without_quantizer_is_refused(place: str) -> None:
    with pytest.raises(UserError, match=f"layer 'my_dense' has a {place} without a quantizer"):
        freeze(chain(dense(**{f"{place}_quantizer": None})), INPUT_TYPE)


@pytest.mark.parametrize("activation", ["relu", qkeras.quantized_relu(4, 1), qkeras.quantized_bits(4, 1, alpha=1)])
def test_a_dense_layer_with_an_activation_of_its_own_is_refused(activation: Any) -> None:
    """`load_quantized` takes the activation out of what it reads."""
    with pytest.raises(UserError, match="layer 'my_dense' has an activation of its own"):
        freeze(chain(dense(activation=activation)), INPUT_TYPE)


def test_a_dense_layer_with_a_linear_activation_is_not() -> None:
    assert freeze(chain(dense(activation="linear")), INPUT_TYPE).output.name == "my_dense"


@pytest.mark.parametrize(
    "activation",
    [tf_keras.activations.relu, qkeras.quantized_relu(4, 1, negative_slope=0.25), qkeras.quantized_tanh(4)],
    ids=["relu", "leaky", "tanh"],
)
def test_an_activation_that_does_not_convert_is_refused(activation: Any) -> None:
    with pytest.raises(UserError, match="layer 'my_layer' has the quantizer"):
        freeze(chain(qkeras.QActivation(activation, name="my_layer")), INPUT_TYPE)


@pytest.mark.parametrize(
    "layer",
    [
        tf_keras.layers.Dense(2, name="my_layer"),
        tf_keras.layers.BatchNormalization(name="my_layer"),
        tf_keras.layers.ReLU(name="my_layer"),
        tf_keras.layers.Activation("softmax", name="my_layer"),
        tf_keras.layers.AlphaDropout(0.5, name="my_layer"),
        tf_keras.layers.Permute((1,), name="my_layer"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_another_layer_is_refused(layer: Any) -> None:
    kind = type(layer).__name__
    with pytest.raises(UserError, match=f"layer 'my_layer' is a {kind}, which does not convert") as refusal:
        freeze(chain(layer), INPUT_TYPE)
    assert "QDense" in refusal.value.remedy


def test_weights_that_are_no_numbers_are_refused() -> None:
    model = chain(dense())
    model.get_layer("my_dense").set_weights([np.full((2, 2), np.nan), np.zeros(2)])
    with pytest.raises(UserError, match="layer 'my_dense' has a kernel with a value that is not a finite number"):
        freeze(model, INPUT_TYPE)


def test_a_weight_of_more_bits_than_float32_holds_is_refused_where_it_saturates() -> None:
    model = chain(dense(kernel_quantizer=bits(30, 0)))
    # the largest code but for the last bits, which float32 rounds up and out of the range
    model.get_layer("my_dense").set_weights([np.full((2, 2), 9.0), np.zeros(2)])
    with pytest.raises(UserError, match="layer 'my_dense' has a kernel with a value that float32 leaves inexact"):
        freeze(model, INPUT_TYPE)


def test_a_layer_that_needs_more_than_53_bits_is_refused() -> None:
    model = chain(dense(kernel_quantizer=bits(16, 15), use_bias=False))
    model.get_layer("my_dense").set_weights([np.full((2, 2), 32767.0)])
    with pytest.raises(UserError, match="layer 'my_dense' needs a word of 56 bits"):
        freeze(model, FixedPoint(True, 40, 40))


def test_a_layer_that_is_used_twice_is_refused() -> None:
    shared = dense()
    with pytest.raises(UserError, match="layer 'my_dense' is used more than once"):
        freeze(chain(shared, shared), INPUT_TYPE)


def test_a_layer_of_another_floating_point_type_is_refused() -> None:
    with pytest.raises(UserError, match="layer 'my_layer' computes in float64"):
        freeze(chain(tf_keras.layers.Flatten(dtype="float64", name="my_layer")), INPUT_TYPE)


def test_a_model_of_several_inputs_or_outputs_is_refused() -> None:
    one, two = tf_keras.Input((2,), name="one"), tf_keras.Input((2,), name="two")
    difference = tf_keras.layers.Subtract(name="difference")([one, two])
    with pytest.raises(UserError, match=r"the model has 2 input\(s\) and 1 output"):
        freeze(tf_keras.Model([one, two], difference), INPUT_TYPE)
    outputs = [dense(name="first")(one), dense(name="second")(one)]
    with pytest.raises(UserError, match=r"the model has 1 input\(s\) and 2 output"):
        freeze(tf_keras.Model(one, outputs), INPUT_TYPE)


def test_a_sequential_model_is_frozen_like_any_other() -> None:
    layers = [dense(3, name="first"), qkeras.QActivation(qkeras.quantized_relu(4, 1), name="relu")]
    model = tf_keras.Sequential([tf_keras.Input((2,), name="inputs"), *layers])
    assert [node.name for node in freeze(model, INPUT_TYPE).nodes] == ["inputs", "first", "relu"]
