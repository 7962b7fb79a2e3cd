"""The table of performances, what quantization cost, and whether the firmware is worth shipping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.evaluation.metrics import Scores, auc_interval
from trigger_ad.evaluation.working_points import WorkingPoint, working_points
from trigger_ad.events.layout import SIGNAL_TITLES


@dataclass(frozen=True)
class PerformanceRow:
    """One model against one signal, as an entry of `performance` in report.json.

    Attributes:
        model: teacher, float, float_relu, float_encoded, ptq, qat, firmware, or a key of `BASELINE_TITLES`.
        score: What the score is.
        signal: Name of the signal.
        auc: Area under the ROC curve, with `auc_low` and `auc_high` its interval.
        method: How the interval was made.
        tpr: Working points, from the largest target false-positive rate downwards.
    """

    model: str
    score: str
    signal: str
    auc: float
    auc_low: float
    auc_high: float
    method: str
    tpr: tuple[WorkingPoint, ...]

    def to_json(self) -> dict[str, Any]:
        """The entry of report.json."""
        return {**vars(self), "tpr": [point.to_json() for point in self.tpr]}

    def tpr_at(self, fpr_target: float) -> float:
        """The true-positive rate where test background passes at exactly a target that this row has.

        Raises:
            KeyError: The row has no such target.
        """
        return {point.fpr_target: point.tpr_at_target for point in self.tpr}[fpr_target]


def performance_rows(
    model: str,
    score: str,
    validation_background: Scores,
    test_background: Scores,
    signals: Mapping[str, Scores],
    *,
    background_groups: NDArray[np.int64] | None = None,
    signal_groups: Mapping[str, NDArray[np.int64]] | None = None,
    level: float = 0.95,
) -> list[PerformanceRow]:
    """Measures one model's score against each signal.

    Args:
        model: Name of the model or trivial score.
        score: What the score is.
        validation_background: Scores that set thresholds, (N,) int64 or float64.
        test_background: Scores, (M,), of the same kind.
        signals: Test scores of each signal, (K,), of the same kind.
        background_groups: Group id of each test background event, (M,) int64, or None where all are independent.
        signal_groups: Group ids of each signal that has them, (K,) int64.
        level: Confidence level of every interval.

    Raises:
        ValueError: A sample is empty or has a value that is not finite.
        TypeError: Integers are mixed with floats.
    """
    rows = []
    for signal, scores in signals.items():
        groups = (signal_groups or {}).get(signal)
        area = auc_interval(test_background, scores, level, background_groups, groups)
        points = working_points(
            validation_background,
            test_background,
            scores,
            background_groups=background_groups,
            signal_groups=groups,
            level=level,
        )
        rows.append(PerformanceRow(model, score, signal, area.auc, area.low, area.high, area.method, tuple(points)))
    return rows


def _by_signal(rows: Iterable[PerformanceRow], model: str) -> dict[str, PerformanceRow]:
    """The rows of one model by signal.

    Raises:
        ValueError: There is none, or more than one for a signal.
    """
    chosen = [row for row in rows if row.model == model]
    table = {row.signal: row for row in chosen}
    if not table or len(table) != len(chosen):
        raise ValueError(f"one row of {model} is needed for each signal, not {len(chosen)} for {len(table)} signals")
    return table


@dataclass(frozen=True)
class Rival:
    """A trivial score that the model does not beat for a signal.

    Attributes:
        name: A key of `BASELINE_TITLES`.
        measure: "auc" or "tpr".
        value: The trivial score's.
        model_value: The model's, not larger.
    """

    name: str
    measure: str
    value: float
    model_value: float


VERDICT_ACCEPTED: Final = 100
"""Test background events that pass at the rate compared: with twenty of them, one more or less is 5 %."""


NEEDED_QUARTERS: Final = 3
"""Of four quarters of the signals, those for which each trivial score must be beaten: three of four signals."""


@dataclass(frozen=True)
class Verdict:
    """Whether the model beats the trivial scores, by what was measured on the test events.

    Attributes:
        model: The model judged.
        baselines: The trivial scores that it was compared with.
        fpr_target: The smallest target that every row compared has and at which `VERDICT_ACCEPTED` background events
            pass; None where there is none, and the areas under the curve decide.
        rivals: For each signal the trivial scores that are not beaten, areas first, the strongest first.
        sentence: The verdict in words.
    """

    model: str
    baselines: tuple[str, ...]
    fpr_target: float | None
    rivals: dict[str, tuple[Rival, ...]]
    sentence: str

    @property
    def beats(self) -> dict[str, bool]:
        """For each signal whether the model beats every trivial score by what decides."""
        return _beats(self.rivals, _measure(self.fpr_target))

    @property
    def won(self) -> dict[str, int]:
        """For each trivial score the number of signals for which the model beats it by what decides."""
        return _won(self.baselines, self.rivals, _measure(self.fpr_target))

    @property
    def worth_shipping(self) -> bool:
        """Whether the model beats each trivial score for at least three quarters of the signals."""
        return min(self.won.values()) >= _needed(self.rivals)

    def to_json(self) -> dict[str, Any]:
        """The verdict with what it rests on."""
        rivals = {signal: [vars(rival) for rival in entries] for signal, entries in self.rivals.items()}
        return {
            "model": self.model,
            "fpr_target": self.fpr_target,
            "beats": self.beats,
            "won": self.won,
            "needed": _needed(self.rivals),
            "worth_shipping": self.worth_shipping,
            "rivals": rivals,
            "sentence": self.sentence,
        }


def _beats(rivals: Mapping[str, Iterable[Rival]], measure: str) -> dict[str, bool]:
    return {signal: all(rival.measure != measure for rival in entries) for signal, entries in rivals.items()}


def _measure(fpr_target: float | None) -> str:
    """What decides: a rate, or the area where there is none."""
    return "auc" if fpr_target is None else "tpr"


def _won(baselines: Iterable[str], rivals: Mapping[str, Iterable[Rival]], measure: str) -> dict[str, int]:
    """For each trivial score the number of signals for which it is beaten."""
    lost = [rival.name for entries in rivals.values() for rival in entries if rival.measure == measure]
    return {name: len(rivals) - lost.count(name) for name in baselines}


def _needed(signals: Sized) -> int:
    """The smallest number of signals that is at least three quarters of them."""
    return -(-NEEDED_QUARTERS * len(signals) // 4)


def verdict(rows: Sequence[PerformanceRow], model: str = "firmware") -> Verdict:
    """Compares a model with every trivial score among the rows.

    To beat a trivial score is to accept more of a signal at the same rate of background: the smallest target
    false-positive rate that all of them have and that `VERDICT_ACCEPTED` background events are. A trigger works at one
    rate; the area under the curve is mostly about rates that none could afford, is told beside it, and decides only
    where the background is too small for any rate. Measured values decide, without a claim of significance. The model
    is worth shipping when it beats each of them for at least three quarters of the signals.

    Raises:
        ValueError: There is no trivial score, or model and trivial scores have not one row each for the same signals.
    """
    own = _by_signal(rows, model)
    names = [name for name in BASELINE_TITLES if any(row.model == name for row in rows)]
    baselines = {name: _by_signal(rows, name) for name in names}
    if not baselines or any(table.keys() != own.keys() for table in baselines.values()):
        raise ValueError(f"{model} needs trivial scores measured for the same signals")
    fpr_target = common_target([row for table in (own, *baselines.values()) for row in table.values()])
    rivals = {
        signal: _rivals(row, {name: table[signal] for name, table in baselines.items()}, fpr_target)
        for signal, row in own.items()
    }
    return Verdict(model, tuple(names), fpr_target, rivals, _sentence(model, names, fpr_target, rivals))


def common_target(rows: Sequence[PerformanceRow]) -> float | None:
    """The smallest target false-positive rate that all rows have and that `VERDICT_ACCEPTED` background events are.

    Returns:
        The target; None where there is none.
    """
    shared = set.intersection(*({point.fpr_target for point in row.tpr if _rests_on_enough(point)} for row in rows))
    return min(shared, default=None)


def _rests_on_enough(point: WorkingPoint) -> bool:
    return point.fpr_target * point.background_events >= VERDICT_ACCEPTED


def _rivals(
    own: PerformanceRow, baselines: Mapping[str, PerformanceRow], fpr_target: float | None
) -> tuple[Rival, ...]:
    """The trivial scores that are not beaten for one signal."""
    found = [Rival(name, "auc", row.auc, own.auc) for name, row in baselines.items()]
    if fpr_target is not None:
        rate = own.tpr_at(fpr_target)
        found += [Rival(name, "tpr", row.tpr_at(fpr_target), rate) for name, row in baselines.items()]
    unbeaten = [rival for rival in found if rival.value >= rival.model_value]
    return tuple(sorted(unbeaten, key=lambda rival: (rival.measure, -rival.value)))


def _sentence(model: str, names: Sequence[str], fpr_target: float | None, rivals: Mapping[str, Sequence[Rival]]) -> str:
    """The verdict in words, losses by what decides named; by area only how many signals are won, if a rate decides."""
    measure = _measure(fpr_target)
    how = "by AUC (the background is too small for a common false-positive rate)"
    if fpr_target is not None:
        how = f"by true-positive rate at a false-positive rate of {_rate(fpr_target)}"
    lead = _lead(model, how, _won(names, rivals, measure), len(rivals), _needed(rivals))
    at_once = f"it is better than all of them at once for {_tally(rivals, measure)}"
    told = "; ".join([lead, at_once, *_losses(rivals, measure)])
    return f"{told}." if fpr_target is None else f"{told}. By AUC it is better than all for {_tally(rivals, 'auc')}."


def _lead(model: str, how: str, won: Mapping[str, int], signals: int, needed: int) -> str:
    wanted = f"each trivial score for at least {needed} of {signals} signals, {how}"
    lost = [f"{BASELINE_TITLES[name]} for {number}" for name, number in won.items() if number < needed]
    if not lost:
        return f"The {model} is better than {wanted}"
    return f"The {model} is NOT better than {wanted} (than {', '.join(lost)})"


def _tally(rivals: Mapping[str, Sequence[Rival]], measure: str) -> str:
    """How many signals are won, and which."""
    won = [SIGNAL_TITLES.get(signal, signal) for signal, beaten in _beats(rivals, measure).items() if beaten]
    return f"{len(won)} of {len(rivals)} signals" + (f" ({', '.join(won)})" if won else "")


def _losses(rivals: Mapping[str, Sequence[Rival]], measure: str) -> list[str]:
    """The trivial scores that are not beaten for each signal, with both values."""
    found = {signal: [rival for rival in entries if rival.measure == measure] for signal, entries in rivals.items()}
    return [_loss(SIGNAL_TITLES.get(signal, signal), entries) for signal, entries in found.items() if entries]


def _loss(signal: str, entries: Sequence[Rival]) -> str:
    named = " and ".join(f"{BASELINE_TITLES[rival.name]} ({rival.value:.4f})" for rival in entries)
    title = {"auc": "AUC", "tpr": "true-positive rate"}[entries[0].measure]
    better = "as good" if all(rival.value == rival.model_value for rival in entries) else "better"
    verb = "is" if len(entries) == 1 else "are"
    return f"for {signal} {named} {verb} {better} ({title}, against {entries[0].model_value:.4f})"


def _rate(value: float) -> str:
    """A power of ten as 1e-2."""
    return f"{value:.0e}".replace("e-0", "e-")
