"""What every figure says of the events that it was made of."""

from __future__ import annotations

from trigger_ad.report.inputs import Report, is_shipped_sample
from trigger_ad.report.wording import source_title


def events_mark(report: Report) -> str:
    """What the events of a figure are."""
    if is_shipped_sample(report):
        return "simulated events: trigger-ad sample"
    source = report["events"]["background"]["source"]
    return f"events: {source_title(source) if source else 'source not known'}"
