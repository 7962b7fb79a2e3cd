"""The encoding of events: exact words and codes, presence that survives, saturation that is counted."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.events import OTHER, make_other_particles, make_particles

from trigger_ad.config import FeatureConfig, InputsConfig, OtherFeatureConfig, TransverseMomentumConfig
from trigger_ad.errors import UserError
from trigger_ad.events.content import columns_of
from trigger_ad.events.encoding import FeatureEncoding, InputEncoding
from trigger_ad.events.layout import ETA, KINEMATICS, OBJECTS, PHI, PT
from trigger_ad.fixed_point import FixedPoint, Values

SLOT = 3
"""The object that tests of a single one use; every other is absent."""


@st.composite
def features(draw: st.DrawFn, kind: type[FeatureConfig] = FeatureConfig) -> FeatureConfig:
    """A feature whose least significant bit is a power of two, so that quotients are exact."""
    lsb = 2.0 ** draw(st.integers(-6, 2))
    width = draw(st.integers(2, 12))
    offset = draw(st.one_of(st.just(0), st.integers(-(2**12), 2**12), st.integers(-4, 2**width)))
    return kind(lsb=lsb, width=width, offset=offset, shift=draw(st.integers(-5, 8)))


momenta = features(TransverseMomentumConfig)
inputs = st.builds(InputsConfig, pt=momenta, eta=features(), phi=features())
kinematics = st.tuples(st.floats(1e-6, 7000), st.floats(-5, 5), st.floats(-math.pi, math.pi))
seeds = st.integers(0, 2**32 - 1)


def one_object(pt: float, eta: float = 0.0, phi: float = 0.0) -> Values:
    particles = np.zeros((1, OBJECTS, 4))
    particles[0, SLOT, :3] = pt, eta, phi
    return particles


def expected_word(physical: float, feature: FeatureEncoding) -> int:
    """The trigger word, in rational numbers: rounded to nearest, ties to even, saturated; at least 1 for pT."""
    count = round(Fraction(physical) / Fraction(feature.lsb))
    smallest = 1 if feature.name == "pt" else feature.word.code_min
    return min(max(count, smallest), feature.word.code_max)


@given(config=inputs, measured=kinematics)
@example(config=InputsConfig(), measured=(0.5, 0.09375, -0.03125))
def test_an_object_is_encoded_exactly_as_defined(config: InputsConfig, measured: tuple[float, float, float]) -> None:
    encoding = InputEncoding(config)
    words, values = [], []
    for index, feature in enumerate(encoding.features):
        word = expected_word(measured[index], feature)
        code = 1 if index == PT and word == feature.offset else word - feature.offset
        words.append(word)
        values.append(Fraction(code) / Fraction(2) ** feature.shift)
    particles = one_object(*measured)
    found_words = encoding.words(particles).reshape(OBJECTS, 3)
    found_values = encoding.values(particles).reshape(OBJECTS, 3)
    assert found_words[SLOT].tolist() == words
    assert [Fraction(value) for value in found_values[SLOT].tolist()] == values
    assert not np.delete(found_words, SLOT, axis=0).any()
    assert not np.delete(found_values, SLOT, axis=0).any()


@given(config=inputs, seed=seeds)
def test_the_codes_follow_from_the_words_alone(config: InputsConfig, seed: int) -> None:
    encoding = InputEncoding(config)
    particles = make_particles(5, seed)
    words = encoding.words(particles)
    assert words.dtype == np.int64
    for index, feature in enumerate(encoding.features):
        of_feature = words[:, index :: len(encoding.features)]
        assert feature.word.code_min <= of_feature.min()
        assert of_feature.max() <= feature.word.code_max
    np.testing.assert_array_equal(encoding.codes_of_words(words), encoding.codes(particles))


@given(config=inputs, seed=seeds)
def test_words_of_an_object_whose_pt_word_is_zero_do_not_count(config: InputsConfig, seed: int) -> None:
    encoding = InputEncoding(config)
    random = np.random.default_rng(seed)
    low = np.tile([item.word.code_min for item in encoding.features], OBJECTS)
    high = np.tile([item.word.code_max for item in encoding.features], OBJECTS)
    words = random.integers(low, high + 1, (5, encoding.inputs))
    absent = random.integers(0, 2, (5, OBJECTS)) == 1
    words[:, ::3][absent] = 0
    codes = encoding.codes_of_words(words).reshape(5, OBJECTS, 3)
    present = words[:, ::3] > 0
    assert not codes[~present].any()
    assert codes[:, :, PT][present].all()


@given(config=inputs, seed=seeds)
def test_absent_objects_are_zero_and_present_ones_have_a_pt_that_is_not(config: InputsConfig, seed: int) -> None:
    particles = make_particles(5, seed)
    encoding = InputEncoding(config)
    present = particles[:, :, PT] > 0
    for found in (encoding.words(particles), encoding.codes(particles)):
        by_object = found.reshape(5, OBJECTS, 3)
        assert not by_object[~present].any()
        assert (by_object[:, :, PT] != 0).tolist() == present.tolist()


@pytest.mark.parametrize("pt", [1e-9, 0.4, 0.5])
def test_a_pt_of_less_than_half_a_bit_is_one_bit(pt: float) -> None:
    encoding = InputEncoding(InputsConfig(pt=TransverseMomentumConfig(lsb=1.0, width=8, offset=-7, shift=0)))
    assert encoding.words(one_object(pt))[0, 3 * SLOT] == 1
    assert encoding.values(one_object(pt))[0, 3 * SLOT] == 8


def test_a_pt_that_the_offset_makes_zero_is_one_bit() -> None:
    encoding = InputEncoding(InputsConfig(pt=TransverseMomentumConfig(lsb=1.0, width=8, offset=40, shift=0)))
    codes = [encoding.values(one_object(pt))[0, 3 * SLOT] for pt in (39.0, 40.0, 41.0)]
    assert codes == [-1, 1, 1]


def test_the_order_is_pt_eta_phi_of_one_slot_after_the_other() -> None:
    particles = np.zeros((1, OBJECTS, 4))
    particles[0, :, PT] = np.arange(1, 20)
    particles[0, :, ETA], particles[0, :, PHI] = 0.5, -0.5
    bit = FeatureConfig(lsb=0.5, width=8)
    encoding = InputEncoding(InputsConfig(pt=TransverseMomentumConfig(lsb=0.5, width=8), eta=bit, phi=bit))
    values = encoding.values(particles)
    assert values.shape == (1, encoding.inputs) == (1, 57)
    assert values[0].tolist() == [value for slot in range(OBJECTS) for value in (2 * (slot + 1), 1, -1)]


def test_eta_and_phi_can_be_left_out() -> None:
    encoding = InputEncoding(
        InputsConfig(pt=TransverseMomentumConfig(lsb=1.0, width=8), eta=None, phi=FeatureConfig(lsb=0.125, width=6))
    )
    assert [item.name for item in encoding.features] == ["pt", "phi"]
    assert encoding.words(one_object(7.0, 1.0, 0.25)).tolist() == [[0, 0] * SLOT + [7, 2] + [0, 0] * (18 - SLOT)]
    assert InputEncoding(InputsConfig(eta=None, phi=None)).inputs == 19


@pytest.mark.parametrize("pt", [1e6, 1.7e308])
@pytest.mark.parametrize(("eta", "word"), [(100.0, (255, 63)), (-100.0, (255, -64)), (-1.7e308, (255, -64))])
def test_words_saturate_and_never_wrap(pt: float, eta: float, word: tuple[int, int]) -> None:
    momentum = TransverseMomentumConfig(lsb=0.125, width=8)
    encoding = InputEncoding(InputsConfig(pt=momentum, eta=FeatureConfig(lsb=0.0625, width=7)))
    for found in (encoding.words(one_object(pt, eta)), encoding.values(one_object(pt, eta))):
        assert tuple(found[0, 3 * SLOT : 3 * SLOT + 2]) == word
    assert encoding.saturated(one_object(pt, eta)) == {"pt": 1, "eta": 1, "phi": 0}


@pytest.mark.parametrize(("eta", "code"), [(0.25, 0), (0.75, 2), (1.25, 2), (-0.25, 0), (-0.75, -2), (-1.25, -2)])
def test_ties_go_to_the_even_word(eta: float, code: int) -> None:
    encoding = InputEncoding(InputsConfig(eta=FeatureConfig(lsb=0.5, width=7)))
    assert encoding.values(one_object(20.0, eta))[0, 3 * SLOT + 1] == code


def test_offset_and_shift_move_the_word() -> None:
    encoding = InputEncoding(InputsConfig(pt=TransverseMomentumConfig(lsb=2.0, width=8, offset=10, shift=3)))
    assert encoding.values(one_object(100.0))[0, 3 * SLOT] == (50 - 10) / 8
    encoding = InputEncoding(InputsConfig(pt=TransverseMomentumConfig(lsb=2.0, width=8, offset=-10, shift=-3)))
    assert encoding.values(one_object(100.0))[0, 3 * SLOT] == (50 + 10) * 8


def every_code(feature: FeatureEncoding) -> list[int]:
    """The ends of what a feature can be, an absent object's zero included."""
    smallest = 1 if feature.name == "pt" else feature.word.code_min
    ends = [word - feature.offset for word in (smallest, feature.word.code_max)]
    # pT takes 1 where it would be 0
    return [0, *(1 if feature.name == "pt" and end == 0 else end for end in ends)]


