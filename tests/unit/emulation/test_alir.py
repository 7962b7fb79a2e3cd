"""Alkaid's interpreter beside the reference: output words of any number of vectors, and every layer of a few."""

from __future__ import annotations

import numpy as np
import pytest
from support.images import every_operation, image_config, image_vectors
from support.native import random_words
from support.runs import encoding_of, small_config, small_network

from trigger_ad.emulation import alir
from trigger_ad.emulation.agreement import compare
from trigger_ad.emulation.alir import layers, output_words
from trigger_ad.firmware.rtl import traced
from trigger_ad.network.evaluation import evaluate, outputs

NETWORK = small_network()
ENCODING = encoding_of(small_config(NETWORK))


@pytest.mark.parametrize("events", [0, 1, 99, 100, 101, 1000])
def test_any_number_of_vectors(events: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alir, "BLOCK_WORDS", 7 * 100)
    words = random_words(ENCODING, events)
    found = output_words(traced(NETWORK, ENCODING), words)
    assert found.dtype == np.int64
    assert np.array_equal(found, outputs(NETWORK, ENCODING.codes_of_words(words)))


def test_every_layer_is_compared() -> None:
    network = every_operation()
    encoding, words = encoding_of(image_config(network)), image_vectors(network, 50)
    reference = evaluate(network, encoding.codes_of_words(words))
    agreement = compare("alir", network, reference, layers(network, encoding, words), 1.0)
    assert agreement.exact
    assert list(agreement.layers) == [node.name for node in network.nodes]


def test_the_layer_that_differs_is_named() -> None:
    other, words = small_network(seed=2), random_words(ENCODING, 50)
    reference = evaluate(NETWORK, ENCODING.codes_of_words(words))
    difference = compare("alir", NETWORK, reference, layers(other, ENCODING, words), 1.0).first_difference
    assert difference is not None
    assert difference.layer == "encoder_1"


@pytest.mark.parametrize("word", [-1, 256])
def test_a_word_outside_its_type_is_refused(word: int) -> None:
    words = random_words(ENCODING, 10)
    words[7, 3] = word
    with pytest.raises(ValueError, match="word 3 of vector 7"):
        output_words(traced(NETWORK, ENCODING), words)
