"""What a student learns of its teachers, which are float autoencoders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.fixed_point import Values
from trigger_ad.models.floating import FloatEvaluation
from trigger_ad.models.scores import SQUARED_ERROR, log_of_score, squared_error, sum_of_squares
from trigger_ad.models.tails import Tail

_BLOCK: Final = 2**14


class Teachers(ABC):
    """What a student learns from.

    Attributes:
        taught: The name of their score in reports.
        objective: What the student is trained for, in words.
    """

    taught: str
    objective: str

    @abstractmethod
    def scores(self, inputs: Values) -> Values:
        """Their score of events, shape (events,), for inputs of shape (events, inputs)."""

    @abstractmethod
    def targets(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the student is to make of inputs: shape (events, 1)."""


class MeanOfTeachers(Teachers):
    """The mean of the sums of squared errors of several autoencoders; its logarithm is learnt.

    Args:
        evaluations: The autoencoders.
    """

    taught = SQUARED_ERROR
    objective = "mean squared error of the logarithm of the teachers' mean score"

    def __init__(self, evaluations: Sequence[FloatEvaluation]) -> None:
        self._evaluations = evaluations

    def scores(self, inputs: Values) -> Values:
        """The mean, shape (events,)."""
        found = [squared_error(inputs, _reconstruction(of_one, inputs)) for of_one in self._evaluations]
        mean: Values = np.mean(found, axis=0, dtype=np.float64)
        return mean

    def targets(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Its logarithm, shape (events, 1)."""
        return log_of_score(self.scores(inputs.astype(np.float64))).astype(np.float32)[:, None]


@dataclass(frozen=True)
class SmallerTail(Teachers):
    """The smaller of two shares of training background, as minus its logarithm: Tippett's combination of two tests.

    One is the share where the teachers' mean score is larger, the other the share where the sum of squared inputs is:
    the error of an autoencoder that answers 0, for which an event is the more anomalous the more there is in it.

    Args:
        mean: The teachers' mean score.
        of_mean: Its tail in training background.
        of_inputs: That of the sum of squared inputs.
    """

    mean: MeanOfTeachers
    of_mean: Tail
    of_inputs: Tail

    taught = "smaller_tail"
    objective = "mean squared error of the logarithm of the smaller of two shares of background"

    @classmethod
    def of(cls, mean: MeanOfTeachers, background: Values) -> SmallerTail:
        """With the tails of training background.

        Args:
            mean: The teachers' mean score.
            background: Inputs of training events, shape (events, inputs).
        """
        blocks = (background[start : start + _BLOCK] for start in range(0, len(background), _BLOCK))
        return cls(
            mean, Tail.of(np.concatenate([mean.scores(block) for block in blocks])), Tail.of(sum_of_squares(background))
        )

    def scores(self, inputs: Values) -> Values:
        """Minus the natural logarithm of the smaller share, shape (events,)."""
        smaller: Values = np.maximum(self.of_mean(self.mean.scores(inputs)), self.of_inputs(sum_of_squares(inputs)))
        return smaller

    def targets(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same, shape (events, 1)."""
        return self.scores(inputs.astype(np.float64)).astype(np.float32)[:, None]


def _reconstruction(evaluation: FloatEvaluation, inputs: Values) -> Values:
    reconstruction = evaluation(inputs).reconstruction
    assert reconstruction is not None
    return reconstruction
