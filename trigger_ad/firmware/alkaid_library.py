"""What we use of alkaid: variables that record what is done to them, its solver, programs, what it writes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import alkaid.codegen.rtl as _rtl
from alkaid._binary import alir_interp_run
from alkaid.cmvm import cmvm_solve
from alkaid.codegen.rtl.verilog import fsm_logic_gen as _verilog_sources
from alkaid.codegen.rtl.vhdl import fsm_logic_gen as _vhdl_sources
from alkaid.stateful import FSM
from alkaid.trace import FVariable, FVArrayInput, HWConfig, trace
from alkaid.trace.ops import reduce
from alkaid.trace.pipeline import to_pipeline
from alkaid.types import CombLogic

__all__ = [
    "FSM",
    "RTL_OPERATIONS",
    "RTL_SOURCES",
    "CombLogic",
    "FVArrayInput",
    "FVariable",
    "HWConfig",
    "alir_interp_run",
    "cmvm_solve",
    "reduce",
    "to_pipeline",
    "trace",
]

RTL_SOURCES: Final[dict[str, Callable[..., dict[str, str]]]] = {"verilog": _verilog_sources, "vhdl": _vhdl_sources}
"""By language, what gives the sources of a state machine of a name, by the name of a file."""

RTL_OPERATIONS: Final[dict[str, Path]] = {
    language: Path(str(_rtl.__file__)).parent / language / "source" for language in RTL_SOURCES
}
"""By language, the folder of the modules of the operations."""
