"""The RTL, cycle by cycle: its Verilog is compiled with Verilator and clocked, one event after another and with gaps.

Nothing is taken from the design but its ports: how many clocks it takes, and how often an event may enter, is what the
simulation shows.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad import templating
from trigger_ad.emulation.ghdl import verilog_of
from trigger_ad.emulation.verilator import compile_design
from trigger_ad.errors import CheckFailed, UserError
from trigger_ad.firmware.rtl_design import RtlDesign, remedy, sources
from trigger_ad.firmware.rtl_pipeline import Language
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.vectors import require_words
from trigger_ad.progress import progress

BLOCK_VECTORS: Final = 50_000
"""As many are simulated at a time, each block in a pipeline that is empty at first."""

_IDLE_CLOCKS: Final = 64
"""Clocks without an event after the last one, beyond the latency that the design states."""


@dataclass(frozen=True)
class RtlRun:
    """What a simulation showed.

    Args:
        words: Output words, int64, shape (vectors, outputs).
        accepted: Whether each vector was accepted, or None without an accept bit.
        latency_cycles: Clocks from an input to its output, the same for every vector.
        interval_cycles: The most clocks between two outputs, of vectors that entered one at every clock; None of
            others.
    """

    words: Codes
    accepted: NDArray[np.bool_] | None
    latency_cycles: int
    interval_cycles: int | None


class SimulatedProject:
    """An RTL project, compiled by Verilator.

    Args:
        program: The executable.
        design: What the project says of itself.
        folder: The project.
    """

    def __init__(self, program: Path, design: RtlDesign, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.design = design

    def back_to_back(self, words: NDArray[np.integer[Any]]) -> RtlRun:
        """Runs vectors, shape (vectors, inputs), one at every clock.

        Raises:
            ValueError: If a word is none of its type, or there are no vectors.
            CheckFailed: If outputs do not come one for each input, all as many clocks later.
        """
        return self._run(words, None)

    def with_gaps(self, words: NDArray[np.integer[Any]], seed: int) -> RtlRun:
        """Runs vectors with random gaps between them, in which the inputs hold random words that are not valid.

        Args:
            words: Trigger words, shape (vectors, inputs).
            seed: Of gaps and words.

        Raises:
            ValueError: If a word is none of its type, or there are no vectors.
            CheckFailed: If outputs do not come one for each input, all as many clocks later.
        """
        return self._run(words, np.random.default_rng(seed))

    def _run(self, words: NDArray[np.integer[Any]], random: np.random.Generator | None) -> RtlRun:
        require_words(self._features, self.design.ports[0].words, words)
        if not len(words):
            raise ValueError("no vectors")
        blocks = []
        with progress("RTL simulation", len(words), "vectors") as advance:
            for start in range(0, len(words), BLOCK_VECTORS):
                blocks.append(self._block(words[start : start + BLOCK_VECTORS], random))
                advance(min(start + BLOCK_VECTORS, len(words)), "")
        return _joined(blocks, self._folder)

    @property
    def _features(self) -> list[FixedPoint]:
        return [FixedPoint(port.signed, port.width, port.width) for port in self.design.ports]

    def _block(self, words: NDArray[np.integer[Any]], random: np.random.Generator | None) -> RtlRun:
        entering = _entering(len(words), random, self.design.latency_cycles)
        clocks = self._clocks(words, entering, random or np.random.default_rng(0))
        outputs = self._clocked(clocks)
        latency = self._latency(entering, outputs[:, 0] == 1)
        given = outputs[latency:][entering[: len(entering) - latency]]
        accepted = None if self.design.accept is None else given[:, 1] == 1
        # an output is there for whoever reads it at the clock after the one that gave it
        return RtlRun(given[:, 2:], accepted, latency + 1, _interval(entering, outputs[:, 0] == 1))

    def _clocks(
        self, words: NDArray[np.integer[Any]], entering: NDArray[np.bool_], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """What is on the inputs at each clock: whether it is valid, then all words."""
        kinds = self._features * self.design.ports[0].words
        low, high = (np.array([getattr(kind, end) for kind in kinds]) for end in ("code_min", "code_max"))
        clocks = np.empty((len(entering), 1 + len(kinds)), dtype=np.int64)
        clocks[:, 0] = entering
        clocks[entering, 1:] = words
        clocks[~entering, 1:] = random.integers(low, high + 1, (int((~entering).sum()), len(kinds)))
        return clocks

    def _clocked(self, clocks: NDArray[np.int64]) -> NDArray[np.int64]:
        """What is on the outputs after each clock: whether it is valid, accepted, then all words."""
        with tempfile.TemporaryDirectory() as name:
            inputs, outputs = Path(name) / "inputs", Path(name) / "outputs"
            clocks.tofile(inputs)
            command = [str(self._program), str(inputs), str(outputs)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                said = done.stderr.strip() or f"it ended with status {done.returncode}"
                raise UserError(f"the simulation of {self._folder} failed: {said}", "See that there is disk space left")
            if done.stdout.strip() != self.design.digest:
                raise UserError(f"the Verilog of {self._folder} is that of another network", remedy(self._folder))
            return np.fromfile(outputs, dtype=np.int64).reshape(len(clocks), 2 + self.design.output.words)

    def _latency(self, entering: NDArray[np.bool_], leaving: NDArray[np.bool_]) -> int:
        """How many clocks later outputs are valid than inputs were, counted from the clock that takes an input."""
        first = int(leaving.argmax()) - int(entering.argmax())
        late = np.zeros_like(leaving)
        late[first:] = entering[: len(entering) - first] if first >= 0 else False
        if first < 0 or not leaving.any() or not np.array_equal(late, leaving):
            raise CheckFailed(
                f"The RTL in {self._folder} does not give one valid output for each input, all as many clocks later"
            )
        return first


def _entering(vectors: int, random: np.random.Generator | None, latency: int) -> NDArray[np.bool_]:
    """At which clocks a vector enters; at the end none does, until everything must have come out."""
    waits = np.zeros(vectors, dtype=np.int64)
    if random is not None:
        # mostly one gap or none, now and then one longer than the pipeline
        waits = np.where(random.random(vectors) < 0.02, latency + 1, 1) * random.integers(0, 3, vectors)
    entering = np.zeros(vectors + int(waits.sum()) + latency + _IDLE_CLOCKS, dtype=np.bool_)
    entering[np.arange(vectors) + np.cumsum(waits)] = True
    return entering


def _interval(entering: NDArray[np.bool_], leaving: NDArray[np.bool_]) -> int | None:
    """The most clocks between two outputs, of vectors that entered one at every clock."""
    at = np.flatnonzero(entering)
    if len(at) < 2 or at[-1] - at[0] != len(at) - 1:
        return None
    return int(np.diff(np.flatnonzero(leaving)).max())


def _joined(runs: list[RtlRun], folder: Path) -> RtlRun:
    if len({run.latency_cycles for run in runs}) != 1:
        raise CheckFailed(f"The RTL in {folder} does not always take as many clocks")
    accepted = [run.accepted for run in runs if run.accepted is not None]
    return RtlRun(
        np.concatenate([run.words for run in runs]),
        np.concatenate(accepted) if accepted else None,
        runs[0].latency_cycles,
        next((run.interval_cycles for run in runs if run.interval_cycles is not None), None),
    )


@contextmanager
def simulated(folder: Path, language: Language = "verilog") -> Iterator[SimulatedProject]:
    """Compiles the Verilog or the VHDL of an RTL project in a temporary folder.

    Args:
        folder: The project.
        language: Which; VHDL passes through GHDL first.

    Raises:
        UserError: If Verilator, GHDL or a compiler is missing or too old, or the project is not whole.
    """
    design = RtlDesign.read(folder)
    with tempfile.TemporaryDirectory() as name:
        files, work = sources(folder, language), Path(name)
        if language == "vhdl":
            files = [verilog_of(files, design.top, work)]
        program = compile_design(files, design.top, _driver(design), work)
        yield SimulatedProject(program, design, folder)


def _driver(design: RtlDesign) -> str:
    facts: dict[str, Any] = {
        "top": design.top,
        "ports": [asdict(port) for port in design.ports],
        "objects": design.ports[0].words,
        "inputs": design.inputs,
        "output": asdict(design.output),
        "digest_digits": len(design.digest),
        "accepts": design.accept is not None,
        "register": design.has_register,
        "threshold": design.accept.code if design.accept else None,
    }
    return templating.render("trigger_ad.emulation", "rtl_driver.cpp.j2", facts, trim=False)
