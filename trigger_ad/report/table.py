"""A table of text, the same for the page, for Markdown and for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
