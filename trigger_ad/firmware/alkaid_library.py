"""What we use of alkaid: variables that record what is done to them, its solver, its programs and their interpreter."""

from __future__ import annotations

from alkaid._binary import alir_interp_run
from alkaid.cmvm import cmvm_solve
from alkaid.trace import FVariable, FVArrayInput, HWConfig, trace
from alkaid.trace.ops import reduce
from alkaid.types import CombLogic

__all__ = ["CombLogic", "FVArrayInput", "FVariable", "HWConfig", "alir_interp_run", "cmvm_solve", "reduce", "trace"]
