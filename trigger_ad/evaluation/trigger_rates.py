"""Working points of a trigger menu: the threshold code for a rate, and what it accepts.

Rates are shares of the input rate, which is that of events that pass the selection of the background sample; they are
before overlap with other triggers. As everywhere an event is accepted when its score word is greater than the code,
which validation background alone sets; rates are measured on test events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.evaluation.intervals import proportion_interval
from trigger_ad.evaluation.working_points import allowed_events, threshold_for
from trigger_ad.fixed_point import FixedPoint

MINIMUM_CARRYING: Final = 10
"""Validation background events that a threshold must accept: set by fewer, its rate would be off by a third or more."""

CURVE_POINTS: Final = 60
"""Thresholds of a curve, evenly spread over the logarithm of the share of events that they accept."""


@dataclass(frozen=True)
class SignalRate:
    """What a threshold accepts of a signal's test events.

    Attributes:
        tpr: The true-positive rate, with `low` and `high` its interval.
        accepted: Test events accepted.
        events: How many there are.
    """

    tpr: float
    low: float
    high: float
    accepted: int
    events: int


@dataclass(frozen=True)
class RatePoint:
    """One row of a trigger menu. Where the sample does not support the rate, all but the first fields are None.

    Attributes:
        rate_hz: The rate asked for, which validation background does not exceed.
        fpr_target: Its share of the input rate.
        validation_accepted: Validation background events that carry the threshold: that it accepts.
        validation_events: How many there are.
        reason: Why the sample does not support the rate; None where it does.
        threshold_code: Events with greater score words are accepted.
        threshold: What the code is worth.
        fpr: The false-positive rate achieved on test background, with `fpr_low` and `fpr_high` its interval.
        background_accepted: Test background events accepted.
        background_events: How many there are.
        achieved_rate_hz: The input rate times `fpr`, with `rate_low_hz` and `rate_high_hz` its interval.
        tpr: The true-positive rate of each signal.
    """

    rate_hz: float
    fpr_target: float
    validation_accepted: int
    validation_events: int
    reason: str | None
    threshold_code: int | None = None
    threshold: float | None = None
    fpr: float | None = None
    fpr_low: float | None = None
    fpr_high: float | None = None
    background_accepted: int | None = None
    background_events: int | None = None
    achieved_rate_hz: float | None = None
    rate_low_hz: float | None = None
    rate_high_hz: float | None = None
    tpr: Mapping[str, SignalRate] | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry of report.json."""
        return asdict(self)


@dataclass(frozen=True)
class RateThreshold:
    """The threshold that validation background sets for a share of it.

    Attributes:
        code: The threshold code.
        accepted: Validation background events with greater score words.
        reason: Why they do not support it; None where they do.
    """

    code: int
    accepted: int
    reason: str | None


def rate_threshold(validation: NDArray[np.int64], fpr_target: float, kind: FixedPoint) -> RateThreshold:
    """Sets the threshold for a rate, as `threshold_for` does, and says whether enough events carry it.

    Args:
        validation: Score words of validation background, (N,) int64.
        fpr_target: The largest share of them that may be accepted.
        kind: The type of the score word.

    Raises:
        ValueError: There is no event, or the share is not in (0, 1).
    """
    code = int(threshold_for(validation, fpr_target))
    allowed, accepted = allowed_events(len(validation), fpr_target), int(np.count_nonzero(validation > code))
    reason = None
    if allowed < MINIMUM_CARRYING:
        reason = f"of {len(validation)} validation background events {allowed} may pass at this rate"
    elif accepted < MINIMUM_CARRYING and code == kind.code_max:
        reason = f"more than {allowed} validation background events have the largest score word there is, {code}"
    elif accepted < MINIMUM_CARRYING:
        tied = int(np.count_nonzero(validation == code))
        reason = f"{accepted} validation background events score above {code} and {tied} exactly that"
    if reason:
        reason += f"; a threshold needs {MINIMUM_CARRYING} to carry it"
    return RateThreshold(code, accepted, reason)


