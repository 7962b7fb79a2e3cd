"""Working points: thresholds for target false-positive rates, and what they accept.

Accept means score > threshold, everywhere. A threshold is set on validation background only; both rates are measured
on test events, which had no part in choosing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count, takewhile
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.evaluation.intervals import proportion_interval
from trigger_ad.evaluation.metrics import Scores, checked_scores

MINIMUM_ACCEPTED: Final = 10
"""Test background events that a target must accept, by expectation and in fact, to be reported."""

MINIMUM_ALLOWED: Final = 1
"""Validation background events that may pass a threshold at the target: with none the threshold is just the maximum."""


@dataclass(frozen=True)
class WorkingPoint:
    """One threshold and what it accepts.

    Attributes:
        fpr_target: The false-positive rate that validation background does not exceed.
        threshold: The threshold: a code for integer scores. Events strictly above are accepted.
        fpr: The false-positive rate achieved on test background, with `fpr_low` and `fpr_high` its interval.
        tpr: The true-positive rate on test signal, with `low` and `high` its interval.
        background_accepted: Test background events accepted.
        background_events: How many there are.
        tpr_at_target: See `tpr_at`, at `fpr_target`: what two scores are compared by.
    """

    fpr_target: float
    threshold: int | float
    fpr: float
    fpr_low: float
    fpr_high: float
    tpr: float
    low: float
    high: float
    background_accepted: int
    background_events: int
    tpr_at_target: float

    def to_json(self) -> dict[str, Any]:
        """The fields under their names in report.json."""
        return asdict(self)


@dataclass(frozen=True)
class UnsupportedTarget:
    """A target false-positive rate that is not reported, and the first reason why.

    Attributes:
        fpr_target: The target.
        reason: One line in plain words.
    """

    fpr_target: float
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The fields under their names."""
        return asdict(self)


def false_positive_rate_targets() -> Iterator[float]:
    """1e-1, 1e-2, 1e-3 and so on without end, each the float that its decimal notation means."""
    return (float(f"1e-{exponent}") for exponent in count(1))


def allowed_events(events: int, fpr_target: float) -> int:
    """The largest number of events whose share, as a float, does not exceed the target."""
    if not 0 < fpr_target < 1:
        raise ValueError(f"a target false-positive rate lies between 0 and 1, not {fpr_target}")
    allowed = int(fpr_target * events)
    # the product above is rounded, and may be one off from what the quotient says
    while allowed / events > fpr_target:
        allowed -= 1
    while (allowed + 1) / events <= fpr_target:
        allowed += 1
    return allowed


def threshold_for(validation_scores: Scores, fpr_target: float) -> int | float:
    """The smallest observed score with a share of events strictly above it that does not exceed the target.

    Where many events tie at the score that would be needed, all of them are rejected: the share is then smaller than
    the target, possibly by far, but never larger.

    Args:
        validation_scores: Scores of validation background, (N,) int64 or float64.
        fpr_target: Largest share of events accepted, in (0, 1).

    Returns:
        An int for integer scores, a float for float scores.

    Raises:
        ValueError: There is no event, a score is not finite or the target is not in (0, 1).
    """
    (scores,) = checked_scores(validation_scores)
    place = len(scores) - 1 - allowed_events(len(scores), fpr_target)
    threshold: int | float = np.partition(scores, place)[place].item()
    return threshold


def _refusal(validation: Scores, test: Scores, fpr_target: float) -> str | None:
    """Why the background does not support a target, or None where it does.

    Each condition fails for all smaller targets once it fails for one: thresholds only rise as targets fall.
    """
    if MINIMUM_ACCEPTED / len(test) > fpr_target:
        return f"{len(test)} test background events leave fewer than {MINIMUM_ACCEPTED} at this rate"
    if allowed_events(len(validation), fpr_target) < MINIMUM_ALLOWED:
        return f"{len(validation)} validation background events leave fewer than {MINIMUM_ALLOWED} at this rate"
    accepted = int(np.count_nonzero(test > threshold_for(validation, fpr_target)))
    if accepted < MINIMUM_ACCEPTED:
        return f"the threshold accepts {accepted} test background events, fewer than {MINIMUM_ACCEPTED}"
    return None


