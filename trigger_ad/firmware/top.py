"""The top function: raw trigger words in, their encoding, hls4ml's function, score word and accept bit out.

hls4ml's project has a top function of its own, which takes the network's input codes. Here it becomes a function
inside ours: its pragmas of ports go, its schedule (pipeline or dataflow) becomes that of the whole, and the project's
scripts name our function as their top. Where that schedule is dataflow, the body must hold declarations and calls
alone, the canonical form: the comparison with the threshold and the digest of the network are functions of their own.
Scalars follow the vendor's rules for the Vivado IP flow (UG902, UG1399): an input by value is a port without a
protocol, an output by reference has a valid signal, unless it is a constant and needs none.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from trigger_ad.config import BackEnd
from trigger_ad.events.encoding import FeatureEncoding, InputEncoding
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.hls import network_function, top_function
from trigger_ad.firmware.rendering import render
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.digest import network_digest
from trigger_ad.network.graph import Network
from trigger_ad.network.inputs import require_encoding

PRESENCE: Final = "pt"
"""The feature whose word is 0 for an absent object."""

WIDEST_WORD: Final = 1024
"""Bits of the widest word that the vendor's integer library holds unless it is told otherwise."""

_UNITS: Final = {"pt": " GeV", "phi": " rad"}
_TABLE_ROW: Final = 16
_DIGEST_PART: Final = 16
"""Hexadecimal digits of the digest in one constant of 64 bits."""


@dataclass(frozen=True)
class Port:
    """One feature's port, and what becomes of its words.

    Args:
        name: The feature.
        word: The type of the trigger word in C++.
        low: The smallest word.
        high: The largest.
        width: Its bits.
        signed: Whether it is in two's complement.
        unit: What one unit of the word is worth, such as `0.5 GeV`.
        offset: What is subtracted, an integer; 0 where a table has done so already.
        difference: The C++ expression of the word less its offset.
        code: The type in C++ that holds every code of the feature in its own units.
        shift: By how many bits a code of the feature is shifted to become one of the network's input.
        never_zero: Whether the formula gives 0 for an object that is there, and the code must be 1 instead.
        masked: Whether the code of an absent object must be set to 0; otherwise it comes out as 0.
        table: The code of every word, or None where no table is needed.
        table_type: The C type of its entries.
        formula: The code in units of the network's input as text, without the exceptions.
    """

    name: str
    word: str
    low: int
    high: int
    width: int
    signed: bool
    unit: str
    offset: int
    difference: str
    code: str
    shift: int
    never_zero: bool
    masked: bool
    table: list[list[int]] | None
    table_type: str
    formula: str


def ports(encoding: InputEncoding) -> tuple[Port, ...]:
    """The ports of the top function, in the order in which the words of an object come."""
    fraction = encoding.network_type.fraction
    return tuple(_port(feature, fraction - feature.shift) for feature in encoding.features)


def _port(feature: FeatureEncoding, shift: int) -> Port:
    is_pt, table = feature.name == PRESENCE, _table(feature)
    offset = 0 if table else feature.offset
    code = feature.network_type
    return Port(
        name=feature.name,
        word=_integer(feature.word),
        low=feature.word.code_min,
        high=feature.word.code_max,
        width=feature.word.width,
        signed=feature.word.signed,
        unit=f"{feature.lsb:.10g}{_UNITS.get(feature.name, '')}",
        offset=offset,
        difference=_less("word", offset),
        code=_integer(code),
        shift=shift,
        never_zero=is_pt and feature.gives_zero,
        # the word of an absent object is 0, so that of pT needs no mask where it goes through as it is
        masked=feature.can_be_absent and (not is_pt or (not table and offset != 0)),
        table=table,
        table_type="short" if code.width <= 16 - (not code.signed) else "int",
        formula=_formula(feature, shift),
    )


def _table(feature: FeatureEncoding) -> list[list[int]] | None:
    """The finished code of every word, in rows: logarithm, offset and both exceptions are in it."""
    if feature.logarithm is None:
        return None
    words = np.arange(feature.word.code_max + 1)
    codes = feature.codes(words, words > 0).tolist()
    return [codes[start : start + _TABLE_ROW] for start in range(0, len(codes), _TABLE_ROW)]


def _integer(kind: FixedPoint) -> str:
    return f"ap_{'' if kind.signed else 'u'}int<{kind.width}>"


def _less(word: str, offset: int) -> str:
    """A word less an offset, in the narrowest constants."""
    if offset == 0:
        return word
    return f"{word} {'-' if offset > 0 else '+'} ap_uint<{abs(offset).bit_length()}>({abs(offset)})"


def _formula(feature: FeatureEncoding, shift: int) -> str:
    word = "word" if feature.logarithm is None else f"round({2**feature.logarithm} x log2(word))"
    offset = f" {'-' if feature.offset > 0 else '+'} {abs(feature.offset)}" if feature.offset else ""
    if shift == 0:
        return f"{word}{offset}"
    return f"({word}{offset}) x {2**shift}" if offset else f"{word} x {2**shift}"


