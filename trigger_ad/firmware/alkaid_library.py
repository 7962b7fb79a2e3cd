"""What we use of alkaid: variables that record what is done to them, its solver, programs, what it writes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import alkaid.codegen.rtl as _rtl
import numpy as np
from alkaid._binary import alir_interp_run
from alkaid.cmvm import cmvm_solve
from alkaid.codegen.rtl.verilog import fsm_logic_gen as _verilog_sources
from alkaid.codegen.rtl.vhdl import fsm_logic_gen as _vhdl_sources
from alkaid.stateful import FSM
from alkaid.trace import FVariable, FVArrayInput, HWConfig
from alkaid.trace import trace as _trace
from alkaid.trace.ops import reduce
from alkaid.trace.passes import (
    canonical_sort,
    common_subexpr_elimin,
    dead_code_elimin,
    null_quant_elimin,
)
from alkaid.trace.passes.canon import canonicalize_outputs
from alkaid.trace.passes.order import topo_bandwidth_sort
from alkaid.trace.passes.retrace import _retrace
from alkaid.trace.passes.surrogate import add_surrogate
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

_MOST_ROUNDS: Final = 5
"""Of optimization; two or three are enough for what has been seen."""


def trace(inputs: Sequence[Any], outputs: Sequence[Any]) -> CombLogic:
    """The program that makes variables of others, optimized; every input stays, whether it is used or not.

    It is alkaid's own optimization, pass by pass, without one: `canonicalize_msb_wraps` of 0.8.2 takes a bit that is
    shifted for the highest bit of its word, and so gives another bit.

    Args:
        inputs: Variables that nothing was done to.
        outputs: What was made of them.
    """
    program = _trace(list(inputs), list(outputs), optimize=False)
    # what far binary points are sorted by is kept in float32; it decides nothing but an order
    with np.errstate(over="ignore"):
        for _ in range(_MOST_ROUNDS):
            before = canonical_sort(_simplified(program))
            program = canonical_sort(_simplified(_retrace(before)))
            if program == before:
                break
        return topo_bandwidth_sort(canonical_sort(add_surrogate(program)))


def _simplified(program: CombLogic) -> CombLogic:
    program = canonicalize_outputs(program)
    for step in (common_subexpr_elimin, null_quant_elimin):
        program = step(dead_code_elimin(program, keep_dead_inputs=True))
    return dead_code_elimin(program, keep_dead_inputs=True)
