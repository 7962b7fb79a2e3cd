"""The hardware entries of a report: each figure with its source, measured ones where a tool has run, else estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from trigger_ad.errors import UserError
from trigger_ad.synthesis.devices import find_device
from trigger_ad.synthesis.estimates import ProjectEstimate
from trigger_ad.synthesis.figures import HardwareFigures
from trigger_ad.synthesis.projects import read_project_settings, settings_file
from trigger_ad.synthesis.reports import read_reports
from trigger_ad.synthesis.yosys import YosysReport

Flow = Literal["hls_vitis", "hls_vivado", "rtl"]
ClockStatus = Literal["assumed", "met", "failed"]

RESOURCES: Final = ("lut", "ff", "dsp", "bram")
ESTIMATE_TOOL: Final = "trigger-ad estimate"


@dataclass(frozen=True)
class HardwareEntry:
    """One row of the hardware table; its fields are the keys of `hardware` in report.json. Unknown figures are None.

    Args:
        flow: The firmware project it belongs to.
        source: `estimate`, `csynth`, `cosim`, `vivado`, `verilator` or `yosys`.
        tool: Name and version of what produced it.
        part: The target part.
        clock_ns: The clock period asked for, in ns.
        clock_status: `assumed` unless timing was analysed after implementation (`met`, `failed`) or C synthesis
            itself expects to miss the period (`failed`).
        fmax_mhz: The highest clock frequency that the source supports, in MHz.
        latency_cycles: Longest latency in clock cycles.
        latency_ns: The same in ns at `clock_ns`: an assumption while the clock is assumed.
        ii_cycles: Initiation interval in clock cycles.
        lut: Look-up tables.
        ff: Flip-flops.
        dsp: DSP slices.
        bram: Block memories of 18 Kbit.
        utilisation: Share of the device for each resource, 1 being all of it; None where either number is unknown.
        step: What a vendor's tool did: `csynth`, `cosim`, `synth` (logic synthesis) or `implement` (placed and routed);
            None where none has run.
        digest: Of the network that the figures are of; None where a report does not say, as nobody stamped it.
        worst_slack_ns: The worst negative slack (WNS) in ns, where timing was analysed.
        total_negative_slack_ns: The sum of negative slacks (TNS) in ns.
    """

    flow: str
    source: str
    tool: str | None
    part: str
    clock_ns: float
    clock_status: ClockStatus
    fmax_mhz: float | None
    latency_cycles: int | None
    latency_ns: float | None
    ii_cycles: int | None
    lut: int | None
    ff: int | None
    dsp: int | None
    bram: int | None
    utilisation: dict[str, float | None]
    step: str | None = None
    digest: str | None = None
    worst_slack_ns: float | None = None
    total_negative_slack_ns: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry as report.json writes it.

        Returns:
            All fields by name; unknown figures are None, which JSON writes as null.
        """
        return asdict(self)


def hardware_entries(
    project_dirs: Mapping[Flow, Path], estimates: Mapping[Flow, ProjectEstimate], *, part: str, clock_ns: float
) -> list[HardwareEntry]:
    """Describe the hardware of each project: one entry for each report it has, else its estimate.

    Args:
        project_dirs: The project's folder, by flow.
        estimates: What is shown where no tool has run, by flow; a flow may be absent.
        part: The part that the configuration asks for.
        clock_ns: The clock period that the configuration asks for, in ns.

    Returns:
        The entries, in the order of `project_dirs`; estimates and measured figures are never mixed in one.

    Raises:
        UserError: If the part is no part, or a project or report is stale, damaged, failed or of unknown format.
    """
    find_device(part)
    entries: list[HardwareEntry] = []
    for flow, project in project_dirs.items():
        _check_settings(project, part, clock_ns)
        reports = read_reports(project)
        entries += [entry_of_report(flow, figures) for figures in reports]
        if not reports and flow in estimates:
            entries.append(entry_of_estimate(flow, estimates[flow]))
    return entries


def entry_of_report(flow: Flow, figures: HardwareFigures) -> HardwareEntry:
    """The entry of one report.

    Args:
        flow: The firmware project it belongs to.
        figures: What the report says.

    Returns:
        The entry; its latency is the longest one reported.
    """
    cycles = figures.latency_max_cycles
    return HardwareEntry(
        flow=flow,
        source=figures.source,
        tool=figures.tool,
        part=figures.part,
        clock_ns=figures.clock_ns,
        clock_status=_clock_status(figures),
        fmax_mhz=figures.fmax_mhz,
        latency_cycles=cycles,
        latency_ns=None if cycles is None else cycles * figures.clock_ns,
        ii_cycles=figures.ii_cycles,
        lut=figures.lut,
        ff=figures.ff,
        dsp=figures.dsp,
        bram=figures.bram,
        utilisation=utilisation(figures.part, figures.lut, figures.ff, figures.dsp, figures.bram),
        step=figures.step,
        digest=figures.digest,
        worst_slack_ns=figures.worst_slack_ns,
        total_negative_slack_ns=figures.total_negative_slack_ns,
    )


