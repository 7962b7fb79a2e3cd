"""The C++17 source of a library that computes exactly what a frozen network does, from raw trigger words to scores.

It needs a compiler and nothing else: no arbitrary-precision types, no hls4ml, no Python. It works on blocks of events,
with one word of every event side by side, which compilers turn into vector instructions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trigger_ad import __version__
from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.native.encoding import encoding_code, encoding_digest
from trigger_ad.native.numbers import table
from trigger_ad.native.plan import plan_of
from trigger_ad.native.quantizing import QUOTIENT_BITS
from trigger_ad.native.rendering import render
from trigger_ad.native.steps import TERMS, code_of
from trigger_ad.network.digest import network_digest
from trigger_ad.network.graph import Network
from trigger_ad.network.inputs import require_encoding

EVENTS: Final = 128
"""Of a block: few enough for its words to stay near the processor, many enough to fill vectors."""

_VERSION: Final = re.compile(r"[0-9]+(\.[0-9]+)*")


@dataclass(frozen=True)
class LibraryNames:
    """What a library's names begin with: two that differ can be loaded, or linked, into one program.

    Args:
        name: Of the network, such as the run's.
        version: Numbers with points between them, such as `1.2`.

    Raises:
        UserError: If the version has another form.
    """

    name: str
    version: str = "1"

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.version):
            raise UserError(
                f"'{self.version}' is no version of a library", "Give numbers with points between them, such as 1.2"
            )

    @property
    def namespace(self) -> str:
        """Of everything in C++; also the name of the files."""
        name = re.sub(r"\W", "_", self.name, flags=re.ASCII)
        return f"trigger_ad_{name}_v{self.version.replace('.', '_')}"

    @property
    def prefix(self) -> str:
        """Of every function and type of the C interface."""
        return f"{self.namespace}_"


@dataclass(frozen=True)
class LibrarySource:
    """The source of a library.

    Args:
        names: What its names begin with.
        header: The text of the C interface.
        code: The text of all that is behind it, which includes the header by the name `header_name`.
        network_digest: Of the network.
        encoding_digest: Of the encoding of trigger words.
    """

    names: LibraryNames
    header: str
    code: str
    network_digest: str
    encoding_digest: str

    @property
    def header_name(self) -> str:
        """The name of the header's file."""
        return f"{self.names.namespace}.h"

    @property
    def code_name(self) -> str:
        """The name of the C++ file."""
        return f"{self.names.namespace}.cpp"

    def write(self, folder: Path) -> None:
        """Writes both files into a folder that nobody else reads yet."""
        (folder / self.header_name).write_text(self.header, encoding="utf-8")
        (folder / self.code_name).write_text(self.code, encoding="utf-8")


def library_source(network: Network, encoding: InputEncoding, names: LibraryNames) -> LibrarySource:
    """Renders the source of a network's library.

    Args:
        network: The frozen network.
        encoding: Makes its inputs from trigger words.
        names: What its names begin with.

    Raises:
        ValueError: If the network's inputs are not what the encoding makes.
    """
    require_encoding(network, encoding)
    digests = {"network_digest": network_digest(network), "encoding_digest": encoding_digest(encoding)}
    facts = _interface_facts(network, encoding, names) | _computation_facts(network, encoding, names) | digests
    header, code = (render(f"library.{kind}.j2", facts) for kind in ("h", "cpp"))
    return LibrarySource(names, header, code, **digests)


def _interface_facts(network: Network, encoding: InputEncoding, names: LibraryNames) -> dict[str, Any]:
    output = network.words[network.output.name]
    return {
        "title": f"{names.name} {names.version}",
        "generator": __version__,
        "version": names.version,
        "namespace": names.namespace,
        "prefix": names.prefix,
        "header": f"{names.namespace}.h",
        "inputs": network.input.size,
        "outputs": output.size,
        "features": len(encoding.features),
        "objects": encoding.layout.objects,
        "names": encoding.names,
        "presence": encoding.names[0],
        "word_types": [_type_facts(feature.name, feature.word) for feature in encoding.features],
        "code_type": _type_facts("input", network.input.type),
        "score_type": _type_facts("score", output.type),
    }


def _type_facts(name: str, kind: FixedPoint) -> dict[str, Any]:
    return {
        "name": name,
        "width": kind.width,
        "fraction": kind.fraction,
        "signed": int(kind.signed),
        "low": kind.code_min,
        "high": kind.code_max,
    }


def _computation_facts(network: Network, encoding: InputEncoding, names: LibraryNames) -> dict[str, Any]:
    plan = plan_of(network)
    codes = [code_of(step, network) for step in plan.steps]
    return {
        "macro": f"{names.prefix.upper()}VECTORS",
        "events": EVENTS,
        "terms": TERMS,
        "quotient_bits": QUOTIENT_BITS,
        "slow_quotients": any("_quotient(" in line for code in codes for line in code.definitions),
        "codes": codes,
        "encoding": {"definitions": encoding_code(encoding, plan.input.kind)},
        "input_limits": _input_limits(network, encoding),
        "output_rows": table("std::uint32_t", "OUTPUT_ROWS", plan.output.table),
        "buffers": plan.buffers,
        "input_buffer": plan.input.name,
        "output_buffer": plan.output.buffer.name,
    }


def _input_limits(network: Network, encoding: InputEncoding) -> list[str]:
    """The smallest and largest number of every input."""
    objects, words = encoding.layout.objects, [item.word for item in encoding.features]
    codes = network.words[network.input.name]
    return [
        *table("std::int32_t", "WORD_LOW", [kind.code_min for kind in words] * objects),
        *table("std::int32_t", "WORD_HIGH", [kind.code_max for kind in words] * objects),
        *table("std::int64_t", "CODE_LOW", codes.low.reshape(-1).tolist()),
        *table("std::int64_t", "CODE_HIGH", codes.high.reshape(-1).tolist()),
    ]
