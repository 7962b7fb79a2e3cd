"""Anomaly scores in software, on float values, each defined once; the firmware's is computed by the network itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Values
from trigger_ad.models.architectures import Architecture

SQUARED_ERROR: Final = "squared_error"
"""The name of the sum of squared reconstruction errors in configurations and reports."""

TITLES: Final[dict[str, str]] = {
    SQUARED_ERROR: "sum of squared errors",
    "squared_error_present": "sum of squared errors of present objects",
    "mu_squared": "Σ μ²",
    "mu_squared_over_variance": "Σ μ²/σ²",
    "kl_divergence": "KL divergence",
    "mahalanobis": "Mahalanobis distance in the latent space",
    "network_output": "network output",
}
"""Every score, with its name in reports."""

LOG_OFFSET: Final = 2.0**-10
"""What is added to a score before its logarithm is learnt: far below what any event scores, and finite for a perfect
reconstruction."""


@dataclass(frozen=True)
class Outputs:
    """What a float model makes of events, in float64; None for what it does not have.

    Args:
        reconstruction: Shape (events, inputs).
        latent: The latent space, shape (events, dimensions); its means if it is variational.
        log_variance: The logarithm of its variances, of the same shape.
        output: What a student makes of them, shape (events,).
    """

    reconstruction: Values | None = None
    latent: Values | None = None
    log_variance: Values | None = None
    output: Values | None = None


@dataclass(frozen=True)
class Whitening:
    """What turns latents into variables of zero mean and unit covariance: `(latents - mean) @ matrix`.

    Args:
        matrix: Shape (dimensions, dimensions); lower triangular.
        mean: Shape (dimensions,).
    """

    matrix: Values
    mean: Values

    def __call__(self, latents: Values) -> Values:
        """The whitened latents, both of shape (events, dimensions)."""
        whitened: Values = (latents - self.mean) @ self.matrix
        return whitened


def available_scores(architecture: Architecture) -> tuple[str, ...]:
    """The scores that have a meaning for a model in software; `config.meaningful_scores` says what firmware can."""
    if not architecture.decoder:
        return ("network_output",)
    variational = ("mu_squared", "mu_squared_over_variance", "kl_divergence") if architecture.variational else ()
    return (SQUARED_ERROR, "squared_error_present", *variational, "mahalanobis")


def score(name: str, inputs: Values, outputs: Outputs, features: int, whitening: Whitening | None = None) -> Values:
    """A score of events, shape (events,).

    Args:
        name: One of `available_scores`.
        inputs: What the model read, shape (events, inputs).
        outputs: What it made of them.
        features: Inputs of each object, pT first.
        whitening: Of the latent space on training background; `mahalanobis` alone needs it.

    Raises:
        ValueError: The model does not have what the score needs.
    """
    match name:
        case "squared_error":
            return squared_error(inputs, _required(name, outputs.reconstruction))
        case "squared_error_present":
            return squared_error_present(inputs, _required(name, outputs.reconstruction), features)
        case "mu_squared":
            return mu_squared(_required(name, outputs.latent))
        case "mu_squared_over_variance":
            return mu_squared_over_variance(_required(name, outputs.latent), _required(name, outputs.log_variance))
        case "kl_divergence":
            return kl_divergence(_required(name, outputs.latent), _required(name, outputs.log_variance))
        case "mahalanobis" if whitening is not None:
            return mahalanobis(_required(name, outputs.latent), whitening)
        case "network_output":
            return _required(name, outputs.output)
    raise ValueError(f"there is no score '{name}', or what it needs is missing")


def _required(name: str, values: Values | None) -> Values:
    if values is None:
        raise ValueError(f"the score '{name}' has no meaning for this model")
    return values


def squared_error(inputs: Values, reconstruction: Values) -> Values:
    """The sum over inputs of the squared reconstruction error, shape (events,).

    Args:
        inputs: Shape (events, inputs).
        reconstruction: The same shape.
    """
    return sum_of_squares(inputs - reconstruction)


def squared_error_present(inputs: Values, reconstruction: Values, features: int) -> Values:
    """The same over the inputs of objects that are present, whose pT input is positive.

    Args:
        inputs: Shape (events, inputs).
        reconstruction: The same shape.
        features: Inputs of each object, pT first.
    """
    present = inputs.reshape(len(inputs), -1, features)[:, :, 0] > 0
    return sum_of_squares((inputs - reconstruction) * np.repeat(present, features, axis=1))


def mu_squared(mean: Values) -> Values:
    """The sum over latent dimensions of the squared mean, shape (events,).

    What is left of the divergence from the unit Gaussian where every variance is the same: no exponential is needed.

    Args:
        mean: Shape (events, dimensions).
    """
    return sum_of_squares(mean)


def mu_squared_over_variance(mean: Values, log_variance: Values) -> Values:
    """The sum over latent dimensions of the squared mean over the variance, shape (events,).

    The score R_z of arXiv:2108.03986.

    Args:
        mean: Shape (events, dimensions).
        log_variance: Logarithms of the variances, of the same shape.
    """
    return sum_of_squares(mean * np.exp(-0.5 * log_variance))


def kl_divergence(mean: Values, log_variance: Values) -> Values:
    """The Kullback-Leibler divergence of each event's Gaussian from the unit one, shape (events,).

    Kingma and Welling, arXiv:1312.6114, appendix B, with the sign of a divergence.

    Args:
        mean: Shape (events, dimensions).
        log_variance: Logarithms of the variances, of the same shape.
    """
    divergence: Values = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1)
    return divergence


def mahalanobis(latents: Values, whitening: Whitening) -> Values:
    """The squared Mahalanobis distance from the mean of training background, shape (events,).

    `(x - mean)^T C^-1 (x - mean)`, with the covariance C: the sum of squares of the whitened latents.

    Args:
        latents: Shape (events, dimensions).
        whitening: By mean and covariance of training background.
    """
    return sum_of_squares(whitening(latents))


def sum_of_squares(values: Values) -> Values:
    """The sum of squares of each event's values: (events, values) to (events,)."""
    total: Values = np.einsum("ij,ij->i", values, values)
    return total


