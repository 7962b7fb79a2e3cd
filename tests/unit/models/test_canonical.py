"""An activation within a layer becomes a layer of its own, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.networks import load_qkeras

from trigger_ad.emulation.keras import float64_layers
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.models.canonical import canonical
from trigger_ad.models.keras import quiet_serialization, tf_keras
from trigger_ad.models.quantized import load_quantized
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.freezing import freeze

qkeras = load_qkeras()
# QKeras reads quantizers that are given by name with a function that is deprecated
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
INPUT_TYPE = FixedPoint(True, 8, 4)
DEFAULTS = {"kernel_quantizer": "quantized_bits(6,0)", "bias_quantizer": "quantized_bits(6,0)"}


def dense(units: int, name: str, **changes: Any) -> Any:
    """As a QKeras tutorial has it; start values that QKeras draws at random warn of themselves."""
    return qkeras.QDense(units, name=name, **(DEFAULTS | {"kernel_initializer": "zeros"} | changes))


def image_model() -> Any:
    """A model as users write it: quantizers by name, activations within layers, two branches that meet."""
    first = tf_keras.Input((4, 4, 1), name="image")
    options = DEFAULTS | {"kernel_initializer": "zeros"}
    values = qkeras.QConv2D(2, (3, 3), activation="quantized_relu(6,2)", name="convolution", **options)(first)
    values = tf_keras.layers.Flatten(name="flat")(tf_keras.layers.Dropout(0.5, name="dropped")(values))
    left = dense(3, "left", activation=qkeras.quantized_relu(5, 1))(values)
    right = dense(3, "right", activation="quantized_bits(5,1)", use_bias=False)(values)
    difference = tf_keras.layers.Subtract(name="difference")([left, right])
    model = tf_keras.Model(first, dense(2, "last", activation="linear")(difference), name="mine")
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.5, weight.shape) for weight in model.get_weights()])
    return model


def test_activations_become_layers_and_every_value_stays() -> None:
    model = image_model()
    split = canonical(model)
    assert [layer.name for layer in split.layers if layer.name.endswith("_activation")] == [
        "convolution_activation",
        "left_activation",
        "right_activation",
    ]
    assert {layer.name for layer in model.layers} <= {layer.name for layer in split.layers}
    values = np.random.default_rng(2).normal(0, 2, (200, 4, 4, 1))
    assert split.predict(values, verbose=0).tolist() == model.predict(values, verbose=0).tolist()


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_model_that_is_read_is_frozen_and_equals_itself_in_float64(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    with quiet_serialization():
        image_model().save(path)
    model = load_quantized(path)
    network = freeze(model, INPUT_TYPE)
    vectors = np.random.default_rng(3).integers(INPUT_TYPE.code_min, INPUT_TYPE.code_max + 1, (500, 16))
    codes = evaluate(network, vectors)
    layers = float64_layers(model, network)(vectors)
    assert "left_activation" in layers
    for name, values in layers.items():
        np.testing.assert_array_equal(network.type(name).values(codes[name]), values)


def test_a_layer_that_qkeras_cannot_read_back_is_named(tmp_path: Path) -> None:
    first = tf_keras.Input((2,), name="words")
    scaled = qkeras.quantized_bits(4, 0, alpha=np.array([1.0, 0.5, 2.0]))
    with quiet_serialization():
        tf_keras.Model(first, dense(3, "mine", kernel_quantizer=scaled)(first)).save(tmp_path / "model.h5")
    with pytest.raises(UserError, match="layer 'mine' cannot be computed as it was saved"):
        load_quantized(tmp_path / "model.h5")


def test_a_sequential_model_keeps_the_name_of_its_input() -> None:
    layers = [tf_keras.Input((2,), name="words"), dense(3, "first", activation="quantized_relu(4,1)")]
    split = canonical(tf_keras.Sequential(layers))
    assert [node.name for node in freeze(split, INPUT_TYPE).nodes] == ["words", "first", "first_activation"]


def test_a_model_without_activations_within_layers_is_given_back() -> None:
    first = tf_keras.Input((2,), name="words")
    model = tf_keras.Model(first, dense(3, "first", activation="linear")(first))
    assert canonical(model) is model


@pytest.mark.parametrize(
    ("activation", "reason"),
    [
        ("relu", "layer 'mine' has the activation quantizer relu"),
        ("softmax", "layer 'mine' has the activation quantizer softmax"),
        ("quantized_tanh(4)", "layer 'mine' has the activation quantizer quantized_tanh"),
        ("quantized_bits(4,1,alpha='auto_po2')", "layer 'mine' has the activation quantizer quantized_bits"),
    ],
)
def test_an_activation_that_does_not_convert_is_refused_by_its_layer(activation: str, reason: str) -> None:
    first = tf_keras.Input((2,), name="words")
    with pytest.raises(UserError, match=reason):
        canonical(tf_keras.Model(first, dense(3, "mine", activation=activation)(first)))


def test_a_layer_that_has_the_name_of_the_new_one_is_refused() -> None:
    first = tf_keras.Input((2,), name="words")
    values = dense(3, "mine", activation="quantized_relu(4,1)")(first)
    model = tf_keras.Model(first, qkeras.QActivation("quantized_relu(3,1)", name="mine_activation")(values))
    with pytest.raises(UserError, match="'mine_activation', and there is one already"):
        canonical(model)


def test_a_layer_that_is_not_supported_is_refused_before_anything_is_rebuilt() -> None:
    first = tf_keras.Input((2,), name="words")
    values = dense(3, "mine", activation="quantized_relu(4,1)")(first)
    with pytest.raises(UserError, match="layer 'normal' is a BatchNormalization, which does not convert"):
        canonical(tf_keras.Model(first, tf_keras.layers.BatchNormalization(name="normal")(values)))
