"""Writes docs/physics.json from the reports of runs, and the tables of docs/physics.md from it: `make physics`.

    python docs/refresh_physics.py [CONFIGURATION ...]

Reads `hls_projects/<configuration>/report.json` of the configurations that are named, or of all in `configs/`. The
others keep what the last refresh had read of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pages import ROOT, between, refresh

from trigger_ad.evaluation.baselines import BASELINE_TITLES, FITTED_BASELINES
from trigger_ad.evaluation.performance import VERDICT_ACCEPTED
from trigger_ad.report.inputs import main_rows
from trigger_ad.report.wording import FOR_INFORMATION, MODEL_TITLES, UNKNOWN, bits_of, signal_title

PAGE = ROOT / "docs" / "physics.md"
DATA = ROOT / "docs" / "physics.json"

Entry = dict[str, Any]
Data = dict[str, Entry]
ENCODED: Final = "zero_reconstruction"
"""The one trivial score that depends on how words become network inputs."""


def entry(path: Path) -> Entry:
    """What the tables need of the report of a configuration's run."""
    report = json.loads((ROOT / "hls_projects" / path.stem / "report.json").read_text("utf-8"))
    emulators = report["agreement"]["emulators"]
    performance = report["performance"]
    main = main_rows(report)
    return {
        "what": path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").rstrip("."),
        "score": report["score"],
        "score_type": report["score_type"],
        "weights": sum(math.prod(kernel["shape"]) for kernel in report["model"]["kernels"].values()),
        "zeros": sum(kernel["zeros"] for kernel in report["model"]["kernels"].values()),
        **{name: report["config"][name] for name in ("seed", "inputs", "model", "training", "quantization")},
        "events": report["events"],
        "estimates": [
            {key: flow[key] for key in ("flow", "lut", "latency_cycles")}
            for flow in report["hardware"]
            if flow["source"] == "estimate"
        ],
        "vectors": sum(report["vectors"].values()),
        "mismatches": {name: item["mismatches"] for name, item in emulators.items() if name not in FOR_INFORMATION},
        "network_digest": report["network_digest"],
        "versions": report["versions"],
        "performance": main,
        "other_scores": [row for row in performance if row not in main],
    }


def tables(data: Data) -> str:
    """What ran, what it is worth by AUC and at each false-positive rate, and every score that float models offer."""
    parts = ["## What runs\n" + _runs(data), "## AUC\n" + _values(data, None)]
    parts.append("## True-positive rate at equal rates of background\n" + _equal_rates(data))
    parts += [
        f"## True-positive rate at a target false-positive rate of {target:g}\n" + _values(data, target)
        for target in _targets(data)
    ]
    parts.append("## Every score of the float models\n" + _scores(data))
    return "\n".join(parts)


def _targets(data: Data) -> list[float]:
    """The false-positive rates that every row has, the largest first."""
    rows = [row for item in data.values() for row in item["performance"]]
    return sorted(set.intersection(*({point["fpr_target"] for point in row["tpr"]} for row in rows)), reverse=True)


