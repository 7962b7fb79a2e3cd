"""The C++ of the step before the network: trigger words become input codes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from trigger_ad.events.encoding import FeatureEncoding, InputEncoding
from trigger_ad.native.numbers import bits_for, integer, literal, table
from trigger_ad.run_directory import text_digest


def encoding_code(encoding: InputEncoding, target: str) -> list[str]:
    """The lines of one function for each feature of an object, `encode_<number>(word, first word of the object)`.

    Args:
        encoding: Makes the network's inputs of trigger words.
        target: The C++ type in which they are kept.
    """
    fraction = encoding.network_type.fraction
    lines = []
    for number, feature in enumerate(encoding.features):
        lines += [f"// {feature.name}", *_function(feature, number, fraction - feature.shift, target)]
    return lines


def encoding_digest(encoding: InputEncoding) -> str:
    """The digest of all that decides which codes become of trigger words."""
    facts: dict[str, Any] = {
        "objects": encoding.layout.objects,
        "type": str(encoding.network_type),
        "features": [
            [item.name, str(item.word), item.offset, item.shift, item.logarithm] for item in encoding.features
        ],
    }
    return text_digest(json.dumps(facts))


def _function(feature: FeatureEncoding, number: int, shift: int, target: str) -> list[str]:
    first = "std::int32_t first" if feature.can_be_absent else "std::int32_t"
    head = f"inline {target} encode_{number}(std::int32_t word, {first}) {{"
    if feature.logarithm is not None:
        # the finished code of every word, that of an absent object included
        words = np.arange(feature.word.code_max + 1)
        codes = feature.codes(words, words > 0) << shift
        kind = integer(bits_for(int(codes.min()), int(codes.max())))
        return [
            *table(kind, f"CODES_{number}", codes),
            head,
            f"    return static_cast<{target}>(first > 0 ? CODES_{number}[word] : 0);",
            "}",
        ]
    return [head, *_linear(feature, shift, target), "}"]


def _linear(feature: FeatureEncoding, shift: int, target: str) -> list[str]:
    low, high = feature.word.code_min - feature.offset, feature.word.code_max - feature.offset
    largest = max(abs(low), abs(high), 1) << shift
    kind = integer(bits_for(-largest, largest, 32))
    less = f" - {literal(feature.offset)}" if feature.offset else ""
    lines = [f"{kind} code = static_cast<{kind}>(word){less};"]
    if feature.name == "pt" and feature.gives_zero:
        lines.append("code = code == 0 ? 1 : code;")
    code = f"code * {1 << shift}" if shift else "code"
    masked = f"first > 0 ? {code} : 0" if feature.can_be_absent else code
    lines.append(f"return static_cast<{target}>({masked});")
    return [f"    {line}" for line in lines]
