"""Numbers as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from trigger_ad.config import Config
from trigger_ad.report.wording import (
    UNKNOWN,
    bits_of,
    count,
    decimals_of,
    difference,
    listed,
    percentage,
    power_of_ten,
    rate_with_interval,
    rounded,
    seconds,
    signal_title,
    source_title,
    text,
)


def test_a_name_of_the_users_own_stays_as_it_is() -> None:
    assert signal_title("τ → 3μ (2026)") == "τ → 3μ (2026)"
    assert signal_title("ato4l") == "A → 4l"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("mine.h5", "mine.h5"),
        (["a.h5", "b.h5", "c.h5"], "a.h5, b.h5, c.h5"),
        (["a.h5", "b.h5", "c.h5", "d.h5"], "a.h5 … d.h5 (4 files)"),
        (None, UNKNOWN),
    ],
)
def test_many_files_are_counted(source: object, shown: str) -> None:
    assert source_title(source) == shown


@pytest.mark.parametrize("shown", [count, difference, listed, percentage, rounded, seconds, text])
def test_what_is_not_known_is_a_dash_and_never_zero(shown: Any) -> None:
    assert shown(None) == UNKNOWN
    assert shown(0) != UNKNOWN


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (57, "57"), (999, "999"), (51_234, "51,200"), (51_250, "51,200"), (999_900, "1,000,000")],
)
def test_estimates_are_rounded_to_three_digits(value: int, shown: str) -> None:
    assert rounded(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.431, "43 %"), (0.0433, "4.3 %"), (0.00123, "0.12 %"), (1e-6, "< 0.001 %")],
)
def test_percentages_have_two_digits(share: float, shown: str) -> None:
    assert percentage(share) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.1, "10⁻¹"), (1.0, "10⁰"), (1e-6, "10⁻⁶"), (0.02, "0.02")])
def test_powers_of_ten_are_plain_text(value: float, shown: str) -> None:
    assert power_of_ten(value) == shown


@pytest.mark.parametrize(("width", "decimals"), [(0.02, 3), (0.0101, 3), (0.0099, 4), (1e-5, 4), (0.0, 3), (1.0, 3)])
def test_intervals_decide_how_many_decimals_are_shown(width: float, decimals: int) -> None:
    assert decimals_of(width, 3, 4) == decimals


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        ((0.5, 0.2, 0.8), "0.50 [0.20, 0.80]"),
        ((0.0105, 0.0065, 0.0160), "0.0105 [0.0065, 0.0160]"),
        ((0.0, 0.0, 0.02), "0.000 [0.000, 0.020]"),
        ((0.0, 0.0, 2.5e-4), "0.0 [0.0, 2.5] × 10⁻⁴"),
        ((0.0, 0.0, 0.0), "0.00 [0.00, 0.00]"),
    ],
)
def test_rates_show_the_digits_that_their_interval_supports(rate: tuple[float, float, float], shown: str) -> None:
    assert rate_with_interval(*rate) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [({"weights": 8, "biases": None}, "weights 8, biases –"), ([1, 2.5], "[1, 2.5]"), (True, "yes"), ({}, UNKNOWN)],
)
def test_lists_and_mappings_are_one_line(value: Any, shown: str) -> None:
    assert listed(value) == shown


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({}, "weights 8, biases 8, activations 8, latent 8, output 8"),
        ({"score": "mahalanobis"}, "weights 8, biases 8, activations 8, latent 8"),
        ({"model": {"architecture": "student"}}, "weights 8, biases 8, activations 8, output 8"),
        (
            {"quantization": {"score": 12, "layers": {"encoder_1": {"weights": 5}}}},
            "weights 8, biases 8, activations 8, latent 8, output 8, score 12, encoder_1 weights 5",
        ),
    ],
)
def test_bits_are_those_of_the_words_that_the_network_has(config: dict[str, Any], shown: str) -> None:
    assert bits_of(Config.model_validate({"name": "example"} | config).model_dump(mode="json")) == shown
