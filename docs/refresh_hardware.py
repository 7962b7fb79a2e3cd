"""Writes docs/hardware.json from the reports of runs, and the tables of docs/hardware.md from it: `make physics`.

    python docs/refresh_hardware.py [CONFIGURATION ...]

Reads `hls_projects/<configuration>/report.json` of the configurations that are named, or of all in `configs/`. The
others keep what the last refresh had read of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pages import ROOT, between, refresh

from trigger_ad.report.inputs import main_rows
from trigger_ad.report.wording import UNKNOWN, bits_of, difference, percentage, signal_title

PAGE: Final = ROOT / "docs" / "hardware.md"
DATA: Final = ROOT / "docs" / "hardware.json"

Entry = dict[str, Any]
Data = dict[str, Entry]


def entry(path: Path) -> Entry:
    """What the tables need of the report of a configuration's run."""
    report = json.loads((ROOT / "hls_projects" / path.stem / "report.json").read_text("utf-8"))
    areas: dict[str, dict[str, float]] = {}
    for row in main_rows(report):
        if row["model"] in ("teacher", "float", "firmware"):
            areas.setdefault(row["model"], {})[row["signal"]] = row["auc"]
    rtl = report["agreement"]["emulators"].get("rtl")
    return {
        "what": path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").rstrip("."),
        "score": report["score"],
        "weights": sum(math.prod(kernel["shape"]) for kernel in report["model"]["kernels"].values()),
        "zeros": sum(kernel["zeros"] for kernel in report["model"]["kernels"].values()),
        "bits": bits_of(report["config"]),
        "hardware": report["hardware"],
        "not_measured": report["not_measured"],
        "flow": report["config"]["firmware"]["flow"],
        "rtl": rtl and {key: rtl[key] for key in ("events", "mismatches", "accept_mismatches", "events_with_gaps")},
        "areas": areas,
        "network_digest": report["network_digest"],
        "versions": report["versions"],
    }


def designs(data: Data) -> str:
    """What every configuration takes as RTL, measured, and what its firmware loses of its float model."""
    heads = (
        *("configuration", "network", "weights", "of them 0", "bits", "clocks"),
        *("ns, at a clock that is assumed", "interval", "LUT", "of the device", "FF", "DSP", "BRAM"),
        *("mismatches", "largest AUC loss from float", "from the teachers"),
    )
    lines = [f"| {' | '.join(heads)} |", "| --- | --- |" + " ---: |" * (len(heads) - 2)]
    for name, item in data.items():
        if item["flow"] != "hls":
            lines.append(f"| {' | '.join((f'`{name}`', item['what'], *_figures(item)))} |")
    return "\n".join(lines) + "\n" + _unmeasured(data)


def _figures(item: Entry) -> tuple[str, ...]:
    found = {entry["source"]: entry for entry in item["hardware"] if entry["flow"] == "rtl"}
    clocks, cells = found.get("verilator", {}), found.get("yosys", {})
    rtl = item["rtl"]
    return (
        f"{item['weights']:,}",
        f"{item['zeros'] / item['weights']:.0%}",
        item["bits"],
        _number(clocks.get("latency_cycles")),
        f"{clocks['latency_ns']:g} at {clocks['clock_ns']:g}" if clocks else UNKNOWN,
        _number(clocks.get("ii_cycles")),
        _number(cells.get("lut")),
        percentage((cells.get("utilisation") or {}).get("lut")),
        *(_number(cells.get(resource)) for resource in ("ff", "dsp", "bram")),
        f"{rtl['mismatches']:,} of {rtl['events']:,}" if rtl else UNKNOWN,
        _largest_loss(item["areas"], "float"),
        _largest_loss(item["areas"], "teacher"),
    )


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _largest_loss(areas: Mapping[str, Mapping[str, float]], model: str) -> str:
    """What the firmware loses of a model's area for the signal for which that is most."""
    if model not in areas:
        return UNKNOWN
    losses = {signal: areas[model][signal] - area for signal, area in areas["firmware"].items()}
    signal = max(losses, key=lambda name: losses[name])
    return f"{difference(losses[signal])} ({signal_title(signal)})"


def _unmeasured(data: Data) -> str:
    """What could not be measured, with the reason, and what is not RTL."""
    lines = [
        f"- `{name}`, {missing['source']}: not measured, {missing['reason']}.\n"
        for name, item in data.items()
        for missing in item["not_measured"]
    ]
    hls = [f"`{name}`" for name, item in data.items() if item["flow"] == "hls"]
    if hls:
        lines.append(f"- {', '.join(hls)}: HLS alone (`firmware.flow: hls`).\n")
    return "\n" + "".join(lines) if lines else ""


def with_designs(page: str, data: Data) -> str:
    """The page with the table of the data."""
    return between(page, "designs", designs(data))


def main() -> None:
    """Writes both files."""
    refresh(DATA, PAGE, entry, with_designs)


if __name__ == "__main__":
    main()
