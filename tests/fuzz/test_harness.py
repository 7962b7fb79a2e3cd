"""The harness of random networks finds what is wrong, in whichever emulator, and says where and in what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from support import random_networks
from support.drawn_networks import descriptions, output_shape
from support.fuzzing import (
    TALLY,
    WORD_EMULATORS,
    accept,
    case_of,
    hls_agreements,
    native_agreements,
    require_agreement_of_keras,
)
from support.portions import Portion, for_each, in_batches
from support.random_networks import Bits, Dense, Description, Firmware, Quantizer, Weights

from trigger_ad.emulation.agreement import Agreement
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.firmware.project import write_project
from trigger_ad.fixed_point import Codes
from trigger_ad.native.source import library_source
from trigger_ad.network.evaluation import outputs
from trigger_ad.network.freezing import freeze
from trigger_ad.network.graph import Network

WEIGHTS = Weights(Bits(6, 1), Bits(5, 1))
SMALL = Description(
    objects=2,
    features=2,
    words=6,
    fraction=3,
    steps=(Dense(3, WEIGHTS), Quantizer(Bits(6, 2), relu=True), Dense(2, WEIGHTS)),
)


@settings(max_examples=30, database=None, derandomize=True)
@given(descriptions())
def test_a_description_is_printed_as_what_makes_it(description: Description) -> None:
    assert eval(repr(description), dict(vars(random_networks))) == description


@settings(max_examples=8, database=None, derandomize=True)
@given(descriptions())
def test_the_shapes_that_are_drawn_are_those_of_the_model(description: Description) -> None:
    shape = description.input_shape
    for step in description.steps:
        shape = output_shape(step, shape)
    model = random_networks.build(replace(description, score=None))
    assert model.output.shape[1:] == shape


def test_a_model_that_is_another_is_named_with_its_layer_and_description(monkeypatch: pytest.MonkeyPatch) -> None:
    _after_freezing(monkeypatch, lambda model: _add_to_weights(model.get_layer("dense_3"), 0.5))
    said = r"keras_float64 differs in \d+ of \d+ vectors, first in dense_3: .*\nDescription\(objects=2, "
    with pytest.raises(AssertionError, match=re.compile(said)):
        require_agreement_of_keras(SMALL)


def test_an_emulator_of_words_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(network: Network, encoding: InputEncoding, words: Codes) -> Codes:
        found = outputs(network, encoding.codes_of_words(words))
        found[5, 1] += 1
        return found

    monkeypatch.setitem(WORD_EMULATORS, "other", wrong)
    with pytest.raises(AssertionError, match=r"other differs in 1 of \d+ vectors, first in dense_3"):
        require_agreement_of_keras(SMALL)


def test_one_of_several_native_libraries_that_is_another_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [replace(SMALL, seed=seed) for seed in (1, 2, 3)]

    def mixed_up(network: Network, encoding: InputEncoding, names: Any) -> Any:
        if names.name == "network_1":
            case = case_of(others[0])
            assert case is not None
            network = case.network
        return library_source(network, encoding, names)

    monkeypatch.setattr("support.fuzzing.library_source", mixed_up)
    assert [_exact(agreement) for agreement in native_agreements(others)] == [True, False, True]


def test_one_of_several_hls_projects_that_is_another_is_found_with_its_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> None:
        write_project(*arguments)
        folder: Path = arguments[-1]
        if folder.name == "project_1":
            # dense_1, quantizer_2, dense_3 are layers 2, 3 and 4
            weights = folder / "firmware" / "weights" / "b4.h"
            text = weights.read_text(encoding="utf-8")
            weights.write_text(re.sub(r"\{([^,]*),", r"{\1 + 0.25,", text), encoding="utf-8")

    monkeypatch.setattr("support.fuzzing.write_project", broken)
    drawn = [(SMALL, Firmware(io_type="io_stream")), (SMALL, Firmware()), (replace(SMALL, seed=2), Firmware())]
    agreements = hls_agreements(drawn)
    assert [_exact(agreement) for agreement in agreements] == [True, False, True]
    assert agreements[1] is not None
    assert agreements[1].first_difference is not None
    assert agreements[1].first_difference.layer == "dense_3"


def test_what_fails_in_a_batch_is_made_smaller_alone() -> None:
    drawn = []

    def fails(batch: Sequence[Description]) -> list[Agreement | None]:
        drawn.append(len(batch))
        assert all(item.objects < 3 for item in batch), "too many objects"
        return [None] * len(batch)

    with pytest.raises(AssertionError, match="too many objects") as raised:
        in_batches(Portion(seed=1, networks=25), descriptions(), fails)
    assert drawn[:2] == [10, 10]
    assert re.search(r"Description\(\s*objects=3,\s*features=1,", "\n".join(raised.value.__notes__))


def test_a_seed_draws_the_same_networks_again() -> None:
    first: list[Description] = []
    again: list[Description] = []
    for found in (first, again):
        for_each(Portion(seed=5, networks=20), descriptions(), found.append)
    assert first == again
    assert len(set(first)) > 10


def test_a_refusal_is_counted_and_one_that_is_none_of_the_known_is_a_failure() -> None:
    before = TALLY["refused"]
    accept(UserError("layer 'dense_1' needs a word of 54 bits to be exact, more than 53", "Use fewer"))
    assert TALLY["refused"] == before + 1
    with pytest.raises(UserError, match="no quantizer"):
        accept(UserError("layer 'dense_1' has no quantizer", "Give it one"))


def _exact(agreement: Agreement | None) -> bool:
    assert agreement is not None
    return agreement.exact


def _add_to_weights(layer: Any, amount: float) -> None:
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias + amount])


def _after_freezing(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Changes a model after the network was frozen from it."""

    def frozen(model: Any, *arguments: Any) -> Network:
        network = freeze(model, *arguments)
        change(model)
        return network

    monkeypatch.setattr("support.fuzzing.freeze", frozen)
