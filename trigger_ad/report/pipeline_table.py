"""The stages of the RTL's pipeline as text: what each holds, and how long its logic takes by what is known of it."""

from __future__ import annotations

from trigger_ad.report.inputs import Report
from trigger_ad.report.table import Table
from trigger_ad.report.wording import UNKNOWN, count


def pipeline_table(report: Report) -> Table | None:
    """One row for each stage; None where there is no RTL."""
    pipeline = report.get("pipeline")
    if not pipeline:
        return None
    mapped = next((entry["stages"] for entry in report["hardware"] if entry.get("stages")), None)
    paths = mapped or [None] * len(pipeline["stages"])
    rows = []
    for number, (stage, path) in enumerate(zip(pipeline["stages"], paths, strict=True), start=1):
        levels = (UNKNOWN, UNKNOWN, UNKNOWN)
        if path is not None:
            levels = (count(path["tables"]), count(path["carry_chains"]), f"{path['cell_delay_ns']:.1f}")
        rows.append((str(number), count(stage["register_bits"]), count(stage["operations"]), *levels))
    return Table(
        title="Pipeline stages of the RTL",
        columns=("Stage", "Bits that enter", "Operations", "LUT levels", "Carry chains", "Cell delay (ns)"),
        rows=tuple(rows),
        notes=(
            "A hint on timing, and no timing analysis: LUT levels and carry chains are those of the longest path of "
            "the netlist that Yosys has mapped, the delay is of its cells on an Artix-7, without wires, which take as "
            "long again or longer, and without the comparison with the threshold, behind the last stage. No clock is "
            "shown to be met by it.",
        ),
    )
