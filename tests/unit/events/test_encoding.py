"""The encoding of events: exact codes, presence that survives, saturation that is counted."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.events import make_particles

from trigger_ad.config import FeatureConfig, InputsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import NETWORK_INPUTS, FeatureEncoding, InputEncoding
from trigger_ad.events.layout import ETA, KINEMATICS, OBJECTS, PHI, PT
from trigger_ad.fixed_point import FixedPoint, Values

SLOT = 3
"""The object that tests of a single one use; every other is absent."""


@st.composite
def features(draw: st.DrawFn) -> FeatureConfig:
    """A feature whose least significant bit is a power of two, so that quotients are exact."""
    lsb = 2.0 ** draw(st.integers(-6, 2))
    width = draw(st.integers(2, 12))
    offset = draw(st.one_of(st.just(0), st.integers(-(2**12), 2**12)))
    return FeatureConfig(lsb=lsb, width=width, offset=offset, shift=draw(st.integers(-5, 8)))


inputs = st.builds(InputsConfig, pt=features(), eta=features(), phi=features())
kinematics = st.tuples(st.floats(1e-6, 7000), st.floats(-5, 5), st.floats(-math.pi, math.pi))
seeds = st.integers(0, 2**32 - 1)


def one_object(pt: float, eta: float = 0.0, phi: float = 0.0) -> Values:
    particles = np.zeros((1, OBJECTS, 4))
    particles[0, SLOT, :3] = pt, eta, phi
    return particles


def expected_word(physical: float, feature: FeatureEncoding) -> int:
    """The trigger word, in rational numbers: rounded to nearest, ties to even, saturated."""
    count = round(Fraction(physical) / Fraction(feature.lsb))
    return min(max(count, feature.word.code_min), feature.word.code_max)


@given(config=inputs, measured=kinematics)
@example(config=InputsConfig(), measured=(0.5, 0.09375, -0.03125))
def test_an_object_is_encoded_exactly_as_defined(config: InputsConfig, measured: tuple[float, float, float]) -> None:
    encoding = InputEncoding(config)
    expected = []
    for index, feature in enumerate(encoding.features):
        code = expected_word(measured[index], feature) - feature.offset
        code = 1 if index == PT and code == 0 else code
        expected.append(Fraction(code) / Fraction(2) ** feature.shift)
    values = encoding.values(one_object(*measured)).reshape(OBJECTS, 3)
    assert [Fraction(value) for value in values[SLOT].tolist()] == expected
    assert not np.delete(values, SLOT, axis=0).any()


@given(config=inputs, seed=seeds)
def test_absent_objects_are_zero_and_present_ones_have_a_pt_that_is_not(config: InputsConfig, seed: int) -> None:
    particles = make_particles(5, seed)
    codes = InputEncoding(config).codes(particles).reshape(5, OBJECTS, 3)
    present = particles[:, :, PT] > 0
    assert not codes[~present].any()
    assert (codes[:, :, PT] != 0).tolist() == present.tolist()


@pytest.mark.parametrize("pt", [1e-9, 0.4, 0.5])
def test_a_pt_of_less_than_half_a_bit_is_one_bit(pt: float) -> None:
    encoding = InputEncoding(InputsConfig(pt=FeatureConfig(lsb=1.0, width=8, shift=0)))
    assert encoding.values(one_object(pt))[0, 3 * SLOT] == 1


def test_a_pt_that_the_offset_makes_zero_is_one_bit() -> None:
    encoding = InputEncoding(InputsConfig(pt=FeatureConfig(lsb=1.0, width=8, offset=40, shift=0)))
    codes = [encoding.values(one_object(pt))[0, 3 * SLOT] for pt in (39.0, 40.0, 41.0)]
    assert codes == [-1, 1, 1]


def test_the_order_is_pt_eta_phi_of_one_slot_after_the_other() -> None:
    particles = np.zeros((1, OBJECTS, 4))
    particles[0, :, PT] = np.arange(1, 20)
    particles[0, :, ETA], particles[0, :, PHI] = 0.5, -0.5
    bit = FeatureConfig(lsb=0.5, width=8)
    values = InputEncoding(InputsConfig(pt=bit, eta=bit, phi=bit)).values(particles)
    assert values.shape == (1, NETWORK_INPUTS) == (1, 57)
    assert values[0].tolist() == [value for slot in range(OBJECTS) for value in (2 * (slot + 1), 1, -1)]


@pytest.mark.parametrize(("pt", "eta", "word"), [(1e6, 100.0, (255, 63)), (1e6, -100.0, (255, -64))])
def test_words_saturate_and_never_wrap(pt: float, eta: float, word: tuple[int, int]) -> None:
    config = InputsConfig(pt=FeatureConfig(lsb=1.0, width=8), eta=FeatureConfig(lsb=0.0625, width=7))
    values = InputEncoding(config).values(one_object(pt, eta))
    assert tuple(values[0, 3 * SLOT : 3 * SLOT + 2]) == word


@pytest.mark.parametrize(("eta", "code"), [(0.25, 0), (0.75, 2), (1.25, 2), (-0.25, 0), (-0.75, -2), (-1.25, -2)])
def test_ties_go_to_the_even_word(eta: float, code: int) -> None:
    encoding = InputEncoding(InputsConfig(eta=FeatureConfig(lsb=0.5, width=7)))
    assert encoding.values(one_object(20.0, eta))[0, 3 * SLOT + 1] == code


def test_offset_and_shift_move_the_word() -> None:
    encoding = InputEncoding(InputsConfig(pt=FeatureConfig(lsb=2.0, width=8, offset=10, shift=3)))
    assert encoding.values(one_object(100.0))[0, 3 * SLOT] == (50 - 10) / 8
    encoding = InputEncoding(InputsConfig(pt=FeatureConfig(lsb=2.0, width=8, offset=-10, shift=-3)))
    assert encoding.values(one_object(100.0))[0, 3 * SLOT] == (50 + 10) * 8


def every_code(encoding: InputEncoding) -> list[Fraction]:
    """The ends of what each feature can be, an absent object's zero included."""
    ends = [Fraction(0)]
    for feature in encoding.features:
        for word in (feature.word.code_min, feature.word.code_max):
            ends.append(Fraction(word - feature.offset) / Fraction(2) ** feature.shift)
    return ends


