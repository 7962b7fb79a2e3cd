"""The tables of performance and agreement as text: the same for the page, for Markdown and for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.models.scores import TITLES as SCORE_TITLES
from trigger_ad.report.inputs import Report, main_rows
from trigger_ad.report.wording import (
    BASELINE_MEANINGS,
    EMULATOR_TITLES,
    FOR_INFORMATION,
    MODEL_TITLES,
    UNKNOWN,
    count,
    decimals_of,
    difference,
    difference_with_interval,
    model_title,
    overflow_notes,
    percentage,
    power_of_ten,
    rate_with_interval,
    signal_title,
    text,
    with_interval,
)


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        title: One line.
        columns: Headings.
        rows: Cells; the first of each row names it. `UNKNOWN` stands for what is not known.
        notes: Lines to be read with the table; `backticks` mark commands and keys.
        text_columns: Columns of words, set flush left; the others are numbers.
        column_tags: What a column is, such as `estimate`, by its position.
        row_tags: What a row is, such as `firmware` or `trivial`, by its position.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    text_columns: frozenset[int] = frozenset({0})
    column_tags: Mapping[int, str] = field(default_factory=dict)
    row_tags: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of the table '{self.title}' has not one cell for each column")


def auc_table(report: Report) -> Table:
    """Areas under the ROC curve with intervals: models and trivial scores as rows, signals as columns.

    Args:
        report: The report; of one that is not complete yet, `performance` is enough.
    """
    areas = {(row["model"], row["signal"]): row for row in main_rows(report)}
    # the widest interval decides, so that no cell shows a digit that was not measured
    width = max((row["auc_high"] - row["auc_low"] for row in areas.values()), default=0.0)
    decimals = decimals_of(width, 3, 4)
    rows: list[tuple[str, ...]] = []
    tags: dict[int, str] = {}
    for model in _models(report):
        tags[len(rows)] = _row_tag(model)
        cells = (_area(areas.get((model, signal)), decimals) for signal in signals(report))
        rows.append((model_title(model, report.get("ships")), *cells))
        if model == "firmware":
            tags[len(rows)] = "loss"
            rows.append(("Loss, float to firmware", *(_loss(report, signal) for signal in signals(report))))
    methods = sorted({row["method"] for row in areas.values()})
    notes = [f"On test events, with 95 % intervals ({'; '.join(methods) or 'none measured'})."]
    if "loss" in tags.values():
        notes.append(_LOSS_NOTES[bool(report.get("differences"))])
    notes += [*_pruning_notes(report), *_baseline_notes(report)]
    return Table(
        title="Area under the ROC curve",
        columns=("Model", *map(signal_title, signals(report))),
        rows=tuple(rows),
        notes=tuple(notes),
        row_tags=tags,
    )


_LOSS_NOTES: Final = (
    "The loss is measured on the same events, which the separate intervals must not be used to judge.",
    "The loss is measured on the same events, and has an interval of its own.",
)
"""Of a report without paired intervals, as earlier versions made them, and of one that has them."""


def signals(report: Report) -> list[str]:
    """The signals of a report, in its order; those that have events but were not measured included."""
    names = [*report.get("events", {}).get("signals", {}), *(row["signal"] for row in main_rows(report))]
    return list(dict.fromkeys(names))


def quantization_losses(report: Report) -> dict[str, float]:
    """The float model's area less the firmware's, for each signal that both were measured for."""
    areas = {(row["model"], row["signal"]): row["auc"] for row in main_rows(report)}
    both = (name for name in signals(report) if {("float", name), ("firmware", name)} <= areas.keys())
    return {signal: areas["float", signal] - areas["firmware", signal] for signal in both}


def _loss(report: Report, signal: str) -> str:
    """The loss of area, with its interval where a report has it."""
    loss, interval = quantization_losses(report).get(signal), loss_interval(report, signal)
    return difference(loss) if loss is None or interval is None else difference_with_interval(loss, *interval)


def loss_interval(report: Report, signal: str) -> tuple[float, float] | None:
    """The paired interval of the float model's area less the firmware's; None where a report does not have it."""
    pair = ("firmware", "float", signal)
    found = (e for e in report.get("differences") or () if (e["model"], e["reference"], e["signal"]) == pair)
    entry = next(found, None)
    return None if entry is None else (-entry["high"], -entry["low"])


def rate_losses(report: Report) -> dict[str, float]:
    """The float model's true-positive rate less the firmware's where equal shares of background pass, by signal.

    The share is that of the verdict; empty where it has none, or where only one of them was measured.
    """
    target = report["verdict"]["fpr_target"]
    points, _ = _points_at(report, target)
    rates = {key: point["tpr_at_target"] for key, point in points.items()}
    both = (name for name in signals(report) if {("float", name), ("firmware", name)} <= rates.keys())
    return {signal: rates["float", signal] - rates["firmware", signal] for signal in both}


def fpr_targets(report: Report) -> list[float]:
    """The target false-positive rates that any model has, from the largest downwards."""
    return sorted({point["fpr_target"] for row in main_rows(report) for point in row["tpr"]}, reverse=True)


def tpr_tables(report: Report) -> tuple[Table, ...]:
    """One table of true-positive rates for each target false-positive rate, from the largest downwards."""
    tables = [tpr_table(report, target) for target in fpr_targets(report)]
    # the notes are the same for all, and stand under the last
    return (*(replace(table, notes=()) for table in tables[:-1]), *tables[-1:])


def tpr_table(report: Report, fpr_target: float | None = None) -> Table:
    """True-positive rates at one target false-positive rate, with what the threshold achieved on test background.

    Args:
        report: The report.
        fpr_target: The target; by default the smallest that the firmware has, or else any model.
    """
    target = _default_target(report) if fpr_target is None else fpr_target
    refused = tuple(
        f"A target of {power_of_ten(item['fpr_target'])} is not supported: {item['reason']}."
        for item in report["unsupported_targets"]
    )
    if target is None:
        return Table("True-positive rate", ("Model",), (), ("No target false-positive rate is supported.", *refused))
    points, models = _points_at(report, target)
    return Table(
        title=f"True-positive rate at a target false-positive rate of {power_of_ten(target)}",
        columns=("Model", *map(signal_title, signals(report)), "FPR achieved", "Accepted", "Threshold"),
        rows=tuple(_rate_row(model, points, report) for model in models),
        notes=(
            "Thresholds are set on validation background, rates measured on test events with 95 % intervals "
            "(Clopper-Pearson). An event is accepted when its score is greater than the threshold; the firmware's is "
            "an integer code. Accepted counts test background.",
            "The intervals of both rates are those of the threshold as it stands: by how much another validation "
            "background would have moved it is in neither. Where few events are accepted that matters most.",
            "Rates are shares of the background sample. Where that has passed a selection of its own, as the shipped "
            "one has, they are no shares of the 40 MHz of collisions.",
            *refused,
        ),
        row_tags={index: _row_tag(model) for index, model in enumerate(models)},
    )


def _points_at(report: Report, target: float | None) -> tuple[dict[tuple[str, str], Mapping[str, Any]], list[str]]:
    """The working points at one target by model and signal, and the models that have any, in the order of tables."""
    points = {
        (row["model"], row["signal"]): point
        for row in main_rows(report)
        for point in row["tpr"]
        if point["fpr_target"] == target
    }
    return points, [model for model in _models(report) if any((model, name) in points for name in signals(report))]


def equal_rate_tables(report: Report) -> tuple[Table, ...]:
    """What the verdict compares, and the same at every other target: rates where equal shares of background pass.

    Values have no intervals of their own: those of the working point at the same target are about as wide.
    """
    judged = report["verdict"]["fpr_target"]
    others = [target for target in fpr_targets(report) if target != judged]
    tables = [_equal_rate_table(report, target) for target in ([] if judged is None else [judged, *others])]
    # the notes hold for all, and stand under the first, which is what the verdict compares
    return (*(replace(table, notes=_EQUAL_RATE_NOTES) for table in tables[:1]), *tables[1:])


_EQUAL_RATE_NOTES: Final = (
    "What the verdict compares: measured values decide, and no significance is claimed.",
    "No trigger can set these thresholds, which are chosen on the events that they are measured on.",
)


def _equal_rate_table(report: Report, target: float) -> Table:
    points, models = _points_at(report, target)
    return Table(
        title=f"True-positive rate where a share of exactly {power_of_ten(target)} of the test background passes",
        columns=("Model", *map(signal_title, signals(report))),
        rows=tuple(
            (
                model_title(model, report.get("ships")),
                *(
                    UNKNOWN if (point := points.get((model, signal))) is None else f"{point['tpr_at_target']:.4f}"
                    for signal in signals(report)
                ),
            )
            for model in models
        ),
        row_tags={index: _row_tag(model) for index, model in enumerate(models)},
    )


def score_tables(report: Report) -> tuple[Table, ...]:
    """Every score that the float model offers, by area and by true-positive rate; nothing where there is only one."""
    rows = {(row["score"], row["signal"]): row for row in report["performance"] if row["model"] == "float"}
    names = list(dict.fromkeys(score for score, _ in rows))
    if len(names) < 2:
        return ()
    names.sort(key=lambda name: name != report["score"])
    target, columns = _default_target(report), ("Score", *map(signal_title, signals(report)))
    areas = Table(
        title="Scores of the float model: area under the ROC curve",
        columns=columns,
        rows=tuple((_score_title(n, report), *(_area(rows.get((n, s)), 4) for s in signals(report))) for n in names),
        notes=("The firmware computes one of them, marked `ships`; some exist in software alone.",),
        row_tags={0: "firmware"},
    )
    if target is None:
        return (areas,)
    rates = Table(
        title=f"Scores of the float model: true-positive rate at a false-positive rate of {power_of_ten(target)}",
        columns=columns,
        rows=tuple(
            (_score_title(n, report), *(_rate(rows.get((n, s)), target) for s in signals(report))) for n in names
        ),
        row_tags={0: "firmware"},
    )
    return (areas, rates)


def _score_title(score: str, report: Report) -> str:
    title = SCORE_TITLES.get(score, score)
    return f"{title}, ships" if score == report["score"] else title


def _rate(row: Mapping[str, Any] | None, target: float) -> str:
    point = next((point for point in (row or {"tpr": ()})["tpr"] if point["fpr_target"] == target), None)
    return UNKNOWN if point is None else rate_with_interval(point["tpr"], point["low"], point["high"])


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


def _models(report: Report) -> list[str]:
    """Every model that was measured: ours first, then any other, then trivial scores."""
    measured = dict.fromkeys(row["model"] for row in main_rows(report))
    ours = [model for model in MODEL_TITLES if model in measured and model not in BASELINE_TITLES]
    others = [model for model in measured if model not in MODEL_TITLES]
    return [*ours, *others, *(model for model in BASELINE_TITLES if model in measured)]


def _pruning_notes(report: Report) -> list[str]:
    """That the float model is pruned already, so that what pruning costs is no part of the loss."""
    pruning = report.get("config", {}).get("training", {}).get("pruning")
    if not pruning:
        return []
    return [
        f"{MODEL_TITLES['float']} is pruned: {percentage(pruning['sparsity'])} of each kernel was set to 0 while it "
        "was trained, and quantization rounds more to 0."
    ]


def _baseline_notes(report: Report) -> list[str]:
    """What the trivial scores are that were measured."""
    measured = [model for model in _models(report) if model in BASELINE_TITLES]
    told = "; ".join(f"{BASELINE_TITLES[model]} is {BASELINE_MEANINGS[model]}" for model in measured)
    return [f"Trivial scores need no network: {told}."] if told else []


def _row_tag(model: str) -> str:
    if model in BASELINE_TITLES:
        return "trivial"
    return "firmware" if model == "firmware" else "model"


def _area(row: Mapping[str, Any] | None, decimals: int) -> str:
    if row is None or row["auc"] is None:
        return UNKNOWN
    return with_interval(row["auc"], row["auc_low"], row["auc_high"], decimals)


def _default_target(report: Report) -> float | None:
    own = [point["fpr_target"] for row in main_rows(report) if row["model"] == "firmware" for point in row["tpr"]]
    return min(own or fpr_targets(report), default=None)


def _rate_row(model: str, points: Mapping[tuple[str, str], Mapping[str, Any]], report: Report) -> tuple[str, ...]:
    found = [points.get((model, signal)) for signal in signals(report)]
    rates = [UNKNOWN if p is None else rate_with_interval(p["tpr"], p["low"], p["high"]) for p in found]
    # background and threshold are the same whatever the signal
    point = next(point for point in found if point is not None)
    achieved = rate_with_interval(point["fpr"], point["fpr_low"], point["fpr_high"])
    title = model_title(model, report.get("ships"))
    return (title, *rates, achieved, count(point["background_accepted"]), _threshold(point.get("threshold")))


def _threshold(value: float | None) -> str:
    """An integer code is written out, to be copied; a float threshold only says where it is."""
    if value is None:
        return UNKNOWN
    return str(value) if isinstance(value, int) else f"{value:.4g}"


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
