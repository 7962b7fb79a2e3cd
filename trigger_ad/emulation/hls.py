"""The HLS C++ as an emulator: the project's own test bench, compiled afresh and run as a program of its own.

The program reads raw trigger words and writes score words, both integers, so no float stands between the firmware and
the comparison; being a process of its own, it cannot share symbols with another project's; compiled at each run, it
cannot be stale.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.emulation.hls_sources import copy_for_compilation
from trigger_ad.emulation.hls_units import ENTRY, Unit, driver, layer_units
from trigger_ad.errors import UserError
from trigger_ad.firmware.hls_types import hls_layer_name, shown_nodes
from trigger_ad.firmware.project import EXPECTED_FILE, INPUT_FILE, write_table
from trigger_ad.fixed_point import Codes, Values
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Shape
from trigger_ad.tools import output_of, require_compiler

_RESULTS = "words.dat"


@dataclass(frozen=True)
class TestBenchRun:
    """What a compiled test bench did.

    Args:
        words: The words that the firmware gave, shape (vectors, outputs).
        accepted: Whether it accepted each vector, shape (vectors,); None for a project without an accept bit.
        passed: Whether it found everything as expected in the project.
        said: The first line in which it says what it did not.
    """

    __test__ = False  # not a test, whatever pytest makes of the name

    words: Codes
    accepted: NDArray[np.bool_] | None
    passed: bool
    said: str | None


class CompiledProject:
    """The test bench of an HLS project, compiled with the C++ compiler of this machine.

    Args:
        program: The executable.
        folder: The project.
        units: The layers that can be driven alone.
    """

    def __init__(self, program: Path, folder: Path, units: list[Unit]) -> None:
        self._program = program
        self._folder = folder
        self.units = units

    def run(self) -> TestBenchRun:
        """Runs the project's own vectors against its own expected words."""
        return self._run_bench(self._folder / "tb_data")

    def run_on(self, words: NDArray[np.integer[Any]], expected: Codes) -> TestBenchRun:
        """Runs other vectors against other expected words, shapes (vectors, inputs) and (vectors, outputs)."""
        with tempfile.TemporaryDirectory() as name:
            data = Path(name)
            write_table(data / INPUT_FILE, words)
            write_table(data / EXPECTED_FILE, expected)
            return self._run_bench(data)

    def layers(self, network: Network, words: NDArray[np.integer[Any]]) -> dict[str, Values]:
        """The values inside the firmware for some trigger words: the encoded inputs, then each layer.

        Returns:
            Values of shape (vectors, *shape of the node) by node name; nodes that HLS does not show are left out.
        """
        outputs = network.words[network.output.name].size
        with tempfile.TemporaryDirectory() as name:
            data = Path(name)
            write_table(data / INPUT_FILE, words)
            write_table(data / EXPECTED_FILE, np.zeros((len(words), outputs), dtype=np.int64))
            self._run(data, "trace")
            results = self._results
        return {
            node.name: _read_values(results, hls_layer_name(node, network), network.words[node.name].shape)
            for node in shown_nodes(network)
        }

    def alone(self, network: Network, given: Mapping[str, Codes]) -> dict[str, Codes]:
        """What layers give for codes of what they read, each driven by itself.

        Args:
            network: The frozen network.
            given: Codes of shape (vectors, *shape of the node) by the name of the node that is read.

        Returns:
            int64 codes of shape (vectors, *shape of the node) by node name.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for index, unit in enumerate(self.units):
                parts = [given[source] for source in unit.sources]
                rows = np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
                rows.astype(np.int64).tofile(folder / f"{index}.in")
            self._execute("layers", str(folder))
            return {
                unit.node: np.fromfile(folder / f"{index}.out", dtype=np.int64).reshape(
                    -1, *network.words[unit.node].shape
                )
                for index, unit in enumerate(self.units)
            }

    @property
    def _results(self) -> Path:
        return self._program.with_name(_RESULTS)

    def _run_bench(self, data: Path) -> TestBenchRun:
        done = self._run(data)
        wrong = re.search(r"^MISMATCH .*$", done.stdout, flags=re.MULTILINE)
        words, accepted = split_results(self._results, _columns(data / EXPECTED_FILE))
        return TestBenchRun(words, accepted, done.returncode == 0, wrong[0] if wrong else None)

    def _run(self, data: Path, *options: str) -> subprocess.CompletedProcess[str]:
        return self._execute(str(data.resolve()), str(self._results), *options)

    def _execute(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([str(self._program), *arguments], capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            # what was compiled is a copy that is gone when this is read
            said = _last_line(done.stderr).replace(str(self._program.parent), str(self._folder))
            raise UserError(f"the test bench of {self._folder} failed: {said}", _remedy(self._folder))
        return done


@contextmanager
def compiled(folder: Path, network: Network) -> Iterator[CompiledProject]:
    """Compiles the test bench of an HLS project in a temporary folder.

    Args:
        folder: The project.
        network: The frozen network that it was made from.

    Raises:
        UserError: If there is no compiler, or the project does not compile.
    """
    compiler = require_compiler()
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        sources = copy_for_compilation(folder, copy)
        # the test bench, the top function and the network
        if len(sources) != 3:
            raise UserError(f"{folder} is not a complete HLS project", _remedy(folder))
        # the network's file is named as the top function's is, and `_network`
        source = max(sources[1:], key=lambda path: len(path.name))
        units = layer_units(source, network)
        with source.open("a", encoding="utf-8") as stream:
            stream.write(driver(units))
        program = copy / "test_bench"
        # the headers that all of them include take most of the time: together they are read once
        together = copy / "together.cpp"
        together.write_text("".join(f'#include "{path.relative_to(copy)}"\n' for path in sources), encoding="utf-8")
        include = ["-I", str(copy), "-I", str(folder / "firmware" / "ap_types")]
        flags = ["-std=c++11", "-O1", "-w", f"-Dmain={ENTRY}", *include]
        command = [str(compiler), *flags, "-o", str(program), str(together)]
        # what is compiled is a copy that is gone when a message is read
        output_of(command, f"{folder} does not compile", _remedy(folder), shown_as={str(copy): str(folder)})
        yield CompiledProject(program, folder, units)


def _remedy(folder: Path) -> str:
    return f"Delete the folder {folder} and run 'convert'"


def split_results(path: Path, outputs: int) -> tuple[Codes, NDArray[np.bool_] | None]:
    """What a test bench wrote: output words, and whether each vector was accepted.

    Args:
        path: The file.
        outputs: How many output words a line has; the accept bit is one column more, if there is one.

    Returns:
        int64 words of shape (vectors, outputs), and booleans of shape (vectors,) or None.

    Raises:
        ValueError: If the file holds anything else.
    """
    table = np.loadtxt(path, dtype=np.int64, ndmin=2)
    words, further = table[:, :outputs], table[:, outputs:]
    if words.shape[1] != outputs or further.shape[1] > 1 or not np.isin(further, (0, 1)).all():
        raise ValueError(f"{path.name} is not what a test bench of {outputs} output words writes")
    return words, further[:, 0] == 1 if further.size else None


def _columns(table: Path) -> int:
    """How many numbers a line of a table has."""
    with table.open(encoding="ascii") as stream:
        return len(stream.readline().split())


def _read_values(results: Path, layer: str, shape: Shape) -> Values:
    values = np.loadtxt(results.with_name(f"{results.name}.{layer}"), dtype=np.float64, ndmin=2)
    return values.reshape(-1, *shape)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it printed nothing"
