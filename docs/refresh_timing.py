"""Writes docs/timing.json from RTL projects, and the tables of docs/hardware.md on timing from it.

    python docs/refresh_timing.py PROJECT [PROJECT ...]

Synthesizes the RTL projects that are named for two families, and places and routes those of up to `PLACED_LUT` look-up
tables on an ECP5; for that nextpnr must be there (`pip install trigger-ad[rtl,ecp5]`). The others keep what the last
refresh had found of them. Half an hour for each that is placed.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pages import ROOT, between, read_data, write_data

from trigger_ad.firmware.rtl_design import RtlDesign
from trigger_ad.synthesis.hardware import utilisation
from trigger_ad.synthesis.nextpnr import placed
from trigger_ad.synthesis.yosys import synthesized

PAGE = ROOT / "docs" / "hardware.md"
DATA = ROOT / "docs" / "timing.json"
PARTS: Final = ("xcvu9p-flgb2104-2l-e", "xc7vx690tffg1927-2")
PLACED_LUT: Final = 10_000
SEEDS: Final = (1, 2, 3)
LIMIT_SECONDS: Final = 3600.0

Entry = dict[str, Any]
Data = dict[str, Entry]


def entry(project: Path) -> Entry:
    """What the tables need of a project."""
    design = RtlDesign.read(project)
    with tempfile.TemporaryDirectory() as cache:
        sources = sorted((project / "verilog").glob("*.v"))
        reports = {part: synthesized(sources, design.top, part, Path(cache), LIMIT_SECONDS) for part in PARTS}
    small = all(report.lut <= PLACED_LUT for report in reports.values())
    return {
        "digest": design.digest,
        "clock_ns": design.clock_ns,
        "latency_cycles": design.latency_cycles,
        "synthesized": {
            part: {key: value for key, value in asdict(report).items() if key not in ("cells", "netlist")}
            for part, report in reports.items()
        },
        "placed": [asdict(placed(project, seed, LIMIT_SECONDS)) for seed in SEEDS] if small else [],
    }


def tables(data: Data) -> str:
    """What each design takes, the longest path of its stages, and the clock that it reaches on an ECP5."""
    return "\n".join((_resources(data), _stages(data), _placed(data)))


def _resources(data: Data) -> str:
    lines = [
        "| design | part | clocks | LUT | FF | carry bits | DSP | BRAM | Yosys |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for name, item in data.items():
        for part, found in item["synthesized"].items():
            shares = utilisation(part, *(found[key] for key in ("lut", "ff", "dsp", "bram")))
            counts = [
                f"{found[key]:,}" + ("" if shares[key] is None else f" ({shares[key]:.2%})") for key in ("lut", "ff")
            ]
            others = [f"{found[key]:,}" for key in ("carry_bits", "dsp", "bram")]
            cells = (f"`{name}`", part, str(item["latency_cycles"]), *counts, *others, found["version"])
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _stages(data: Data) -> str:
    lines = ["| design | parts | stage: look-up tables + carry chains, delay of cells in ns |", "| --- | --- | --- |"]
    for name, item in data.items():
        parts: dict[str, list[str]] = {}
        for part, found in item["synthesized"].items():
            stages = [
                f"{number}: {path['tables']} + {path['carry_chains']}, {path['cell_delay_ns']:.1f}"
                for number, path in enumerate(found["stages"] or [], 1)
            ]
            parts.setdefault("; ".join(stages) or "unknown", []).append(part)
        lines += [f"| `{name}` | {', '.join(same)} | {paths} |" for paths, same in parts.items()]
    return "\n".join(lines) + "\n"


def _placed(data: Data) -> str:
    lines = [
        "| design | device | highest clock, by seed | longest path: cells + wires | LUT4 | FF | DSP | tools |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    for name, item in data.items():
        if not item["placed"]:
            continue
        best = max(item["placed"], key=lambda found: found["fmax_mhz"])
        clocks = ", ".join(f"{found['fmax_mhz']:.0f}" for found in item["placed"])
        path = f"{best['cell_delay_ns']:.1f} + {best['wire_delay_ns']:.1f} ns"
        counts = [f"{best[key]:,}" for key in ("lut", "ff", "dsp")]
        cells = (f"`{name}`", best["device"], f"{clocks} MHz", path, *counts, best["tools"])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def with_tables(page: str, data: Data) -> str:
    """The page with the tables of the data."""
    return between(page, "timing", tables(data))


def main() -> None:
    """Writes both files."""
    data: Data = read_data(DATA)
    for project in map(Path, sys.argv[1:]):
        data[RtlDesign.read(project).top.removeprefix("trigger_ad_")] = entry(project)
    write_data(DATA, dict(sorted(data.items())), PAGE, with_tables)


if __name__ == "__main__":
    main()
