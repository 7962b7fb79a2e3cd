"""The table of the emulators as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trigger_ad.report.inputs import Report
from trigger_ad.report.table import Table
from trigger_ad.report.wording import EMULATOR_TITLES, FOR_INFORMATION, UNKNOWN, count, overflow_notes, text


def agreement_table(report: Report) -> Table:
    """Each emulator of the firmware against the exact integer reference."""
    emulators = report["agreement"]["emulators"]
    vectors = ", ".join(f"{count(number)} {name}" for name, number in (report["vectors"] or {}).items())
    return Table(
        title="Agreement with the exact integer reference",
        columns=("Emulator", "Exact", "Vectors", "Mismatches", "Largest difference (LSB)", "Layers alone", "Vectors/s"),
        rows=tuple(_emulator_row(name, entry) for name, entry in emulators.items()),
        notes=(
            "Words are compared as integer codes: exact means that every one is equal.",
            *((f"Vectors: {vectors}.",) if vectors else ()),
            *_thinned_notes(report),
            "Layers alone: each driven by itself, with any codes that it can be given.",
            *_accept_notes(emulators),
            *_emulator_notes(emulators),
            *_firmware_notes(report),
            *_not_run_notes(report["agreement"].get("not_run") or {}),
            *(f"{note[0].upper()}{note[1:]}." for note in overflow_notes(report["agreement"]["layers"])),
        ),
        row_tags={index: _emulator_tag(name, entry) for index, (name, entry) in enumerate(emulators.items())},
    )


def _emulator_row(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    unequal = "NO" if must_agree(name, entry) else "no"
    exact = {True: "yes", False: unequal, None: UNKNOWN}[entry["exact"]]
    numbers = (count(entry["events"]), count(entry["mismatches"]), text(entry["max_lsb"]))
    return (EMULATOR_TITLES.get(name, name), exact, *numbers, _alone_cell(entry.get("alone")), _speed(entry))


def _alone_cell(alone: Mapping[str, Any] | None) -> str:
    if alone is None:
        return UNKNOWN
    return f"{count(alone['mismatches'])} of {count(alone['layers'])} x {count(alone['vectors'])}"


def _speed(entry: Mapping[str, Any]) -> str:
    """Vectors a second, in two digits: what else the machine does changes it by more than a tenth."""
    if not entry["seconds"]:
        return UNKNOWN
    return count(int(float(f"{entry['events'] / entry['seconds']:.1e}")))


def _not_run_notes(reasons: Mapping[str, str]) -> list[str]:
    return [f"{EMULATOR_TITLES.get(name, name)}: not run, {reason}." for name, reason in reasons.items()]


def _firmware_notes(report: Report) -> list[str]:
    """Whose words the firmware's are, where they are not those of HLS."""
    source = str(report["agreement"].get("firmware_words") or "hls")
    if source.startswith("hls"):
        return []
    reason = ", as the RTL was not simulated" if source == "native" else ""
    return [f"The firmware's score words are those of: {EMULATOR_TITLES.get(source, source)}{reason}."]


def _thinned_notes(report: Report) -> list[str]:
    """Which test events were vectors, if not all of them were."""
    emulated, total = (report["vectors"] or {}).get("events"), report["agreement"].get("test_events")
    if emulated is None or total is None or emulated == total:
        return []
    return [
        f"The emulators ran {count(emulated)} of {count(total)} test events, evenly spread; the firmware's score words "
        "of the others are those of the native library."
    ]


def _emulator_tag(name: str, entry: Mapping[str, Any]) -> str:
    if not must_agree(name, entry):
        return "information"
    return "exact" if entry["exact"] else "failed"


def must_agree(name: str, entry: Mapping[str, Any]) -> bool:
    """Whether a mismatch of this emulator is a failure, and not merely shown for information."""
    return bool(entry.get("must_agree", name not in FOR_INFORMATION))


def _accept_notes(emulators: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is said of the accept bit, which not every emulator gives."""
    wrong = {
        EMULATOR_TITLES.get(name, name): number
        for name, entry in emulators.items()
        if (number := entry.get("accept_mismatches")) is not None
    }
    found = ", ".join(f"{title} {count(number)}" for title, number in wrong.items())
    return [f"Accept bits that are not score word > threshold: {found}."] if wrong else []


def _emulator_notes(emulators: Mapping[str, Mapping[str, Any]]) -> list[str]:
    notes = []
    for name, entry in emulators.items():
        title = EMULATOR_TITLES.get(name, name)
        if name in FOR_INFORMATION:
            notes.append(f"{title}: it is not exact for wide words.")
        if entry.get("first_layer") is not None:
            notes.append(f"{title} differs first in layer {entry['first_layer']}.")
        if entry.get("test_bench_passed") is not None:
            verdict = "finds every word equal" if entry["test_bench_passed"] else "FAILS"
            notes.append(f"{title}: the project's own test bench {verdict}.")
        if (entry.get("alone") or {}).get("first_layer") is not None:
            notes.append(f"{title} differs in layer {entry['alone']['first_layer']}, driven alone.")
    return notes
