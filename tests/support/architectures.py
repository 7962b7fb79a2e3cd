"""Small architectures of every kind, their float models with weights that mean nothing, and events for them."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import (
    ConvolutionalAutoencoderConfig,
    DenseAutoencoderConfig,
    ModelConfig,
    StudentConfig,
    VariationalConfig,
)
from trigger_ad.fixed_point import FixedPoint, Values
from trigger_ad.models.architectures import Architecture, architecture

OBJECTS: Final = 7
FEATURES: Final = 2

BLOCKS: Final = [{"filters": 3, "kernel": (3, 2), "pool": (2, 1)}, {"filters": 2, "kernel": (3, 1), "pool": (3, 2)}]
"""7x2 becomes 3x2 (a row is dropped), and that 1x1."""

MODELS: Final[dict[str, ModelConfig]] = {
    "dense": DenseAutoencoderConfig(hidden=(6, 5), latent=3),
    "variational": DenseAutoencoderConfig(hidden=(6,), latent=3, variational=VariationalConfig()),
    "average": ConvolutionalAutoencoderConfig.model_validate(
        {"architecture": "convolutional_autoencoder", "blocks": BLOCKS, "latent": 2}
    ),
    "max": ConvolutionalAutoencoderConfig.model_validate(
        {
            "architecture": "convolutional_autoencoder",
            "blocks": BLOCKS,
            "hidden": [4],
            "latent": 2,
            "pooling": "max",
            "variational": {},
        }
    ),
    "student": StudentConfig(architecture="student", hidden=(6, 4)),
}

INPUT_TYPE: Final = FixedPoint(True, 9, 4)
"""Of the events' inputs."""


def small(name: str) -> Architecture:
    """The architecture of one of `MODELS`."""
    return architecture(MODELS[name], OBJECTS, FEATURES)


def events(count: int, seed: int = 1) -> Values:
    """Input values of events, shape (events, inputs), as `INPUT_TYPE` has them; some objects are absent."""
    random = np.random.default_rng(seed)
    codes = random.integers(-200, 200, (count, OBJECTS, FEATURES))
    # the smallest pT of a present object is one code
    codes[:, :, 0] = np.maximum(1, np.abs(codes[:, :, 0]) - 50)
    codes *= random.random((count, OBJECTS, 1)) < 0.7
    return INPUT_TYPE.values(codes.reshape(count, OBJECTS * FEATURES))


def randomise(model: Any, seed: int = 1) -> Any:
    """Gives a Keras model random weights, none of its normalisations trivial, and returns it."""
    random = np.random.default_rng(seed)

    def drawn(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
        if "moving_variance" in name:
            return random.uniform(0.3, 3.0, shape)
        # of either sign, gamma too
        return random.normal(0, 1 / math.sqrt(math.prod(shape[:-1])), shape)

    model.set_weights([drawn(weight.name, tuple(weight.shape)) for weight in model.weights])
    return model
