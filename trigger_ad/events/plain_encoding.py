"""Inputs that need no encoding: what arrives is the network's input codes themselves."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import Config, LayoutConfig, ObjectsConfig
from trigger_ad.events.encoding import FeatureEncoding, InputEncoding
from trigger_ad.events.layout import EventLayout
from trigger_ad.fixed_point import Codes, FixedPoint

PLAIN: Final = "input"
"""The name of the one feature, and of the class of objects, of plain inputs."""


class PlainEncoding(InputEncoding):
    """The encoding that changes nothing: each input is an object of one feature, which is never absent.

    It has no physical values, and so none of the methods that begin with those.

    Args:
        kind: The type of every input.
        inputs: How many.
    """

    def __init__(self, kind: FixedPoint, inputs: int) -> None:
        word = FixedPoint(kind.signed, kind.width, kind.width)
        self.features = (FeatureEncoding(PLAIN, 0, kind.lsb, word, offset=0, shift=kind.fraction, can_be_absent=False),)
        # no user's layout, which would need pT and have no more than 128 objects of a class
        objects = ObjectsConfig.model_construct(name=PLAIN, count=inputs)
        self.layout = EventLayout(LayoutConfig.model_construct(objects=(objects,), features=(PLAIN,)))

    def codes_of_words(self, words: NDArray[np.integer[Any]]) -> Codes:
        """The words themselves, int64, shape (events, inputs)."""
        return words.astype(np.int64)


def input_encoding(config: Config) -> InputEncoding:
    """How the inputs of a run are encoded."""
    codes = config.own_model.codes if config.own_model else None
    if codes:
        return PlainEncoding(codes.fixed_point, codes.count)
    return InputEncoding(config.inputs, EventLayout(config.layout))
