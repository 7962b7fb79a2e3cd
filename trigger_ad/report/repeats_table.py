"""How results spread over seeds, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trigger_ad.evaluation.spread import DIFFERENCE
from trigger_ad.report.inputs import Report
from trigger_ad.report.rows import signals
from trigger_ad.report.table import Table
from trigger_ad.report.wording import UNKNOWN, difference, model_title, power_of_ten, signal_title

_NOTES: Final = (
    "Mean ± standard deviation over the seeds [smallest, largest], on the same test events; rates where exactly this "
    "share of the test background passes each model.",
    "The difference is taken seed by seed. The firmware has the scores of the model that ships.",
)


def repeats_tables(report: Report) -> tuple[Table, ...]:
    """The spread of areas, and of true-positive rates where there are any; nothing where nothing was repeated."""
    repeats = report.get("repeats")
    if not repeats:
        return ()
    measured = dict.fromkeys(entry["measure"] for entry in repeats["spread"])
    return tuple(_table(report, repeats, measure) for measure in measured)


def _table(report: Report, repeats: Mapping[str, Any], measure: str) -> Table:
    entries = {(entry["model"], entry["signal"]): entry for entry in repeats["spread"] if entry["measure"] == measure}
    what = "Area under the ROC curve"
    if measure == "tpr":
        what = f"True-positive rate where a share of exactly {power_of_ten(repeats['fpr_target'])} of background passes"
    seeds = repeats["seeds"]
    return Table(
        title=f"{what}: {len(seeds)} trainings, seeds {seeds[0]} to {seeds[-1]}",
        columns=("Model", *map(signal_title, signals(report))),
        rows=tuple(
            (_title(report, model), *(_cell(entries.get((model, signal))) for signal in signals(report)))
            for model in dict.fromkeys(model for model, _ in entries)
        ),
        notes=_NOTES,
    )


def _title(report: Report, model: str) -> str:
    ships = report["ships"]
    if model == DIFFERENCE:
        return f"{model_title(ships, ships)} − {model_title('float', ships)}"
    return model_title(model, ships)


def _cell(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return UNKNOWN
    signed = entry["model"] == DIFFERENCE
    mean, low, high = (difference(entry[key]) if signed else f"{entry[key]:.4f}" for key in ("mean", "min", "max"))
    return f"{mean} ± {entry['standard_deviation']:.4f} [{low}, {high}]"
