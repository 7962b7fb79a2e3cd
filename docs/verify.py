"""Runs every configuration, as it is and with the other I/O type, and writes docs/verification.md: `make verify`.

    python docs/verify.py [CONFIGURATION ...]

It may be interrupted at any time: runs that are up to date are not repeated, and the page has what there is. A run with
the other I/O type begins from the trained networks of the first, which do not depend on it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from pages import ROOT, between, by_configuration, named_configurations, read_data, write_data

PAGE = ROOT / "docs" / "verification.md"
DATA = ROOT / "docs" / "verification.json"
IO_TYPES: Final = ("io_parallel", "io_stream")
TITLES: Final = {
    "keras_float64": "Keras float64, every layer",
    "native": "native library",
    "alir": "alkaid's program",
    "hls_vitis": "HLS, Vitis",
    "hls_vivado": "HLS, Vivado",
    "rtl": "RTL, clocked",
}


PROGRAM: Final = Path(sys.executable).with_name("trigger-ad")
TRAINED: Final = ("train", "quantize")
"""The stages that do not depend on the I/O type."""
OF_LATER_STAGES: Final = (
    *("hls", "vectors", "figures", "report*", "README.md"),
    *("manifest.json", "emulation*", "mismatches*", "hardware*", "unfinished"),
)
"""What a run directory has that does."""


def bring_up_to_date(verb: str, target: Path) -> None:
    """Runs trigger-ad in the repository, and exits unless it ended, with or without mismatches."""
    code = subprocess.run([PROGRAM, verb, target], cwd=ROOT, check=False).returncode
    if code not in (0, 1):
        sys.exit(f"trigger-ad {verb} {target} ended with {code}")


def entries_of(configuration: Path) -> Iterator[dict[str, Any]]:
    """An entry for each I/O type, each run brought up to date; where a check refuses it, with what it said."""
    first = ROOT / "hls_projects" / configuration.stem
    bring_up_to_date("run", configuration)
    yield entry(first)
    settings = yaml.safe_load((first / "config.yaml").read_text(encoding="utf-8"))
    (other,) = {*IO_TYPES} - {settings["firmware"]["io_type"]}
    second = ROOT / "hls_projects" / f"{configuration.stem}_{other}"
    _copy_trained(first, second)
    # the I/O type is one of HLS: the RTL would be the same
    settings["firmware"] |= {"io_type": other, "flow": "hls"}
    settings["name"] = second.name
    # as a configuration: a run directory would be kept as another version has made it
    other_configuration = second / "config.yaml"
    other_configuration.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    check = subprocess.run(
        [PROGRAM, "check", other_configuration], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if check.returncode == 2:
        yield {"io_type": other, "refused": check.stderr.strip().removeprefix("Error: ")}
        return
    if check.returncode:
        sys.exit(f"trigger-ad check {second} ended with {check.returncode}: {check.stderr}")
    bring_up_to_date("report", other_configuration)
    yield entry(second)


def _stages(run: Path) -> dict[str, Any]:
    """The manifest's entries of a run's stages; none if there is no run."""
    path = run / "manifest.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))["stages"]) if path.exists() else {}


def _copy_trained(first: Path, second: Path) -> None:
    """Gives a run the trained networks of another, unless it has them; later stages see what that changes."""
    mine, theirs = _stages(second), _stages(first)
    trained = {stage: theirs[stage] for stage in TRAINED}
    if {stage: mine.get(stage, {}).get("inputs") for stage in TRAINED} == {
        stage: entry["inputs"] for stage, entry in trained.items()
    }:
        return
    shutil.copytree(first, second, ignore=shutil.ignore_patterns(*OF_LATER_STAGES), dirs_exist_ok=True)
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8")) | {"stages": mine | trained}
    partial = second / "manifest.json.partial"
    partial.write_text(json.dumps(manifest), encoding="utf-8")
    partial.replace(second / "manifest.json")


def entry(run: Path) -> dict[str, Any]:
    """What is told of a run."""
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    return {
        "io_type": report["config"]["firmware"]["io_type"],
        "score": report["score"],
        "score_type": report["score_type"],
        "vectors": sum(report["vectors"].values()),
        "events": report["vectors"]["events"],
        "emulators": {
            name: {key: emulator[key] for key in ("exact", "events", "mismatches", "must_agree", "alone")}
            for name, emulator in report["agreement"]["emulators"].items()
        },
        "overflows": sum(layer["overflows"] + layer["overflows_corner"] for layer in report["agreement"]["layers"]),
        "network_digest": report["network_digest"],
        "versions": report["versions"],
    }


def table(data: dict[str, list[dict[str, Any]]]) -> str:
    """A row for each configuration and I/O type, a column for each emulator that must agree."""
    lines = [
        f"| configuration | I/O | score | vectors | {' | '.join(TITLES.values())} | overflows |",
        "| --- | --- | --- | ---: |" + " ---: |" * (len(TITLES) + 1),
    ]
    for configuration, entries in data.items():
        for item in entries:
            lines.append(f"| {configuration} | {item['io_type']} | {' | '.join(_cells(item))} |")
    return "\n".join(lines) + "\n"


def _cells(item: dict[str, Any]) -> list[str]:
    if "refused" in item:
        return [f"refused: {item['refused']}", *([""] * (len(TITLES) + 2))]
    mismatches = [_mismatches(item["emulators"].get(name)) for name in TITLES]
    return [item["score"], f"{item['vectors']:,}", *mismatches, str(item["overflows"])]


def _mismatches(emulator: dict[str, Any] | None) -> str:
    if emulator is None:
        return "not run"
    return f"{emulator['mismatches']:,} of {emulator['events']:,}" + ("" if emulator["exact"] else " **differs**")


def with_table(page: str, data: dict[str, list[dict[str, Any]]]) -> str:
    """The page with the table of the data."""
    return between(page, "table", table(data))


def main() -> None:
    """Runs what is named, or all, and writes both files after each configuration; exits with 1 on any mismatch."""
    data = read_data(DATA)
    for path in named_configurations():
        data[path.stem] = list(entries_of(path))
        data = by_configuration(data)
        write_data(DATA, data, PAGE, with_table)
    emulators = [item for entries in data.values() for run in entries for item in run.get("emulators", {}).values()]
    sys.exit(any(item["must_agree"] and not item["exact"] for item in emulators))


if __name__ == "__main__":
    main()
