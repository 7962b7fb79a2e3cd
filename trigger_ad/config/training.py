"""The sections `training` and `quantization`: the fits, and the bits of every word."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from trigger_ad.config.section import Bits, Section


class FitConfig(Section):
    """One fit with Adam and early stopping; the best weights on validation background are kept."""

    epochs: int = Field(default=60, ge=1)
    """The most passes over the training events."""
    batch_size: int = Field(default=512, ge=1)
    """Events of one step."""
    learning_rate: float = Field(default=1e-2, gt=0, allow_inf_nan=False)
    """Adam's, at the beginning."""
    patience: int = Field(default=6, ge=1)
    """Epochs without a better validation loss before the learning rate is halved; training ends after twice that."""
    schedule: Literal["plateau", "cosine"] = "plateau"
    """How the learning rate falls: halved when the validation loss no longer does, or by a half cosine to 0 over all
    epochs, of which none is then left out."""


class PruningConfig(Section):
    """The smallest weights of each kernel are set to 0, more and more of them (Zhu and Gupta, arXiv:1710.01878).

    The share of zeros grows with `sparsity * (1 - (1 - t)**3)`, t from 0 at `begin` to 1 at `end`.
    """

    sparsity: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The share of each kernel's weights that is 0 at the end."""
    begin: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """When it begins, as a share of all epochs."""
    end: Annotated[float, Field(gt=0, le=1)] = 0.5
    """When the full share is reached; the best weights are those of an epoch after it."""

    @model_validator(mode="after")
    def _in_order(self) -> PruningConfig:
        if self.begin >= self.end:
            raise ValueError(f"begin ({self.begin}) is not before end ({self.end})")
        return self


class TrainingConfig(FitConfig):
    """The float fit, and the sample that both fits use."""

    augmentation: int = Field(default=2, ge=1, le=64)
    """Copies of each training event, turned in phi and reflected in eta; pp collisions are symmetric under both. For
    a detector that is not, or objects whose phi is no angle of the event, 1; so with neither eta nor phi among the
    inputs."""
    pruning: PruningConfig | None = None
    """A mapping, which may be empty, sets the smallest weights to 0; they stay 0 in all that follows."""


class QatConfig(FitConfig):
    """The quantization-aware fit: it starts from trained weights, and only mends what quantization broke."""

    epochs: int = Field(default=20, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0, allow_inf_nan=False)
    patience: int = Field(default=4, ge=1)
    distillation: Literal["none", "reconstruction", "score"] = "none"
    """What an autoencoder that ships whole learns: to reproduce its inputs, the float model's reconstruction, or the
    logarithm of its score. Without a decoder it learns the float latent space; a student, its teachers' score."""


class LayerBitsConfig(Section):
    """The bits of one layer, where they are not those of its group."""

    weights: Bits | None = None
    """Of its kernel."""
    biases: Bits | None = None
    """Of its biases."""
    output: Bits | None = None
    """Of what follows the layer: its activation, or the quantizer of a linear one."""


class QuantizationConfig(Section):
    """Bits of each group of words; where the binary point sits is calibrated on training background."""

    weights: Bits = 8
    """Bits of the kernels."""
    biases: Bits = 8
    """Bits of the biases."""
    activations: Bits = 8
    """Bits of the hidden layers' outputs."""
    latent: Bits = 8
    """Bits of the latent space."""
    output: Bits = 8
    """Bits of the reconstructed inputs."""
    score: Bits | None = None
    """Bits of the score word; exact, with as many bits as it takes, if not given."""
    layers: dict[str, LayerBitsConfig] = Field(default={})
    """Exceptions by layer name, such as `{encoder_1: {weights: 6, biases: 8, output: 7}}`."""
    ship: Literal["ptq", "qat"] = "qat"
    """Which quantized model becomes firmware: post-training quantization, or quantization-aware training."""
    qat: QatConfig = QatConfig()
    """The quantization-aware fit."""
