"""What the scripts that refresh a page have in common: the part between two markers is theirs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trigger_ad.report.table import Table

ROOT = Path(__file__).resolve().parent.parent


def configurations() -> list[Path]:
    """Every configuration of one run, in the order of its name."""
    return [path for path in sorted((ROOT / "configs").glob("*.yaml")) if not path.name.startswith("scan_")]


def named_configurations() -> list[Path]:
    """Those that the command line names without folder and suffix, or all; ends the program at another name."""
    paths = configurations()
    wanted = set(sys.argv[1:]) or {path.stem for path in paths}
    unknown = wanted - {path.stem for path in paths}
    if unknown:
        sys.exit(f"configs/ has no {', '.join(sorted(unknown))}: name a configuration without its folder and suffix")
    return [path for path in paths if path.stem in wanted]


def read_data(path: Path) -> dict[str, Any]:
    """What earlier refreshes have read; nothing where there was none."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return data


def write_data(path: Path, data: dict[str, Any], page: Path, rendered: Callable[[str, dict[str, Any]], str]) -> None:
    """Writes the data and the page of it.

    Args:
        path: Of the data.
        data: What it holds from now on.
        page: Of the page.
        rendered: Gives the page with the data's tables.
    """
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    page.write_text(rendered(page.read_text(encoding="utf-8"), data), encoding="utf-8")


def by_configuration(data: dict[str, Any]) -> dict[str, Any]:
    """Data in the order of the configurations, without those that are no more."""
    return {path.stem: data[path.stem] for path in configurations() if path.stem in data}


def refresh(
    data: Path, page: Path, entry: Callable[[Path], Any], rendered: Callable[[str, dict[str, Any]], str]
) -> None:
    """Reads the runs of the configurations that the command line names, and writes data and page.

    Args:
        data: The file that keeps what was read of each configuration.
        page: Of the page.
        entry: Reads the run of a configuration.
        rendered: Gives the page with the data's tables.
    """
    found = read_data(data) | {path.stem: entry(path) for path in named_configurations()}
    write_data(data, by_configuration(found), page, rendered)


def table_markdown(table: Table, columns: int | None = None) -> str:
    """A table of a report, or its first columns, without its notes; numbers are set flush right."""
    sides = ["---" if number in table.text_columns else "---:" for number in range(len(table.columns))]
    rows = (table.columns, sides, *table.rows)
    return "".join(f"| {' | '.join(row[:columns])} |\n" for row in rows)


def between(page: str, name: str, text: str) -> str:
    """The page with another text between `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ValueError: A marker is not there exactly once.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page needs {begin!r} and {end!r} once each")
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}{text}{end}{tail}"
