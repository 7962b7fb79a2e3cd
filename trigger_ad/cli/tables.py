"""Tables in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as RichTable

if TYPE_CHECKING:
    from trigger_ad.report.table import Table


def show_tables(tables: Sequence[Table]) -> None:
    """Prints tables on standard output, as wide as they need to be where it is not a terminal."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200, highlight=False, markup=False)
    for table in tables:
        shown = RichTable(title=table.title, title_justify="left", caption="\n".join(table.notes) or None)
        for index, column in enumerate(table.columns):
            shown.add_column(column, justify="left" if index == 0 else "right")
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
