"""The bits of every layer that ships: its group's, and exceptions by name."""

from __future__ import annotations

from typing import Any

import pytest
from support.architectures import small

from trigger_ad.config import QuantizationConfig, ScoreName
from trigger_ad.errors import UserError
from trigger_ad.models.bits import layer_bits

GROUPS = QuantizationConfig(weights=9, biases=8, activations=7, latent=6, output=5, score=20)


def found(name: str, shipped_score: ScoreName, /, **layers: Any) -> dict[str, tuple[int | None, ...]]:
    config = QuantizationConfig.model_validate(GROUPS.model_dump() | {"layers": layers})
    bits = layer_bits(small(name), shipped_score, config)
    return {layer: (words.weights, words.biases, words.output) for layer, words in bits.items()}


def test_every_layer_has_the_bits_of_its_group() -> None:
    assert found("average", "squared_error") == {
        "encoder_1": (9, 8, 7),
        "encoder_1_pooling": (None, None, 7),
        "encoder_2": (9, 8, 7),
        "encoder_2_pooling": (None, None, 7),
        "latent": (9, 8, 6),
        "decoder_1": (9, 8, 7),
        "decoder_2": (9, 8, 7),
        "reconstruction": (9, 8, 5),
    }
    # the score word is not a layer's
    assert found("student", "network_output")["score"] == (9, 8, None)


def test_a_maximum_has_no_words_of_its_own() -> None:
    assert "encoder_1_pooling" not in found("max", "squared_error")


def test_layers_that_do_not_ship_have_none() -> None:
    assert list(found("dense", "mahalanobis")) == ["encoder_1", "encoder_2", "latent", "whitening"]
    assert found("dense", "mahalanobis")["whitening"] == (9, 16, 6)


def test_exceptions_go_by_layer_name() -> None:
    given = found("average", "mahalanobis", encoder_1={"weights": 4, "output": 3}, encoder_1_pooling={"output": 2})
    assert given["encoder_1"] == (4, 8, 3)
    assert given["encoder_1_pooling"] == (None, None, 2)
    assert given["encoder_2"] == (9, 8, 7)
    assert found("dense", "mahalanobis", whitening={"weights": 12})["whitening"] == (12, 16, 6)
    assert found("dense", "mahalanobis", whitening={"biases": 5})["whitening"] == (9, 5, 6)


@pytest.mark.parametrize(
    ("name", "score", "layer", "words", "message"),
    [
        ("dense", "squared_error", "encoder_7", {"weights": 4}, "no layer that ships is called 'encoder_7'"),
        ("dense", "mahalanobis", "decoder_1", {"weights": 4}, "no layer that ships is called 'decoder_1'"),
        ("dense", "squared_error", "whitening", {"weights": 4}, "no layer that ships is called 'whitening'"),
        (
            "average",
            "squared_error",
            "encoder_1_pooling",
            {"weights": 4},
            r"encoder_1_pooling.weights: .*no such words",
        ),
        ("student", "network_output", "score", {"output": 4}, r"score.output: .*no such words"),
    ],
)
def test_an_exception_for_words_that_are_not_there_is_refused(
    name: str, score: ScoreName, layer: str, words: dict[str, int], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        found(name, score, **{layer: words})


def test_the_layers_that_ship_are_listed() -> None:
    with pytest.raises(UserError) as refusal:
        found("student", "network_output", encoder_1={"weights": 4})
    assert refusal.value.remedy == "Its layers are hidden_1, hidden_2, score"
