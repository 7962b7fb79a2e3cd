"""What a scan found: the points, those that none is better than, and the one that is chosen, as JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from trigger_ad import __version__
from trigger_ad.config import Config
from trigger_ad.pipeline.report import rows_of, stored_scores
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory
from trigger_ad.scan.objectives import Objective, by_estimate, front_of, over_budget
from trigger_ad.scan.schedule import Entry
from trigger_ad.synthesis.budgets import limits_of

SCHEMA: Final = 1


def point_json(entry: Entry, objectives: Sequence[Objective], folder: Path) -> dict[str, Any]:
    """An entry of points.json and of pareto.json.

    Args:
        entry: The point.
        objectives: Whose values it shows.
        folder: The scan's.
    """
    over = over_budget(entry.point.config, entry.figures) if entry.state == "done" else None
    return {
        "name": entry.point.name,
        "settings": entry.point.settings,
        "keys": entry.point.keys,
        "state": entry.state,
        "reason": entry.reason,
        "seconds": round(entry.seconds, 3),
        "shared": {stage: owner for stage, owner in entry.owners.items() if owner != entry.point.name},
        "figures": entry.figures,
        "models": entry.comparisons,
        "objectives": {item.key: entry.figures.get(item.key) for item in objectives},
        "over_budget": over,
        "by_estimate": by_estimate(entry.point.config, entry.figures),
        "command": f"trigger-ad run {folder / entry.point.name / 'config.yaml'}",
        "directory": str(folder / entry.point.name),
    }


def pareto_json(
    name: str, base: Config, objectives: Sequence[Objective], entries: Sequence[Entry], folder: Path
) -> dict[str, Any]:
    """The content of pareto.json, but for what the chosen point does on test events.

    Args:
        name: Of the scan.
        base: The base configuration, whose budget is shown.
        objectives: What was made large or small.
        entries: The points, ended.
        folder: The scan's.
    """
    points = {entry.point.name: point_json(entry, objectives, folder) for entry in entries}
    values = {
        key: list(point["objectives"].values()) for key, point in points.items() if _is_known(point["objectives"])
    }
    front = front_of(values, objectives)
    chosen, why = _chosen(front, points)
    return {
        "schema": SCHEMA,
        "name": name,
        "version": __version__,
        "base": base.name,
        "events": "validation",
        "objectives": [item.to_json() for item in objectives],
        "budget": limits_of(base.budget, base.firmware.part),
        "points": [point | {"on_front": point["name"] in front} for point in points.values()],
        "front": front,
        "chosen": chosen,
        "why": why,
        "test": None,
        "curve": curve_of(entries),
    }


def _is_known(objectives: Mapping[str, float | None]) -> bool:
    return bool(objectives) and None not in objectives.values()


def _chosen(front: Sequence[str], points: Mapping[str, Mapping[str, Any]]) -> tuple[str | None, str]:
    """The best point of the front, by the first objective, of those within their budget; and why it is that one."""
    if not front:
        return None, "no point has every objective"
    within = [name for name in front if not points[name]["over_budget"]]
    if not within:
        return None, "every point of the front is over the budget"
    chosen = points[within[0]]
    how = "; not every figure of its budget is known" if chosen["over_budget"] is None else ""
    if guessed := chosen["by_estimate"]:
        how += f"; by estimate, as nothing has counted its {' and '.join(guessed)}"
    return within[0], f"the best of the front by the first objective, of those that are not over the budget{how}"


def curve_of(entries: Sequence[Entry]) -> dict[str, Any] | None:
    """The models of each point against the one number that tells the points apart, if there is one.

    Returns:
        The axis, and for each point its value, the areas under the ROC curve and the firmware's figures, in the order
        of the values; None where several axes differ, or the one is no number.
    """
    done = [entry for entry in entries if entry.state == "done"]
    axes = {axis for entry in entries for axis in entry.point.settings}
    varied = [axis for axis in axes if len({str(entry.point.settings.get(axis)) for entry in entries}) > 1]
    if len(varied) != 1 or not all(_is_number(entry.point.settings.get(varied[0])) for entry in entries):
        return None
    (axis,) = varied
    keys = dict.fromkeys(key for entry in entries for key in entry.point.keys)
    kept = ("lut", "lut_estimate", "latency_cycles")
    return {
        "axis": axis,
        "keys": [key for key in keys if len({str(entry.point.keys.get(key)) for entry in entries}) > 1],
        "points": [
            {
                "name": entry.point.name,
                "value": entry.point.settings[axis],
                "models": entry.comparisons,
                "figures": {key: entry.figures.get(key) for key in kept},
            }
            for entry in sorted(done, key=lambda entry: entry.point.settings[axis])
        ],
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def on_test_events(entry: Entry, folder: Path) -> list[dict[str, Any]]:
    """What the chosen point's models do on test events, as `performance` of report.json has it.

    Args:
        entry: The point, done.
        folder: The scan's.
    """
    run = Run(entry.point.config, RunDirectory(folder / entry.point.name))
    shown = {"float", run.config.quantization.ship}
    scores = {
        key: values for key, values in stored_scores(run).items() if key[0] in shown and key[1] == run.config.score
    }
    return [row.to_json() for row in rows_of(scores, run.dataset)]


def pareto_csv(pareto: Mapping[str, Any]) -> str:
    """The points as a table: settings, objectives, every other figure; empty for what is not known."""
    points = pareto["points"]
    settings = list(dict.fromkeys(axis for point in points for axis in point["settings"]))
    objectives = [item["key"] for item in pareto["objectives"]]
    figures = list(dict.fromkeys(key for point in points for key in point["figures"] if key not in objectives))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["name", *settings, *objectives, *figures, "on_front", "chosen", "state", "seconds", "command"])
    for point in points:
        writer.writerow(
            [
                point["name"],
                *(point["settings"].get(axis) for axis in settings),
                *(point["objectives"].get(key) for key in objectives),
                *(point["figures"].get(key) for key in figures),
                int(point["on_front"]),
                int(point["name"] == pareto["chosen"]),
                point["state"],
                point["seconds"],
                point["command"],
            ]
        )
    return stream.getvalue()
