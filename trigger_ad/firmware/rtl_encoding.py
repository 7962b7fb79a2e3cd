"""The step before the network in a traced program: trigger words become input words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.encoding import FeatureEncoding, InputEncoding
from trigger_ad.firmware.rtl_words import Variable, added, any_bit, constant, where


def encoded(words: Sequence[Variable], encoding: InputEncoding) -> NDArray[Any]:
    """The network's input words of trigger words.

    Args:
        words: Trigger words: every feature of slot 0, then of slot 1, and so on.
        encoding: How they are encoded.

    Returns:
        Shape (inputs,), in the same order.
    """
    result = []
    for start in range(0, len(words), len(encoding.features)):
        slot = words[start : start + len(encoding.features)]
        present = any_bit(slot[0])
        result += [
            _encoded(word, present, feature) * 2.0**-feature.shift
            for word, feature in zip(slot, encoding.features, strict=True)
        ]
    return np.array(result, dtype=object)


def _encoded(word: Variable, present: Variable, feature: FeatureEncoding) -> Variable:
    """The code of a feature in its own units."""
    if feature.logarithm is not None:
        # the finished code of every word, that of an absent object included
        words = np.arange(feature.word.code_max + 1)
        return word.lookup(feature.codes(words, words > 0).astype(np.float64))
    if feature.name == "pt" and not feature.gives_zero:
        # the word of an absent object is 0 already: only what is added depends on the presence
        return word + present * float(-feature.offset) if feature.offset else word
    code = added(word, -feature.offset)
    if not feature.can_be_absent:
        return code
    if feature.name == "pt":
        # an object that is there is never 0
        code = code + ~any_bit(code)
    return where(present, code, constant(0))
