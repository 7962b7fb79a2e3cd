"""What the firmware takes, held against what it may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from trigger_ad.config import Amount, BudgetConfig, Config, share_of
from trigger_ad.errors import UserError
from trigger_ad.synthesis.devices import find_device
from trigger_ad.synthesis.hardware import RESOURCES
from trigger_ad.synthesis.remedies import clock_remedy, remedy_for

FIGURES: Final = ("latency_ns", "ii_cycles", *RESOURCES)
"""What a budget may limit, as the keys of a hardware entry."""

ESTIMATE: Final = "estimate"
C_SYNTHESIS: Final = "csynth"
_TRUSTED: Final = ("vivado", "cosim", "verilator", "yosys", C_SYNTHESIS, ESTIMATE)
"""Sources, from the one that is believed first: placed, then simulated, mapped, scheduled, guessed. Of Vivado's steps
placement and routing comes before logic synthesis."""


@dataclass(frozen=True)
class BudgetLine:
    """One figure of one flow against its limit.

    Args:
        flow: The firmware project.
        figure: What is limited: a key of a hardware entry.
        limit: The most it may be.
        asked: The limit as the configuration gives it, where that is a share of the device.
        value: What it is, by the source that is believed first; None where no source has it.
        source: That source, or None.
        step: What a vendor's tool did there, or None.
        within: Whether it is within the limit; None where it is not known. No latency is within any limit at a clock
            that the routed design misses; where C synthesis expects to miss it, that is not known.
        clock_ns: Of nanoseconds the clock period that they are at; None for other figures.
        clock_status: Of nanoseconds whether that clock is `met` or `failed`, by the routed design of the flow if there
            is one, or `assumed`; None for other figures.
        remedy: What makes the figure smaller.
    """

    flow: str
    figure: str
    limit: float
    asked: str | None
    value: float | None
    source: str | None
    step: str | None
    within: bool | None
    clock_ns: float | None
    clock_status: str | None
    remedy: str

    @property
    def estimated(self) -> bool:
        """Whether the value is an estimate: ours, or that of C synthesis, which schedules clocks but guesses cells."""
        return self.source == ESTIMATE or (self.source == C_SYNTHESIS and self.figure in RESOURCES)

    @property
    def exceeded(self) -> bool:
        """Whether a measured figure is over its limit; an estimate proves nothing."""
        return self.within is False and not self.estimated

    def to_json(self) -> dict[str, Any]:
        """The fields under their names, and what to change where a measured figure is over its limit."""
        return asdict(self) | {"estimated": self.estimated, "remedy": self.remedy if self.exceeded else None}


def budget_lines(config: Config, entries: Iterable[Mapping[str, Any]]) -> list[BudgetLine]:
    """Each limited figure of each flow against its limit.

    Args:
        config: Of the run: its budget, the device that shares are of, and what network and firmware are.
        entries: Hardware entries, as report.json has them.

    Raises:
        UserError: If a share of a device is asked for whose size is not known.
    """
    limits = limits_of(config.budget, config.firmware.part)
    found = list(entries)
    flows = dict.fromkeys(str(entry["flow"]) for entry in found)
    return [_line(flow, figure, limit, found, config) for flow in flows for figure, limit in limits.items()]


def check_budget(budget: BudgetConfig, part: str) -> None:
    """Refuses a budget that nothing can be held against.

    Raises:
        UserError: If a share of a device is asked for whose size is not known.
    """
    limits_of(budget, part)


def limits_of(budget: BudgetConfig, part: str) -> dict[str, float]:
    """What each figure that is limited may be at most, shares of the device in numbers.

    Raises:
        UserError: If a share of a device is asked for whose size is not known.
    """
    asked: dict[str, Amount | float | None] = {name: getattr(budget, name) for name in FIGURES}
    return {name: _limit(name, amount, part) for name, amount in asked.items() if amount is not None}


def _limit(name: str, amount: Amount | float, part: str) -> float:
    if not isinstance(amount, str):
        return amount
    device, share = find_device(part), share_of(amount)
    if device is None or share is None:
        raise UserError(
            f"budget.{name}: {amount} of {part}, whose size is not known", f"Give a number of {name.upper()} instead"
        )
    available: int = getattr(device, name)
    return share * available


def _line(flow: str, figure: str, limit: float, entries: list[Mapping[str, Any]], config: Config) -> BudgetLine:
    own = [entry for entry in entries if entry["flow"] == flow and entry[figure] is not None]
    best = min(own, key=_distance_to_the_chip, default=None)
    asked = getattr(config.budget, figure)
    clock = None if best is None or figure != "latency_ns" else _clock_entry(best, entries)
    within = None if best is None else _within(best[figure] <= limit, clock)
    is_clock_missed = within is False and clock is not None and _is_routed(clock) and clock["clock_status"] == "failed"
    return BudgetLine(
        flow=flow,
        figure=figure,
        limit=limit,
        asked=asked if isinstance(asked, str) else None,
        value=None if best is None else best[figure],
        source=None if best is None else best["source"],
        step=None if best is None else best["step"],
        within=within,
        clock_ns=None if clock is None else clock["clock_ns"],
        clock_status=None if clock is None else clock["clock_status"],
        remedy=clock_remedy(config) if is_clock_missed else remedy_for(figure, flow, config),
    )


def _clock_entry(best: Mapping[str, Any], entries: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The entry that says most of the clock that a latency is at."""
    routed = next((entry for entry in entries if entry["flow"] == best["flow"] and _is_routed(entry)), None)
    scheduled = (entry for entry in entries if entry["flow"] == best["flow"] and entry["clock_status"] == "failed")
    return routed or next(scheduled, best)


def _within(is_low_enough: bool, clock: Mapping[str, Any] | None) -> bool | None:
    if not is_low_enough or clock is None or clock["clock_status"] != "failed":
        return is_low_enough
    return False if _is_routed(clock) else None


def _is_routed(entry: Mapping[str, Any]) -> bool:
    return bool(entry["step"] == "implement" and entry["clock_status"] != "assumed")


def _distance_to_the_chip(entry: Mapping[str, Any]) -> tuple[int, bool]:
    return _TRUSTED.index(entry["source"]), entry["step"] != "implement"