def entry_of_estimate(flow: Flow, estimate: ProjectEstimate) -> HardwareEntry:
    """The entry of an estimate.

    Args:
        flow: The firmware project it belongs to.
        estimate: The estimate.

    Returns:
        The entry, its source and its tool saying that it is one.
    """
    return HardwareEntry(
        flow=flow,
        source="estimate",
        tool=ESTIMATE_TOOL,
        part=estimate.part,
        clock_ns=estimate.clock_ns,
        clock_status="assumed",
        fmax_mhz=None,
        latency_cycles=estimate.latency_cycles,
        latency_ns=estimate.latency_ns,
        ii_cycles=estimate.ii_cycles,
        lut=estimate.lut,
        ff=estimate.ff,
        dsp=estimate.dsp,
        bram=estimate.bram,
        utilisation=utilisation(estimate.part, estimate.lut, estimate.ff, estimate.dsp, estimate.bram),
    )


def entry_of_simulation(
    flow: str,
    *,
    tool: str,
    part: str,
    clock_ns: float,
    digest: str,
    latency_cycles: int,
    ii_cycles: int | None,
) -> HardwareEntry:
    """The entry of a simulation clock by clock, which counts clocks and knows nothing of resources.

    Args:
        flow: The firmware project it belongs to.
        tool: The simulator.
        part: The part that the project is built for.
        clock_ns: The clock that it is built for; nothing shows that it is met.
        digest: Of the network.
        latency_cycles: Clocks from words to score.
        ii_cycles: The most clocks between two events that entered one after another.
    """
    return HardwareEntry(
        flow=flow,
        source="verilator",
        tool=tool,
        part=part,
        clock_ns=clock_ns,
        clock_status="assumed",
        fmax_mhz=None,
        latency_cycles=latency_cycles,
        latency_ns=latency_cycles * clock_ns,
        ii_cycles=ii_cycles,
        lut=None,
        ff=None,
        dsp=None,
        bram=None,
        utilisation=dict.fromkeys(RESOURCES),
        digest=digest,
    )


def entry_of_yosys(flow: str, report: YosysReport, *, part: str, clock_ns: float, digest: str) -> HardwareEntry:
    """The entry of a logic synthesis by Yosys, which counts cells and knows nothing of clocks.

    Args:
        flow: The firmware project it belongs to.
        report: What was counted.
        part: The part that the project is built for.
        clock_ns: The clock that it is built for.
        digest: Of the network.
    """
    return HardwareEntry(
        flow=flow,
        source="yosys",
        tool=f"Yosys {report.version}",
        part=part,
        clock_ns=clock_ns,
        clock_status="assumed",
        fmax_mhz=None,
        latency_cycles=None,
        latency_ns=None,
        ii_cycles=None,
        lut=report.lut,
        ff=report.ff,
        dsp=report.dsp,
        bram=report.bram,
        utilisation=utilisation(part, report.lut, report.ff, report.dsp, report.bram),
        digest=digest,
    )


def utilisation(
    part: str, lut: int | None, ff: int | None, dsp: int | None, bram: int | None
) -> dict[str, float | None]:
    """The share of a device that a design takes.

    Args:
        part: The target part.
        lut: Look-up tables, or None if unknown; the others alike.
        ff: Flip-flops.
        dsp: DSP slices.
        bram: Block memories of 18 Kbit.

    Returns:
        For each resource the share, 1 being the whole device; None where the use or the device's size is unknown.

    Raises:
        UserError: If the part is no part.
    """
    device = find_device(part)
    used = dict(zip(RESOURCES, (lut, ff, dsp, bram), strict=True))
    if device is None:
        return dict.fromkeys(RESOURCES)
    available = dict(zip(RESOURCES, (device.lut, device.ff, device.dsp, device.bram), strict=True))
    return {name: None if count is None else count / available[name] for name, count in used.items()}


def _clock_status(figures: HardwareFigures) -> ClockStatus:
    if figures.is_clock_met is not None:
        return "met" if figures.is_clock_met else "failed"
    # C synthesis schedules with estimated delays: it can foresee a failure, but only implementation can show success
    expected = figures.estimated_clock_ns
    return "failed" if expected is not None and expected > figures.clock_ns else "assumed"


def _check_settings(project: Path, part: str, clock_ns: float) -> None:
    settings = read_project_settings(project)
    for what, wanted, found, same in (
        ("part", part, settings.part, settings.part.lower() == part.lower()),
        ("clock period in ns", clock_ns, settings.clock_ns, settings.clock_ns == clock_ns),
    ):
        if not same:
            raise UserError(
                f"{settings_file(project)} is stale: its {what} is {found}, the configuration's is {wanted}",
                f"Delete the folder {project} and run 'trigger-ad convert'.",
            )
