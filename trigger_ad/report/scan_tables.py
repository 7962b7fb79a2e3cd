"""What a scan found as tables of text: the front, every point, the chosen point on test events, the curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trigger_ad.report.table import Table
from trigger_ad.report.wording import (
    UNKNOWN,
    model_title,
    power_of_ten,
    rate_with_interval,
    seconds,
    signal_title,
    text,
    with_interval,
)

Pareto = Mapping[str, Any]
"""The content of pareto.json."""

FIGURE_TITLES: Final = {
    "lut": "LUT (Yosys)",
    "lut_estimate": "LUT (estimate)",
    "ff": "FF (Yosys)",
    "dsp": "DSP (Yosys)",
    "bram": "BRAM (Yosys)",
    "latency_cycles": "Cycles",
    "latency_ns": "Latency (ns)",
    "ii_cycles": "Clocks from event to event",
}
"""Each figure with its source: what was counted and what was estimated are never one column."""


def front_table(pareto: Pareto) -> Table:
    """The points that none is better than, the best by the first objective first."""
    by_name = {point["name"]: point for point in pareto["points"]}
    others = [key for key in FIGURE_TITLES if key not in _objective_keys(pareto) and _has(pareto, key)]
    rows = [_front_row(pareto, by_name[name], others) for name in pareto["front"]]
    titles = [item["title"] for item in pareto["objectives"]]
    return Table(
        title="The front: points that none is better than",
        columns=("Point", *titles, *(FIGURE_TITLES[key] for key in others), *_budget_column(pareto), "Chosen"),
        rows=tuple(rows),
        notes=(
            "AUC and TPR are of the quantized model that ships, on validation events: neighbours on the front may "
            "differ by chance. `models` of each point in pareto.json has the 95 % interval of each AUC.",
        ),
    )


def _front_row(pareto: Pareto, point: Mapping[str, Any], others: Sequence[str]) -> tuple[str, ...]:
    values = [*point["objectives"].values(), *(point["figures"].get(key) for key in others)]
    return (
        point["name"],
        *map(text, values),
        *([_within(point)] if pareto["budget"] else []),
        "chosen" if point["name"] == pareto["chosen"] else "",
    )


def _budget_column(pareto: Pareto) -> list[str]:
    return ["Within budget"] if pareto["budget"] else []


def _within(point: Mapping[str, Any]) -> str:
    """Whether a point is within its budget, and whether that rests on an estimate."""
    over, guessed = point["over_budget"], point["by_estimate"]
    if over is None:
        return UNKNOWN
    word, rests = ("NO", set(over) <= set(guessed)) if over else ("yes", bool(guessed))
    return f"{word}, by estimate" if rests else word


def _objective_keys(pareto: Pareto) -> list[str]:
    return [item["key"] for item in pareto["objectives"]]


def _has(pareto: Pareto, key: str) -> bool:
    return any(point["figures"].get(key) is not None for point in pareto["points"])


def points_table(pareto: Pareto) -> Table:
    """Every point: what it sets, what became of it, and how it is made again."""
    axes = list(dict.fromkeys(axis for point in pareto["points"] for axis in point["settings"]))
    rows = [
        (
            point["name"],
            *(_setting(point["settings"], axis) for axis in axes),
            *(text(point["objectives"].get(key)) for key in _objective_keys(pareto)),
            point["state"] if point["state"] == "done" else f"{point['state']}: {point['reason']}",
            seconds(point["seconds"]),
            f"{point['command']}",
        )
        for point in pareto["points"]
    ]
    titles = [item["title"] for item in pareto["objectives"]]
    last = 1 + len(axes) + len(titles)
    return Table(
        title="Every point",
        columns=("Point", *axes, *titles, "State", "Seconds", "Made again by"),
        rows=tuple(rows),
        notes=(
            "Seconds are those that workers took, without what another point had made before. A run directory goes on "
            "from where the scan left it, as far as its report, with `trigger-ad report DIRECTORY`.",
        ),
        text_columns=frozenset({0, last, last + 2}),
    )


def _setting(settings: Mapping[str, Any], axis: str) -> str:
    return text(settings[axis]) if axis in settings else UNKNOWN


def chosen_table(pareto: Pareto) -> Table | None:
    """The chosen point on test events, which nothing was chosen by; None where no point is chosen."""
    rows = pareto["test"]
    if not rows:
        return None
    targets = sorted({point["fpr_target"] for row in rows for point in row["tpr"]}, reverse=True)
    return Table(
        title=f"{pareto['chosen']} on test events",
        columns=("Model, signal", "AUC", *(f"TPR at FPR {power_of_ten(target)}" for target in targets)),
        rows=tuple(_test_row(row, targets) for row in rows),
        notes=("With 95 % intervals. No choice was made by these events.",),
    )


def _test_row(row: Mapping[str, Any], targets: Sequence[float]) -> tuple[str, ...]:
    points = {point["fpr_target"]: point for point in row["tpr"]}
    rates = [_rate(points.get(target)) for target in targets]
    area = with_interval(row["auc"], row["auc_low"], row["auc_high"], 4)
    return (f"{model_title(row['model'])}, {signal_title(row['signal'])}", area, *rates)


def _rate(point: Mapping[str, Any] | None) -> str:
    """The rate of one working point; what few equal scores rule out for one model need not be for another."""
    return UNKNOWN if point is None else rate_with_interval(point["tpr"], point["low"], point["high"])


def curve_table(pareto: Pareto) -> Table | None:
    """AUC of the quantized models relative to the float one, against what tells the points apart."""
    curve = pareto["curve"]
    if not curve or not curve["points"]:
        return None
    relative = [row for row in curve["points"][0]["models"] if row["model"] != "float"]
    columns = [(row["model"], row["signal"]) for row in relative]
    figures = [key for key in ("lut", "lut_estimate", "latency_cycles") if _has(pareto, key)]
    return Table(
        title="AUC relative to the float model",
        columns=(
            curve["axis"],
            *(f"{model.upper()}, {signal_title(signal)}" for model, signal in columns),
            *(FIGURE_TITLES[key] for key in figures),
        ),
        rows=tuple(_curve_row(point, columns, figures) for point in curve["points"]),
        notes=(
            "On validation events, with 95 % intervals of the ratio (DeLong's covariance of both areas by group, "
            "logarithmic scale): the same events are seen by both models.",
        ),
    )


def _curve_row(point: Mapping[str, Any], columns: Sequence[tuple[str, str]], figures: Sequence[str]) -> tuple[str, ...]:
    rows = {(row["model"], row["signal"]): row for row in point["models"]}
    ratios = [rows[column] for column in columns]
    cells = [_ratio(row) for row in ratios]
    return (text(point["value"]), *cells, *(text(point["figures"][key]) for key in figures))


def _ratio(row: Mapping[str, Any]) -> str:
    ratio, low, high = (row[f"relative_{key}"] for key in ("ratio", "low", "high"))
    return text(ratio) if low is None else with_interval(ratio, low, high, 4)


def choice_words(pareto: Pareto) -> str:
    """Which point is chosen, and why, in one line."""
    if pareto["chosen"] is None:
        return f"No point is chosen: {pareto['why']}."
    return f"Chosen: {pareto['chosen']}, {pareto['why']}."


def failures(pareto: Pareto) -> list[str]:
    """A line for each point that failed."""
    return [f"{point['name']} failed: {point['reason']}" for point in pareto["points"] if point["state"] == "failed"]