def rate_points(
    input_rate_hz: float,
    rates_hz: Sequence[float],
    validation: NDArray[np.int64],
    background: NDArray[np.int64],
    signals: Mapping[str, NDArray[np.int64]],
    kind: FixedPoint,
    *,
    background_groups: NDArray[np.int64] | None = None,
    signal_groups: Mapping[str, NDArray[np.int64]] | None = None,
    level: float = 0.95,
) -> list[RatePoint]:
    """The working points of a menu, in its order.

    Args:
        input_rate_hz: Of events that pass the sample's own selection.
        rates_hz: The rates asked for, each below the input rate.
        validation: Score words of validation background, (N,) int64.
        background: Of test background, (M,) int64.
        signals: Of each signal's test events, (K,) int64.
        kind: The type of the score word.
        background_groups: Group id of each test background event, or None where all are independent.
        signal_groups: Those of each signal that has them.
        level: Confidence level of the intervals.

    Raises:
        ValueError: A sample is empty, or a rate is not below the input rate.
    """
    return [
        _point(
            rate,
            rate / input_rate_hz,
            input_rate_hz,
            validation,
            background,
            signals,
            kind,
            background_groups,
            signal_groups or {},
            level,
        )
        for rate in rates_hz
    ]


def _point(
    rate_hz: float,
    fpr_target: float,
    input_rate_hz: float,
    validation: NDArray[np.int64],
    background: NDArray[np.int64],
    signals: Mapping[str, NDArray[np.int64]],
    kind: FixedPoint,
    background_groups: NDArray[np.int64] | None,
    signal_groups: Mapping[str, NDArray[np.int64]],
    level: float,
) -> RatePoint:
    found = rate_threshold(validation, fpr_target, kind)
    if found.reason:
        return RatePoint(rate_hz, fpr_target, found.accepted, len(validation), found.reason)
    passed = background > found.code
    low, high = proportion_interval(passed, background_groups, level)
    accepted = int(np.count_nonzero(passed))
    fpr = accepted / len(background)
    return RatePoint(
        rate_hz=rate_hz,
        fpr_target=fpr_target,
        validation_accepted=found.accepted,
        validation_events=len(validation),
        reason=None,
        threshold_code=found.code,
        threshold=found.code * kind.lsb,
        fpr=fpr,
        fpr_low=low,
        fpr_high=high,
        background_accepted=accepted,
        background_events=len(background),
        achieved_rate_hz=fpr * input_rate_hz,
        rate_low_hz=low * input_rate_hz,
        rate_high_hz=high * input_rate_hz,
        tpr={name: _signal_rate(words > found.code, signal_groups.get(name), level) for name, words in signals.items()},
    )


def _signal_rate(passed: NDArray[np.bool_], groups: NDArray[np.int64] | None, level: float) -> SignalRate:
    accepted = int(np.count_nonzero(passed))
    low, high = proportion_interval(passed, groups, level)
    return SignalRate(accepted / len(passed), low, high, accepted, len(passed))


def rate_curve(
    input_rate_hz: float,
    background: NDArray[np.int64],
    kind: FixedPoint,
    groups: NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> dict[str, list[float]]:
    """The rate against the threshold, on test background, down to the last threshold that an event is above.

    Args:
        input_rate_hz: Of events that pass the sample's own selection.
        background: Score words of test background, (M,) int64.
        kind: The type of the score word, whose smallest code is the smallest threshold.
        groups: Group id of each, or None where all are independent.
        level: Confidence level of the intervals.

    Returns:
        `threshold_code`, rising, and `rate_hz`, `low` and `high` at each: at most `CURVE_POINTS` of them.

    Raises:
        ValueError: There is no event.
    """
    if not len(background):
        raise ValueError("a curve needs at least one event")
    ordered = np.sort(background)
    above = np.unique(np.rint(np.geomspace(1, len(ordered), CURVE_POINTS)).astype(np.int64))
    # the code below each of these events, so that it is accepted; ties are accepted with it
    codes = np.unique(np.maximum(ordered[len(ordered) - above] - 1, kind.code_min))
    curve: dict[str, list[float]] = {"threshold_code": codes.tolist(), "rate_hz": [], "low": [], "high": []}
    for code in codes:
        passed = background > code
        low, high = proportion_interval(passed, groups, level)
        share = int(np.count_nonzero(passed)) / len(background)
        for name, value in (("rate_hz", share), ("low", low), ("high", high)):
            curve[name].append(value * input_rate_hz)
    return curve
