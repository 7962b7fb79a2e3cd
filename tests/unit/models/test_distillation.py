"""The logarithm of a score as the output of a network."""

from __future__ import annotations

import numpy as np
import pytest
from support.architectures import FEATURES, events, randomise, small

from trigger_ad.config import ScoreName
from trigger_ad.models.distillation import LogScoreModel
from trigger_ad.models.floating import FloatEvaluation, build_float
from trigger_ad.models.keras import tensorflow
from trigger_ad.models.scores import log_of_score, score


@pytest.mark.parametrize("shipped", ["squared_error", "squared_error_present"])
@pytest.mark.parametrize("name", ["dense", "average"])
def test_it_is_the_logarithm_of_the_score_in_software(name: str, shipped: ScoreName) -> None:
    architecture, inputs = small(name), events(60)
    model = randomise(build_float(architecture))
    expected = log_of_score(score(shipped, inputs, FloatEvaluation(model, architecture)(inputs), FEATURES))
    distilled = LogScoreModel(model, shipped, FEATURES)
    assert distilled.input_shape == model.input_shape
    tensor = tensorflow.constant(inputs.reshape(-1, *architecture.input_shape), "float32")
    found = np.asarray(distilled(tensor))
    assert found.shape == (60, 1)
    np.testing.assert_allclose(found[:, 0], expected, rtol=0, atol=1e-4)
    assert len(distilled.trainable_weights) == len(model.trainable_weights)
