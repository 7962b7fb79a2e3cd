"""What a student learns of its teachers."""

from __future__ import annotations

import numpy as np

from trigger_ad.fixed_point import Values
from trigger_ad.models.scores import Outputs, log_of_score
from trigger_ad.models.tails import Tail
from trigger_ad.models.teachers import MeanOfTeachers, SmallerTail

RANDOM = np.random.default_rng(1)
BACKGROUND = RANDOM.normal(0, 1, (4000, 3))


class _Shrinking:
    """Stands for an autoencoder that answers a part of its inputs."""

    def __init__(self, part: float) -> None:
        self._part = part

    def __call__(self, inputs: Values) -> Outputs:
        return Outputs(reconstruction=self._part * inputs)


def _mean() -> MeanOfTeachers:
    return MeanOfTeachers([_Shrinking(0.5), _Shrinking(0.75)])  # type: ignore[list-item]


def test_the_mean_of_several_errors_is_learnt_as_its_logarithm() -> None:
    inputs = np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    scores = _mean().scores(inputs)
    assert scores.tolist() == [5 * (0.25 + 0.0625) / 2, 0.0]
    assert np.array_equal(_mean().targets(inputs.astype(np.float32))[:, 0], log_of_score(scores).astype(np.float32))


class _Second(MeanOfTeachers):
    """Teachers whose error is the square of the second input alone."""

    def __init__(self) -> None:
        super().__init__([])

    def scores(self, inputs: Values) -> Values:
        return np.asarray(inputs[:, 1] ** 2)


def test_the_smaller_of_two_shares_of_background_is_learnt() -> None:
    teachers = SmallerTail.of(_Second(), BACKGROUND)
    errors, squares = Tail.of(BACKGROUND[:, 1] ** 2), Tail.of((BACKGROUND**2).sum(axis=1))
    # the first has a large error, the second is large where the teachers do not look
    inputs = np.array([[0.0, 2.5, 0.0], [4.0, 0.1, 0.0]])
    first, second = teachers.scores(inputs)
    assert first == errors(inputs[:1, 1] ** 2)[0] > squares((inputs[:1] ** 2).sum(axis=1))[0]
    assert second == squares((inputs[1:] ** 2).sum(axis=1))[0] > errors(inputs[1:, 1] ** 2)[0]
    targets = teachers.targets(inputs.astype(np.float32))
    assert targets.shape == (2, 1)
    assert targets.dtype == np.float32
    assert np.array_equal(
        targets[:, 0], teachers.scores(inputs.astype(np.float32).astype(np.float64)).astype(np.float32)
    )


def test_a_share_of_background_is_what_it_says() -> None:
    teachers = SmallerTail.of(_Second(), BACKGROUND)
    for events in (2000, 1000, 500):
        beyond = (teachers.of_mean(teachers.mean.scores(BACKGROUND)) > -np.log(events / 4000)).sum()
        assert abs(beyond - events) <= 1