@given(inputs)
def test_the_network_type_is_the_narrowest_that_holds_every_code(config: InputsConfig) -> None:
    encoding = InputEncoding(config)
    kind = encoding.network_type
    values = [Fraction(code) / Fraction(2) ** item.shift for item in encoding.features for code in every_code(item)]
    codes = [value * Fraction(2) ** kind.fraction for value in values]
    assert all(code.denominator == 1 for code in codes)
    assert kind.fraction == max(feature.shift for feature in encoding.features)
    assert kind == FixedPoint.holding(int(min(codes)), int(max(codes)), kind.fraction)


@given(momenta, features(), st.booleans())
def test_each_feature_has_the_narrowest_type_of_its_own(
    pt: TransverseMomentumConfig, other: FeatureConfig, signed: bool
) -> None:
    extra = OtherFeatureConfig(**other.model_dump(), signed=signed)
    encoding = InputEncoding(InputsConfig(pt=pt, eta=other, phi=None, other={"class": extra}))
    for feature in encoding.features:
        # by going through every word there is
        words = np.arange(feature.word.code_min, feature.word.code_max + 1)
        codes = feature.codes(words, words > 0 if feature.name == "pt" else np.ones(len(words), dtype=np.bool_))
        assert feature.network_type == FixedPoint.holding(int(codes.min()), int(codes.max()), feature.shift)


