"""Tables of pairs: what quantization changed, and what the firmware accepts that a trivial score does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.events.quantities import QUANTITIES
from trigger_ad.report.inputs import Report
from trigger_ad.report.rows import signals
from trigger_ad.report.table import Table
from trigger_ad.report.wording import (
    UNKNOWN,
    count,
    difference_with_interval,
    model_title,
    percentage,
    power_of_ten,
    signal_title,
)

_PAIRED: Final = (
    "Both scores are of the same events: intervals are of the difference itself, 95 %, groups of related events taken "
    "together ({})."
)


def comparison_tables(report: Report) -> tuple[Table, ...]:
    """Differences between models, by area and by rate, then the firmware against trivial scores at each rate shown.

    Nothing for a report of an earlier version, which compared nothing in pairs.
    """
    if not report.get("differences"):
        return ()
    judged = report["verdict"]["fpr_target"]
    tables = [_model_table(report, None), *([] if judged is None else [_model_table(report, judged)])]
    for fpr in shown_shares(report):
        tables += [_rate_table(report, fpr), _events_table(report, fpr)]
    return tuple(table for table in tables if table.rows)


def shown_shares(report: Report) -> list[float]:
    """The shares of background at which trivial scores are compared: the verdict's, then those of the trigger menu."""
    judged = report["verdict"]["fpr_target"]
    menu = (report["trigger"] or {}).get("working_points", ())
    shares = [judged, *(point["fpr_target"] for point in menu if point["threshold_code"] is not None)]
    return list(dict.fromkeys(share for share in shares if share is not None))


def entries_by_pair(report: Report, *, trivial: bool) -> dict[tuple[str, str], dict[str, Mapping[str, Any]]]:
    """The entries of `differences` by model and reference, and then by signal: with trivial scores, or with models."""
    found: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for entry in report.get("differences") or ():
        if (entry["reference"] in BASELINE_TITLES) == trivial:
            found.setdefault((entry["model"], entry["reference"]), {})[entry["signal"]] = entry
    return found


def at_share(entry: Mapping[str, Any] | None, fpr: float) -> Mapping[str, Any] | None:
    """What an entry says of one share of background, if it was compared there."""
    return next((rate for rate in (entry or {"tpr": ()})["tpr"] if rate["fpr"] == fpr), None)


def _model_table(report: Report, fpr: float | None) -> Table:
    """Models less what they are made of: by area, or by true-positive rate at one share of background."""
    rows: list[tuple[str, ...]] = []
    methods: set[str] = set()
    for (model, reference), entries in entries_by_pair(report, trivial=False).items():
        cells = []
        for name in signals(report):
            found = entries.get(name) if fpr is None else at_share(entries.get(name), fpr)
            if found is None:
                cells.append(UNKNOWN)
                continue
            value = found["auc_difference" if fpr is None else "difference"]
            methods.add(found["method"])
            cells.append(difference_with_interval(value, found["low"], found["high"]))
        rows.append((f"{_title(report, model)} − {_title(report, reference)}", *cells))
    what = "Area under the ROC curve"
    if fpr is not None:
        what = f"True-positive rate where a share of exactly {power_of_ten(fpr)} of the test background passes"
    return Table(
        title=f"{what}: difference (95 %)",
        columns=("Models", *map(signal_title, signals(report))),
        rows=tuple(rows),
        notes=(_PAIRED.format("; ".join(sorted(methods))),),
    )


def _title(report: Report, model: str) -> str:
    return model_title(model, report.get("ships"))


def _rate_table(report: Report, fpr: float) -> Table:
    rows = [
        (
            BASELINE_TITLES[reference],
            *(
                UNKNOWN
                if (rate := at_share(entries.get(name), fpr)) is None
                else difference_with_interval(rate["difference"], rate["low"], rate["high"])
                for name in signals(report)
            ),
        )
        for (_, reference), entries in entries_by_pair(report, trivial=True).items()
    ]
    return Table(
        title=f"True-positive rate of the firmware less that of each trivial score, {share_title(report, fpr)}",
        columns=("Trivial score", *map(signal_title, signals(report))),
        rows=tuple(rows),
        notes=(
            "Where exactly this share of the test background passes both; above 0 the firmware accepts more.",
            *_left_out(report),
        ),
    )


def _left_out(report: Report) -> list[str]:
    """The trivial scores that the events lack the objects for."""
    measured = {reference for _, reference in entries_by_pair(report, trivial=True)}
    missing = [BASELINE_TITLES[name] for name in QUANTITIES if name not in measured]
    return [f"Left out, as the events have none of their objects: {', '.join(missing)}."] if missing else []


def _events_table(report: Report, fpr: float) -> Table:
    pairs = entries_by_pair(report, trivial=True)
    rows = [
        (BASELINE_TITLES[reference], *(_counts(at_share(entries.get(name), fpr)) for name in signals(report)))
        for (_, reference), entries in pairs.items()
    ]
    return Table(
        title=f"Signal events that only the firmware accepts, only the score, or both, {share_title(report, fpr)}",
        columns=("Trivial score", *map(signal_title, signals(report))),
        rows=tuple(rows),
        notes=(
            "Events that only the firmware accepts, with their share of all test events of the signal / only the "
            "trivial score / both. Each uses the threshold that validation background sets for this rate, so that the "
            "shares of test background that pass are not quite equal: see `FPR achieved`, in the tables of rates at a "
            "target.",
        ),
    )


def _counts(rate: Mapping[str, Any] | None) -> str:
    if rate is None:
        return UNKNOWN
    only = f"{count(rate['only_model'])} ({percentage(rate['only_model'] / rate['events'])})"
    return f"{only} / {count(rate['only_reference'])} / {count(rate['both'])}"


def share_title(report: Report, fpr: float) -> str:
    """A share of background in words, with the trigger rate that it is, if it is one."""
    points: Sequence[Mapping[str, Any]] = (report["trigger"] or {}).get("working_points", ())
    rate = next((point["rate_hz"] for point in points if point["fpr_target"] == fpr), None)
    return f"at a false-positive rate of {power_of_ten(fpr)}" + ("" if rate is None else f" ({rate:g} Hz)")
