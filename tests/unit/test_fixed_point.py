"""Fixed-point types, held against their definition in rational numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.fixed_points import codes_of, exact_value, expected_code, fixed_points

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import MAX_WIDTH, FixedPoint, Overflow, Rounding

LARGEST_CODE = 2**62
"""Of codes that are converted from one type to another."""


@st.composite
def values_near(draw: st.DrawFn, kind: FixedPoint) -> float:
    """Quarters of a least significant bit within and around the range, or any float64."""
    if draw(st.booleans()):
        return draw(st.floats(-1e300, 1e300, allow_nan=False).filter(lambda value: abs(value) > 1e-250 or value == 0))
    around = draw(st.sampled_from([0, kind.code_min, kind.code_max])) + draw(st.integers(-3, 3))
    code = draw(st.one_of(st.just(around), st.integers(2 * kind.code_min, 2 * kind.code_max)))
    return math.ldexp(4 * code + draw(st.integers(-3, 3)), -kind.fraction - 2)


types_with_value = fixed_points().flatmap(lambda kind: st.tuples(st.just(kind), values_near(kind)))
types_with_codes = fixed_points().flatmap(lambda kind: st.tuples(st.just(kind), st.lists(codes_of(kind), min_size=1)))


@given(types_with_value)
def test_quantizing_follows_the_definition(drawn: tuple[FixedPoint, float]) -> None:
    kind, value = drawn
    assert kind.quantize(np.array([value])).tolist() == [expected_code(kind, Fraction(value))]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("fixed<4,4>", [-3, -2, -1, 0, 1, 2]),
        ("fixed<4,4,RND_CONV,SAT>", [-2, -2, 0, 0, 2, 2]),
    ],
)
def test_ties_go_to_the_even_code_or_down(kind: str, expected: list[int]) -> None:
    ties = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert FixedPoint.parse(kind).quantize(ties).tolist() == expected


def test_infinities_saturate() -> None:
    kind = FixedPoint.parse("fixed<8,3,RND_CONV,SAT>")
    assert kind.quantize(np.array([-np.inf, np.inf])).tolist() == [-128, 127]


def test_a_value_beyond_the_64_bits_of_an_integer_wraps_like_any_other() -> None:
    value = 2.0**70 + 2.0**20
    assert FixedPoint(True, 32, 32).quantize(np.array([value])).tolist() == [2**20]


@given(
    kind=fixed_points(),
    codes=st.lists(st.integers(-LARGEST_CODE, LARGEST_CODE), min_size=1),
    fraction=st.integers(-200, 200),
)
@example(kind=FixedPoint(True, 8, 8, overflow=Overflow.SATURATE), codes=[2**52, -(2**52)], fraction=-20)
@example(kind=FixedPoint(True, 8, 8, Rounding.NEAREST_EVEN), codes=[2**62, -(2**62)], fraction=63)
@example(kind=FixedPoint(True, 8, 8, Rounding.NEAREST_EVEN), codes=[-1, 0, 1], fraction=64)
def test_converting_codes_follows_the_definition_however_far_they_are_shifted(
    kind: FixedPoint, codes: list[int], fraction: int
) -> None:
    values = [Fraction(code) / Fraction(2) ** fraction for code in codes]
    given_codes = np.array(codes, dtype=np.int64)
    assert kind.requantize(given_codes, fraction).tolist() == [expected_code(kind, value) for value in values]

    rounded = [value * Fraction(2) ** kind.fraction for value in values]
    if kind.rounding is Rounding.NEAREST_EVEN:
        outside = [not kind.code_min <= round(value) <= kind.code_max for value in rounded]
    else:
        outside = [not kind.code_min <= math.floor(value) <= kind.code_max for value in rounded]
    assert kind.out_of_range(given_codes, fraction).tolist() == outside


@given(
    kind=fixed_points(),
    codes=st.lists(st.integers(-LARGEST_CODE, LARGEST_CODE), min_size=1),
    fraction=st.integers(-200, 200),
    divisor=st.one_of(st.integers(1, 64), st.integers(1, 2**31)),
)
@example(kind=FixedPoint(True, 8, 8, Rounding.NEAREST_EVEN), codes=[3, 9, 15, -3, -9, -15], fraction=0, divisor=6)
@example(kind=FixedPoint(True, 8, 8, Rounding.NEAREST_EVEN), codes=[1, 2, 4, 5, -1, -2], fraction=0, divisor=3)
@example(kind=FixedPoint(True, 53, 53, Rounding.NEAREST_EVEN), codes=[2**62, -(2**62)], fraction=0, divisor=2)
@example(kind=FixedPoint(True, 8, 8, Rounding.NEAREST_EVEN), codes=[2**62, -(2**62)], fraction=62, divisor=2)
@example(kind=FixedPoint(False, 3, 200), codes=[2**62, -1], fraction=-200, divisor=3)
def test_quotients_are_rounded_once_however_far_they_are_shifted(
    kind: FixedPoint, codes: list[int], fraction: int, divisor: int
) -> None:
    values = [Fraction(code, divisor) / Fraction(2) ** fraction for code in codes]
    found = kind.requantize(np.array(codes, dtype=np.int64), fraction, divisor)
    assert found.dtype == np.int64
    assert found.tolist() == [expected_code(kind, value) for value in values]

    unlimited = [value * Fraction(2) ** kind.fraction for value in values]
    nearest = kind.rounding is Rounding.NEAREST_EVEN
    rounded = [round(value) if nearest else math.floor(value) for value in unlimited]
    outside = [not kind.code_min <= value <= kind.code_max for value in rounded]
    assert kind.out_of_range(np.array(codes, dtype=np.int64), fraction, divisor).tolist() == outside


def test_no_codes_have_no_quotients() -> None:
    none = np.zeros((0, 3), dtype=np.int64)
    assert FixedPoint(True, 8, 8).requantize(none, 0, 3).shape == (0, 3)


def test_converting_leaves_the_codes_that_it_was_given() -> None:
    codes = np.array([5, -7, 100])
    for divisor in (1, 3):
        FixedPoint(True, 4, 4, Rounding.NEAREST_EVEN, Overflow.SATURATE).requantize(codes, 2, divisor)
    assert codes.tolist() == [5, -7, 100]


@given(types_with_codes)
def test_converting_a_type_into_itself_changes_nothing(drawn: tuple[FixedPoint, list[int]]) -> None:
    kind, codes = drawn
    assert kind.requantize(np.array(codes), kind.fraction).tolist() == codes
    assert not kind.out_of_range(np.array(codes), kind.fraction).any()


@given(types_with_codes)
def test_values_are_exact_and_lead_back_to_the_codes(drawn: tuple[FixedPoint, list[int]]) -> None:
    kind, codes = drawn
    values = kind.values(np.array(codes))
    assert [Fraction(value) for value in values.tolist()] == [exact_value(kind, code) for code in codes]
    assert kind.exact_codes(values).tolist() == codes
    assert kind.quantize(values).tolist() == codes


@given(fixed_points(max_width=50))
def test_what_lies_between_or_beyond_the_codes_is_not_exact(kind: FixedPoint) -> None:
    beyond = np.array([kind.code_min - 1, kind.code_max + 1, 0.5]) * kind.lsb
    for value in (*beyond, np.nan, np.inf, -np.inf, 1e300):
        with pytest.raises(ValueError, match=r"at \(0, 1\) is not a value of"):
            kind.exact_codes(np.array([[0.0, value]]))


@given(fixed_points())
def test_a_type_is_read_back_from_its_text(kind: FixedPoint) -> None:
    assert FixedPoint.parse(str(kind)) == kind


def test_the_text_names_the_modes_only_where_they_matter() -> None:
    assert str(FixedPoint(True, 8, 3)) == "fixed<8,3>"
    assert str(FixedPoint(False, 6, -2)) == "ufixed<6,-2>"
    assert str(FixedPoint(True, 8, 3, Rounding.NEAREST_EVEN, Overflow.SATURATE)) == "fixed<8,3,RND_CONV,SAT>"
    assert FixedPoint.parse(" fixed< 8, 3 > ") == FixedPoint(True, 8, 3)


@pytest.mark.parametrize(
    "text",
    ["", "fixed", "fixed<8>", "fixed<8,3", "ap_fixed<8,3>", "fixed<-8,3>", "fixed<8,3,RND_CONV>", "fixed<8,3,RND,SAT>"],
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not a fixed-point type"):
        FixedPoint.parse(text)


@pytest.mark.parametrize(
    ("signed", "width", "accepted"),
    [(True, 1, False), (True, 2, True), (False, 0, False), (False, 1, True), (False, -1, False)]
    + [(signed, width, width == MAX_WIDTH) for signed in (True, False) for width in (MAX_WIDTH, MAX_WIDTH + 1)],
)
def test_a_word_has_1_to_53_bits_and_a_signed_one_at_least_2(signed: bool, width: int, accepted: bool) -> None:
    if accepted:
        assert FixedPoint(signed, width, 3).width == width
        return
    with pytest.raises(UserError) as refusal:
        FixedPoint(signed, width, 3)
    assert f"{'' if signed else 'u'}fixed<{width},3>" in refusal.value.what
    assert str(MAX_WIDTH) in refusal.value.remedy


codes = st.integers(-(2**52), 2**52 - 1)


@given(st.tuples(codes, codes).map(sorted), st.integers(-80, 80))
def test_the_type_that_holds_a_range_is_the_narrowest(ends: list[int], fraction: int) -> None:
    low, high = ends
    kind = FixedPoint.holding(low, high, fraction)
    assert kind.fraction == fraction
    assert kind.signed == (low < 0)
    assert kind.code_min <= low <= high <= kind.code_max
    if kind.width > (2 if kind.signed else 1):
        narrower = FixedPoint(kind.signed, kind.width - 1, kind.integer - 1)
        assert low < narrower.code_min or high > narrower.code_max


def test_zero_and_minus_one_need_the_smallest_words() -> None:
    assert FixedPoint.holding(0, 0, 0) == FixedPoint(False, 1, 1)
    assert FixedPoint.holding(-1, 0, 4) == FixedPoint(True, 2, -2)


@pytest.mark.parametrize(("low", "high"), [(0, 2**53), (-(2**52) - 1, 0), (-1, 2**52)])
def test_a_range_that_needs_54_bits_is_refused(low: int, high: int) -> None:
    with pytest.raises(UserError, match="has 54 bits"):
        FixedPoint.holding(low, high, 0)


def test_the_plain_type_has_the_same_bits() -> None:
    assert FixedPoint.parse("fixed<8,3,RND_CONV,SAT>").plain() == FixedPoint(True, 8, 3)


def test_a_least_significant_bit_is_a_power_of_two() -> None:
    assert FixedPoint(True, 8, 3).lsb == 1 / 32
    assert FixedPoint(False, 4, 6).lsb == 4
