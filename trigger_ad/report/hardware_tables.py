"""The tables of latency and resources as text, in which nothing that was estimated looks measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trigger_ad.report.inputs import Report
from trigger_ad.report.table import Table
from trigger_ad.report.wording import (
    FLOW_TITLES,
    UNKNOWN,
    count,
    figure_source,
    listed,
    nanoseconds,
    percentage,
    rounded,
    text,
)

SOURCE_MEANINGS: Final[Mapping[str, str]] = {
    "estimate": "computed from formulas, nothing was run",
    "csynth": "C synthesis: cycles scheduled, resources estimated by the tool",
    "cosim": "co-simulation: cycles measured",
    "vivado": "logic synthesis: resources counted after mapping",
    "vivado, synth": "logic synthesis: resources counted after mapping, timing with the delays of wires estimated",
    "vivado, implement": "placed and routed out of context: resources and timing of the chip",
    "yosys": "open-source logic synthesis: resources counted after mapping",
    "verilator": "RTL simulation: cycles measured",
}

_RESOURCES = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "BRAM (18 Kbit)"}

_CARRY_BITS = "Bits of carry chains"

_CLOCK_STATUS = {"assumed": "assumed", "met": "met", "failed": "FAILED"}


def hardware_table(report: Report) -> Table:
    """Latency and resources: one column for each source of each firmware project, one row for each figure."""
    entries = report["hardware"]
    emulators = (report.get("agreement") or {}).get("emulators") or {}
    vendors = any(entry.get("step") for entry in entries)
    columns = [
        _column(entry) | (_vendor_rows(entry) if vendors else {}) | _agreement(entry, emulators) for entry in entries
    ]
    carries = any(entry.get("carry_bits") is not None for entry in entries)
    labels = [label for label in (columns or [{}])[0] if carries or label != _CARRY_BITS]
    return Table(
        title="Latency and resources",
        columns=("Figure", *(f"{_flow(entry)}: {figure_source(entry)}" for entry in entries)),
        rows=tuple((label, *(column[label] for column in columns)) for label in labels) if entries else (),
        notes=(
            *_disagreement_notes(entries, emulators),
            *_source_notes(entries),
            *_missing_notes(report),
            *_commands(report),
        ),
        column_tags={i + 1: "estimate" for i, entry in enumerate(entries) if entry["source"] == "estimate"},
    )


def estimate_table(report: Report) -> Table:
    """What was estimated for each layer, and by which formula."""
    layers = report["estimate_layers"] or []
    keys = ("name", "cycles", "lut", "ff", "dsp", "formula")
    by_flow = any("flow" in layer for layer in layers)
    return Table(
        title="Estimate, layer by layer",
        columns=("Layer", "Cycles", "LUT", "FF", "DSP", "Formula", *(("Flow",) if by_flow else ())),
        rows=tuple(
            (*(_estimated(layer, key) for key in keys), *((_flow(layer),) if by_flow else ())) for layer in layers
        ),
        notes=("Every figure in this table is an estimate; none was measured.",),
        text_columns=frozenset({0, 5, 6}),
        column_tags=dict.fromkeys((1, 2, 3, 4), "estimate"),
    )


def _flow(entry: Mapping[str, Any]) -> str:
    flow = entry.get("flow")
    return UNKNOWN if flow is None else FLOW_TITLES.get(flow, str(flow))


def _column(entry: Mapping[str, Any]) -> dict[str, str]:
    source = entry.get("source")
    about = "≈ " if source == "estimate" else ""
    # C synthesis counts resources by estimates of its own
    about_resources = "≈ " if source in ("estimate", "csynth") else ""
    status = entry.get("clock_status")
    return {
        "Source": text(source),
        "Tool": text(entry.get("tool")),
        "Part": text(entry.get("part")),
        "Clock period (ns)": text(entry.get("clock_ns")),
        "Clock status": UNKNOWN if status is None else _CLOCK_STATUS.get(status, str(status)),
        "Highest clock (MHz)": _megahertz(entry.get("fmax_mhz")),
        "Latency (cycles)": _about(about, count(entry.get("latency_cycles"))),
        "Latency": _about(about, nanoseconds(entry)),
        "Initiation interval (cycles)": _about(about, count(entry.get("ii_cycles"))),
        **{title: _resource(entry, key, about_resources) for key, title in _RESOURCES.items()},
        _CARRY_BITS: count(entry.get("carry_bits")),
    }


def _agreement(entry: Mapping[str, Any], emulators: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Whether the project that an entry is of was found equal to the reference, where that is known."""
    if not emulators:
        return {}
    found = emulators.get(str(entry.get("flow")))
    verdict = "not emulated" if found is None else _emulated(entry) + _verdict(found)
    return {"Words, against the reference": verdict}