def _runs(data: Data) -> str:
    columns = "configuration", "network", "score that ships", "weights", "of them 0", "bits"
    estimates = "LUT, estimate", "cycles, estimate"
    lines = [
        f"| {' | '.join((*columns, *estimates, 'mismatches'))} |",
        "| --- | --- | --- | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for name, item in data.items():
        wrong = sum(item["mismatches"].values())
        cells = (
            f"`{name}`",
            item["what"],
            f"`{item['score']}`, `{item['score_type']}`",
            f"{item['weights']:,}",
            f"{item['zeros'] / item['weights']:.0%}",
            bits_of(item),
            *(_range([flow[key] for flow in item["estimates"]]) for key in ("lut", "latency_cycles")),
            f"{wrong:,} of {len(item['mismatches'])} x {item['vectors']:,}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _range(values: list[int]) -> str:
    """The estimates of all back ends, to three digits."""
    rounded = dict.fromkeys(f"{float(f'{value:.3g}'):,.0f}" for value in sorted(values))
    return " to ".join(rounded) or UNKNOWN


def _values(data: Data, target: float | None) -> str:
    """AUC, or the true-positive rate at a target, of every model of every run, then of the trivial scores."""
    first = next(iter(data.values()))
    signals = list(first["events"]["signals"])
    achieved = "" if target is None else " FPR achieved |"
    lines = [
        f"| configuration | model |{achieved} {' | '.join(map(signal_title, signals))} |",
        "| --- | --- |" + " ---: |" * (len(signals) + bool(achieved)),
    ]
    for label, title, rows in _models(data):
        cells = [_cell(rows[signal], target) for signal in signals]
        if target is not None:
            point = _point(rows[signals[0]], target)
            cells.insert(0, f"{point['fpr']:.5f} [{point['fpr_low']:.5f}, {point['fpr_high']:.5f}]")
        lines.append(f"| {label} | {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _equal_rates(data: Data) -> str:
    """True-positive rates where equal shares of the test background pass, and for how many signals a model is ahead."""
    first = next(iter(data.values()))
    signals, events = list(first["events"]["signals"]), first["events"]["background"]["test"]
    target = min(target for target in _targets(data) if target * events >= VERDICT_ACCEPTED)
    lines = [
        f"Where {target:g} of the test background passes: what the verdict of a report rests on.\n",
        f"| configuration | model | {' | '.join(map(signal_title, signals))} | ahead of every trivial score |",
        "| --- | --- |" + " ---: |" * (len(signals) + 1),
    ]
    for label, title, rows in _models(data):
        rates = {signal: _point(rows[signal], target)["tpr_at_target"] for signal in signals}
        item = data.get(label.strip("`"))
        won = UNKNOWN if item is None else f"{_won(item, rates, target)} of {len(signals)}"
        lines.append(f"| {label} | {title} | {' | '.join(f'{rate:.4f}' for rate in rates.values())} | {won} |")
    return "\n".join(lines) + "\n"


def _won(item: Entry, rates: Mapping[str, float], target: float) -> int:
    """For how many signals rates are larger than those of every trivial score of the same run."""
    trivial = [rows for model in BASELINE_TITLES if (rows := _rows(item, model))]
    return sum(
        all(rate > _point(rows[signal], target)["tpr_at_target"] for rows in trivial) for signal, rate in rates.items()
    )


def _models(data: Data) -> Iterator[tuple[str, str, dict[str, Mapping[str, Any]]]]:
    """Configuration, model, and its row for each signal; those of trivial scores that do not depend on it once."""
    for name, item in data.items():
        for model in MODEL_TITLES:
            if model not in BASELINE_TITLES and (rows := _rows(item, model)):
                yield f"`{name}`", MODEL_TITLES[model], rows
    for model in (ENCODED, *FITTED_BASELINES):
        seen: list[Any] = []
        for name, item in data.items():
            # of a report of an earlier version, some are missing
            if (rows := _rows(item, model)) and (known := [item["inputs"], _components(item, model)]) not in seen:
                seen.append(known)
                yield f"inputs of `{name}`", BASELINE_TITLES[model], rows
    for model, title in BASELINE_TITLES.items():
        if model not in (ENCODED, *FITTED_BASELINES) and (rows := _rows(next(iter(data.values())), model)):
            yield UNKNOWN, title, rows


def _components(item: Entry, model: str) -> int | None:
    """How many principal components there are: as many as the latent space, a student's teachers', has dimensions."""
    network = item["model"].get("teacher", item["model"])
    return network["latent"] if model == "pca" else None


def _rows(item: Entry, model: str) -> dict[str, Mapping[str, Any]]:
    return {row["signal"]: row for row in item["performance"] if row["model"] == model}


def _scores(data: Data) -> str:
    """The AUC of every score of every float model that offers more than one."""
    signals = list(next(iter(data.values()))["events"]["signals"])
    lines = [
        f"| configuration | score | {' | '.join(map(signal_title, signals))} |",
        "| --- | --- |" + " ---: |" * len(signals),
    ]
    for name, item in data.items():
        own = [row for row in item["performance"] if row["model"] == "float"]
        rows = [*own, *item["other_scores"]]
        for score in dict.fromkeys(row["score"] for row in rows) if item["other_scores"] else ():
            found = {row["signal"]: row for row in rows if row["score"] == score}
            ships = ", ships" if score == item["score"] else ""
            cells = [_cell(found[signal], None) for signal in signals]
            lines.append(f"| `{name}` | `{score}`{ships} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(row: Mapping[str, Any], target: float | None) -> str:
    if target is None:
        return f"{row['auc']:.4f} [{row['auc_low']:.4f}, {row['auc_high']:.4f}]"
    point = _point(row, target)
    return f"{point['tpr']:.4f} [{point['low']:.4f}, {point['high']:.4f}]"


def _point(row: Mapping[str, Any], target: float) -> Mapping[str, Any]:
    point: Mapping[str, Any] = next(point for point in row["tpr"] if point["fpr_target"] == target)
    return point


def with_tables(page: str, data: Data) -> str:
    """The page with the tables of the data."""
    return between(page, "tables", tables(data))


def main() -> None:
    """Writes both files."""
    refresh(DATA, PAGE, entry, with_tables)


if __name__ == "__main__":
    main()
