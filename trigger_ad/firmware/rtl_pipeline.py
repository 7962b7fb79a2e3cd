"""A traced program cut into pipeline stages, and the modules that alkaid writes of them.

A stage is combinational logic between registers. There are none before the first stage, whose words come from
registers of whoever drives them; those behind the last one belong to the top level. A new event enters at each clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from trigger_ad.firmware.alkaid_library import (
    FSM,
    RTL_OPERATIONS,
    RTL_SOURCES,
    FVariable,
    to_pipeline,
)
from trigger_ad.firmware.rtl import Program
from trigger_ad.firmware.rtl_words import HARDWARE

Language = Literal["verilog", "vhdl"]

DELAY_UNITS_PER_NS: Final = 1.0
"""How much of alkaid's delay, of which an addition is a little more than 1, is assumed to pass in a nanosecond."""

SUFFIXES: Final[dict[Language, str]] = {"verilog": "v", "vhdl": "vhd"}
LANGUAGES: Final = tuple(SUFFIXES)
_DEFINED: Final[dict[Language, str]] = {"verilog": r"^module (\w+)", "vhdl": r"^entity (\w+) is"}


@dataclass(frozen=True)
class Stage:
    """One pipeline stage.

    Args:
        delay: Of its logic, by alkaid's estimate.
        register_bits: Of the words that enter it, which the stage before registers; of trigger words for the first.
        operations: How many it consists of.
    """

    delay: float
    register_bits: int
    operations: int


@dataclass(frozen=True)
class Pipeline:
    """A program in stages.

    Args:
        program: What is computed.
        machine: alkaid's stages with the registers between them.
    """

    program: Program
    machine: FSM

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in the order in which a word passes them."""
        stages, before = [], 0.0
        for logic in self.machine.logic.values():
            after = max(logic.latency[1], before)
            bits = int(logic.inp_kifs.sum())
            stages.append(Stage(float(after - before), bits, len(logic.ops)))
            before = after
        return tuple(stages)

    @property
    def latency_cycles(self) -> int:
        """From the clock at which words are there to that at which the output word is."""
        return len(self.machine.logic)

    @property
    def lut_estimate(self) -> int:
        """Look-up tables of all stages, by alkaid's own estimate of what each operation takes."""
        return round(sum(float(logic.cost) for logic in self.machine.logic.values()))

    @property
    def clocked(self) -> bool:
        """Whether there are registers between stages."""
        return self.latency_cycles > 1

    @property
    def input_bits(self) -> list[tuple[int, int]]:
        """For each trigger word, the lowest bit that the first stage takes, and how many; none of an unused word."""
        return [(-fraction, signed + integer + fraction) for signed, integer, fraction in self._precisions("inp")]

    @property
    def output_bits(self) -> list[tuple[bool, int, int]]:
        """For each output word whether it is signed, its fraction bits, and its bits, as the last stage gives them."""
        return [
            (bool(signed), fraction, signed + integer + fraction)
            for signed, integer, fraction in self._precisions("out")
        ]

    def _precisions(self, end: str) -> list[tuple[int, int, int]]:
        (signal,) = getattr(self.machine, f"{end}_signals")
        return [(int(kind[0]), int(kind[1]), int(kind[2])) for kind in signal.precisions]


def comparison_delay(bits: int) -> float:
    """Of the comparison of two words, by alkaid's estimate of their difference."""
    first, second = (FVariable(0, 2**bits - 1, 1, hwconf=HARDWARE) for _ in range(2))
    return float((first - second).latency)


def pipelined(program: Program, clock_ns: float) -> Pipeline:
    """Cuts a program into as few stages of the same delay as a clock allows.

    Args:
        program: The traced network.
        clock_ns: The clock's period.
    """
    cutoff = clock_ns * DELAY_UNITS_PER_NS
    machine = to_pipeline(program.logic, latency_cutoff=cutoff, verbose=False, reg_inp=False, reg_out=False)
    return Pipeline(program, machine)


def sources(pipeline: Pipeline, name: str, language: Language) -> dict[str, str]:
    """The modules of a pipeline and of its operations.

    Args:
        pipeline: What is written.
        name: Of the module of the whole pipeline, which takes all words side by side; other names begin with it, so
            that none is somebody else's.
        language: `verilog` or `vhdl`.

    Returns:
        Texts by file name, in an order in which each uses only what is in those before it.
    """
    suffix = SUFFIXES[language]
    operations = [path.read_text(encoding="utf-8") for path in sorted(RTL_OPERATIONS[language].glob(f"*.{suffix}"))]
    parts = RTL_SOURCES[language](pipeline.machine, name)
    tables = parts.pop(f"{name}_tables", None)
    whole = parts.pop(name)
    files = {f"{name}_operations": "\n".join(operations)}
    files |= {} if tables is None else {f"{name}_tables": tables}
    files |= {f"{name}_{part}": text for part, text in parts.items()}
    files |= {name: whole}
    defined = {found for text in files.values() for found in re.findall(_DEFINED[language], text, re.MULTILINE)}
    return {f"{file}.{suffix}": _renamed(text, defined - {name}, name) for file, text in files.items()}


def _renamed(text: str, modules: set[str], prefix: str) -> str:
    """A source in which the names of modules begin with a prefix."""
    return re.sub(r"\b\w+\b", lambda found: f"{prefix}_{found[0]}" if found[0] in modules else found[0], text)
