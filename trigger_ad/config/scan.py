"""The scan file: many runs that differ from one configuration in some of its keys."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from trigger_ad.config.section import RUN_NAME, Section

Through = Literal["quantize", "convert", "emulate", "synthesize"]
"""The last stage of a point, as on the command line: `convert` writes the RTL project too."""

Quantity = Literal["auc", "tpr", "lut_estimate", "latency_cycles", "latency_ns", "lut", "ff", "dsp"]
"""What an objective may be; `lut`, `ff` and `dsp` are counted by Yosys, `lut_estimate` is alkaid's."""

NEEDED: Final[dict[Quantity, Through]] = {
    "auc": "quantize",
    "tpr": "quantize",
    "lut_estimate": "convert",
    "latency_cycles": "convert",
    "latency_ns": "convert",
    "lut": "synthesize",
    "ff": "synthesize",
    "dsp": "synthesize",
}
"""The stage that makes each quantity known."""

_MAXIMISED: Final[tuple[Quantity, ...]] = ("auc", "tpr")
"""The quantities of which more is better; of every other, less is."""

_STAGES: Final[tuple[Through, ...]] = ("quantize", "convert", "emulate", "synthesize")


def _listed(value: Any) -> Any:
    """A list is the values of the one key that its own name is."""
    if not isinstance(value, list | tuple | dict | Section):
        raise ValueError("give a list of its values, or a mapping of its own keys such as values")
    return {"values": value} if isinstance(value, list | tuple) else value


