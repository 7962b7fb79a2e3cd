"""Pairs of models and scores on the same test events: how they differ, and which events only one of them accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.evaluation.differences import Difference, Sample, auc_difference, rate_difference
from trigger_ad.evaluation.intervals import Groups
from trigger_ad.evaluation.resampling import Cut, cuts
from trigger_ad.evaluation.working_points import threshold_for


class Scored(Protocol):
    """One model's scores, of one kind: integers or floats."""

    @property
    def validation_background(self) -> NDArray[Any]:
        """They set thresholds, (N,)."""

    @property
    def test_background(self) -> NDArray[Any]:
        """Shape (M,)."""

    @property
    def signals(self) -> Mapping[str, NDArray[Any]]:
        """Those of each signal's test events, (K,)."""


@dataclass(frozen=True)
class RateComparison:
    """Two scores at one share of background.

    Attributes:
        fpr: The share of test background that passes both, exactly: see `tpr_at`.
        tpr: The true-positive rate of the model there.
        reference_tpr: That of the reference.
        difference: Their difference.
        only_model: Signal events that the model alone accepts, each with the threshold that validation background sets
            for this share: what a trigger could do.
        only_reference: Those that the reference alone accepts.
        both: Those that both accept.
        events: All test events of the signal.
    """

    fpr: float
    tpr: float
    reference_tpr: float
    difference: Difference
    only_model: int
    only_reference: int
    both: int
    events: int

    def to_json(self) -> dict[str, Any]:
        """The entry of report.json."""
        return {**vars(self), **self.difference.to_json()}


@dataclass(frozen=True)
class Comparison:
    """One model against another for one signal, as an entry of `differences` in report.json.

    Attributes:
        model: The model.
        reference: What it is compared with.
        signal: Name of the signal.
        auc: The difference of their areas.
        rates: What they accept at each share of background, the largest first.
    """

    model: str
    reference: str
    signal: str
    auc: Difference
    rates: tuple[RateComparison, ...]

    def to_json(self) -> dict[str, Any]:
        """The entry of report.json."""
        return {
            "model": self.model,
            "reference": self.reference,
            "signal": self.signal,
            "auc_difference": self.auc.difference,
            "low": self.auc.low,
            "high": self.auc.high,
            "method": self.auc.method,
            "tpr": [rate.to_json() for rate in self.rates],
        }


def compared_pairs(models: Sequence[str]) -> list[tuple[str, str]]:
    """Which models are compared with which: ours with the float model it is made of, the student with its teachers.

    The firmware is compared with every trivial score too.

    Args:
        models: The models that were measured.

    Returns:
        Model and reference.
    """
    ours = [name for name in models if name not in BASELINE_TITLES]
    made_of_float = [(name, "float") for name in ours if "float" in ours and name not in ("float", "teacher")]
    taught = [(name, "teacher") for name in ("float", "firmware") if {name, "teacher"} <= set(ours)]
    trivial = [("firmware", name) for name in models if name in BASELINE_TITLES and "firmware" in ours]
    return made_of_float + taught + trivial


def compare(
    scores: Mapping[str, Scored],
    pairs: Sequence[tuple[str, str]],
    fprs: Sequence[float],
    *,
    background_groups: NDArray[np.int64] | None = None,
    signal_groups: Mapping[str, NDArray[np.int64]] | None = None,
) -> list[Comparison]:
    """Compares models in pairs, on events that are the same for all of them.

    Args:
        scores: By model; the events of a sample have the same order in all.
        pairs: Model and reference.
        fprs: Shares of background at which true-positive rates are compared.
        background_groups: Group id of each test background event, (M,), or None where all are independent.
        signal_groups: Those of each signal that has them.

    Raises:
        ValueError: Two models were scored on different events.
    """
    named = list(dict.fromkeys(name for pair in pairs for name in pair))
    if not named:
        return []
    membership = Groups.of(background_groups, len(scores[named[0]].test_background))
    at = {
        fpr: dict(zip(named, cuts(fpr, [scores[name].test_background for name in named], membership), strict=True))
        for fpr in sorted(fprs, reverse=True)
    }
    found = []
    for signal in scores[named[0]].signals:
        groups = Groups.of((signal_groups or {}).get(signal), len(scores[named[0]].signals[signal]))
        for model, reference in pairs:
            first, second = scores[model], scores[reference]
            sample = Sample(first.signals[signal], second.signals[signal], groups)
            background = Sample(first.test_background, second.test_background, membership)
            rates = tuple(_at_rates(first, second, sample, {f: (own[model], own[reference]) for f, own in at.items()}))
            found.append(Comparison(model, reference, signal, auc_difference(background, sample), rates))
    return found


def _at_rates(
    first: Scored, second: Scored, signal: Sample, at: Mapping[float, tuple[Cut, Cut]]
) -> Iterator[RateComparison]:
    for fpr, (own, other) in at.items():
        accepted = signal.first > threshold_for(first.validation_background, fpr)
        accepted_by_other = signal.second > threshold_for(second.validation_background, fpr)
        yield RateComparison(
            fpr,
            float(own.decide(signal.first).mean()),
            float(other.decide(signal.second).mean()),
            rate_difference(own, other, signal),
            int(np.count_nonzero(accepted & ~accepted_by_other)),
            int(np.count_nonzero(accepted_by_other & ~accepted)),
            int(np.count_nonzero(accepted & accepted_by_other)),
            len(signal),
        )
