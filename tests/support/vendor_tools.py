"""Programs that behave as vendors' tools do, and small projects for them to work on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.rendering import render
from trigger_ad.firmware.rtl_design import RtlDesign, RtlPort
from trigger_ad.firmware.vendor_files import write_vendor_files

GOLDEN = Path(__file__).parents[1] / "golden"
PART = "xcvu9p-flgb2104-2l-e"
TOP = "anomaly"
NETWORK = "f00d" * 16

BANNERS = {
    "vitis_hls": "****** Vitis HLS - High-Level Synthesis from C, C++ and OpenCL v{} (64-bit)",
    "vitis-run": "****** vitis-run v{} (64-bit)",
    "vivado_hls": "****** Vivado(TM) HLS - High-Level Synthesis from C, C++ and SystemC v{} (64-bit)",
    "vivado": "vivado v{} (64-bit)",
}

_COMMON = """#!{python}
import json, pathlib, re, sys, time

here = pathlib.Path(__file__).resolve().parent
told = json.loads((here / "{name}.json").read_text())
if sys.argv[1:] in (["--version"], ["-version"]):
    print("\\n" + told["banner"] + "\\n  **** SW Build 1")
    sys.exit()


def record(line):
    with (here / "{name}.calls").open("a") as calls:
        calls.write(line + "\\n")


def go():
    for line in told["prints"]:
        print(line, flush=True)
    if told["hangs"]:
        (here / "{name}.hangs").touch()
        time.sleep(600)
    if told["status"]:
        sys.exit(told["status"])


def leave(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

"""

_HLS = """
options = pathlib.Path("build_opt.tcl").read_text() if "{name}" != "vivado_hls" else sys.argv[-1].replace("=", " ")
step = "cosim" if re.search(r"cosim\\s+1", options) else "csynth"
record(step + ": " + " ".join(sys.argv[1:]))
go()
for path, text in told["leaves"].get(step, {{}}).items():
    leave(path, text)
"""

_VIVADO = """
import tkinter

arguments = sys.argv[1:]
script = arguments[arguments.index("-source") + 1]
steps = arguments[arguments.index("-tclargs") + 1 :]
record(" ".join(steps) + ": " + script)
tcl = tkinter.Tcl()
tcl.setvar("argv", " ".join(steps))


def command(name):
    def run(*given):
        record("  " + " ".join([name, *given]))
        if name == told["goes_in"]:
            go()
        if "-file" in given:
            path = pathlib.Path(given[given.index("-file") + 1])
            if path.stem in told["leaves"]:
                leave(path, told["leaves"][path.stem])
        if name == "write_checkpoint":
            leave(given[-1], "checkpoint")
        return {{"version": told["version"], "get_property": "0.5"}}.get(name, "")
    tcl.createcommand(name, run)


for name in (
    "version add_files read_verilog read_xdc synth_design open_checkpoint opt_design place_design phys_opt_design "
    "route_design report_utilization report_timing_summary write_checkpoint get_property get_timing_paths"
).split():
    command(name)
try:
    tcl.eval("source " + script)
except tkinter.TclError as error:
    print("ERROR: " + str(error))
    sys.exit(1)
"""


def golden(name: str, *changes: tuple[str, str]) -> str:
    """The text of a golden report, with changes that each apply at least once."""
    text = (GOLDEN / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


CSYNTH = f"{TOP}_prj/solution1/syn/report/{TOP}_csynth.xml"


def good_reports(top: str = TOP) -> dict[str, Any]:
    """What the HLS tools and Vivado leave where all goes well, for a top level of a name."""
    named = (TOP, top)
    solution = f"{top}_prj/solution1"
    return {
        "csynth": {
            f"{solution}/syn/report/{top}_csynth.xml": golden(
                "csynth_vitis_hls_2023_1.xml", ("xcvu13p-flga2577-2-e", PART), named
            ),
            f"{solution}/syn/verilog/{top}.v": f"module {top}; endmodule\n",
        },
        "cosim": {f"{solution}/sim/report/{top}_cosim.rpt": golden("cosim_vitis_hls_2024_2.rpt")},
        "utilisation_synth": golden("vivado_synth_2024_2_virtexuplus.rpt", named),
        "timing_synth": golden("timing_vivado_2024_2_virtexuplus_met.rpt", ("Routed", "Synthesized"), named),
        "utilisation_implement": golden("utilisation_vivado_2021_2_routed.rpt", named),
        "timing_implement": golden("timing_vivado_2021_2_virtexuplus_failed.rpt", named),
    }


class FakeTools:
    """A folder of programs.

    Args:
        folder: Where they are; to be put on PATH.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, version: str = "2024.2", **behaviour: Any) -> Path:
        """Installs a program.

        Args:
            name: What it is called.
            version: What it says of itself.
            behaviour: `prints` (lines), then `hangs`, or ends with `status`, or `leaves` reports; Vivado does so when
                it comes to the command `goes_in`.
        """
        told = {"banner": BANNERS[name].format(version), "version": version, "prints": [], "hangs": False, "status": 0}
        told |= {"leaves": good_reports(), "goes_in": "synth_design"}
        assert set(behaviour) <= set(told)
        program = self.folder / name
        body = _VIVADO if name == "vivado" else _HLS
        program.write_text((_COMMON + body).format(python=sys.executable, name=name), encoding="utf-8")
        program.chmod(0o755)
        (self.folder / f"{name}.json").write_text(json.dumps(told | behaviour), encoding="utf-8")
        return program

    def calls(self, name: str) -> list[str]:
        """How a program was called, and, indented, what Vivado was told."""
        path = self.folder / f"{name}.calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def steps(self, name: str) -> list[str]:
        """The steps that a program was started for."""
        return [line.partition(":")[0] for line in self.calls(name) if not line.startswith(" ")]


def write_hls_files(folder: Path, back_end: str = "vitis") -> Path:
    """An HLS project as far as vendors' tools need one."""
    (folder / "firmware").mkdir(parents=True)
    (folder / "tb_data").mkdir()
    for name in (f"firmware/{TOP}.cpp", f"firmware/{TOP}.h", "build_prj.tcl", f"{TOP}_test.cpp"):
        (folder / name).write_text(f"// {name}\n")
    for name in ("input_words.dat", "expected_words.dat"):
        (folder / "tb_data" / name).write_text("1\n")
    settings = {"project_name": TOP, "backend": back_end, "part": PART}
    lines = [f'set {name} "{value}"' for name, value in settings.items()]
    (folder / "project.tcl").write_text("\n".join([*lines, "set clock_period 5", ""]))
    (folder / "build.sh").write_text(render("build.sh.j2", {"top": TOP, "back_end": back_end}))
    write_vendor_files(_facts(), folder, is_hls=True)
    return folder


def write_rtl_files(folder: Path) -> Path:
    """An RTL project as far as vendors' tools need one."""
    (folder / "verilog").mkdir(parents=True)
    (folder / "verilog" / f"{TOP}.v").write_text("module anomaly; endmodule\n")
    RtlDesign(TOP, NETWORK, PART, 5.0, 3, Accept("constant", 7), (), RtlPort("score", 1, 8, signed=False), ()).write(
        folder
    )
    write_vendor_files(_facts(), folder, is_hls=False)
    return folder


def _facts() -> dict[str, Any]:
    return {"top": TOP, "digest": NETWORK, "part": PART, "clock_ns": 5.0, "has_register": False}
