"""What the float model has in training alone: dropout, samples of the latent space, penalties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.architectures import events, randomise, small

from trigger_ad.fixed_point import Values
from trigger_ad.models.architectures import Architecture, DenseLayer
from trigger_ad.models.floating import FloatEvaluation, build_float
from trigger_ad.models.keras import tensorflow
from trigger_ad.models.scores import kl_divergence
from trigger_ad.models.stochastic import StochasticModel

LATENT = DenseLayer("latent", 8, "linear", "latent")
RECONSTRUCTION = DenseLayer("reconstruction", 8, "linear", "output")
IDENTITY = Architecture((8,), (replace(LATENT, dropout=0.25),), (RECONSTRUCTION,))


def called(model: StochasticModel, inputs: Values, *, training: bool) -> Values:
    shape = model.input_shape[1:]
    tensor = tensorflow.constant(inputs.reshape(-1, *shape), "float32")
    return np.asarray(model(tensor, training=training), dtype=np.float64).reshape(len(inputs), -1)


def identity() -> Any:
    model = build_float(IDENTITY)
    model.set_weights([np.eye(8), np.zeros(8)] * 2)
    return model


def test_dropout_leaves_out_a_share_and_scales_the_rest() -> None:
    model = StochasticModel(identity(), IDENTITY, seed=1)
    ones = np.ones((4000, 8))
    found = called(model, ones, training=True)
    np.testing.assert_array_equal(np.unique(found), [0.0, np.float32(1) / np.float32(0.75)])
    # 32,000 draws: the deviation is .0024
    assert abs(float((found == 0).mean()) - 0.25) < 0.012
    assert (called(model, ones, training=False) == 1).all()


def test_draws_follow_from_seed_and_weights_alone() -> None:
    ones = np.ones((50, 8))
    first, other = (StochasticModel(identity(), IDENTITY, seed=seed) for seed in (1, 2))
    one = called(first, ones, training=True)
    saved = first.get_weights()
    two, three = called(first, ones, training=True), called(first, ones, training=True)
    assert (one != two).any()
    assert (two != three).any()
    assert (called(other, ones, training=True) != one).any()
    again = StochasticModel(identity(), IDENTITY, seed=1)
    again.set_weights(saved)
    assert called(again, ones, training=True).tolist() == two.tolist()


def test_layers_draw_apart() -> None:
    twice = replace(IDENTITY, decoder=(replace(RECONSTRUCTION, dropout=0.25),))
    model = build_float(twice)
    model.set_weights([np.eye(8), np.zeros(8)] * 2)
    found = called(StochasticModel(model, twice, seed=1), np.ones((1000, 8)), training=True)
    # the same draws twice would leave .75
    assert abs(float((found != 0).mean()) - 0.75**2) < 0.03


@pytest.mark.parametrize("name", ["variational", "max"])
def test_samples_scatter_about_the_mean_and_the_divergence_is_a_loss(name: str) -> None:
    architecture, inputs = small(name), events(64)
    model = randomise(build_float(architecture))
    training = StochasticModel(model, architecture, kl_weight=0.25, seed=3)
    outputs = FloatEvaluation(model, architecture)(inputs)
    assert outputs.latent is not None
    assert outputs.log_variance is not None
    sampled = called(training, inputs, training=False)
    assert (sampled != outputs.reconstruction).any()
    # the same samples in every validation
    assert called(training, inputs, training=False).tolist() == sampled.tolist()
    (loss,) = training.losses
    expected = 0.25 * kl_divergence(outputs.latent, outputs.log_variance).mean()
    np.testing.assert_allclose(float(loss), expected, rtol=1e-5)


def test_samples_have_the_mean_and_the_deviation_of_their_gaussian() -> None:
    architecture = replace(IDENTITY, encoder=(LATENT,), variational=True)
    model = build_float(architecture)
    # the mean is the input, the variance 9, and the decoder the identity
    identity_weights = [np.eye(8), np.zeros(8)]
    by_name = {"latent": identity_weights, "reconstruction": identity_weights}
    by_name["latent_log_variance"] = [np.zeros((8, 8)), np.full(8, np.log(9.0))]
    for name, weights in by_name.items():
        model.get_layer(name).set_weights(weights)
    found = called(StochasticModel(model, architecture, seed=1), np.full((5000, 8), 7.0), training=True)
    # 40,000 draws: the deviations of both are .015 and .011
    assert abs(found.mean() - 7) < 0.075
    assert abs(found.std() - 3) < 0.055


def test_squared_kernels_are_penalised_in_training_alone() -> None:
    model = StochasticModel(identity(), IDENTITY, l2=0.5, seed=1)
    called(model, np.ones((3, 8)), training=True)
    assert [float(loss) for loss in model.losses] == [0.5 * 16]
    called(model, np.ones((3, 8)), training=False)
    assert model.losses == []


@pytest.mark.parametrize("name", ["dense", "average", "student"])
def test_without_any_of_this_it_is_the_float_model(name: str) -> None:
    architecture, inputs = small(name), events(30)
    model = randomise(build_float(architecture))
    found = called(StochasticModel(model, architecture, seed=1), inputs, training=False)
    outputs = FloatEvaluation(model, architecture)(inputs)
    expected = outputs.output if outputs.reconstruction is None else outputs.reconstruction
    assert expected is not None
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=0, atol=2.0**-18 * np.abs(expected).max())
