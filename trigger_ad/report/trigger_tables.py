"""The trigger menu as tables: its working points, and the rate against the threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trigger_ad.report.inputs import Report
from trigger_ad.report.rows import signals
from trigger_ad.report.table import Table
from trigger_ad.report.wording import PROPORTION_METHOD, UNKNOWN, count, power_of_ten, rate_with_interval, signal_title

_CURVE_ROWS: Final = 12
"""Of the thresholds of the curve: report.json has them all."""


def trigger_tables(report: Report) -> tuple[Table, ...]:
    """The menu, and the rate against the threshold; nothing for a run without an input rate."""
    trigger = report["trigger"]
    return (_menu_table(report, trigger), _curve_table(trigger)) if trigger else ()


def hertz(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A rate with its interval, in three significant digits."""
    if value is None:
        return UNKNOWN
    return (
        f"{_digits(value)} Hz"
        if low is None or high is None
        else (f"{_digits(value)} [{_digits(low)}, {_digits(high)}] Hz")
    )


def _digits(value: float) -> str:
    """Three significant digits, without a power of ten up to the rates of a collider."""
    return f"{float(f'{value:.3g}'):,.15g}"


def _menu_table(report: Report, trigger: Mapping[str, Any]) -> Table:
    points = trigger["working_points"]
    refused = [point for point in points if point["reason"]]
    return Table(
        title=f"Trigger rates, of an input rate of {trigger['input_rate_hz']:,.15g} Hz",
        columns=(
            "Rate asked for",
            "False-positive rate",
            "Threshold code",
            "Rate on test background",
            "Validation events that carry it",
            "Test background accepted",
            *map(signal_title, signals(report)),
        ),
        rows=tuple(_menu_row(report, trigger, point) for point in points),
        notes=(
            "Rates are before overlap with other triggers. The input rate is that of events that pass the selection of "
            "the background sample, as the configuration assumes it: no sample says it. Codes are set on validation "
            "background; rates and true-positive rates are measured on test events, with 95 % intervals "
            f"({PROPORTION_METHOD}).",
            *(f"{point['rate_hz']:,.15g} Hz is not supported: {point['reason']}." for point in refused),
        ),
        row_tags={i: "firmware" for i, point in enumerate(points) if point["rate_hz"] == trigger["ships_rate_hz"]},
    )


def _menu_row(report: Report, trigger: Mapping[str, Any], point: Mapping[str, Any]) -> tuple[str, ...]:
    ships = ", ships" if point["rate_hz"] == trigger["ships_rate_hz"] else ""
    code = point["threshold_code"]
    rates = ((point["tpr"] or {}).get(name) for name in signals(report))
    return (
        f"{point['rate_hz']:,.15g} Hz{ships}",
        power_of_ten(point["fpr_target"]),
        # to be copied
        UNKNOWN if code is None else str(code),
        hertz(point["achieved_rate_hz"], point["rate_low_hz"], point["rate_high_hz"]),
        f"{count(point['validation_accepted'])} of {count(point['validation_events'])}",
        UNKNOWN if code is None else f"{count(point['background_accepted'])} of {count(point['background_events'])}",
        *(UNKNOWN if rate is None else rate_with_interval(rate["tpr"], rate["low"], rate["high"]) for rate in rates),
    )


def _curve_table(trigger: Mapping[str, Any]) -> Table:
    curve = trigger["curve"]
    last = len(curve["threshold_code"]) - 1
    steps = min(_CURVE_ROWS, last + 1)
    chosen = list(dict.fromkeys(round(step * last / max(1, steps - 1)) for step in range(steps)))
    return Table(
        title="Rate against threshold",
        columns=("Threshold code", "Rate on test background"),
        rows=tuple(
            (
                str(curve["threshold_code"][place]),
                hertz(curve["rate_hz"][place], curve["low"][place], curve["high"][place]),
            )
            for place in chosen
        ),
        notes=("Some of the curve's thresholds; `trigger.curve` in report.json has them all.",),
    )
