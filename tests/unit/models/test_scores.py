"""The anomaly scores in software."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.architectures import MODELS, small

from trigger_ad.config import meaningful_scores
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Values
from trigger_ad.models.scores import (
    LOG_OFFSET,
    TITLES,
    Outputs,
    Whitening,
    available_scores,
    kl_divergence,
    log_of_score,
    mahalanobis,
    mu_squared,
    mu_squared_over_variance,
    score,
    squared_error,
    squared_error_present,
    whitening,
)

# sums of squares of numbers with so few bits are exact in float64
rows = st.lists(st.lists(st.integers(-1000, 1000), min_size=8, max_size=8), min_size=1, max_size=5)


@given(rows)
def test_the_score_is_the_sum_of_squared_errors_of_each_event(codes: list[list[int]]) -> None:
    values = np.array(codes) / 8
    expected = [sum((Fraction(a - b, 8)) ** 2 for a, b in zip(row[:4], row[4:], strict=True)) for row in codes]
    found = squared_error(values[:, :4], values[:, 4:])
    assert [Fraction(value) for value in found.tolist()] == expected


@given(rows)
def test_present_objects_are_those_with_a_positive_pt(codes: list[list[int]]) -> None:
    values = np.array(codes) / 8
    expected = [
        sum(Fraction(row[i] - row[4 + i], 8) ** 2 for pt in (0, 2) if row[pt] > 0 for i in (pt, pt + 1))
        for row in codes
    ]
    found = squared_error_present(values[:, :4], values[:, 4:], features=2)
    assert [Fraction(value) for value in found.tolist()] == expected


def test_a_perfect_reconstruction_scores_zero() -> None:
    values = np.random.default_rng(1).normal(size=(4, 57))
    assert squared_error(values, values).tolist() == [0.0] * 4
    assert squared_error(values[:0], values[:0]).shape == (0,)
    assert np.isfinite(log_of_score(np.zeros(1))).all()
    assert log_of_score(np.ones(1) - LOG_OFFSET).tolist() == [0.0]


def test_scores_of_a_latent_space_of_gaussians() -> None:
    mean, log_variance = np.array([[3.0, -4.0], [0.0, 0.0]]), np.log([[4.0, 0.25], [1.0, 1.0]])
    assert mu_squared(mean).tolist() == [25.0, 0.0]
    np.testing.assert_allclose(mu_squared_over_variance(mean, log_variance), [9 / 4 + 64, 0], rtol=1e-14)
    # half of mu^2 + sigma^2 - 1 - log(sigma^2), summed; the logarithms cancel here
    np.testing.assert_allclose(kl_divergence(mean, log_variance), [0.5 * (25 + 4.25 - 2), 0], rtol=1e-14)


def test_the_divergence_is_that_of_the_densities() -> None:
    """Against the definition, by a sum over a fine grid."""
    mean, deviation = 0.7, 1.6
    x = np.linspace(-30, 30, 200_001)
    density = np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
    logarithms = -0.5 * ((x - mean) / deviation) ** 2 - np.log(deviation) + 0.5 * x**2
    expected = float((density * logarithms).sum() * (x[1] - x[0]))
    found = kl_divergence(np.array([[mean]]), np.log([[deviation**2]]))
    np.testing.assert_allclose(found, [expected], rtol=1e-9)


def latents(dimensions: int) -> Values:
    """Correlated, of very different sizes."""
    random = np.random.default_rng(1)
    mixed = random.normal(size=(500, dimensions)) @ random.normal(size=(dimensions, dimensions))
    return mixed * 10.0 ** np.arange(dimensions) + 5


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_whitened_latents_have_unit_covariance_and_the_distance_is_mahalanobis(dimensions: int) -> None:
    values = latents(dimensions)
    found = whitening(values)
    np.testing.assert_allclose(found(values).mean(axis=0), np.zeros(dimensions), atol=1e-10)
    covariance = np.cov(found(values), rowvar=False, bias=True).reshape(dimensions, dimensions)
    np.testing.assert_allclose(covariance, np.eye(dimensions), atol=1e-9)
    difference = values - values.mean(axis=0)
    inverse = np.linalg.inv(np.atleast_2d(np.cov(values, rowvar=False, bias=True)))
    expected = np.einsum("ei,ij,ej->e", difference, inverse, difference)
    np.testing.assert_allclose(mahalanobis(values, found), expected, rtol=1e-8)


def test_a_dead_dimension_is_refused() -> None:
    values = latents(3)
    values[:, 1] = 0.1
    with pytest.raises(UserError, match=r"latent dimension 1 .*is the same for every training event"):
        whitening(values)


def test_a_dimension_that_follows_from_others_is_refused() -> None:
    values = latents(3)
    values[:, 2] = values[:, 0] - 2 * values[:, 1] + 1
    with pytest.raises(UserError, match="a latent dimension follows from the others"):
        whitening(values)


@pytest.mark.parametrize("name", MODELS)
def test_software_has_every_score_that_firmware_can_have(name: str) -> None:
    found = available_scores(small(name))
    assert set(meaningful_scores(MODELS[name])) <= set(found)
    assert ("kl_divergence" in found) == small(name).variational
    assert set(found) <= set(TITLES)


def test_every_score_goes_by_its_name() -> None:
    random = np.random.default_rng(1)
    inputs, reconstruction, output = random.normal(size=(3, 6, 4))
    latent, log_variance = random.normal(size=(2, 6, 2))
    outputs = Outputs(reconstruction, latent, log_variance, output[:, 0])
    white = Whitening(np.eye(2) * 2, np.ones(2))
    expected = {
        "squared_error": squared_error(inputs, reconstruction),
        "squared_error_present": squared_error_present(inputs, reconstruction, 2),
        "mu_squared": mu_squared(latent),
        "mu_squared_over_variance": mu_squared_over_variance(latent, log_variance),
        "kl_divergence": kl_divergence(latent, log_variance),
        "mahalanobis": mahalanobis(latent, white),
        "network_output": output[:, 0],
    }
    assert expected.keys() == TITLES.keys()
    for name, values in expected.items():
        assert score(name, inputs, outputs, 2, white).tolist() == values.tolist()


@pytest.mark.parametrize("name", [*TITLES, "entropy"])
def test_a_score_that_a_model_does_not_have_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="score"):
        score(name, np.zeros((1, 2)), Outputs(), 2)