LARGEST_CONDITION: Final = 1e8
"""Of the correlation matrix of the latent space: beyond it, words of a few bits cannot hold its inverse."""


def whitening(latents: Values) -> Whitening:
    """The whitening of a latent space, by the Cholesky factor of the inverse covariance.

    Args:
        latents: Of training background, shape (events, dimensions).

    Raises:
        UserError: A dimension is the same for every event, or follows from the others; names it.
    """
    mean: Values = latents.mean(axis=0)
    covariance = np.atleast_2d(np.cov(latents, rowvar=False, bias=True))
    deviations = np.sqrt(np.diag(covariance))
    dead = np.flatnonzero(latents.max(axis=0) == latents.min(axis=0))
    if dead.size:
        raise UserError(
            f"latent dimension {dead[0]} (counted from 0) is the same for every training event: "
            "the Mahalanobis distance has no meaning",
            "Give model.latent fewer dimensions, the latent layer more bits, or choose another score",
        )
    correlation = covariance / np.outer(deviations, deviations)
    if np.linalg.cond(correlation) > LARGEST_CONDITION:
        raise UserError(
            "a latent dimension follows from the others: the Mahalanobis distance has no meaning",
            "Give model.latent fewer dimensions, or choose another score",
        )
    # by the correlation, whose inverse is well scaled
    factor = np.linalg.cholesky(np.linalg.inv(correlation))
    return Whitening(factor / deviations[:, None], mean)


def log_of_score(scores: Values) -> Values:
    """What a student learns of scores: their natural logarithm, finite for a score of 0."""
    return np.log(scores + LOG_OFFSET)
