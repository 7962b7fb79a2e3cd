"""Estimates, layer by layer, of what an HLS project will cost: what is shown until a tool has measured it.

Every number here is an estimate and is labelled so wherever it appears. The formulas are in `arithmetic` and
`layer_estimates`; their sources, their assumptions and how far they were off where a published design allows a check
are in docs/hardware.md. Flip-flops and block memories have no formula good enough to be shown for a whole project:
they are unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.synthesis.decision_estimates import estimate_decision
from trigger_ad.synthesis.encoding_estimates import estimate_encoding
from trigger_ad.synthesis.layer_estimates import LayerEstimate, LayerWork, Strategy, estimate_layer

__all__ = [
    "LayerEstimate",
    "LayerWork",
    "ProjectEstimate",
    "Strategy",
    "adder_levels_in_a_cycle",
    "estimate_project",
    "measuring_command",
]

ADDER_LEVEL_NS: Final = 0.6
"""Assumption: delay of one two-input adder level as the HLS scheduler counts it (see docs/hardware.md)."""

CLOCK_UNCERTAINTY: Final = {"vitis": 0.27, "vivado": 0.125}
"""The share of the clock period that hls4ml's build scripts keep in reserve, by back end."""


@dataclass(frozen=True)
class ProjectEstimate:
    """The estimate of a project; every figure is an estimate, none is measured.

    Args:
        layers: One estimate for the encoding, one for each layer, and one for the accept bit.
        part: The target part.
        clock_ns: The clock period asked for, in ns, which nobody has closed.
        latency_cycles: Clock cycles from input to output: the sum over the layers.
        ii_cycles: Clock cycles between two events.
        lut: Look-up tables: the sum over the layers.
        dsp: DSP slices: the sum over the layers.
        ff: Unknown.
        bram: Unknown.
    """

    layers: tuple[LayerEstimate, ...]
    part: str
    clock_ns: float
    latency_cycles: int
    ii_cycles: int
    lut: int
    dsp: int
    ff: int | None = None
    bram: int | None = None

    @property
    def latency_ns(self) -> float:
        """The latency in ns if the clock closes at the period asked for."""
        return self.latency_cycles * self.clock_ns


def estimate_project(
    layers: Sequence[LayerWork],
    *,
    strategy: Strategy,
    reuse_factor: int,
    clock_ns: float,
    io_type: str,
    part: str,
    back_end: str = "vitis",
    encoding: InputEncoding | None = None,
) -> ProjectEstimate:
    """Estimate the latency and the resources of an HLS project.

    The latency is the sum over the layers, in each the adder levels that fit one period plus reuse_factor - 1 cycles
    in which multipliers are used again (arXiv:1804.06913, section 2). In `io_parallel` a new event enters every
    reuse_factor cycles; in `io_stream`, and wherever there are convolutions or a layer of the strategy `resource`,
    each layer handles one event at a time, so the slowest sets the interval. The encoding of trigger words comes first
    and counts like a layer: whole cycles, though a tool may let the first layer begin in the same one. The accept bit
    comes last where the network's output is a single word.

    Args:
        layers: What each layer computes, in the order of the data.
        strategy: `latency` (kernels are constants in the logic) or `resource` (kernels are in memories).
        reuse_factor: How many products each multiplier computes for one event.
        clock_ns: Clock period in ns.
        io_type: `io_parallel` or `io_stream`.
        part: The target part.
        back_end: `vitis` or `vivado`, which differ in the reserve they keep of the period.
        encoding: What makes the network's inputs of trigger words; None leaves out what the top function adds to the
            network: encoding and accept bit.

    Returns:
        The estimate; flip-flops and block memories are None.

    Raises:
        UserError: If there is no layer, the clock is too fast for one adder level, or a setting is unknown.
    """
    _check(layers, strategy, reuse_factor, io_type, back_end)
    levels = adder_levels_in_a_cycle(clock_ns, back_end)
    factors = [layer.reuse_factor or reuse_factor for layer in layers]
    # hls4ml makes it a region of processes that hand events on
    is_dataflow = io_type == "io_stream" or any(
        layer.places > 1 or (layer.kind == "dense" and (layer.strategy or strategy) == "resource") for layer in layers
    )
    estimates = tuple(
        estimate_layer(layer, layer.strategy or strategy, factor, levels, io_type, part)
        for layer, factor in zip(layers, factors, strict=True)
    )
    if encoding is not None:
        decision = (estimate_decision(layers[-1], is_dataflow),) if layers[-1].gives_one_word else ()
        estimates = (estimate_encoding(encoding, levels, io_type, part), *estimates, *decision)
    slowest = max(estimate.cycles for estimate in estimates)
    return ProjectEstimate(
        layers=estimates,
        part=part,
        clock_ns=clock_ns,
        latency_cycles=sum(estimate.cycles for estimate in estimates),
        ii_cycles=slowest if is_dataflow else max(factors),
        lut=sum(estimate.lut for estimate in estimates),
        dsp=sum(estimate.dsp for estimate in estimates),
    )


def adder_levels_in_a_cycle(clock_ns: float, back_end: str) -> int:
    """How many two-input adder levels the HLS scheduler is assumed to chain in one clock cycle.

    Args:
        clock_ns: Clock period in ns.
        back_end: `vitis` or `vivado`.

    Returns:
        At least 1.

    Raises:
        UserError: If not even one level fits.
    """
    levels = int(clock_ns * (1 - CLOCK_UNCERTAINTY[back_end]) / ADDER_LEVEL_NS)
    if levels < 1:
        raise UserError(
            f"firmware.clock_ns: {clock_ns:g} is too short for a single addition", "Use a clock period of 1 ns or more."
        )
    return levels


def measuring_command(back_end: Literal["vitis", "vivado"]) -> str:
    """The command that measures what is estimated here, on a machine with the vendor's tool.

    Args:
        back_end: The HLS project's back end.

    Returns:
        One shell line, to be completed with the project's folder.
    """
    tool = "vitis-run or vitis_hls" if back_end == "vitis" else "vivado_hls"
    return f"cd <project> && ./build.sh   # with {tool} on PATH"


def _check(layers: Sequence[LayerWork], strategy: str, reuse_factor: int, io_type: str, back_end: str) -> None:
    for key, value, known in (
        ("firmware.strategy", strategy, ("latency", "resource")),
        ("firmware.io_type", io_type, ("io_parallel", "io_stream")),
        ("firmware.back_ends", back_end, tuple(CLOCK_UNCERTAINTY)),
    ):
        if value not in known:
            raise UserError(f"{key}: '{value}' cannot be estimated", f"Use one of {', '.join(known)}.")
    if reuse_factor < 1:
        raise UserError(f"firmware.reuse_factor: {reuse_factor} is not possible", "Use 1 or more.")
    if not layers:
        raise UserError("The network has no layer to estimate", "Give the layers of a converted network.")
