"""The test benches of several HLS projects in one program, compiled in one run of the compiler.

The vendor's headers are read once, and what becomes of their templates for one network is there for the next: a small
network takes a third of the time that its own compilation would. Each project's code is in a namespace of its own,
whole and in the order in which the compiler would read it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trigger_ad.emulation.hls import CompiledProject
from trigger_ad.tools import require_compiler

_INCLUDE = re.compile(r'#include ["<](?P<name>[^">]+)[">]')
_GUARD = re.compile(r"^#ifndef (?P<name>\w+)\n#define (?P=name)$", re.MULTILINE)
_TRACE = re.compile(r"^namespace nnet \{\nbool trace_enabled.*?^\} // namespace nnet$", re.MULTILINE | re.DOTALL)
"""What the test bench defines for hls4ml's headers: once in a program."""
_GENERATED = re.compile(r"// hls4ml insert code\n(?P<code>.*)\} // namespace nnet", re.DOTALL)
"""The functions that hls4ml writes for one network in a header of its own functions."""
_GENERATED_NAME = re.compile(r"\b(?:fill_buffer|pointwise_conv|dense_da|einsum_dense|einsum)_\d+\b")


def compiled_together(projects: Sequence[Path], folder: Path) -> list[CompiledProject]:
    """Compiles projects of one back end.

    Args:
        projects: Their folders, each as `write_project` left it.
        folder: Where the program goes.

    Raises:
        AssertionError: If they do not compile; the compiler's message names `network_<number>`, from 0.
    """
    source, program = folder / "networks.cpp", folder / "networks"
    source.write_text(_bundle(projects), encoding="utf-8")
    firmware = projects[0].resolve() / "firmware"
    include = ["-I", str(firmware), "-I", str(firmware / "ap_types")]
    # the program runs for a moment: optimising it would take longer
    command = [str(require_compiler()), "-std=c++11", "-O0", "-w", *include, "-o", str(program), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    benches = []
    for number, project in enumerate(projects):
        own = folder / f"bench_{number}" / f"network_{number}"
        own.parent.mkdir()
        own.symlink_to(program.resolve())
        # no layer is driven alone
        benches.append(CompiledProject(own, project, []))
    return benches


def _bundle(projects: Sequence[Path]) -> str:
    """One C++ file, whose program is the test bench that it is called by the name of."""
    parts = [_Part(folder, number) for number, folder in enumerate(projects)]
    includes = dict.fromkeys(name for part in parts for name in part.headers)
    cases = "\n".join(f"    case {part.number}: return network_{part.number}::main(argc, argv);" for part in parts)
    return "\n".join(
        [
            "#include <cstdlib>\n#include <cstring>",
            *(f"#include <{name}>" for name in includes),
            parts[0].trace,
            *(f"namespace nnet {{\n{part.generated}\n}}\n{part.text}" for part in parts),
            "int main(int argc, char **argv) {",
            f"    switch (std::atoi(std::strrchr(argv[0], '_') + 1)) {{\n{cases}\n    }}\n    return 3;\n}}\n",
        ]
    )


@dataclass
class _Part:
    """One project's code.

    Args:
        folder: The project.
        number: Of its namespace.
    """

    folder: Path
    number: int
    headers: list[str] = field(default_factory=list)
    _seen: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        (bench,) = self.folder.glob("*_test.cpp")
        sources = [*sorted((self.folder / "firmware").glob("*.cpp")), bench]
        text = self._own("\n".join(line for source in sources for line in self._lines(source)))
        found = _TRACE.search(text)
        assert found is not None
        self.trace = found[0]
        self.text = f"namespace network_{self.number} {{\n{text.replace(self.trace, '')}\n}}"
        header = (self.folder / "firmware" / "nnet_utils" / "nnet_code_gen.h").read_text(encoding="utf-8")
        generated = _GENERATED.search(header)
        assert generated is not None
        self.generated = self._own(generated["code"])

    def _own(self, text: str) -> str:
        """The text with names of generated functions that no other network's have."""
        return _GENERATED_NAME.sub(lambda found: f"{found[0]}_of_{self.number}", text)

    def _lines(self, path: Path) -> Iterator[str]:
        """A file with the project's own files in place of their includes; others' are noted."""
        text = path.read_text(encoding="utf-8")
        guard = _GUARD.search(text)
        if guard:
            yield f"#undef {guard['name']}"
        for line in text.splitlines():
            include = _INCLUDE.match(line)
            if include is None:
                yield line
                continue
            own = self._own_file(path, include["name"])
            if own is None:
                self.headers.append(include["name"].removeprefix("firmware/"))
            elif own not in self._seen:
                self._seen.add(own)
                yield from self._lines(own)

    def _own_file(self, reader: Path, name: str) -> Path | None:
        """The project's file that an include names, unless it is of hls4ml or the vendor."""
        for place in (reader.parent, self.folder, self.folder / "firmware"):
            path = place / name
            if path.is_file() and "nnet_utils" not in path.parts:
                return path
        return None
