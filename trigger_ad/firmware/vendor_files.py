"""What a project holds for vendors' tools in either flow: the scripts that build it, and that say what was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from trigger_ad.firmware.rendering import render

STAMP_SCRIPT: Final = "stamp.sh"
"""Writes the stamps, which say what reports are of."""
HLS_SCRIPT: Final = "implement.tcl"
"""Vivado's script of an HLS project."""
RTL_SCRIPT: Final = "build.tcl"
"""Vivado's script of an RTL project."""


def hls_sources(top: str) -> dict[str, Sequence[str]]:
    """What each step of an HLS project reads, the stamp of the step that it goes on from included."""
    synthesised = ("firmware", "project.tcl", "build_prj.tcl")
    bench = (f"{top}_test.cpp", "tb_data/input_words.dat", "tb_data/expected_words.dat")
    logic = (*synthesised, "stamps/csynth.json", HLS_SCRIPT, f"{top}.xdc")
    return {
        "csynth": synthesised,
        "cosim": (*synthesised, "stamps/csynth.json", *bench),
        "synth": logic,
        "implement": (*logic, "stamps/synth.json"),
    }


def rtl_sources(top: str) -> dict[str, Sequence[str]]:
    """What each step of an RTL project reads, the stamp of the step that it goes on from included."""
    logic = ("verilog", RTL_SCRIPT, f"{top}.xdc")
    return {"synth": logic, "implement": (*logic, "stamps/synth.json")}


def write_vendor_files(facts: Mapping[str, Any], folder: Path, *, is_hls: bool) -> None:
    """Writes the constraints, Vivado's script and the script of stamps.

    Args:
        facts: `top`, the network's `digest`, `part` and `clock_ns`, and whether the threshold is a port,
            `has_register`.
        folder: The project.
        is_hls: Whether it is an HLS project: its RTL is what C synthesis makes, and its clock is called `ap_clk`.
    """
    top, script = facts["top"], HLS_SCRIPT if is_hls else RTL_SCRIPT
    own = {
        "is_hls": is_hls,
        "script": script,
        "clock": "ap_clk" if is_hls else "clk",
        "steps": hls_sources(top) if is_hls else rtl_sources(top),
    }
    for template, target in (
        ("rtl.xdc.j2", f"{top}.xdc"),
        ("rtl_build.tcl.j2", script),
        ("stamp.sh.j2", STAMP_SCRIPT),
    ):
        (folder / target).write_text(render(template, dict(facts) | own), encoding="utf-8")