@given(config=inputs, seed=seeds)
def test_every_code_is_one_of_the_network_type(config: InputsConfig, seed: int) -> None:
    encoding = InputEncoding(config)
    codes = encoding.codes(make_particles(5, seed))
    assert codes.dtype == np.int64
    assert encoding.network_type.code_min <= codes.min()
    assert codes.max() <= encoding.network_type.code_max


@given(config=inputs, data=st.data())
def test_on_the_grid_the_encoding_loses_nothing(config: InputsConfig, data: st.DataObject) -> None:
    encoding = InputEncoding(config)
    words = [data.draw(st.integers(kind.word.code_min, kind.word.code_max)) for kind in encoding.features]
    # neither absent, nor the one code that presence takes
    assume(words[PT] not in (0, config.pt.offset))
    particles = one_object(*(word * feature.lsb for word, feature in zip(words, encoding.features, strict=True)))
    assert encoding.exact_values(particles).tolist() == encoding.values(particles).tolist()
    assert encoding.saturated(particles) == dict.fromkeys(KINEMATICS, 0)


def test_exact_values_are_neither_rounded_nor_saturated() -> None:
    encoding = InputEncoding(InputsConfig(pt=TransverseMomentumConfig(lsb=1.0, width=8, offset=1, shift=2)))
    assert encoding.exact_values(one_object(1000.5))[0, 3 * SLOT] == 999.5 / 4
    assert not encoding.exact_values(np.zeros((1, OBJECTS, 4))).any()


