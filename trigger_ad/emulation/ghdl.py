"""GHDL: VHDL becomes Verilog, which is simulated as the other Verilog is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trigger_ad.errors import UserError
from trigger_ad.tools import find_tool, output_of

_STANDARD: Final = "--std=08"


def verilog_of(sources: Sequence[Path], top: str, folder: Path) -> Path:
    """Elaborates a design in VHDL and writes it as one Verilog file.

    Args:
        sources: VHDL files, in any order.
        top: The entity at the top.
        folder: Where everything is written; must exist.

    Returns:
        The file.

    Raises:
        UserError: If GHDL is missing or refuses something.
    """
    tool = find_tool("ghdl")
    if tool is None:
        raise UserError("there is no GHDL, with which VHDL is simulated", "Install it ('apt install ghdl')")
    files = [str(path.absolute()) for path in sources]
    # which unit needs which, GHDL finds out itself
    _run([tool.path, "import", _STANDARD, *files], folder)
    _run([tool.path, "make", _STANDARD, top], folder)
    result = folder / f"{top}.v"
    result.write_text(_run([tool.path, "synth", _STANDARD, "--out=verilog", top], folder), encoding="utf-8")
    return result


def _run(command: list[str | Path], folder: Path) -> str:
    return output_of(command, "GHDL failed", "See that GHDL is whole ('trigger-ad doctor')", folder=folder)
