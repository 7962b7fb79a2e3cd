"""How far out in the tail of training background a score is, so that different scores compare.

Scores of different kinds have no common scale, but the share of background beyond each of them is one. The smaller of
two such shares was proposed as a combined test by L. Tippett, The Methods of Statistics (1931).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Values
from trigger_ad.models.scores import log_of_score

FEWEST_EVENTS: Final = 50
"""Of training background beyond the last knot: it is known to a seventh there, and beyond it extrapolated."""


@dataclass(frozen=True)
class Tail:
    """The tail of a score in training background.

    Args:
        knots: Logarithms of the scores beyond which all events, half of them, a quarter and so on are, shape (knots,).
        exponents: Minus the natural logarithm of each of these shares, of the same shape.
    """

    knots: Values
    exponents: Values

    @classmethod
    def of(cls, scores: Values) -> Tail:
        """That of a sample.

        Args:
            scores: Of training background, shape (events,).

        Raises:
            UserError: They are of less than twice `FEWEST_EVENTS` events, or hardly differ.
        """
        halvings = np.arange(max(1, math.floor(math.log2(len(scores) / FEWEST_EVENTS)) + 1))
        knots = log_of_score(np.quantile(scores, 1 - 2.0**-halvings))
        # of knots at one score, the last has the share that is beyond it
        kept = np.append(np.diff(knots) > 0, True)
        if kept.sum() < 2:
            raise UserError(
                f"model.teaches: smaller_tail needs scores that differ between at least {2 * FEWEST_EVENTS} training "
                f"events, and there are {len(scores)}",
                "Give more background, or set model.teaches to mean",
            )
        return cls(knots[kept], math.log(2) * halvings[kept])

    def __call__(self, scores: Values) -> Values:
        """Minus the natural logarithm of the share of training background beyond each score, shape (events,).

        Between knots, and beyond the outer ones, it is linear in the logarithm of the score.
        """
        at = log_of_score(scores)
        segment = np.clip(np.searchsorted(self.knots, at) - 1, 0, len(self.knots) - 2)
        slopes = np.diff(self.exponents) / np.diff(self.knots)
        exponents: Values = self.exponents[segment] + slopes[segment] * (at - self.knots[segment])
        return exponents
