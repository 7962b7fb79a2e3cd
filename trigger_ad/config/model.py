"""The sections `model` and `score`: the network, and the anomaly score that it ships with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from trigger_ad.config.section import Section

ScoreName = Literal["squared_error", "squared_error_present", "mu_squared", "mahalanobis", "network_output"]
"""The scores that firmware can compute; `trigger_ad.models.scores` defines them, and those that software alone can."""

Units = Annotated[int, Field(ge=1, le=1024)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Window = tuple[Annotated[int, Field(ge=1, le=64)], Annotated[int, Field(ge=1, le=64)]]
"""Rows (objects) and columns (features) of the image."""


class VariationalConfig(Section):
    """A latent space of Gaussians (Kingma and Welling, arXiv:1312.6114); the firmware holds their means."""

    kl_weight: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    """What the Kullback-Leibler divergence from unit Gaussians weighs in the loss, beside the mean squared error."""


class _NetworkConfig(Section):
    """What every architecture has."""

    batch_normalization: bool = True
    """Normalise each hidden layer during float training; folded into its weights before quantization."""
    activation: Literal["relu", "leaky_relu"] = "relu"
    """Of the hidden layers in the float model. What ships has ReLU: a leaky slope does not convert exactly."""
    l2: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """The weight of the squared kernels in the float model's loss."""
    dropout: tuple[Rate, ...] = Field(default=(), strict=False)
    """The rate after each hidden layer of the encoder, mirrored in the decoder, in the float fit; none if empty."""


def _rate_for_each(dropout: tuple[float, ...], layers: int) -> None:
    if dropout and len(dropout) != layers:
        raise ValueError(f"dropout: {len(dropout)} rates for {layers} hidden layers; give one for each, or none")


class DenseAutoencoderConfig(_NetworkConfig):
    """Dense layers, mirrored around the latent space."""

    architecture: Literal["dense_autoencoder"] = "dense_autoencoder"
    """Need not be given for this one."""
    hidden: tuple[Units, ...] = Field(default=(32, 16), min_length=1, strict=False)
    """Units of the encoder's layers, from the input inwards; the decoder repeats them in reverse."""
    latent: Units = 3
    """Dimensions of the latent space."""
    variational: VariationalConfig | None = None
    """A mapping, which may be empty, makes the latent space one of Gaussians; the firmware holds their means."""

    @model_validator(mode="after")
    def _rates(self) -> DenseAutoencoderConfig:
        _rate_for_each(self.dropout, len(self.hidden))
        return self


class BlockConfig(Section):
    """A convolution of the encoder, and the pooling that follows it; the decoder mirrors both."""

    filters: Annotated[int, Field(ge=1, le=512)]
    """Channels of the convolution's output."""
    kernel: Annotated[Window, Field(strict=False)]
    """Rows (objects) and columns (features) of the convolution's window; zeros around the image keep its size."""
    pool: Annotated[Window, Field(strict=False)] = (1, 1)
    """Rows and columns of the pooling's window; `[1, 1]` for none. What fills no window is left out."""


class ConvolutionalAutoencoderConfig(_NetworkConfig):
    """Convolutions of the image of objects x features, mirrored around a dense latent space."""

    architecture: Literal["convolutional_autoencoder"]
    """Which of the three architectures this is."""
    blocks: tuple[BlockConfig, ...] = Field(min_length=1, strict=False)
    """The encoder's convolutions, from the image inwards, each with the pooling that follows it."""
    pooling: Literal["average", "max"] = "average"
    """What a pooling takes of its window."""
    hidden: tuple[Units, ...] = Field(default=(), strict=False)
    """Units of dense layers between the last block and the latent space."""
    latent: Units = 8
    """Dimensions of the latent space."""
    variational: VariationalConfig | None = None
    """A mapping, which may be empty, makes the latent space one of Gaussians; the firmware holds their means."""

    @model_validator(mode="after")
    def _rates(self) -> ConvolutionalAutoencoderConfig:
        _rate_for_each(self.dropout, len(self.blocks) + len(self.hidden))
        return self


