"""What a scan makes large or small, and which of its points none is better than."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trigger_ad.config import Config, ObjectiveConfig
from trigger_ad.errors import UserError
from trigger_ad.synthesis.budgets import limits_of

TITLES: Final = {
    "auc": "AUC",
    "tpr": "TPR",
    "lut_estimate": "LUT, estimate",
    "lut": "LUT, Yosys",
    "ff": "FF, Yosys",
    "dsp": "DSP, Yosys",
    "latency_cycles": "latency in cycles",
    "latency_ns": "latency in ns",
}
"""Each quantity with its source, where it has several."""

MEAN: Final = "mean"
"""Of all signals, as it stands in the key of an objective."""


@dataclass(frozen=True)
class Objective:
    """One objective.

    Attributes:
        key: Of the figure that it is about, such as `auc.mean`, `tpr_0.01.higgs` or `lut`.
        title: What a reader calls it.
        maximise: Whether more is better.
    """

    key: str
    title: str
    maximise: bool

    def of(self, figures: Mapping[str, float | None]) -> float:
        """Its value at a point.

        Raises:
            UserError: If the point has no such figure.
        """
        value = figures.get(self.key)
        if value is None:
            raise UserError(
                f"{self.title} was not measured", "See what the point's results say, or choose another objective"
            )
        return value

    def to_json(self) -> dict[str, Any]:
        """As pareto.json has it."""
        return {"key": self.key, "title": self.title, "direction": "maximise" if self.maximise else "minimise"}


def objectives_of(settings: Sequence[ObjectiveConfig], signals: Sequence[str]) -> tuple[Objective, ...]:
    """The objectives that a scan file names.

    Args:
        settings: What it says.
        signals: The signals of the base configuration.

    Raises:
        UserError: If one names no signal of it, two are the same, or a signal is called as the mean of all is.
    """
    if MEAN in signals:
        raise UserError(
            f"events.signals: a signal of a scan is not called '{MEAN}', which stands for the mean of all signals",
            "Give it another name",
        )
    found = tuple(_objective(item, signals) for item in settings)
    keys = [item.key for item in found]
    twice = next((key for index, key in enumerate(keys) if key in keys[:index]), None)
    if twice:
        raise UserError(f"objectives: {twice} is named twice", "Name each once")
    return found


def _objective(item: ObjectiveConfig, signals: Sequence[str]) -> Objective:
    quantity, title = item.quantity, TITLES[item.quantity]
    maximise = item.maximise is not None
    if quantity not in ("auc", "tpr"):
        return Objective(quantity, title, maximise)
    if item.signal is not None and item.signal not in signals:
        raise UserError(f"objectives: there is no signal '{item.signal}'", f"Name one of {', '.join(signals)}")
    of = item.signal or f"mean of {len(signals)} signals"
    rate = "" if item.fpr is None else f" at FPR {item.fpr:g}"
    return Objective(figure_key(quantity, item.fpr, item.signal), f"{title}{rate}, {of}", maximise)


def figure_key(quantity: str, fpr: float | None, signal: str | None) -> str:
    """The key of a figure that depends on the signal."""
    return f"{quantity if fpr is None else f'{quantity}_{fpr:g}'}.{signal or MEAN}"


def front_of(values: Mapping[str, Sequence[float]], objectives: Sequence[Objective]) -> list[str]:
    """The names of the points that none is better than: as good in every objective, and better in one.

    Args:
        values: Of each point, by name, in the order of the objectives.
        objectives: What they mean.

    Returns:
        In the order of the first objective, the best first.
    """
    losses = {name: _losses(own, objectives) for name, own in values.items()}
    front = [name for name, own in losses.items() if not any(_better(other, own) for other in losses.values())]
    return sorted(front, key=lambda name: (losses[name], name))


def _losses(values: Sequence[float], objectives: Sequence[Objective]) -> tuple[float, ...]:
    """The same values, all of them the better the smaller."""
    return tuple(-value if item.maximise else value for item, value in zip(objectives, values, strict=True))


def _better(one: Sequence[float], other: Sequence[float]) -> bool:
    return tuple(one) != tuple(other) and all(a <= b for a, b in zip(one, other, strict=True))


def over_budget(config: Config, figures: Mapping[str, float | None]) -> dict[str, float] | None:
    """The limits of a point's budget that its figures are over.

    A measured count is held against its limit where there is one, else its estimate.

    Args:
        config: The point's configuration.
        figures: What is known of it.

    Returns:
        The limit that each figure is over, by key; None where a figure that is limited is not known.
    """
    limits = limits_of(config.budget, config.firmware.part)
    known = {name: _best_known(name, figures) for name in limits}
    over = {name: limit for name, limit in limits.items() if (value := known[name]) is not None and value > limit}
    return over if over or None not in known.values() else None


def by_estimate(config: Config, figures: Mapping[str, float | None]) -> list[str]:
    """The figures that a point's budget limits and that nothing has counted: an estimate is held against the limit."""
    limits = limits_of(config.budget, config.firmware.part)
    return [name for name in limits if figures.get(name) is None and _best_known(name, figures) is not None]


def _best_known(name: str, figures: Mapping[str, float | None]) -> float | None:
    value = figures.get(name)
    return figures.get(f"{name}_estimate") if value is None else value