def supported_targets(validation_background: Scores, test_background: Scores) -> list[float]:
    """The targets from 1e-1 downwards that the background supports.

    A target is supported when the test background would have at least `MINIMUM_ACCEPTED` events at that rate, the
    validation background at least `MINIMUM_ALLOWED`, and the threshold in fact accepts `MINIMUM_ACCEPTED` test events.

    Args:
        validation_background: (N,) int64 or float64.
        test_background: (M,), of the same kind.
    """
    validation, test = checked_scores(validation_background, test_background)
    return list(takewhile(lambda target: _refusal(validation, test, target) is None, false_positive_rate_targets()))


def unsupported_targets(
    validation_background: Scores, test_background: Scores, down_to: float = 1e-6
) -> list[UnsupportedTarget]:
    """The targets from 1e-1 down to and with `down_to` that are not supported, each with the first reason.

    Args:
        validation_background: (N,) int64 or float64.
        test_background: (M,), of the same kind.
        down_to: The smallest target of interest.
    """
    validation, test = checked_scores(validation_background, test_background)
    targets = takewhile(lambda target: target >= down_to, false_positive_rate_targets())
    reasons = ((target, _refusal(validation, test, target)) for target in targets)
    return [UnsupportedTarget(target, reason) for target, reason in reasons if reason is not None]


def tpr_at(fpr: float, test_background: Scores, test_signal: Scores) -> float:
    """The share of the signal above a threshold that exactly a given share of the test background is above.

    Of events that tie at the threshold the same share is accepted of background and signal: the straight line between
    two points of the ROC curve. No trigger could set this threshold, as it is chosen on the events that it is measured
    on. It is what scores are compared by, at rates that are equal and not just nearly so.

    Args:
        fpr: The share, in (0, 1).
        test_background: Scores, (N,) int64 or float64.
        test_signal: Scores, (K,), of the same kind.
    """
    background, signal = checked_scores(test_background, test_signal)
    accepted = fpr * len(background)
    place = len(background) - 1 - int(accepted)
    threshold = np.partition(background, place)[place]
    above, tied = np.count_nonzero(background > threshold), np.count_nonzero(background == threshold)
    share = (accepted - above) / tied
    return float(np.count_nonzero(signal > threshold) + share * np.count_nonzero(signal == threshold)) / len(signal)


def working_points(
    validation_background: Scores,
    test_background: Scores,
    test_signal: Scores,
    *,
    background_groups: NDArray[np.int64] | None = None,
    signal_groups: NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> list[WorkingPoint]:
    """Thresholds set on validation background, rates measured on test events with Clopper-Pearson intervals.

    The achieved false-positive rate differs from its target: by statistics in either direction, and downwards, possibly
    by far, where scores tie. Two scores are therefore compared by `tpr_at_target`.

    Args:
        validation_background: Scores, (N,) int64 or float64.
        test_background: Scores, (M,), of the same kind.
        test_signal: Scores, (K,), of the same kind.
        background_groups: Group id of each test background event, (M,) int64: see `proportion_interval`.
        signal_groups: The same for the signal, (K,).
        level: Confidence level of the intervals.

    Returns:
        One point for each supported target, from 1e-1 downwards; empty where the background supports none.
    """
    validation, test, signal = checked_scores(validation_background, test_background, test_signal)
    points = []
    for target in supported_targets(validation, test):
        threshold = threshold_for(validation, target)
        false_positive, true_positive = test > threshold, signal > threshold
        fpr_low, fpr_high = proportion_interval(false_positive, background_groups, level)
        low, high = proportion_interval(true_positive, signal_groups, level)
        accepted = int(np.count_nonzero(false_positive))
        fpr, tpr = accepted / len(test), int(np.count_nonzero(true_positive)) / len(signal)
        equal = tpr_at(target, test, signal)
        points.append(
            WorkingPoint(target, threshold, fpr, fpr_low, fpr_high, tpr, low, high, accepted, len(test), equal)
        )
    return points
