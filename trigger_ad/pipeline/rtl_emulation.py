"""The RTL clock by clock: vectors at every clock, and once more with gaps, held against the exact reference."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import CheckFailed, UserError
from trigger_ad.events.dataset import evenly_spread
from trigger_ad.fixed_point import Codes
from trigger_ad.pipeline.convert import TestVectors
from trigger_ad.pipeline.emulators import decided, located, require_same_outputs
from trigger_ad.pipeline.stage import Run
from trigger_ad.tools import find_tool

if TYPE_CHECKING:
    from trigger_ad.emulation.agreement import Agreement
    from trigger_ad.emulation.rtl import RtlRun
    from trigger_ad.firmware.rtl_pipeline import Language
    from trigger_ad.network.graph import Network

EMULATORS: Final[Mapping[str, Language]] = {"rtl": "verilog", "rtl_vhdl": "vhdl"}
"""The language that each emulator clocks."""
MOST_OF_VHDL: Final = 20_000
"""Vectors of the VHDL, evenly spread: it is the same program of alkaid as the Verilog, in another language."""
_SEED: Final = 1


@dataclass(frozen=True)
class Clocked:
    """What the RTL in one language gave.

    Args:
        ran: The positions of the vectors that ran.
        run: They, one at every clock.
        with_gaps: They once more, with gaps between them.
        tool: What it was simulated with.
        seconds: What the simulation took, without compiling.
    """

    ran: NDArray[np.int64]
    run: RtlRun
    with_gaps: RtlRun
    tool: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """What it adds to the entry of an emulator in report.json."""
        return {
            "tool": self.tool,
            "latency_cycles": self.run.latency_cycles,
            "ii_cycles": self.run.interval_cycles,
            "events_with_gaps": len(self.with_gaps.words),
        }

    def words(self, expected: Codes) -> Codes:
        """The output words of all that ran; where those with gaps are not the ones expected, they are."""
        wrong = (self.with_gaps.words != expected).any(axis=1)
        return np.where(wrong[:, None], self.with_gaps.words, self.run.words)

    def accepted(self, expected: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
        """The accept bits, in the same way; None where there is none."""
        if self.run.accepted is None or self.with_gaps.accepted is None:
            return None
        wrong = self.with_gaps.accepted != expected
        return np.where(wrong, self.with_gaps.accepted, self.run.accepted)


def tool_versions() -> dict[str, str | None]:
    """The versions of the programs that RTL is simulated with; None for one that is not there."""
    from trigger_ad.emulation.verilator import find_verilator

    verilator, ghdl = None, find_tool("ghdl")
    with suppress(UserError):
        verilator = str(find_verilator())
    return {"verilator": verilator, "ghdl": ghdl.version if ghdl else None}


def run_rtl(run: Run, vectors: TestVectors) -> dict[str, Clocked | str]:
    """Compiles and clocks the RTL project in each language.

    Args:
        run: The run, with an RTL project.
        vectors: The vectors.

    Returns:
        For each emulator what it gave, or why it has not run.

    Raises:
        UserError: If the project is not whole, or a simulator refuses it.
        CheckFailed: If outputs do not follow inputs.
    """
    from trigger_ad.emulation.verilator import find_verilator

    try:
        tool = str(find_verilator())
    except UserError as error:
        return dict.fromkeys(EMULATORS, f"{error.what}: {error.remedy[0].lower()}{error.remedy[1:]}")
    done: dict[str, Clocked | str] = {"rtl": _clocked(run, "verilog", vectors, len(vectors.words), tool)}
    if find_tool("ghdl") is None:
        return done | {"rtl_vhdl": "there is no GHDL, with which VHDL is simulated: 'apt install ghdl'"}
    return done | {"rtl_vhdl": _clocked(run, "vhdl", vectors, MOST_OF_VHDL, tool)}


def _clocked(run: Run, language: Language, vectors: TestVectors, most: int, tool: str) -> Clocked:
    from trigger_ad.emulation.rtl import simulated

    total, project = len(vectors.words), run.directory.rtl_project
    ran = evenly_spread(total, min(most, total))
    words = vectors.words if len(ran) == total else vectors.words[ran]
    with simulated(project, language) as simulation:
        started = time.perf_counter()
        back_to_back = simulation.back_to_back(words)
        with_gaps = simulation.with_gaps(words, _SEED)
        seconds = time.perf_counter() - started
    if back_to_back.latency_cycles != with_gaps.latency_cycles:
        raise CheckFailed(f"The {language} in {project} takes another number of clocks where there are gaps")
    return Clocked(ran, back_to_back, with_gaps, tool, seconds)


def check_rtl(
    run: Run, emulator: str, network: Network, vectors: TestVectors, expected: Codes, done: Clocked
) -> Agreement:
    """Holds what the RTL gave against the reference.

    Args:
        run: The run.
        emulator: Its name.
        network: The frozen network.
        vectors: The vectors.
        expected: The reference's output words for them.
        done: What it gave.

    Raises:
        UserError: If the project has other outputs than the network.
    """
    from trigger_ad.emulation.alir import layers

    wanted = expected[done.ran]
    require_same_outputs(run.directory.rtl_project, vectors, wanted, done.run.words, done.run.accepted)
    found = done.words(wanted)
    share = replace(vectors, words=vectors.words if len(found) == len(expected) else vectors.words[done.ran])
    # what it was made from names the layer, where that is what differs
    shown = partial(layers, network, run.encoding)
    agreement = located(run, emulator, network, share, wanted, found, done.seconds, shown)
    accepted = None if vectors.accept is None else done.accepted(wanted[:, 0] > vectors.accept.code)
    agreement = decided(agreement, vectors, wanted, found, accepted)
    return agreement.located_by(agreement, done.ran)
