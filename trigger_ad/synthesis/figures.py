"""The figures of one report, whichever tool left it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trigger_ad.synthesis.projects import Step

Source = Literal["csynth", "cosim", "vivado"]


@dataclass(frozen=True)
class HardwareFigures:
    """The figures of one report; None where the report does not know them.

    Args:
        source: The kind of report.
        file: Where it lies.
        tool: Name and version of the tool that wrote it.
        part: The part it is for.
        clock_ns: The clock period that was asked for, in ns.
        estimated_clock_ns: The period that the tool expects to reach, in ns.
        latency_min_cycles: Shortest latency in clock cycles.
        latency_max_cycles: Longest latency in clock cycles.
        ii_cycles: Longest initiation interval in clock cycles.
        lut: Look-up tables.
        ff: Flip-flops.
        dsp: DSP slices.
        bram: Block memories of 18 Kbit.
        step: The step that left the report.
        digest: Of the network it is of, or None if nothing says so.
        worst_slack_ns: The worst negative slack (WNS) in ns, negative if the clock period is too short.
        total_negative_slack_ns: The sum of negative slacks (TNS) in ns.
        is_clock_met: Whether the routed design meets the clock period; None where nothing was routed.
    """

    source: Source
    file: Path
    tool: str | None
    part: str
    clock_ns: float
    estimated_clock_ns: float | None = None
    latency_min_cycles: int | None = None
    latency_max_cycles: int | None = None
    ii_cycles: int | None = None
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram: int | None = None
    step: Step | None = None
    digest: str | None = None
    worst_slack_ns: float | None = None
    total_negative_slack_ns: float | None = None
    is_clock_met: bool | None = None

    @property
    def fmax_mhz(self) -> float | None:
        """The highest clock frequency in MHz that the report supports: 1 / (period - worst slack) if it has slacks."""
        shortest = self.estimated_clock_ns
        if self.worst_slack_ns is not None:
            shortest = self.clock_ns - self.worst_slack_ns
        return 1e3 / shortest if shortest is not None and shortest > 0 else None
