"""The figure of the RTL's pipeline: the delay of each stage, and the registers between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from trigger_ad.report.drawing import FAINT, FIRMWARE, FLOAT, INK, Drawing, finished, new_figure
from trigger_ad.report.inputs import Report
from trigger_ad.report.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH: Final = 0.62
"""Of a stage's box, between two registers a distance of 1 apart."""


def pipeline_figure(report: Report) -> Drawing | None:
    """Draws the stages from left to right, inside `styled`; None where there is no RTL."""
    pipeline = report.get("pipeline")
    if not pipeline:
        return None
    stages, ports = pipeline["stages"], [*pipeline["ports"], pipeline["output"]]
    figure = new_figure(9.8, 3.6, f"{pipeline['clock_ns']:g} ns assumed")
    axes = figure.add_subplot()
    _draw_stages(axes, stages, pipeline["clock_ns"] * pipeline["units_per_ns"])
    _draw_registers(axes, [*(stage["register_bits"] for stage in stages), _bits(pipeline["output"])])
    _label(axes, len(stages), pipeline)
    told = ", ".join(f"{port['name']} {_port(port)}" for port in ports)
    return finished(
        figure,
        name="pipeline",
        title="Pipeline of the RTL",
        caption=(
            "Words enter at the left and leave, as the score, at the right. A box is the logic of one stage, as high "
            "as the delay that alkaid estimates; the dashed line is the clock, a nanosecond of which is assumed to "
            f"hold {pipeline['units_per_ns']:g} of its units. A bar between boxes is the words that enter a stage, "
            "with how many bits they are: registers, but for the inputs, of which it counts the bits that are used. "
            f"Ports: {told}."
        ),
        alternative=f"{len(stages)} pipeline stages with the delay of each and the bits of registers before it.",
    )


def _bits(port: Mapping[str, Any]) -> int:
    return int(port["words"] * port["width"])


def _port(port: Mapping[str, Any]) -> str:
    bits = f"{port['width']} bits"
    return bits if port["words"] == 1 else f"{port['words']} × {bits}"


def _draw_stages(axes: Axes, stages: Sequence[Mapping[str, Any]], clock: float) -> None:
    for index, stage in enumerate(stages):
        axes.bar(index + 0.5, stage["delay"], width=_WIDTH, color=FLOAT, alpha=0.3, edgecolor=FLOAT)
        axes.text(index + 0.5, stage["delay"] / 2, f"{stage['delay']:.1f}", ha="center", va="center")
    axes.axhline(clock, color=INK, linewidth=0.9, linestyle="dashed")
    highest = max(clock, *(stage["delay"] for stage in stages))
    # room for the numbers above the registers, which are higher than every box
    axes.set(xlim=(-0.7, len(stages) + 0.7), ylim=(0, 1.3 * highest))


def _draw_registers(axes: Axes, registers: Sequence[int]) -> None:
    _, top = axes.get_ylim()
    for index, bits in enumerate(registers):
        colour = FAINT if index == 0 else FIRMWARE
        axes.bar(index, 0.86 * top, width=0.09, color=colour, zorder=3)
        axes.annotate(
            count(bits), (index, 0.86 * top), (0, 3), textcoords="offset points", ha="center", color=INK, fontsize=8.5
        )


def _label(axes: Axes, stages: int, pipeline: Mapping[str, Any]) -> None:
    axes.set_xticks([index + 0.5 for index in range(stages)], [str(index + 1) for index in range(stages)])
    axes.tick_params(axis="x", which="both", top=False, bottom=False)
    axes.grid(visible=False, axis="x")
    axes.set(xlabel="pipeline stage; bits of the words before each above the bars", ylabel="delay (alkaid's units)")
    inputs = "\n".join(f"{port['name']}: {_port(port)}" for port in pipeline["ports"])
    for place, text, side in (
        (-0.12, inputs, "right"),
        (stages + 0.12, f"score:\n{_port(pipeline['output'])}", "left"),
    ):
        axes.text(place, 0.4 * axes.get_ylim()[1], text, ha=side, va="center", fontsize=8.5)
    # words of ports are as wide as they need to be
    widest = max(map(len, inputs.splitlines()))
    axes.set_xlim(-0.3 - 0.011 * widest * (stages + 2), stages + 0.3 + 0.12 * (stages + 2))
