"""Anomalies are made of background events: their objects, in trigger words as the trigger would send them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.events import OTHER, make_other_particles, make_particles

from trigger_ad.config import AnomaliesConfig, InputsConfig, OtherFeatureConfig
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.training import Anomalies

ENCODINGS = {
    "published": InputEncoding(InputsConfig()),
    "other": InputEncoding(InputsConfig(other={"isolation": OtherFeatureConfig(lsb=0.1, width=6)}), OTHER),
}


def background(name: str, events: int = 200) -> NDArray[np.integer[Any]]:
    particles = make_particles(events) if name == "published" else make_other_particles(events)
    return ENCODINGS[name].words(particles).astype(np.int16)


def made(name: str, seed: int = 1, **config: float) -> NDArray[np.int64]:
    """Anomalies of shape (events, objects, features)."""
    encoding = ENCODINGS[name]
    found = Anomalies(AnomaliesConfig.model_validate(config), encoding)(background(name), np.random.default_rng(seed))
    assert found.dtype == np.int16
    return found.astype(np.int64).reshape(len(found), encoding.layout.objects, len(encoding.features))


def by_object(name: str) -> NDArray[np.int64]:
    words = background(name).astype(np.int64)
    return words.reshape(len(words), ENCODINGS[name].layout.objects, -1)


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_object_is_one_of_its_class_in_the_background(name: str) -> None:
    events, anomalies = by_object(name), made(name, mixing=0.5, largest_scale=1)
    for item in ENCODINGS[name].layout.classes:
        known = {tuple(row) for row in events[:, item.slots].reshape(-1, events.shape[2]).tolist()}
        assert {tuple(row) for row in anomalies[:, item.slots].reshape(-1, events.shape[2]).tolist()} <= known


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("scale", [1, 8])
def test_each_class_is_in_order_of_falling_pt_and_absent_objects_are_zero(name: str, scale: float) -> None:
    anomalies = made(name, mixing=0.5, largest_scale=scale)
    for item in ENCODINGS[name].layout.classes:
        assert (np.diff(anomalies[:, item.slots, 0], axis=1) <= 0).all()
    assert (anomalies[anomalies[:, :, 0] == 0] == 0).all()


def test_without_mixing_and_scaling_they_are_background_events() -> None:
    events = {tuple(row) for row in by_object("published").reshape(200, -1).tolist()}
    found = made("published", mixing=0, largest_scale=1)
    assert {tuple(row) for row in found.reshape(len(found), -1).tolist()} <= events


def test_objects_of_several_events_are_mixed() -> None:
    events = by_object("published")
    found = made("published", mixing=0.5, largest_scale=1)
    owners = {tuple(row): number for number, event in enumerate(events.tolist()) for row in event if row[0]}
    several = [len({owners[tuple(row)] for row in event if row[0]}) for event in found.tolist()]
    assert max(several) > 2
    # an exchanged object may be exchanged for an absent one, and then nothing of another event is seen
    assert np.mean(np.array(several) > 1) > 0.8


def test_the_missing_energy_is_exchanged_like_any_object() -> None:
    events = by_object("published")
    first = {tuple(event[0]): number for number, event in enumerate(events.tolist())}
    electron = {tuple(event[1]): number for number, event in enumerate(events.tolist())}
    found = made("published", mixing=0.5, largest_scale=1)
    same = [first[tuple(event[0])] == electron.get(tuple(event[1])) for event in found.tolist()]
    assert 0 < np.mean(same) < 0.6


@pytest.mark.parametrize("scale", [1.5, 8.0])
def test_one_factor_scales_all_pt_of_an_event(scale: float) -> None:
    """The same draws without scaling give the same objects: sorting does not change under one factor."""
    plain, scaled = (made("published", mixing=0.5, largest_scale=largest) for largest in (1, scale))
    largest = ENCODINGS["published"].features[0].word.code_max
    pt, words = plain[:, :, 0], scaled[:, :, 0]
    assert ((pt > 0) == (words > 0)).all()
    assert (words <= largest).all()
    # what is rounded to a word came from a factor between these; one factor fits all words that do not saturate
    inside = (pt > 0) & (words < largest)
    low = np.where(inside, (words - 0.5) / np.maximum(pt, 1), 0).max(axis=1)
    high = np.where(inside, (words + 0.5) / np.maximum(pt, 1), np.inf).min(axis=1)
    assert (low <= high).all()
    assert (low <= scale).all()
    assert (high >= 1).all()
    # uniform in the logarithm: half of the factors are below the root
    share = np.mean(low < np.sqrt(scale))
    assert 0.35 < share < 0.65
    # the other words are untouched, but for the order of objects that saturate together
    unsaturated = (words < largest).all(axis=1)
    assert (plain[unsaturated, :, 1:] == scaled[unsaturated, :, 1:]).all()


def test_what_is_present_stays_present_and_saturates() -> None:
    found = made("published", mixing=0.5, largest_scale=64)
    assert found[:, :, 0].max() == ENCODINGS["published"].features[0].word.code_max
    assert found[:, :, 0].min() == 0


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.5, 200), (0.2, 50), (0.75, 600)])
def test_their_number_is_a_share_of_all_events(share: float, count: int) -> None:
    assert len(made("published", share=share)) == count


def test_they_follow_from_the_seed() -> None:
    one, again, other = (made("published", seed=seed) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()
