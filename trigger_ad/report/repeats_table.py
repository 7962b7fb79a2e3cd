"""How results spread over seeds, as a table of text and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trigger_ad.report.table import Table
from trigger_ad.report.wording import signal_title

_TITLES: Final = {"float": "float", "firmware": "firmware", "difference": "float - firmware"}

_FIGURES: Final = ("mean", "standard_deviation", "min", "max")


def repeats_table(repeats: Mapping[str, Any]) -> Table:
    """The spread of areas under the ROC curve over seeds.

    Args:
        repeats: The content of results/repeats.json.
    """
    seeds = repeats["seeds"]
    rows = [
        (f"{signal_title(signal)}, {_TITLES[what]}", *(f"{own[key]:.4f}" for key in _FIGURES))
        for signal, models in repeats["spread"].items()
        for what, own in models.items()
    ]
    return Table(
        title=f"AUC on test events over {len(seeds)} seeds ({seeds[0]} to {seeds[-1]})",
        columns=("Signal, model", "Mean", "Standard deviation", "Smallest", "Largest"),
        rows=tuple(rows),
        notes=("The difference is taken seed by seed: both models have seen the same events and begin the same.",),
    )


def repeats_markdown(repeats: Mapping[str, Any]) -> str:
    """The same as a page of Markdown."""
    table = repeats_table(repeats)
    lines = [f"# {repeats['name']}: spread over seeds", "", table.title, ""]
    lines += [f"| {' | '.join(cells)} |" for cells in (table.columns, ["---"] * len(table.columns), *table.rows)]
    return "\n".join([*lines, "", *table.notes]) + "\n"
