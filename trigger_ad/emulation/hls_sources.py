"""A copy of an HLS project's sources that a C++ compiler takes in less time.

hls4ml initialises an array of weights with one literal for each element. For a class with constructors, as the
vendor's fixed-point types are, g++'s time grows with the square of their number: minutes for a large layer. In the
copy the same literals stand in an array of `double`, and a loop converts them before the program starts. They are
taken from the project's own headers at each compilation, so there is nothing else to believe, and nothing to be stale.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

_WEIGHTS = re.compile(r"^(?P<type>\w+) (?P<name>\w+)\[(?P<size>\d+)\] = \{(?P<literals>[^{}]*)\};$", re.MULTILINE)
_FILLED = """\
static const double {name}_literals[{size}] = {{{literals}}};
{type} {name}[{size}];
static const struct {name}_filling {{
    {name}_filling() {{
        for (unsigned i = 0; i < {size}; i++)
            {name}[i] = {name}_literals[i];
    }}
}} {name}_filled;"""


def copy_for_compilation(folder: Path, target: Path) -> list[Path]:
    """Copies what the test bench of a project consists of.

    Args:
        folder: The project.
        target: Where to; a folder.

    Returns:
        The C++ files of the copy that are to be compiled.
    """
    for source in folder.glob("*_test.cpp"):
        shutil.copy(source, target)
    if (folder / "firmware").is_dir():
        # the vendor's types are many files, and are found where they are
        shutil.copytree(folder / "firmware", target / "firmware", ignore=shutil.ignore_patterns("ap_types"))
    for header in (target / "firmware" / "weights").glob("*.h"):
        header.write_text(quickly_compiled(header.read_text(encoding="utf-8")), encoding="utf-8")
    return [*target.glob("*_test.cpp"), *sorted((target / "firmware").glob("*.cpp"))]


def quickly_compiled(header: str) -> str:
    """A header of weights whose array is filled by a loop; one of another form stays as it is."""
    return _WEIGHTS.sub(lambda found: _FILLED.format(**found.groupdict()), header)
