"""Weights that are zero and stay so.

tensorflow-model-optimization prunes too, by wrapping every layer: names change, masks are no part of the weights that
a fit goes on from, and QKeras's layers lose theirs once they are unwrapped. What is needed here is a product.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import PruningConfig
from trigger_ad.models.keras import tensorflow


def sparsity_at(config: PruningConfig, progress: float) -> float:
    """The share of zeros that each kernel has at some point of a fit (Zhu and Gupta, arXiv:1710.01878, section 3).

    Args:
        config: The share at the end, and when it grows.
        progress: The share of all epochs that is done.
    """
    time = min(max((progress - config.begin) / (config.end - config.begin), 0.0), 1.0)
    return config.sparsity * (1 - (1 - time) ** 3)


class Masks:
    """Which weights of each kernel of a model are trained; the others are zero after every step.

    Args:
        model: A `tf_keras.Model`.
        keep_zeros: The weights that are zero now stay so.
    """

    def __init__(self, model: Any, *, keep_zeros: bool) -> None:
        self._kernels = [weight for weight in model.trainable_weights if _is_kernel(weight)]
        values = [kernel.numpy() for kernel in self._kernels]
        self._masks = [
            tensorflow.Variable((value != 0) if keep_zeros else np.ones_like(value), dtype=kernel.dtype)
            for kernel, value in zip(self._kernels, values, strict=True)
        ]

    def apply(self) -> None:
        """Sets the weights that are not trained to zero; part of the compiled step."""
        for kernel, mask in zip(self._kernels, self._masks, strict=True):
            kernel.assign(kernel * mask)

    def prune(self, share: float) -> None:
        """Brings the share of zeros of each kernel to this one at least; those that were zero stay so.

        Args:
            share: 0 to 1; the smallest weights become zero.
        """
        for kernel, mask in zip(self._kernels, self._masks, strict=True):
            values = kernel.numpy() * mask.numpy()
            kept = np.ones(values.size, dtype=mask.numpy().dtype)
            kept[np.argsort(np.abs(values), axis=None, kind="stable")[: math.ceil(share * values.size)]] = 0
            mask.assign(kept.reshape(values.shape) * mask.numpy())
        self.apply()

    def get(self) -> list[NDArray[Any]]:
        """The masks, for `set`."""
        return [mask.numpy() for mask in self._masks]

    def set(self, masks: list[NDArray[Any]]) -> None:
        """Takes the masks of an earlier fit of the same model."""
        for mask, values in zip(self._masks, masks, strict=True):
            mask.assign(values)


def _is_kernel(weight: Any) -> bool:
    return str(weight.name).rsplit("/", 1)[-1].startswith("kernel")
