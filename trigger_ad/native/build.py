"""Compiles the source of a library with the C++ compiler of this machine."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trigger_ad.errors import UserError
from trigger_ad.native.source import LibrarySource
from trigger_ad.run_directory import remove_leftovers, text_digest, written_whole
from trigger_ad.tools import output_of, require_compiler

_log = logging.getLogger(__name__)

REQUIRED_FLAGS: Final = ("-std=c++17", "-fPIC", "-shared", "-fvisibility=hidden")
"""Without them it is no library, or one that shares symbols with others."""

PORTABLE_FLAGS: Final = ("-O3",)
"""For a library that goes to other machines."""

LOCAL_FLAGS: Final = ("-O3", "-march=native")
"""For one that stays: it may use every instruction that this processor has."""


_REMEDY: Final = "See that the compiler knows C++17 ('g++ --version' of 8 or newer), or set CXX to one that does"


def build_library(source: LibrarySource, library: Path, flags: Sequence[str] = PORTABLE_FLAGS) -> None:
    """Compiles a library and puts it whole in its place.

    Args:
        source: What is compiled.
        library: Where the shared library goes; what stands there is replaced when the new one is complete.
        flags: Of the compiler, beside `REQUIRED_FLAGS`.

    Raises:
        UserError: If there is no compiler, the source does not compile, or the library cannot be written.
    """
    with written_whole(library) as temporary:
        compile_library(source, temporary, flags)


def compile_library(source: LibrarySource, library: Path, flags: Sequence[str] = PORTABLE_FLAGS) -> None:
    """The same, straight to its place, for a library that nobody else sees."""
    compiler = require_compiler()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source.write(folder)
        # from within the folder, so that nothing of the temporary path enters the library or a message
        command = [*REQUIRED_FLAGS, *flags, "-o", str(library.absolute()), source.code_name]
        output_of([compiler.absolute(), *command], f"{source.code_name} does not compile", _REMEDY, folder=folder)
        if not library.is_file():
            raise UserError(f"{compiler} compiled {source.code_name} into nothing", _REMEDY)


def cached_library(source: LibrarySource, folder: Path, flags: Sequence[str] = LOCAL_FLAGS) -> Path:
    """The library of a source, compiled unless the same source, compiler and flags have been before.

    Args:
        source: What is compiled.
        folder: Of the cache; each library in it is named by the digest of what it was made from.
        flags: Of the compiler, beside `REQUIRED_FLAGS`.

    Returns:
        The shared library.

    Raises:
        UserError: If there is no compiler, the source does not compile, or the folder cannot be written.
    """
    compiler = require_compiler()
    # what it defines beforehand tells its version, and, with flags that ask for this processor, the processor's kind
    probe = [*flags, "-dM", "-E", "-x", "c++", "/dev/null"]
    described = output_of([compiler, *probe], f"{source.code_name} does not compile", _REMEDY)
    parts = [source.header, source.code, str(compiler), *REQUIRED_FLAGS, *flags, described]
    library = folder / f"{source.names.namespace}-{text_digest('|'.join(map(text_digest, parts)))[:32]}.so"
    if library.is_file():
        return library
    if folder.is_dir():
        remove_leftovers(folder)
    _log.info("compiling %s", library.name)
    build_library(source, library, flags)
    return library