@given(inputs)
def test_the_network_type_is_the_narrowest_that_holds_every_code(config: InputsConfig) -> None:
    encoding = InputEncoding(config)
    kind = encoding.network_type
    codes = [value * Fraction(2) ** kind.fraction for value in every_code(encoding)]
    assert all(code.denominator == 1 and kind.code_min <= code <= kind.code_max for code in codes)
    assert kind.fraction == max(feature.shift for feature in encoding.features)
    narrower = FixedPoint.holding(int(min(codes)), int(max(codes)), kind.fraction)
    assert kind == narrower


@given(features(), st.booleans())
def test_each_feature_has_the_narrowest_type_of_its_own(config: FeatureConfig, signed: bool) -> None:
    encoding = InputEncoding(InputsConfig(eta=config) if signed else InputsConfig(pt=config))
    feature = encoding.features[ETA if signed else PT]
    ends = feature.word.code_min - config.offset, feature.word.code_max - config.offset
    assert feature.network_type == FixedPoint.holding(min(*ends, 0), max(*ends, 0), config.shift)


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
    encoding = InputEncoding(InputsConfig(pt=FeatureConfig(lsb=1.0, width=8, offset=1, shift=2)))
    assert encoding.exact_values(one_object(1000.5))[0, 3 * SLOT] == 999.5 / 4
    assert not encoding.exact_values(np.zeros((1, OBJECTS, 4))).any()


def test_saturated_present_objects_are_counted_by_feature() -> None:
    encoding = InputEncoding(
        InputsConfig(
            pt=FeatureConfig(lsb=1.0, width=8),
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
    far = InputsConfig(pt=FeatureConfig(lsb=1.0, width=24, shift=-20), eta=FeatureConfig(lsb=0.1, width=8, shift=24))
    with pytest.raises(UserError, match=r"inputs: .* 69 bits"):
        _ = InputEncoding(far).network_type


def test_an_encoding_of_no_events_is_empty() -> None:
    assert InputEncoding(InputsConfig()).codes(np.zeros((0, OBJECTS, 4))).shape == (0, NETWORK_INPUTS)