def test_saturated_present_objects_are_counted_by_feature() -> None:
    encoding = InputEncoding(
        InputsConfig(
            pt=TransverseMomentumConfig(lsb=1.0, width=8),
            eta=FeatureConfig(lsb=0.5, width=4, offset=3),
            phi=FeatureConfig(lsb=0.5, width=4),
        )
    )
    # words of pT end at 255, those of eta and phi at -8 and 7
    measured = [(255.5, 3.75, -4.25), (255.4, 3.74, -4.26), (300.0, -4.0, 0.0), (0.0, 9.0, 9.0)]
    particles = np.zeros((1, OBJECTS, 4))
    particles[0, : len(measured), :3] = measured
    assert encoding.saturated(particles) == {"pt": 2, "eta": 1, "phi": 1}


def test_shifts_too_far_apart_for_one_type_are_refused() -> None:
    pt = TransverseMomentumConfig(lsb=1.0, width=24, shift=-20)
    far = InputsConfig(pt=pt, eta=FeatureConfig(lsb=0.1, width=8, shift=24))
    with pytest.raises(UserError, match=r"inputs: .* 69 bits"):
        _ = InputEncoding(far).network_type


def test_an_encoding_of_no_events_is_empty() -> None:
    assert InputEncoding(InputsConfig()).codes(np.zeros((0, OBJECTS, 4))).shape == (0, 57)


def test_an_event_without_objects_is_all_zero() -> None:
    encoding = InputEncoding(InputsConfig())
    nothing = np.zeros((1, OBJECTS, 4))
    assert not encoding.words(nothing).any()
    assert not encoding.codes(nothing).any()
    assert encoding.saturated(nothing) == {"pt": 0, "eta": 0, "phi": 0}


@pytest.mark.parametrize(
    ("pt", "eta", "dtype"),
    [
        (2, None, np.int8),
        (7, None, np.int8),
        (8, None, np.int16),
        (7, 8, np.int8),
        (7, 9, np.int16),
        (15, 16, np.int16),
        (16, 2, np.int32),
        (15, 17, np.int32),
        (24, 24, np.int32),
    ],
)
def test_words_are_stored_in_the_smallest_type_that_holds_them(pt: int, eta: int | None, dtype: type) -> None:
    angle = None if eta is None else FeatureConfig(lsb=0.5, width=eta)
    encoding = InputEncoding(InputsConfig(pt=TransverseMomentumConfig(lsb=0.5, width=pt), eta=angle, phi=None))
    assert encoding.word_dtype == dtype
    huge = np.concatenate([one_object(1e300, 1e300), one_object(1e300, -1e300)])
    words = encoding.words(huge)
    np.testing.assert_array_equal(words.astype(encoding.word_dtype), words)


@given(config=inputs, seed=seeds)
def test_stored_words_are_worth_what_the_events_are(config: InputsConfig, seed: int) -> None:
    encoding = InputEncoding(config)
    particles = make_particles(5, seed)
    stored = encoding.words(particles).astype(encoding.word_dtype)
    np.testing.assert_array_equal(encoding.codes_of_words(stored), encoding.codes(particles))
    np.testing.assert_array_equal(encoding.values_of_words(stored), encoding.values(particles))


# Other layouts


ISOLATED = InputsConfig(
    pt=TransverseMomentumConfig(lsb=0.5, width=8),
    eta=None,
    other={"isolation": OtherFeatureConfig(lsb=0.25, width=3, offset=-1, shift=1)},
)


