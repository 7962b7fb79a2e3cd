"""The score inside the quantized network: the same number as in software, and exact as integers."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from support.architectures import FEATURES, INPUT_TYPE, events, randomise, small

from trigger_ad.config import QuantizationConfig, ScoreName
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint, Values
from trigger_ad.models.floating import build_float, fold_batch_normalization
from trigger_ad.models.keras import Predictor, tf_keras
from trigger_ad.models.precision import calibrate
from trigger_ad.models.quantized import build_quantized, float64_keras, in_float64
from trigger_ad.models.score_layers import Scored, with_score
from trigger_ad.models.scores import Outputs, score
from trigger_ad.network.evaluation import evaluate
from trigger_ad.network.freezing import freeze

EVENTS = 200
CASES: list[tuple[str, ScoreName]] = [
    ("dense", "squared_error"),
    ("dense", "squared_error_present"),
    ("variational", "mu_squared"),
    ("average", "squared_error"),
    ("average", "mahalanobis"),
    ("max", "squared_error_present"),
    ("student", "network_output"),
]
"""Every score, and every architecture."""


@functools.cache
def quantized(name: str, shipped: ScoreName, score_bits: int | None = None, bits: int = 8) -> tuple[Any, Scored]:
    """The trained part and the whole network of an architecture with random weights; made once, not to be changed."""
    architecture, inputs = small(name), events(EVENTS)
    config = QuantizationConfig(weights=bits, biases=bits, latent=bits, score=score_bits)
    model = randomise(build_float(architecture))
    weights = fold_batch_normalization(model, architecture)
    precisions = calibrate(weights, architecture, config, inputs, shipped).precisions
    part = build_quantized(architecture, weights, precisions, shipped)
    return part, with_score(part, architecture, shipped, config, inputs, INPUT_TYPE, FEATURES)


def predicted(model: Any, inputs: Values) -> Values:
    (values,) = Predictor(model)(inputs)
    return np.asarray(values, dtype=np.float64).reshape(len(inputs), -1)


@pytest.mark.parametrize(("name", "shipped"), CASES)
def test_the_network_computes_the_score_and_is_exact(name: str, shipped: ScoreName) -> None:
    inputs = events(EVENTS)
    part, scored = quantized(name, shipped)
    network = freeze(scored.model, INPUT_TYPE)
    words = evaluate(network, INPUT_TYPE.exact_codes(inputs))
    found = network.type(network.output.name).values(words[network.output.name]).reshape(-1)
    # every layer of the float64 model has the values of the integer network
    with float64_keras():
        double = in_float64(scored.model)
        every = tf_keras.Model(double.input, [double.get_layer(node.name).output for node in network.nodes[1:]])
        for node, values in zip(network.nodes[1:], Predictor(every)(inputs), strict=True):
            if node.kind != "average_pooling":
                exact = network.type(node.name).values(words[node.name])
                assert values.reshape(len(values), -1).tolist() == exact.reshape(len(exact), -1).tolist(), node.name
    # and its score is that of what the trained part gives, in software
    outputs = predicted(part, inputs)
    if shipped == "network_output":
        expected = score(shipped, inputs, Outputs(output=outputs[:, 0]), FEATURES)
        np.testing.assert_allclose(found, expected, rtol=0, atol=2.0**-18)
    elif shipped == "mahalanobis":
        # the words of the whitening are rounded
        expected = score(shipped, inputs, Outputs(latent=outputs), FEATURES, scored.whitening)
        assert np.corrcoef(found, expected)[0, 1] > 0.99
    else:
        given = Outputs(latent=outputs) if shipped == "mu_squared" else Outputs(reconstruction=outputs)
        assert found.tolist() == score(shipped, inputs, given, FEATURES).tolist()


@pytest.mark.parametrize("input_type", [FixedPoint(True, 9, 4), FixedPoint(True, 9, 12), FixedPoint(False, 7, -2)])
@pytest.mark.parametrize("name", ["dense", "max"])
def test_present_objects_are_found_by_the_smallest_pt(name: str, input_type: FixedPoint) -> None:
    part, _ = quantized(name, "squared_error_present")
    one, arguments = np.ones((1, 14), dtype=np.int64), (QuantizationConfig(), events(1), input_type, FEATURES)
    model = with_score(part, small(name), "squared_error_present", *arguments).model
    present = tf_keras.Model(model.input, model.get_layer("present").output)
    random = np.random.default_rng(1)
    pt = random.choice([0, 1, input_type.code_max], (40, 7))
    other = random.integers(input_type.code_min, input_type.code_max, (40, 7))
    codes = np.stack([pt, other], axis=-1).reshape(40, 14)
    expected = np.repeat(pt > 0, 2, axis=1).astype(int)
    assert predicted(present, input_type.values(codes)).astype(int).tolist() == expected.tolist()
    assert predicted(present, input_type.values(one)).all()


@pytest.mark.parametrize(("name", "shipped"), [CASES[0], *CASES[2::2]])
def test_a_score_word_has_the_bits_that_are_asked_for(name: str, shipped: ScoreName) -> None:
    inputs = events(EVENTS)
    part, scored = quantized(name, shipped, score_bits=6)
    assert scored.model.layers[-1].name == "score_quantized"
    kind = scored.calibration.precisions["score_quantized"].output
    assert kind is not None
    assert (kind.width, kind.signed) == (6, name == "student")
    exact = predicted(tf_keras.Model(scored.model.input, scored.model.get_layer("score").output), inputs)
    assert predicted(scored.model, inputs).tolist() == kind.values(kind.quantize(exact)).tolist()
    # no score of these saturates, and with one integer bit less one would
    assert np.abs(kind.values(kind.quantize(exact)) - exact).max() <= kind.lsb / 2
    assert np.abs(exact).max() > 0.49 * kind.lsb * kind.code_max
    # nothing but the part is trained
    layers = small(name).shipped(shipped).weighted
    assert len(scored.model.trainable_weights) == len(part.trainable_weights) == 2 * len(layers)


def test_whitening_follows_the_quantized_latent_space() -> None:
    inputs = events(EVENTS)
    # not from the cache: it is changed below
    part, scored = quantized.__wrapped__("dense", "mahalanobis", bits=14)
    white = tf_keras.Model(scored.model.input, scored.model.get_layer("whitening_quantized").output)
    found = predicted(white, inputs)
    # brought to the mean by words of 16 bits, whatever the rounding of the weights
    np.testing.assert_allclose(found.mean(axis=0), np.zeros(3), atol=0.01)
    np.testing.assert_allclose(np.cov(found, rowvar=False, bias=True), np.eye(3), atol=0.02)
    # the part is trained further: the whitening is made anew
    latent = part.get_layer("latent")
    latent.set_weights([weight * 3 for weight in latent.get_weights()])
    again = with_score(part, small("dense"), "mahalanobis", QuantizationConfig(), inputs, INPUT_TYPE, FEATURES)
    assert scored.whitening is not None
    assert again.whitening is not None
    assert (scored.whitening.matrix != again.whitening.matrix).any()
    assert list(again.calibration.saturated["whitening"]) == ["weights", "biases", "output"]


def test_a_dead_dimension_of_the_quantized_latent_space_is_refused() -> None:
    inputs = events(EVENTS)
    part, _ = quantized.__wrapped__("dense", "squared_error")
    encoder = tf_keras.Model(part.input, part.get_layer("latent_quantized").output)
    kernel, bias = encoder.get_layer("latent").get_weights()
    kernel[:, 1] = 0
    encoder.get_layer("latent").set_weights([kernel, bias])
    with pytest.raises(UserError, match="latent dimension 1"):
        with_score(encoder, small("dense"), "mahalanobis", QuantizationConfig(), inputs, INPUT_TYPE, FEATURES)


def test_an_autoencoder_that_ships_whole_ends_like_this() -> None:
    _, scored = quantized("average", "squared_error_present", score_bits=6)
    names = [layer.name for layer in scored.model.layers]
    assert names[names.index("reconstruction") :] == [
        "reconstruction",
        "reconstruction_quantized",
        "inputs_flat",
        "difference",
        "object_pt",
        "difference_flat",
        "present",
        "masked",
        "square",
        "score",
        "score_quantized",
    ]
