"""Latency and resources of the RTL project, as far as they were measured: clocked by Verilator, counted by Yosys."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from trigger_ad.errors import UserError
from trigger_ad.events.cache import cache_folder
from trigger_ad.firmware.rtl_design import RtlDesign, sources
from trigger_ad.pipeline.stage import Run, read_results
from trigger_ad.synthesis.hardware import entry_of_simulation, entry_of_yosys
from trigger_ad.synthesis.yosys import LIMIT_SECONDS, synthesized

FLOW: Final = "rtl"
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Measured:
    """What was measured, and what was not.

    Args:
        entries: As in `hardware` of report.json.
        missing: For each source that gave nothing `flow`, `source` and `reason`.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)

    def lacks(self, source: str, reason: str) -> None:
        """Notes that a source gave nothing."""
        self.missing.append({"flow": FLOW, "source": source, "reason": reason})


def measured(run: Run) -> Measured:
    """Takes the clocks from the results of `emulate`, and runs Yosys, unless it has synthesized the same before.

    Args:
        run: The run, emulated, with an RTL project.
    """
    design, result = RtlDesign.read(run.directory.rtl_project), Measured()
    _clocks(run, design, result)
    _resources(run, design, result)
    return result


def _clocks(run: Run, design: RtlDesign, result: Measured) -> None:
    emulation = read_results(run, "emulation", ("emulators", "not_run"))
    simulated = emulation["emulators"].get(FLOW)
    if simulated is None:
        result.lacks("verilator", emulation["not_run"].get(FLOW, "it was not simulated"))
        return
    entry = entry_of_simulation(
        FLOW,
        tool=simulated["tool"],
        part=design.part,
        clock_ns=design.clock_ns,
        digest=design.digest,
        latency_cycles=simulated["latency_cycles"],
        ii_cycles=simulated["ii_cycles"],
    )
    result.entries.append(entry.to_json())


def _resources(run: Run, design: RtlDesign, result: Measured) -> None:
    limit = run.yosys_seconds or LIMIT_SECONDS
    cache = cache_folder() / "yosys"
    try:
        report = synthesized(sources(run.directory.rtl_project), design.top, design.part, cache, limit)
    except UserError as error:
        # what is known without it is worth a report all the same
        _LOGGER.warning("%s. %s", error.what, error.remedy)
        result.lacks("yosys", f"{error.what}: {error.remedy[0].lower()}{error.remedy[1:]}")
        return
    entry = entry_of_yosys(FLOW, report, part=design.part, clock_ns=design.clock_ns, digest=design.digest)
    stages = None if report.stages is None else [asdict(stage) for stage in report.stages]
    facts = {"carry_bits": report.carry_bits, "stages": stages}
    result.entries.append(entry.to_json() | facts)