def test_features_are_found_wherever_the_layout_has_them() -> None:
    encoding = InputEncoding(ISOLATED, OTHER)
    assert [item.name for item in encoding.features] == ["pt", "phi", "isolation"]
    assert encoding.inputs == 27
    particles = np.zeros((1, *OTHER.shape))
    # phi, isolation, pT, eta of a tau and of a jet, whose isolation is beyond 7 units
    particles[0, 1] = 0.25, 0.5, 20.0, 1.0
    particles[0, 4] = -0.5, 2.0, 31.0, -2.0
    words, values = encoding.words(particles).reshape(9, 3), encoding.values(particles).reshape(9, 3)
    assert words[[1, 4]].tolist() == [[40, 0, 2], [62, -1, 7]]
    assert values[[1, 4]].tolist() == [[40, 0, 3 / 2], [62, -1 / 64, 8 / 2]]
    assert not np.delete(words, [1, 4], axis=0).any()
    assert encoding.saturated(particles) == {"pt": 0, "phi": 0, "isolation": 1}


@pytest.mark.parametrize(("signed", "words"), [(False, [0, 7]), (True, [-2, 3])])
def test_other_features_have_a_sign_if_they_are_said_to(signed: bool, words: list[int]) -> None:
    other = {"isolation": OtherFeatureConfig(lsb=0.5, width=3, signed=signed)}
    encoding = InputEncoding(InputsConfig(eta=None, phi=None, other=other), OTHER)
    particles = np.zeros((1, *OTHER.shape))
    particles[0, 0], particles[0, 1] = (0, -1.0, 20, 0), (0, 9.0, 20, 0)
    assert encoding.words(particles)[0, [1, 3]].tolist() == words
    assert encoding.saturated(particles)["isolation"] == (1 if signed else 2)


@given(seed=seeds)
def test_presence_survives_in_any_layout(seed: int) -> None:
    encoding = InputEncoding(ISOLATED, OTHER)
    particles = make_other_particles(5, seed)
    codes = encoding.codes(particles).reshape(5, OTHER.objects, 3)
    present = particles[:, :, OTHER.pt] > 0
    assert not codes[~present].any()
    assert (codes[:, :, 0] != 0).tolist() == present.tolist()
    assert encoding.network_type.code_min <= codes.min()
    assert codes.max() <= encoding.network_type.code_max


def test_a_pt_too_small_for_its_word_is_counted_and_kept_present() -> None:
    encoding = InputEncoding(InputsConfig())
    particles = one_object(0.01)
    assert encoding.words(particles)[0, 3 * SLOT] == 1
    assert encoding.saturated(particles) == {"pt": 1, "eta": 0, "phi": 0}
    assert encoding.saturated(one_object(1.0)) == {"pt": 0, "eta": 0, "phi": 0}


@given(config=inputs, seed=seeds)
def test_columns_are_digitised_like_events(config: InputsConfig, seed: int) -> None:
    particles = make_particles(7, seed)
    encoding = InputEncoding(config)
    words, saturated = encoding.digitised(columns_of(particles))
    np.testing.assert_array_equal(words, encoding.words(particles))
    assert (words.shape, words.dtype) == ((7, encoding.inputs), encoding.word_dtype)
    assert saturated == encoding.saturated(particles)


@given(config=inputs)
def test_the_bounds_of_a_feature_are_the_ends_of_its_codes(config: InputsConfig) -> None:
    encoding = InputEncoding(config)
    for index, feature in enumerate(encoding.features):
        words = np.arange(feature.word.code_min, feature.word.code_max + 1)
        events = np.zeros((len(words), encoding.inputs), dtype=np.int64)
        events[:, 0] = 1
        events[:, index] = words
        # a pT word of 0, and everything else of an absent object, is among them
        codes = encoding.codes_of_words(np.concatenate([events, np.zeros_like(events[:1])]))[:, index]
        assert encoding.bounds[index] == (codes.min(), codes.max())
