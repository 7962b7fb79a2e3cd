"""The table of every layer: its words' type, how far the vectors reached into it, and what went beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trigger_ad.report.inputs import Report
from trigger_ad.report.table import Table
from trigger_ad.report.wording import count, listed, percentage


def layer_table(report: Report) -> Table:
    """Each layer's words: their type, what they reached, and how many were unequal, saturated or overflowed."""
    layers = [_with_ranges(entry) for entry in report["agreement"]["layers"]]
    own = [entry["layer"] for entry in layers if entry.get("accumulator")]
    hidden = _HIDDEN if own else _HIDDEN | {"accumulator"}
    found = (key for entry in layers for key in entry if key not in hidden)
    keys = list(dict.fromkeys(["layer", "precision", *found]))
    words = {index for index, key in enumerate(keys) if any(isinstance(entry.get(key), str) for entry in layers)}
    return Table(
        title="Layer by layer",
        columns=tuple(_TITLES.get(key, key.replace("_", " ").capitalize()) for key in keys),
        rows=tuple(tuple(_cell(entry, key) for key in keys) for entry in layers),
        notes=(_overflow_note(own), _BITS_NOTE),
        text_columns=frozenset({0, 1} | words),
        row_tags={i: "failed" for i, entry in enumerate(layers) if any(entry.get(key) for key in _FAILURES)},
    )


_HIDDEN = frozenset({"kind"})
"""Said by the layer's name already."""

_TITLES = {
    "values": "Words",
    "precision": "Type",
    "accumulator": "Accumulator set by hand",
    "overflows_corner": "Overflows, corner vectors",
    "bits_unused": "Bits never used",
    "saturations_corner": "Saturations, corner vectors",
    "bound": "Bound for any input",
    "reached": "Range reached",
    "alone": "Vectors driven alone",
    "mismatches_alone": "Mismatches, driven alone",
}

_FAILURES = ("mismatches", "mismatches_alone", "overflows", "overflows_corner")

_BITS_NOTE = (
    "Bits never used lie between the largest magnitude that the vectors reached and the top of the type; bits missing "
    "are those by which a type set by hand is too narrow for it. Bounds and ranges are integer codes of the type."
)


def _overflow_note(own: list[str]) -> str:
    """What an overflow is, with the layers whose accumulator the user set."""
    by_hand = f", but not where an accumulator's type is set by hand: {', '.join(own)}" if own else ""
    return (
        "A saturation is intended behaviour of an activation's type; an overflow is an error. Interval bounds exclude "
        f"it for any input{by_hand}."
    )


def _with_ranges(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry in which `x_low` and `x_high` are one `x`."""
    pairs = {key.removesuffix("_low") for key in entry if key.endswith("_low")}
    merged = {pair: [entry[f"{pair}_low"], entry[f"{pair}_high"]] for pair in pairs if f"{pair}_high" in entry}
    names = {key: key.removesuffix("_low").removesuffix("_high") for key in entry}
    return {names[key] if names[key] in merged else key: merged.get(names[key], entry[key]) for key in entry}


def _cell(entry: Mapping[str, Any], key: str) -> str:
    value, words = entry.get(key), entry.get("values")
    if key == "saturations" and value and words:
        return f"{count(value)} ({percentage(value / words)})"
    return " to ".join(map(listed, value)) if isinstance(value, list) else listed(value)