AutoencoderConfig = Annotated[
    DenseAutoencoderConfig | ConvolutionalAutoencoderConfig, Field(discriminator="architecture")
]


class AnomaliesConfig(Section):
    """Events beside the background that the student learns the score of; never a signal.

    They are made of background events alone: objects of several events are mixed, and transverse momenta scaled.
    """

    share: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """How many of a batch's events they are, as a share."""
    mixing: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The chance that an object is exchanged for the one in the same slot of another event."""
    largest_scale: Annotated[float, Field(ge=1, le=64, allow_inf_nan=False)] = 4.0
    """Transverse momenta are multiplied by a factor between 1 and this, uniform in its logarithm, one an event."""


TaughtScore = Literal["mean", "smaller_tail"]
"""What a student may learn of its teachers."""


class StudentConfig(_NetworkConfig):
    """A small dense network whose output is the score: it learns the score of float autoencoders."""

    architecture: Literal["student"]
    """Which of the three architectures this is."""
    hidden: tuple[Units, ...] = Field(default=(32, 16), min_length=1, strict=False)
    """Units of the layers between the inputs and the one output."""
    teacher: AutoencoderConfig = DenseAutoencoderConfig()
    """The float autoencoder, trained first; its score is the sum of squared errors."""
    teachers: Annotated[int, Field(ge=1, le=32)] = 1
    """How many such autoencoders are trained, each from random weights of its own (a deep ensemble: Lakshminarayanan,
    Pritzel and Blundell, arXiv:1612.01474). What counts is the mean of their scores."""
    teaches: TaughtScore = "mean"
    """What the student learns: the logarithm of that mean; or, as `smaller_tail`, the smaller of two shares of training
    background: of events where that mean is larger, and of events where the sum of squared inputs is, which is the
    error of an autoencoder that answers 0 (Tippett's combined test)."""
    anomalies: AnomaliesConfig = AnomaliesConfig()
    """Events beside the background that the student learns the score of, made of background alone."""

    @field_validator("teacher", mode="before")
    @classmethod
    def _dense_teacher(cls, teacher: Any) -> Any:
        return dense_unless_named(teacher)

    @model_validator(mode="after")
    def _rates(self) -> StudentConfig:
        _rate_for_each(self.dropout, len(self.hidden))
        return self


ModelConfig = Annotated[
    DenseAutoencoderConfig | ConvolutionalAutoencoderConfig | StudentConfig, Field(discriminator="architecture")
]


def dense_unless_named(data: Any) -> Any:
    """An architecture that is not named is the dense autoencoder."""
    if isinstance(data, dict) and "architecture" not in data:
        return {"architecture": "dense_autoencoder"} | data
    return data


ARCHITECTURES: Final = ("dense_autoencoder", "convolutional_autoencoder", "student")
"""The values of `model.architecture`; a student's teacher is one of the first two."""

RECONSTRUCTION_SCORES: Final[tuple[ScoreName, ...]] = ("squared_error", "squared_error_present")


def meaningful_scores(
    model: DenseAutoencoderConfig | ConvolutionalAutoencoderConfig | StudentConfig,
) -> tuple[ScoreName, ...]:
    """The scores that a model's firmware can have, its own default first."""
    if isinstance(model, StudentConfig):
        return ("network_output",)
    if model.variational is not None:
        return ("mu_squared", *RECONSTRUCTION_SCORES, "mahalanobis")
    return (*RECONSTRUCTION_SCORES, "mahalanobis")


def default_score(model: Mapping[str, Any]) -> ScoreName:
    """The score of a model that is still as the user wrote it."""
    if model.get("architecture") == "student":
        return "network_output"
    return "mu_squared" if model.get("variational") is not None else "squared_error"
