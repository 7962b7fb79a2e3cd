"""Events that are unlike the background, made of nothing else: what a student sees of high scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import AnomaliesConfig
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import Codes


class Anomalies:
    """Makes anomalies of background events, in trigger words.

    Each is a background event in which some objects, present or absent, are exchanged for those in the same slots of
    other events, drawn anew for each object. The missing energy is one of them, so it need not balance the others.
    Then all transverse momenta are scaled by one factor, rounded and saturated; what is present stays present. Each
    class is put in order of falling pT again, as the trigger sends it.

    Args:
        config: How many, how often objects are exchanged, and the largest factor.
        encoding: What the words mean.
    """

    def __init__(self, config: AnomaliesConfig, encoding: InputEncoding) -> None:
        self._config = config
        self._encoding = encoding

    def count(self, events: int) -> int:
        """How many are made of so many background events."""
        return round(events * self._config.share / (1 - self._config.share))

    def __call__(self, words: NDArray[np.integer[Any]], generator: np.random.Generator) -> NDArray[np.integer[Any]]:
        """Anomalies of the same type as the words.

        Args:
            words: Trigger words of background events, shape (events, inputs).
            generator: Source of all that is random.

        Returns:
            Shape (`count(events)`, inputs).
        """
        layout = self._encoding.layout
        objects = words.reshape(len(words), layout.objects, len(self._encoding.features))
        mixed = self._mixed(objects, generator).astype(np.int64)
        mixed[:, :, 0] = self._scaled(mixed[:, :, 0], generator)
        for item in layout.classes:
            mixed[:, item.slots] = _by_falling_pt(mixed[:, item.slots])
        return mixed.reshape(len(mixed), self._encoding.inputs).astype(words.dtype)

    def _mixed(self, objects: NDArray[np.integer[Any]], generator: np.random.Generator) -> NDArray[np.integer[Any]]:
        count, slots = self.count(len(objects)), objects.shape[1]
        own = generator.integers(len(objects), size=(count, 1))
        other = generator.integers(len(objects), size=(count, slots))
        exchanged = generator.random((count, slots)) < self._config.mixing
        return objects[np.where(exchanged, other, own), np.arange(slots)]

    def _scaled(self, pt: Codes, generator: np.random.Generator) -> Codes:
        """Words of pT, shape (events, objects), scaled by a factor for each event that is uniform in its logarithm."""
        factor = np.exp(generator.uniform(0, np.log(self._config.largest_scale), (len(pt), 1)))
        scaled = np.clip(np.rint(pt * factor), 1, self._encoding.features[0].word.code_max)
        return np.where(pt > 0, scaled, 0).astype(np.int64)


def _by_falling_pt(objects: Codes) -> Codes:
    """The objects of one class, shape (events, objects, features), absent ones last."""
    order = np.argsort(-objects[:, :, 0], axis=1, kind="stable")
    return np.take_along_axis(objects, order[:, :, None], axis=1)
