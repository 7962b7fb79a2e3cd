"""The float models, and their functions without batch normalisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.architectures import MODELS, events, randomise, small

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Values
from trigger_ad.models.architectures import Architecture, DenseLayer
from trigger_ad.models.floating import (
    LEAKY_SLOPE,
    FloatEvaluation,
    build_float,
    build_folded,
    fold_batch_normalization,
    with_relu,
)
from trigger_ad.models.keras import Predictor, save_model, tf_keras
from trigger_ad.models.scores import Outputs


def predicted(model: Any, inputs: Values) -> list[Values]:
    return [np.asarray(array, dtype=np.float64).reshape(len(array), -1) for array in Predictor(model)(inputs)]


def test_the_layers_are_those_of_the_description() -> None:
    assert [layer.name for layer in build_float(small("average")).layers] == [
        "inputs",
        "encoder_1",
        "encoder_1_normalization",
        "encoder_1_relu",
        "encoder_1_pooling",
        "encoder_2",
        "encoder_2_normalization",
        "encoder_2_relu",
        "encoder_2_pooling",
        "flatten",
        "latent",
        "decoder_1",
        "decoder_1_normalization",
        "decoder_1_relu",
        "unflatten",
        "decoder_2_upsampling",
        "decoder_2",
        "decoder_2_normalization",
        "decoder_2_relu",
        "reconstruction_upsampling",
        "reconstruction_padding",
        "reconstruction",
    ]


@pytest.mark.parametrize("name", MODELS)
def test_every_layer_has_the_shape_that_the_description_says(name: str) -> None:
    model, shapes = build_float(small(name)), small(name).shapes()
    assert model.input_shape == (None, *small(name).input_shape)
    assert {layer: model.get_layer(layer).output_shape for layer in shapes} == {
        layer: (None, *shape) for layer, shape in shapes.items()
    }


@pytest.mark.parametrize("name", MODELS)
def test_folding_keeps_the_function(name: str) -> None:
    architecture, inputs = small(name), events(40)
    # in float64, so that nothing but the order of a few operations can differ
    model = randomise(build_float(architecture, dtype="float64"))
    gammas = [weight for weight in model.weights if "gamma" in weight.name]
    assert any((gamma.numpy() < 0).any() for gamma in gammas)
    expected = predicted(model, inputs)[0]
    weights = fold_batch_normalization(model, architecture)
    assert {array.dtype for layer in weights.values() for array in (layer.kernel, layer.bias)} == {np.dtype(np.float64)}
    (found,) = predicted(build_folded(architecture, weights), inputs)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("name", MODELS)
def test_the_float32_model_is_this_function_too(name: str) -> None:
    architecture, inputs = small(name), events(40)
    model = randomise(build_float(architecture))
    (folded,) = predicted(build_folded(architecture, fold_batch_normalization(model, architecture)), inputs)
    # some tens of float32 operations, each exact to 2**-24
    np.testing.assert_allclose(predicted(model, inputs)[0], folded, rtol=0, atol=2.0**-16 * np.abs(folded).max())


def test_layers_without_normalisation_keep_their_weights() -> None:
    model = randomise(build_float(small("average")))
    weights = fold_batch_normalization(model, small("average"))
    for name in ("latent", "reconstruction"):
        kernel, bias = model.get_layer(name).get_weights()
        assert weights[name].kernel.tolist() == kernel.tolist()
        assert weights[name].bias.tolist() == bias.tolist()


def test_a_weight_that_is_zero_stays_zero() -> None:
    model = randomise(build_float(small("average")))
    convolution = model.get_layer("encoder_2")
    kernel, bias = convolution.get_weights()
    kernel[::2] = 0
    convolution.set_weights([kernel, bias])
    folded = fold_batch_normalization(model, small("average"))["encoder_2"].kernel
    assert ((folded == 0) == (kernel == 0)).all()


NORMALISED = Architecture((3,), (DenseLayer("latent", 2, "relu", "activations", batch_normalization=True),))


def normalised(*, activation: str | None, between: bool) -> Any:
    """A model whose normalisation does not follow an accumulator."""
    inputs = values = tf_keras.Input((3,), name="inputs")
    values = tf_keras.layers.Dense(2, activation=activation, name="latent")(values)
    if between:
        values = tf_keras.layers.ReLU(name="first")(values)
    return tf_keras.Model(inputs, tf_keras.layers.BatchNormalization(name="latent_normalization")(values))


@pytest.mark.parametrize(
    ("activation", "between", "reason"),
    [(None, True, "it follows the ReLU 'first'"), ("relu", False, "it follows an activation inside it")],
)
def test_a_normalisation_that_cannot_be_folded_is_refused(activation: str | None, between: bool, reason: str) -> None:
    with pytest.raises(UserError, match=r"'latent_normalization' cannot be folded into layer 'latent'") as refusal:
        fold_batch_normalization(normalised(activation=activation, between=between), NORMALISED)
    assert reason in refusal.value.what
    fold_batch_normalization(normalised(activation=None, between=False), NORMALISED)


def test_leaky_slopes_are_in_the_float_model_alone() -> None:
    architecture, inputs = small("dense"), events(40)
    leaky = randomise(build_float(architecture, leaky=True))
    assert {float(layer.alpha) for layer in leaky.layers if "relu" in layer.name} == {np.float32(LEAKY_SLOPE)}
    straight = with_relu(leaky, architecture)
    for one, other in zip(leaky.get_weights(), straight.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    (folded,) = predicted(build_folded(architecture, fold_batch_normalization(leaky, architecture)), inputs)
    np.testing.assert_allclose(predicted(straight, inputs)[0], folded, rtol=0, atol=2.0**-16 * np.abs(folded).max())
    assert not np.allclose(predicted(leaky, inputs)[0], folded)


@pytest.mark.parametrize("name", MODELS)
def test_an_evaluation_gives_all_that_a_model_has(name: str) -> None:
    architecture, inputs = small(name), events(40)
    model = randomise(build_float(architecture))
    found = FloatEvaluation(model, architecture)(inputs)
    first = predicted(model, inputs)[0]
    if name == "student":
        assert found.output is not None
        assert found.output.tolist() == first[:, 0].tolist()
        assert found == Outputs(output=found.output)
        return
    assert found.reconstruction is not None
    assert found.latent is not None
    assert found.reconstruction.tolist() == first.tolist()
    folded = build_folded(architecture, fold_batch_normalization(model, architecture))
    (latent,) = predicted(tf_keras.Model(folded.input, folded.get_layer("latent").output), inputs)
    np.testing.assert_allclose(found.latent, latent, rtol=0, atol=2.0**-16 * np.abs(latent).max())
    assert found.output is None
    assert (found.log_variance is not None) == architecture.variational
    if found.log_variance is not None:
        assert found.log_variance.shape == found.latent.shape == (40, architecture.latent)


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_is_read_by_keras_alone(tmp_path: Path, name: str) -> None:
    architecture, inputs = small(name), events(10)
    model = randomise(build_float(architecture, leaky=True))
    save_model(model, tmp_path / "float.h5")
    again = tf_keras.models.load_model(tmp_path / "float.h5", compile=False)
    one, other = (vars(FloatEvaluation(each, architecture)(inputs)) for each in (model, again))
    for key, values in one.items():
        np.testing.assert_array_equal(values, other[key])


def test_no_events_have_outputs_of_the_right_shape() -> None:
    found = FloatEvaluation(build_float(small("average")), small("average"))(events(0))
    assert found.reconstruction is not None
    assert found.reconstruction.shape == (0, 14)


def test_batches_do_not_change_what_is_predicted() -> None:
    model, inputs = randomise(build_float(small("dense"))), events(30)
    assert Predictor(model, batch_size=7)(inputs)[0].tolist() == Predictor(model, batch_size=7)(inputs)[0].tolist()
    one, other = (Predictor(model, batch_size=size)(inputs)[0] for size in (7, 64))
    np.testing.assert_allclose(one, other, rtol=0, atol=2.0**-20 * np.abs(one).max())