def write_top(
    network: Network,
    encoding: InputEncoding,
    name: str,
    back_end: BackEnd,
    io_type: str,
    accept: Accept | None,
    folder: Path,
) -> None:
    """Puts the top function around hls4ml's in a project that hls4ml has just written.

    Args:
        network: The frozen network.
        encoding: Makes its inputs from trigger words.
        name: The run's name.
        back_end: Which back end wrote the project.
        io_type: `io_parallel` or `io_stream`.
        accept: The threshold of the accept bit; None for no accept bit.
        folder: The project.

    Raises:
        ValueError: If the network's inputs are not what the encoding makes, the threshold is no code of the score, or
            there are several output words to compare with it.
    """
    require_encoding(network, encoding)
    require_threshold(network, accept)
    top, inner = top_function(name), network_function(name)
    schedule = _make_inner(folder / "firmware" / f"{inner}.cpp")
    _name_as_top(folder, top, inner)
    facts = top_facts(network, encoding) | {
        "top": top,
        "inner": inner,
        "back_end": back_end,
        "streamed": io_type == "io_stream",
        "schedule": schedule,
        "inlined": "PIPELINE" in schedule,
        **decision_facts(network, accept),
    }
    files = {"top.h.j2": f"{top}.h", "top.cpp.j2": f"{top}.cpp"}
    if any(port.table for port in facts["ports"]):
        files["tables.h.j2"] = f"{top}_tables.h"
    for template, target in files.items():
        (folder / "firmware" / target).write_text(render(template, facts), encoding="utf-8")


def require_threshold(network: Network, accept: Accept | None) -> None:
    """Refuses a threshold that no score word of a network can be compared with; None is none."""
    if accept is None:
        return
    word = network.words[network.output.name]
    if word.size != 1:
        raise ValueError(f"{word.size} output words have no threshold")
    if not word.type.code_min <= accept.code <= word.type.code_max:
        raise ValueError(f"the threshold {accept.code} is no code of {word.type}")


def decision_facts(network: Network, accept: Accept | None) -> dict[str, Any]:
    """What the templates say of the accept bit and of the digest, whose constants come from the lowest bits up."""
    digest = network_digest(network)
    ends = range(len(digest), 0, -_DIGEST_PART)
    return {
        "accept": accept,
        "has_register": accept is not None and accept.threshold == "register",
        "digest": digest,
        "digest_bits": 4 * len(digest),
        "digest_parts": [(4 * (len(digest) - end), digest[max(0, end - _DIGEST_PART) : end]) for end in ends],
    }


def top_facts(network: Network, encoding: InputEncoding) -> dict[str, Any]:
    """What the templates say of the ports: their types, and how many words each has."""
    found = ports(encoding)
    objects = encoding.layout.objects
    output = network.words[network.output.name]
    widest = max(port.width for port in found) * objects
    # a stream of an image has one transfer for each position, which holds its channels
    *image, channels = network.input.shape
    return {
        "ports": found,
        "objects": objects,
        "has_absent_objects": encoding.features[0].can_be_absent,
        "classes": encoding.layout.classes,
        "max_width": (widest + WIDEST_WORD - 1) // WIDEST_WORD * WIDEST_WORD,
        "inputs": network.input.size,
        "positions": math.prod(image),
        "channels": channels,
        "input_name": network.input.name,
        "input_type": network.input.type,
        "input_width": network.input.type.width,
        "outputs": output.size,
        "output_type": output.type,
        "output_width": output.type.width,
        "output_signed": output.type.signed,
    }


def _make_inner(source: Path) -> str:
    """Makes hls4ml's top function one that ours calls.

    A pipelined one is dissolved into ours, which is then pipelined as it was. A dataflow region stays one, inside
    ours. Pragmas of ports belong to the top alone.

    Returns:
        The pragma of its schedule, which is that of our function.
    """
    before, marker, rest = source.read_text(encoding="utf-8").partition("// hls-fpga-machine-learning insert IO\n")
    block, _, after = rest.partition("\n\n")
    pragmas = [line.strip() for line in block.splitlines()]
    schedules = [pragma for pragma in pragmas if re.fullmatch(r"#pragma HLS (PIPELINE|DATAFLOW)( II=\d+)?", pragma)]
    if not marker or len(schedules) != 1 or not all(pragma.startswith("#pragma HLS ") for pragma in pragmas):
        raise RuntimeError(f"hls4ml wrote {source.name} in another form than expected")
    if "PIPELINE" in schedules[0]:
        kept = ["#pragma HLS INLINE"]
    else:
        kept = [
            # one word for each input, as in the array that our function passes
            pragma.replace("ARRAY_RESHAPE", "ARRAY_PARTITION")
            for pragma in pragmas
            if not pragma.startswith("#pragma HLS INTERFACE")
        ]
    text = before + marker + "\n".join(f"    {pragma}" for pragma in kept) + "\n\n" + after
    source.write_text(text, encoding="utf-8")
    return schedules[0]


def _name_as_top(folder: Path, top: str, inner: str) -> None:
    """Makes the project's scripts build our function: its name is the project's, and hls4ml's file is one more."""
    _replace_once(folder / "project.tcl", f'set project_name "{inner}"\n', f'set project_name "{top}"\n')
    line = 'add_files firmware/${project_name}.cpp -cflags "-std=c++0x"\n'
    further = line.replace("${project_name}", inner)
    _replace_once(folder / "build_prj.tcl", line, line + further)


def _replace_once(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise RuntimeError(f"hls4ml wrote {path.name} in another form than expected")
    path.write_text(text.replace(old, new), encoding="utf-8")
