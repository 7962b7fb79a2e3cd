"""The logarithmic encoding of pT: every entry of every table, in an arithmetic of its own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.events import make_particles

from trigger_ad.config import InputsConfig, TransverseMomentumConfig
from trigger_ad.events.encoding import FeatureEncoding, InputEncoding
from trigger_ad.events.layout import OBJECTS, PT
from trigger_ad.fixed_point import Codes, FixedPoint, Values

LARGEST_WIDTH, LARGEST_K = 14, 12

logarithmic = st.builds(
    TransverseMomentumConfig,
    lsb=st.sampled_from([0.25, 0.5, 1.0]),
    width=st.integers(2, 10),
    offset=st.one_of(st.just(0), st.integers(-(2**12), 2**12), st.integers(-4, 64)),
    shift=st.integers(-5, 8),
    logarithm=st.integers(0, LARGEST_K),
)


def encoding_of(config: TransverseMomentumConfig) -> InputEncoding:
    """pT alone enters."""
    return InputEncoding(InputsConfig(pt=config, eta=None, phi=None))


def one_pt(pt: float) -> Values:
    particles = np.zeros((1, OBJECTS, 4))
    particles[0, 0, PT] = pt
    return particles


def table_of(width: int, logarithm: int) -> Codes:
    word = FixedPoint(False, width, width)
    table = FeatureEncoding("pt", PT, 1.0, word, 0, 0, logarithm).table
    assert table is not None
    return table


@pytest.fixture(scope="module")
def logarithms() -> list[Decimal]:
    """log2 of 1, 2, 3, ... to 40 digits."""
    with localcontext() as context:
        context.prec = 45
        of_two = Decimal(2).ln()
        return [Decimal(word).ln() / of_two for word in range(1, 1 << LARGEST_WIDTH)]


def rounded(logarithms: list[Decimal], k: int) -> Iterator[int]:
    """2**k times each, rounded; 40 digits decide that, since none is close to the middle of two integers."""
    with localcontext() as context:
        context.prec = 45
        for value in logarithms:
            scaled = value * (1 << k)
            assert abs(scaled % 1 - Decimal("0.5")) > Decimal("1e-12")
            yield int(scaled.to_integral_value(ROUND_HALF_EVEN))


@pytest.mark.parametrize("k", range(LARGEST_K + 1))
def test_every_entry_is_the_rounded_logarithm(logarithms: list[Decimal], k: int) -> None:
    expected = list(rounded(logarithms, k))
    for width in range(2, LARGEST_WIDTH + 1):
        assert table_of(width, k)[1:].tolist() == expected[: (1 << width) - 1]


def test_entries_are_right_by_integers_alone() -> None:
    # n = 2**k log2(w) rounded means 2**(2n - 1) < w**(2**(k + 1)) < 2**(2n + 1)
    for k in range(5):
        for word, entry in enumerate(table_of(10, k).tolist()[1:], 1):
            power = word ** (2 ** (k + 1))
            assert Fraction(2) ** (2 * entry - 1) < power < Fraction(2) ** (2 * entry + 1)


@given(logarithmic)
def test_a_larger_word_never_has_a_smaller_code(config: TransverseMomentumConfig) -> None:
    (feature,) = encoding_of(config).features
    words = np.arange(1, feature.word.code_max + 1)
    assert (np.diff(feature.codes(words, words > 0)) >= 0).all()


@given(logarithmic)
def test_presence_survives_whatever_the_offset(config: TransverseMomentumConfig) -> None:
    (feature,) = encoding_of(config).features
    words = np.arange(feature.word.code_max + 1)
    codes = feature.codes(words, words > 0)
    assert codes[0] == 0
    assert codes[1:].all()


@given(logarithmic)
def test_the_type_is_the_narrowest_that_holds_every_code(config: TransverseMomentumConfig) -> None:
    encoding = encoding_of(config)
    (feature,) = encoding.features
    words = np.arange(feature.word.code_max + 1)
    codes = feature.codes(words, words > 0)
    narrowest = FixedPoint.holding(int(codes.min()), int(codes.max()), config.shift)
    assert feature.network_type == encoding.network_type == narrowest


@given(config=logarithmic, seed=st.integers(0, 2**32 - 1))
def test_absent_objects_are_zero(config: TransverseMomentumConfig, seed: int) -> None:
    particles = make_particles(5, seed)
    present = particles[:, :, PT] > 0
    encoding = encoding_of(config)
    assert ((encoding.words(particles) != 0) == present).all()
    assert ((encoding.codes(particles) != 0) == present).all()
    assert not encoding.exact_values(particles)[~present].any()


@pytest.mark.parametrize("pt", [255.6, 1e6, 1.7e308])
def test_a_pt_beyond_the_word_is_the_last_entry_and_counted(pt: float) -> None:
    encoding = encoding_of(TransverseMomentumConfig(lsb=1.0, width=8, logarithm=5))
    assert encoding.words(one_pt(pt))[0, 0] == 255
    # 32 log2(255) is 255.82
    assert encoding.values(one_pt(pt))[0, 0] == 256
    assert encoding.saturated(one_pt(pt)) == {"pt": 1}
    assert encoding.saturated(one_pt(255.4)) == {"pt": 0}


def test_offset_and_shift_apply_to_the_logarithm() -> None:
    encoding = encoding_of(TransverseMomentumConfig(lsb=0.5, width=8, offset=-64, shift=5, logarithm=5))
    # 32 units of half a GeV: 32 * 5 + 64 over 32
    assert encoding.values(one_pt(16.0))[0, 0] == (32 * 5 + 64) / 32


@pytest.mark.parametrize("k", [0, 3, 12])
def test_powers_of_two_lose_nothing(k: int) -> None:
    encoding = encoding_of(TransverseMomentumConfig(lsb=0.25, width=12, offset=-3, shift=4, logarithm=k))
    for power in range(12):
        particles = one_pt(0.25 * 2**power)
        assert encoding.exact_values(particles)[0, 0] == (2**k * power + 3) / 16
        assert encoding.values(particles)[0, 0] == encoding.exact_values(particles)[0, 0]


@given(word=st.integers(1, 4095), k=st.integers(0, 12))
def test_exact_values_are_not_rounded(word: int, k: int) -> None:
    encoding = encoding_of(TransverseMomentumConfig(lsb=0.5, width=12, offset=-1, logarithm=k))
    particles = one_pt(0.5 * word)
    exact, encoded = encoding.exact_values(particles)[0, 0], encoding.values(particles)[0, 0]
    assert np.rint(exact) == encoded
    assert (exact == encoded) == (word & (word - 1) == 0)


def test_exact_values_are_not_saturated_above_and_end_at_one_unit_below() -> None:
    encoding = encoding_of(TransverseMomentumConfig(lsb=1.0, width=8, logarithm=2))
    assert encoding.exact_values(one_pt(2.0**20))[0, 0] == 80
    assert [encoding.exact_values(one_pt(pt))[0, 0] for pt in (1.0, 0.3, 1e-300)] == [0, 0, 0]