def _emulated(entry: Mapping[str, Any]) -> str:
    """What was emulated in place of what the figures are of: nobody simulates a mapped netlist here."""
    if entry["source"] in ("estimate", "verilator"):
        return ""
    return "its RTL: " if entry["flow"] == "rtl" else "its C++: "


def _verdict(found: Mapping[str, Any]) -> str:
    vectors = f"{count(found['events'])} vectors"
    if found["exact"]:
        return f"equal in {vectors}"
    if found["mismatches"] == 0:
        return f"equal in {vectors}, but a layer driven alone or its test bench FAILS"
    return f"DIFFER in {count(found['mismatches'])} of {vectors}"


def _disagreement_notes(entries: list[Mapping[str, Any]], emulators: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is to be said of figures that are not of the network's firmware."""
    flows = dict.fromkeys(str(entry["flow"]) for entry in entries)
    wrong = [flow for flow in flows if flow in emulators and not emulators[flow]["exact"]]
    return [
        f"The figures of {FLOW_TITLES.get(flow, flow)} are those of a project that does not agree with the reference."
        for flow in wrong
    ]


def _vendor_rows(entry: Mapping[str, Any]) -> dict[str, str]:
    """What is shown where a vendor's tool has run."""
    slack, digest = entry.get("worst_slack_ns"), entry.get("digest")
    return {
        "Worst slack (ns)": UNKNOWN if slack is None else f"{slack:.3f}",
        "Network": UNKNOWN if digest is None else digest[:12],
    }


def _about(prefix: str, figure: str) -> str:
    return figure if figure == UNKNOWN else prefix + figure


def _megahertz(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"


def _resource(entry: Mapping[str, Any], key: str, about: str) -> str:
    value = entry.get(key)
    if value is None:
        return UNKNOWN
    number = rounded(value) if entry["source"] == "estimate" else count(value)
    share = (entry.get("utilisation") or {}).get(key)
    return f"{about}{number} ({'share not known' if share is None else percentage(share)})"


def _estimated(layer: Mapping[str, Any], key: str) -> str:
    value = layer.get(key)
    return _about("≈ ", count(value)) if key in ("cycles", "lut", "ff", "dsp") else listed(value)


def _source_notes(entries: list[Mapping[str, Any]]) -> list[str]:
    if not entries:
        return ["No tool has run and nothing was estimated."]
    sources = dict.fromkeys(figure_source(entry) for entry in entries)
    notes = [f"{source}: {SOURCE_MEANINGS[source]}." for source in sources if source in SOURCE_MEANINGS]
    notes.append("Shares are of the whole device. An assumed clock has not been shown to be met by any tool.")
    if "estimate" in sources:
        notes.append("≈ marks an estimate; estimated totals of resources are rounded to three digits.")
    return notes


def _missing_notes(report: Report) -> list[str]:
    return [
        f"{_flow(item)}, {item['source']}: not measured, {item['reason']}." for item in report.get("not_measured") or ()
    ]


def _commands(report: Report) -> list[str]:
    commands = report["measuring_commands"] or {}
    # the last step of each command: Vivado's in an RTL project, C synthesis in an HLS one
    done = {entry["flow"] for entry in report["hardware"] if entry.get("step") in ("csynth", "implement")}
    return [
        f"To measure {FLOW_TITLES.get(flow, flow)}: `{command}`"
        for flow, command in commands.items()
        if flow not in done
    ]
