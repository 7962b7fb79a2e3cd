"""What a design takes by Yosys: counted from its cells, kept by digest, and never 0 for what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.fixed_points import constant
from support.runs import encoding_of, network_vectors, small_config

from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.project import Vectors
from trigger_ad.firmware.rtl_project import write_rtl_project
from trigger_ad.fixed_point import FixedPoint, Overflow, Rounding
from trigger_ad.network.evaluation import outputs
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Dense, Input, Quantize
from trigger_ad.synthesis import yosys
from trigger_ad.synthesis.hardware import utilisation
from trigger_ad.synthesis.netlist import StagePath
from trigger_ad.synthesis.yosys import family_of, synthesized

PART = "xcvu9p-flgb2104-2l-e"
SOURCE = """
module part (input wire [7:0] a, input wire [7:0] b, output wire [8:0] c);
    assign c = a + b;
endmodule

module top (input wire clk, input wire [7:0] a, input wire [7:0] b, output reg [8:0] c);
    wire [8:0] next;
    part sum (.a(a), .b(b), .c(next));
    always @(posedge clk) c <= next;
endmodule
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "top.v"
    path.write_text(SOURCE)
    return path


def test_a_registered_sum_takes_what_it_must(source: Path, tmp_path: Path) -> None:
    report = synthesized([source], "top", PART, tmp_path / "cache")
    assert (report.lut, report.ff, report.dsp, report.bram) == (8, 9, 0, 0)
    assert report.carry_bits == 4 * report.cells["CARRY4"] >= 8
    assert report.family == "xcup"
    assert sum(count for kind, count in report.cells.items() if kind.startswith("LUT")) == 8
    assert report.stages is not None
    assert [(stage.tables, stage.carry_chains, stage.levels) for stage in report.stages] == [(1, 1, 2)]


def _without_products() -> Network:
    """Two layers of constants, each with its quantizer: what a student consists of."""
    words = FixedPoint(True, 6, 3, Rounding.NEAREST_EVEN, Overflow.SATURATE)
    return Network(
        (
            Input("inputs", (6,), FixedPoint(True, 6, 3)),
            Dense("hidden", "inputs", constant([[3, -5], [7, 1], [0, 6], [-2, 9], [5, 5], [-7, 3]]), None),
            Quantize("hidden_output", "hidden", words, "relu"),
            Dense("score", "hidden_output", constant([[5], [-3]]), None),
            Quantize("score_output", "score", words, "linear"),
        )
    )


@pytest.mark.parametrize(("part", "family"), [(PART, "xcup"), ("xc7vx690tffg1927-2", "xc7")])
def test_a_network_is_counted_on_both_families(part: str, family: str, tmp_path: Path) -> None:
    network = _without_products()
    config = small_config(network, clock_ns=2.0)
    words = network_vectors(network)
    vectors = Vectors(words, outputs(network, encoding_of(config).codes_of_words(words)).reshape(len(words), -1))
    design = write_rtl_project(network, config, Accept("constant", 3), vectors, tmp_path / "rtl")
    report = synthesized(sorted((tmp_path / "rtl" / "verilog").glob("*.v")), design.top, part, tmp_path / "cache")
    assert report.family == family
    assert report.lut > 0
    assert report.ff > design.output.bits
    assert report.carry_bits == 4 * report.cells["CARRY4"] > 0
    assert (report.dsp, report.bram) == (0, 0)
    shares = utilisation(part, report.lut, report.ff, report.dsp, report.bram)
    assert all(share is not None and 0 <= share < 0.01 for share in shares.values())
    assert report.stages is not None
    assert len(report.stages) == design.latency_cycles > 1
    assert all(stage.levels >= 1 for stage in report.stages)


def _count_runs(monkeypatch: pytest.MonkeyPatch, cells: dict[str, int]) -> list[str]:
    runs: list[str] = []

    def count(commands: Any, top: str, *_: Any) -> tuple[dict[str, int], tuple[StagePath, ...]]:
        runs.append(top)
        return cells, (StagePath(3, 2, 1.5), StagePath(1, 0, 0.5))

    monkeypatch.setattr(yosys, "_mapped", count)
    return runs


def test_the_same_is_not_synthesized_twice(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = _count_runs(monkeypatch, {"LUT2": 3, "INV": 1, "FDRE": 2, "RAMB36E2": 1, "$scopeinfo": 5, "MUXF7": 1})
    first = synthesized([source], "top", PART, tmp_path / "cache")
    assert (first.lut, first.ff, first.carry_bits, first.bram) == (4, 2, 0, 2)
    assert first.stages == (StagePath(3, 2, 1.5), StagePath(1, 0, 0.5))
    assert synthesized([source], "top", "xcvu13p-flga2577-2-e", tmp_path / "cache") == first
    assert len(runs) == 1
    synthesized([source], "top", "xc7vx690tffg1927-2", tmp_path / "cache")
    synthesized([source], "part", PART, tmp_path / "cache")
    source.write_text(SOURCE + "\n")
    assert synthesized([source], "top", PART, tmp_path / "cache").netlist != first.netlist
    assert len(runs) == 4


def test_a_cell_of_unknown_cost_is_no_figure(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _count_runs(monkeypatch, {"LUT2": 3, "URAM288": 1})
    with pytest.raises(UserError, match="cells of unknown cost: URAM288"):
        synthesized([source], "top", PART, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("report", [{}, {"design": {}}, {"design": {"num_cells_by_type": {"LUT2": None}}}])
def test_a_report_in_an_unknown_form_is_no_figure(report: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="in an unknown form"):
        yosys._counted_cells(report)


def test_what_yosys_calls_an_error_is_said(source: Path, tmp_path: Path) -> None:
    source.write_text("module top (input wire a; endmodule\n")
    with pytest.raises(UserError, match=r"Yosys failed on top: .*ERROR: syntax error"):
        synthesized([source], "top", PART, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_it_is_given_up_after_a_time(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"did not synthesize top within 0\.01 s"):
        synthesized([source], "top", PART, tmp_path / "cache", limit_seconds=0.01)


def test_without_yosys_it_is_said(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trigger_ad.synthesis.yosys_run.importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"there is no Yosys.*pip install pyosys"):
        synthesized([source], "top", PART, tmp_path / "cache")


@pytest.mark.parametrize(
    ("part", "family"),
    [
        ("xcvu9p-flgb2104-2l-e", "xcup"),
        ("xcku15p-ffve1517-2-e", "xcup"),
        ("xczu9eg-ffvb1156-2-e", "xcup"),
        ("xcku115-flvb2104-2-i", "xcu"),
        ("xcvu440-flga2892-2-e", "xcu"),
        ("xc7vx690tffg1927-2", "xc7"),
        ("xc7z020clg400-1", "xc7"),
    ],
)
def test_families(part: str, family: str) -> None:
    assert family_of(part) == family


def test_a_family_without_cells_is_refused() -> None:
    with pytest.raises(UserError, match=r"firmware\.part: Yosys is used for"):
        family_of("xcvc1902-vsva2197-2mp-e")
