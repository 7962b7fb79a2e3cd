"""The longest paths between registers: counted in netlists of known cells, held against Yosys's own analysis."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from trigger_ad.run_directory import read_json
from trigger_ad.synthesis.netlist import StagePath, stage_paths

REGISTER = "FDRE {name} (.C(clk), .CE(1'b1), .R(1'b0), .D({d}), .Q({q}));"
BODIES = {
    # a table of two inputs; then a carry chain of two cells, a table on its sum, and another carry chain
    "stages": [
        "wire [3:0] a1, b1, low, high, sum, after; wire carry, fed, end_of_chain;",
        "LUT2 #(.INIT(4'h8)) gate (.I0(a[0]), .I1(b[0]), .O(fed));",
        REGISTER.format(name="r0", d="fed", q="a1[0]"),
        REGISTER.format(name="r1", d="a[1]", q="b1[0]"),
        "CARRY4 c0 (.CI(1'b0), .CYINIT(1'b0), .DI({3'b0, a1[0]}), .S({3'b0, b1[0]}), .CO(low));",
        "CARRY4 c1 (.CI(low[3]), .CYINIT(1'b0), .DI(4'b0), .S(4'b0), .O(sum));",
        "LUT6 #(.INIT(64'h1)) table (.I0(sum[1]), .I1(b1[0]), .I2(1'b0), .I3(1'b0), .I4(1'b0), .I5(1'b0), .O(carry));",
        "CARRY4 c2 (.CI(1'b0), .CYINIT(carry), .DI(4'b0), .S(4'b0), .O(after));",
        REGISTER.format(name="r2", d="after[3]", q="out"),
    ],
    # four clocks long
    "delayed": [
        "wire late, logic;",
        "SRL16E delay (.A0(1'b1), .A1(1'b1), .A2(1'b0), .A3(1'b0), .CE(1'b1), .CLK(clk), .D(a[0]), .Q(late));",
        "INV not_ (.I(late), .O(logic));",
        REGISTER.format(name="r0", d="logic", q="out"),
    ],
    "aligned": [
        "wire [3:0] step; wire late, logic;",
        "SRL16E delay (.A0(1'b1), .A1(1'b1), .A2(1'b0), .A3(1'b0), .CE(1'b1), .CLK(clk), .D(a[0]), .Q(late));",
        *(REGISTER.format(name=f"s{i}", d=f"step[{i - 1}]" if i else "a[1]", q=f"step[{i}]") for i in range(4)),
        "LUT2 #(.INIT(4'h8)) gate (.I0(late), .I1(step[3]), .O(logic));",
        REGISTER.format(name="r0", d="logic", q="out"),
    ],
    "constant": [
        "wire never, logic;",
        REGISTER.format(name="r0", d="1'b0", q="never"),
        "LUT2 #(.INIT(4'h8)) gate (.I0(never), .I1(a[0]), .O(logic));",
        REGISTER.format(name="r1", d="logic", q="out"),
    ],
    "loop": [
        "wire logic;",
        "LUT2 #(.INIT(4'h6)) gate (.I0(out), .I1(a[0]), .O(logic));",
        REGISTER.format(name="r0", d="logic", q="out"),
    ],
    "unequal": [
        "wire once, logic;",
        REGISTER.format(name="r0", d="a[0]", q="once"),
        "LUT2 #(.INIT(4'h6)) gate (.I0(once), .I1(a[1]), .O(logic));",
        REGISTER.format(name="r1", d="logic", q="out"),
    ],
    "no_delay": [
        "wire logic;",
        "MUXF9 wide (.I0(a[0]), .I1(a[1]), .S(a[2]), .O(logic));",
        REGISTER.format(name="r0", d="logic", q="out"),
    ],
    "variable_length": [
        "wire late;",
        "SRL16E delay (.A0(a[1]), .A1(1'b1), .A2(1'b0), .A3(1'b0), .CE(1'b1), .CLK(clk), .D(a[0]), .Q(late));",
        REGISTER.format(name="r0", d="late", q="out"),
    ],
}
"""Netlists by name of their module."""
PORTS = "(input wire clk, input wire [3:0] a, input wire [3:0] b, output wire out)"

CLOCK_TO_OUTPUT = 303
"""Of a register, in picoseconds, as Yosys's library has it; the others likewise."""
TABLE_OF_2, INVERTER, INTO_SHIFT_REGISTER, OUT_OF_SHIFT_REGISTER = 238, 127, 173, 1472


@dataclass(frozen=True)
class Read:
    """What Yosys wrote of the netlists and its cells, and said of their longest paths."""

    netlist: dict[str, Any]
    cells: dict[str, Any]
    said: str


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("netlists")
    modules = ["\n".join((f"module {name} {PORTS};", *body, "endmodule")) for name, body in BODIES.items()]
    (folder / "modules.v").write_text("\n".join(modules), encoding="utf-8")
    commands = (
        "read_verilog -specify -lib +/xilinx/cells_sim.v",
        "read_verilog modules.v",
        "write_json -selected netlist.json",
        "hierarchy -top stages",
        "sta",
        "design -reset",
        "read_verilog -specify -lib +/xilinx/cells_sim.v",
        "proc =*",
        "write_json cells.json",
    )
    (folder / "commands").write_text("\n".join(commands), encoding="utf-8")
    command = [sys.executable, "-m", "trigger_ad.synthesis.yosys_process", "commands"]
    said = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    return Read(read_json(folder / "netlist.json"), read_json(folder / "cells.json"), said)


def test_levels_and_delays_are_those_of_the_longest_path(read: Read) -> None:
    paths = stage_paths(read.netlist, read.cells, "stages")
    assert paths is not None
    assert [(path.tables, path.carry_chains, path.levels) for path in paths] == [(1, 0, 1), (1, 2, 3)]
    assert paths[0].cell_delay_ns == (CLOCK_TO_OUTPUT + TABLE_OF_2) / 1000


def test_the_longest_of_all_is_the_one_that_yosys_finds(read: Read) -> None:
    latest = re.search(r"Latest arrival time in 'stages' is (\d+)", read.said)
    paths = stage_paths(read.netlist, read.cells, "stages")
    assert latest is not None
    assert paths is not None
    assert max(path.cell_delay_ns for path in paths) == int(latest[1]) / 1000


def test_a_shift_register_is_as_many_stages_as_it_is_long(read: Read) -> None:
    into = StagePath(0, 0, (CLOCK_TO_OUTPUT + INTO_SHIFT_REGISTER) / 1000)
    out_of = StagePath(1, 0, (OUT_OF_SHIFT_REGISTER + INVERTER) / 1000)
    assert stage_paths(read.netlist, read.cells, "delayed") == (into, out_of)
    aligned = stage_paths(read.netlist, read.cells, "aligned")
    assert aligned is not None
    assert [path.levels for path in aligned] == [0, 0, 0, 0, 1]


def test_a_register_of_a_constant_is_on_no_path(read: Read) -> None:
    paths = stage_paths(read.netlist, read.cells, "constant")
    assert paths is not None
    assert [path.levels for path in paths] == [1]


@pytest.mark.parametrize("name", ["loop", "unequal", "no_delay", "variable_length"])
def test_what_is_not_known_is_not_said(read: Read, name: str) -> None:
    assert stage_paths(read.netlist, read.cells, name) is None