class AxisConfig(Section):
    """What a scan changes: one key of the configuration, or several that always have the same value."""

    keys: tuple[str, ...] = Field(default=(), strict=False)
    """Dotted keys such as `quantization.weights`; none where the axis is called as its only key."""
    values: tuple[Any, ...] = Field(strict=False)
    """One point for each, in combination with those of the other axes."""

    @field_validator("values")
    @classmethod
    def _some(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if not values:
            raise ValueError("has no values; give at least one")
        if any(value in values[:index] for index, value in enumerate(values)):
            raise ValueError("has a value twice; give each once")
        return values


class RangeConfig(Section):
    """What a search changes: values to choose from, or numbers from one to another."""

    keys: tuple[str, ...] = Field(default=(), strict=False)
    """Dotted keys such as `quantization.weights`; none where the range is called as its only key."""
    values: tuple[Any, ...] = Field(default=(), strict=False)
    """What is chosen from, where it is no number from `low` to `high`."""
    low: int | float | None = None
    """The smallest number; numbers are whole where `low`, `high` and `step` are."""
    high: int | float | None = None
    """The largest number."""
    log: bool = False
    """Whether a factor counts, and not a difference."""
    step: int | float | None = Field(default=None, gt=0)
    """What numbers lie apart, counted from `low`."""

    @model_validator(mode="after")
    def _one_kind(self) -> RangeConfig:
        numbers = self.low is not None and self.high is not None
        if numbers == bool(self.values) or (self.values and (self.log or self.step)):
            raise ValueError("give either a list of values, or low and high with log or step where wanted")
        if not all(math.isfinite(number) for number in (self.low, self.high, self.step) if number is not None):
            raise ValueError("low, high and step are finite numbers")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low ({self.low}) is not below high ({self.high})")
        self._require_whole_steps()
        if self.log and (self.step is not None or (self.low or 0) <= 0):
            raise ValueError("log needs a low above 0, and no step")
        return self

    def _require_whole_steps(self) -> None:
        if self.low is None or self.high is None or self.step is None:
            return
        # by what is written, as 0.1 is no binary fraction
        low, high, step = (Decimal(str(value)) for value in (self.low, self.high, self.step))
        if (high - low) % step:
            last = low + (high - low) // step * step
            raise ValueError(
                f"high ({self.high}) is no whole number of steps of {self.step} from low ({self.low})"
                + (f"; the last below it is {last}" if last > low else "; not one fits")
            )


class SearchConfig(Section):
    """A search by Optuna: each trial is a point, chosen by what those before it gave."""

    trials: int = Field(ge=1)
    """How many points are tried, those of an earlier start of the same scan included."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Of what the sampler draws; with one worker the same points come of the same seed."""
    sampler: Literal["tpe", "nsga2"] = "tpe"
    """Tree-structured Parzen estimators, or a genetic algorithm, which begins to learn after 50 trials."""
    space: dict[str, Annotated[RangeConfig, BeforeValidator(_listed)]]
    """What each key may be: a list of values, or a range."""

    @field_validator("space")
    @classmethod
    def _some(cls, space: dict[str, RangeConfig]) -> dict[str, RangeConfig]:
        if not space:
            raise ValueError("is empty; name a key and its values")
        return space


class ObjectiveConfig(Section):
    """What is made as large or as small as it can be, of the quantized model that ships, on validation events."""

    maximise: Quantity | None = None
    """A quantity of which more is better; `lut`, `ff` and `dsp` are counted by Yosys, `lut_estimate` is alkaid's."""
    minimise: Quantity | None = None
    """One of which less is better."""
    signal: str | None = None
    """The mean over all signals, if none is named."""
    fpr: float | None = Field(default=None, gt=0, lt=1, allow_inf_nan=False)
    """The false-positive rate at which a true-positive rate is measured."""

    @model_validator(mode="after")
    def _whole(self) -> ObjectiveConfig:
        if (self.maximise is None) == (self.minimise is None):
            raise ValueError("name one quantity, under maximise or under minimise")
        if (self.maximise is not None) != (self.quantity in _MAXIMISED):
            better, right = ("more", "maximise") if self.quantity in _MAXIMISED else ("less", "minimise")
            raise ValueError(f"of {self.quantity} {better} is better; name it under {right}")
        if (self.quantity == "tpr") != (self.fpr is not None):
            raise ValueError("fpr belongs to tpr, and tpr needs it")
        if self.signal is not None and self.quantity not in ("auc", "tpr"):
            raise ValueError(f"{self.quantity} is the same for every signal; leave signal out")
        return self

    @property
    def quantity(self) -> Quantity:
        """What it is about."""
        quantity = self.maximise or self.minimise
        assert quantity is not None
        return quantity


class ScanConfig(Section):
    """One scan: exactly one of `grid`, `points` and `search` says which points it has."""

    name: str = Field(pattern=RUN_NAME)
    """The name of the scan's folder, `hls_projects/<name>`, which holds a run directory for each point."""
    base: str
    """The configuration that all points start from, by its path from the scan file's folder."""
    through: Through | None = None
    """The last stage of each point: as far as the objectives need, unless told otherwise."""
    grid: dict[str, Annotated[AxisConfig, BeforeValidator(_listed)]] | None = None
    """Every combination of the values of some keys."""
    points: tuple[dict[str, Any], ...] | None = Field(default=None, strict=False)
    """Each point by its dotted keys and their values."""
    search: SearchConfig | None = None
    objectives: tuple[ObjectiveConfig, ...] = Field(min_length=1, strict=False)
    """The first of them chooses among the points that no other is better than."""

    @model_validator(mode="after")
    def _one_way(self) -> ScanConfig:
        given = [name for name in ("grid", "points", "search") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of grid, points and search, not {' and '.join(given) or 'none of them'}")
        if self.grid == {}:
            raise ValueError("grid: is empty; name a key and its values")
        if self.points is not None and (not self.points or not all(self.points)):
            raise ValueError("points: give at least one point, and each at least one key")
        return self

    @model_validator(mode="after")
    def _far_enough(self) -> ScanConfig:
        if self.through is None:
            return self
        for objective in self.objectives:
            if _STAGES.index(NEEDED[objective.quantity]) > _STAGES.index(self.through):
                raise ValueError(
                    f"through: {objective.quantity} is known after {NEEDED[objective.quantity]}, and the points end "
                    f"with {self.through}; leave through out, or choose another objective"
                )
        return self

    @property
    def last_stage(self) -> Through:
        """The last stage of each point."""
        needed = max(_STAGES.index(NEEDED[objective.quantity]) for objective in self.objectives)
        return self.through or _STAGES[needed]
