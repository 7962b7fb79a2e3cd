"""Copies what scans of configs/ found into docs/example_scans, and the quantization curve into its page.

python docs/refresh_scans.py hls_projects/scan_bits hls_projects/scan_student

Of a scan it keeps pareto.json and the figures; of the point that it chose, report.json, where that run has one. The
figures of the tutorial are then written by `refresh_tutorial.py`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Final

from pages import ROOT, between, read_data, table_markdown

from trigger_ad.report.scan_tables import curve_table

EXAMPLES: Final = ROOT / "docs" / "example_scans"
PAGE: Final = ROOT / "docs" / "quantization.md"


def keep(folder: Path) -> None:
    """Copies what is kept of a scan."""
    kept = EXAMPLES / folder.name
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    shutil.copy(folder / "pareto.json", kept)
    for figure in (folder / "figures").iterdir():
        shutil.copy(figure, kept)
    report = folder / str(read_data(folder / "pareto.json")["chosen"]) / "report.json"
    if report.exists():
        shutil.copy(report, kept)


def with_curve(page: str, pareto: dict[str, Any]) -> str:
    """The page with the curve of a scan over one number."""
    table = curve_table(pareto)
    assert table is not None
    return between(page, "curve", table_markdown(table))


def main() -> None:
    """Keeps the scans that the command line names, and writes the page."""
    for name in sys.argv[1:]:
        keep(Path(name))
    pareto = read_data(EXAMPLES / "scan_bits" / "pareto.json")
    PAGE.write_text(with_curve(PAGE.read_text(encoding="utf-8"), pareto), encoding="utf-8")


if __name__ == "__main__":
    main()
