"""The first lines of a report: the verdict, whether the firmware was proven equal, and what quantization cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trigger_ad.evaluation.baselines import BASELINE_TITLES
from trigger_ad.report.agreement_table import must_agree
from trigger_ad.report.budget_table import exceeded, excess
from trigger_ad.report.comparison_tables import at_share, entries_by_pair
from trigger_ad.report.inputs import Report, main_rows
from trigger_ad.report.losses import REFERENCES, area_losses, loss_interval, rate_losses, references
from trigger_ad.report.rows import fpr_targets, points_at, signals
from trigger_ad.report.wording import (
    EMULATOR_TITLES,
    count,
    difference,
    difference_with_interval,
    nanoseconds,
    percentage,
    power_of_ten,
    signal_title,
)


@dataclass(frozen=True)
class Fact:
    """One key fact.

    Attributes:
        label: What it is about.
        value: The figure, short.
        detail: What the figure rests on.
        good: Whether it is as it should be; None where that is not for the report to judge.
    """

    label: str
    value: str
    detail: str
    good: bool | None


def key_facts(report: Report) -> list[Fact]:
    """How sure the verdict is, whether the emulators agree, the largest losses, what the RTL takes, and the budget."""
    losses = [fact(report, name) for name in references(report) for fact in (_loss_fact, _rate_fact)]
    facts = (lead_fact(report), _agreement_fact(report), *losses, cost_fact(report), _budget_fact(report))
    return [fact for fact in facts if fact is not None]


def verdict_line(report: Report) -> str:
    """The verdict in three words, and the sentence that says why."""
    return f"{verdict_words(report)} {report['verdict']['sentence']}"


def verdict_words(report: Report) -> str:
    """Whether the firmware is better than scores that need no network."""
    return "Better than trivial scores." if report["verdict"]["worth_shipping"] else "NOT better than trivial scores."


def lead_fact(report: Report) -> Fact | None:
    """How sure the verdict is: the firmware's lead over the best trivial score, and whether it holds at other rates.

    None for a report without a common false-positive rate, or of a version that compared nothing in pairs.
    """
    judged = report["verdict"]["fpr_target"]
    pairs = entries_by_pair(report, trivial=True)
    if judged is None or not pairs:
        return None
    leads = {}
    for name in signals(report):
        rates = [at_share(entries.get(name), judged) for entries in pairs.values()]
        found = [rate for rate in rates if rate is not None]
        if found:
            leads[name] = min(found, key=lambda rate: float(rate["difference"]))
    sure = sum(rate["low"] > 0 for rate in leads.values())
    details = [
        f"{signal_title(name)} {difference_with_interval(rate['difference'], rate['low'], rate['high'])}"
        for name, rate in leads.items()
    ]
    others = [
        f"{_ahead(report, target)} of {len(leads)} at {power_of_ten(target)}"
        for target in fpr_targets(report)
        if target != judged
    ]
    if others:
        details.append(f"ahead of all trivial scores at other rates: {', '.join(others)}")
    return Fact(
        f"Lead over the best trivial score at {power_of_ten(judged)} of background, by signal",
        f"significant for {sure} of {len(leads)}",
        "; ".join(details),
        None,
    )


def _ahead(report: Report, target: float) -> int:
    """For how many signals the firmware accepts more than every trivial score where a share of background passes."""
    points, models = points_at(report, target)
    trivial = [model for model in models if model in BASELINE_TITLES]
    return sum(
        all(own["tpr_at_target"] > points[model, name]["tpr_at_target"] for model in trivial if (model, name) in points)
        for name in signals(report)
        if (own := points.get(("firmware", name))) is not None
    )


def cost_fact(report: Report) -> Fact | None:
    """Latency and look-up tables of the RTL, as far as they were measured; None if neither was."""
    entries = {entry["source"]: entry for entry in report["hardware"] if entry["flow"] == "rtl"}
    values, details = [], []
    if clocks := entries.get("verilator"):
        values.append(f"{count(clocks['latency_cycles'])} clocks")
        details.append(
            f"{clocks['tool']}: latency {count(clocks['latency_cycles'])} clocks, {nanoseconds(clocks)}; "
            f"interval {count(clocks['ii_cycles'])}{_long_stages(report)}"
        )
    if cells := entries.get("yosys"):
        values.append(f"{count(cells['lut'])} LUT")
        details.append(f"{cells['tool']}: {', '.join(_resource(cells, name) for name in ('lut', 'ff', 'dsp'))}")
    return Fact("RTL, measured", ", ".join(values), "; ".join(details), None) if values else None


def _long_stages(report: Report) -> str:
    """How many stages are estimated to take longer than the clock, if any are."""
    pipeline = report.get("pipeline")
    if not pipeline:
        return ""
    limit = pipeline["clock_ns"] * pipeline["units_per_ns"]
    over = sum(stage["delay"] > limit for stage in pipeline["stages"])
    return f"; {over} of {len(pipeline['stages'])} stages estimated to be longer than the clock" if over else ""


def _budget_fact(report: Report) -> Fact | None:
    """Whether measured figures are over their limits; None where nothing is limited."""
    lines = report.get("budget") or ()
    if not lines:
        return None
    over = [line for line in lines if exceeded(line)]
    if over:
        found = "; ".join(excess(line) for line in over)
        return Fact("Budget", f"EXCEEDED in {count(len(over))} of {count(len(lines))} figures", found, False)
    kept = [line for line in lines if line["within"] and not line["estimated"]]
    is_all = len(kept) == len(lines)
    details = [] if is_all else ["the others are estimated or not known"]
    if any(line["clock_status"] == "assumed" for line in kept):
        details.append("nanoseconds are at a clock that is assumed")
    of = f"all {count(len(lines))}" if is_all else f"{count(len(kept))} of {count(len(lines))}"
    return Fact("Budget", f"kept in {of} figures", "; ".join(details) or "all were measured", is_all or None)


def _resource(entry: Mapping[str, Any], name: str) -> str:
    share = (entry["utilisation"] or {}).get(name)
    return f"{count(entry[name])} {name.upper()}" + ("" if share is None else f" ({percentage(share)})")


def _agreement_fact(report: Report) -> Fact:
    emulators = {name: entry for name, entry in report["agreement"]["emulators"].items() if must_agree(name, entry)}
    label = "Mismatches against the exact integer reference"
    if not emulators:
        return Fact(label, "not checked", "No emulator has run: nothing shows that the firmware decides alike.", False)
    tallies = [_tally(name, entry) for name, entry in emulators.items()]
    stale = report["agreement"].get("vectors_expected_differ")
    if stale:
        tallies.append(f"the expected words of {count(stale)} shipped vectors are not the reference's")
    # an unknown number of mismatches is worse than none, and must not hide behind it
    worst = max(emulators.values(), key=lambda entry: 0.5 if entry["mismatches"] is None else entry["mismatches"])
    value = f"{count(worst['mismatches'])} of {count(worst['events'])} vectors"
    exact = not stale and all(entry["exact"] is True for entry in emulators.values())
    return Fact(label, value, "; ".join(tallies), exact)


def _tally(name: str, entry: Mapping[str, Any]) -> str:
    tally = f"{EMULATOR_TITLES.get(name, name)}: {count(entry['mismatches'])} of {count(entry['events'])} vectors"
    alone = entry.get("alone") or {}
    if alone.get("mismatches"):
        tally += f", and {count(alone['mismatches'])} where layers are driven alone"
    return f"{tally}, its test bench FAILS" if entry.get("test_bench_passed") is False else tally


def _loss_fact(report: Report, reference: str) -> Fact:
    title = REFERENCES[reference]
    label = f"Largest AUC loss from {title} to firmware"
    losses = area_losses(report, reference)
    if not losses:
        return Fact(label, "not known", "Float and firmware were not both measured.", None)
    signal = max(losses, key=lambda name: losses[name])
    areas = {row["model"]: row["auc"] for row in main_rows(report) if row["signal"] == signal}
    detail = (
        f"{signal_title(signal)}: {areas[reference]:.4f} {title}, {areas['firmware']:.4f} firmware, on the same events"
    )
    interval = loss_interval(report, signal, reference)
    if interval:
        detail += f"; 95 % interval of the loss {difference(interval[0])} to {difference(interval[1])}"
    return Fact(label, difference(losses[signal]), detail, None)


def _rate_fact(report: Report, reference: str) -> Fact | None:
    losses = rate_losses(report, reference)
    if not losses:
        return None
    share = power_of_ten(report["verdict"]["fpr_target"])
    signal = max(losses, key=lambda name: losses[name])
    detail = f"{signal_title(signal)}, where exactly {share} of the test background passes"
    label = f"Largest loss of true-positive rate from {REFERENCES[reference]} to firmware"
    return Fact(label, difference(losses[signal]), detail, None)
