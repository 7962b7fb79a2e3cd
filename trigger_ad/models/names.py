"""Names of layers that every room knows by: those that make a score, beside those of `architectures`."""

from __future__ import annotations

from typing import Final

DIFFERENCE: Final = "difference"
"""Inputs less their reconstruction."""
OBJECT_PT: Final = "object_pt"
"""For each input, the pT of its object."""
PRESENT: Final = "present"
"""For each input, 1 where its object is present and 0 where it is absent."""
MASKED: Final = "masked"
"""The difference where the object is present, and 0 elsewhere."""
WHITENING: Final = "whitening"
"""The layer that whitens the latent space where the score is the Mahalanobis distance."""
SQUARE: Final = "square"
SCORE: Final = "score"
"""The exact score: the last layer, unless the score word has a given number of bits."""


def quantized_name(layer: str) -> str:
    """The name of the quantizer after a layer that has no ReLU."""
    return f"{layer}_quantized"


def relu_name(layer: str) -> str:
    """The name of the ReLU after a layer, leaky or not, quantized or not."""
    return f"{layer}_relu"


SCORE_WORD: Final = quantized_name(SCORE)
"""The last layer where the score word has a given number of bits."""
