"""Readers of single report files: C synthesis (XML), co-simulation and logic-synthesis utilisation (text).

The structures are those of the files that Vivado HLS 2019.2 and 2020.1, Vitis HLS 2020.2 to 2024.2 and Vivado 2019.2
to 2025.2 write. A figure that a report does not know (absent tag, empty, `undef`, `?`, `NA`, `-`) is None, never 0.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trigger_ad.errors import UserError

_UNKNOWN: Final = frozenset({"", "-", "?", "na", "n/a", "undef", "x"})
RUN_AGAIN: Final = "Delete it and run the tool again: 'trigger-ad synthesize'."
"""What helps against a report that cannot be used."""


@dataclass(frozen=True)
class CsynthReport:
    """What a `<top>_csynth.xml` says. Clock periods in ns, latency and interval in clock cycles."""

    version: str | None
    part: str | None
    top: str | None
    clock_ns: float | None
    estimated_clock_ns: float | None
    latency_min_cycles: int | None
    latency_max_cycles: int | None
    ii_min_cycles: int | None
    ii_max_cycles: int | None
    lut: int | None
    ff: int | None
    dsp: int | None
    bram: int | None


@dataclass(frozen=True)
class CosimReport:
    """What a `<top>_cosim.rpt` says of the language that was simulated. In clock cycles."""

    language: str
    latency_min_cycles: int | None
    latency_max_cycles: int | None
    ii_min_cycles: int | None
    ii_max_cycles: int | None


@dataclass(frozen=True)
class UtilisationReport:
    """What Vivado's `report_utilization` says.

    `bram` counts 18 Kbit blocks, so a tile counts twice. `exceeded` names every resource of which more is used than the
    device has.
    """

    tool: str | None
    device: str | None
    design: str | None
    state: str | None
    lut: int | None
    ff: int | None
    dsp: int | None
    bram: int | None
    exceeded: tuple[str, ...] = ()


def read_csynth_file(path: Path) -> CsynthReport:
    """Read a C-synthesis report of Vivado HLS or Vitis HLS.

    Args:
        path: `<top>_csynth.xml`.

    Returns:
        Its figures, None where it has none.

    Raises:
        UserError: If the file is truncated, of another format, holds a figure that is no number, or reports no
            resources at all.
    """
    root = _xml_root(path)
    report = CsynthReport(
        version=_text(root, "ReportVersion/Version"),
        part=_text(root, "UserAssignments/Part"),
        top=_text(root, "UserAssignments/TopModelName"),
        clock_ns=_decimal(path, root, "UserAssignments/TargetClockPeriod"),
        estimated_clock_ns=_decimal(path, root, f"{_PERFORMANCE}/SummaryOfTimingAnalysis/EstimatedClockPeriod"),
        latency_min_cycles=_count(path, root, f"{_LATENCY}/Best-caseLatency"),
        latency_max_cycles=_count(path, root, f"{_LATENCY}/Worst-caseLatency"),
        ii_min_cycles=_count(path, root, f"{_LATENCY}/Interval-min"),
        ii_max_cycles=_count(path, root, f"{_LATENCY}/Interval-max"),
        lut=_count(path, root, f"{_AREA}/LUT"),
        ff=_count(path, root, f"{_AREA}/FF"),
        # the tag is named after the slice in Vivado HLS (DSP48E) and simply DSP in Vitis HLS
        dsp=_count(path, root, f"{_AREA}/DSP", f"{_AREA}/DSP48E"),
        bram=_count(path, root, f"{_AREA}/BRAM_18K"),
    )
    _check_not_empty(path, report.lut, report.ff, report.dsp, report.bram)
    return report


_PERFORMANCE: Final = "PerformanceEstimates"
_LATENCY: Final = f"{_PERFORMANCE}/SummaryOfOverallLatency"
_AREA: Final = "AreaEstimates/Resources"
_CSYNTH_SECTIONS: Final = ("UserAssignments", _PERFORMANCE, "AreaEstimates")


def _xml_root(path: Path) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(read_text(path))
    except ElementTree.ParseError as error:
        raise UserError(f"{path} is not well-formed XML ({error}): it is truncated or damaged", RUN_AGAIN) from error
    missing = [section for section in _CSYNTH_SECTIONS if root.find(section) is None]
    if root.tag != "profile" or missing:
        detail = f"no <{missing[0]}>" if missing else f"<{root.tag}> instead of <profile>"
        raise UserError(
            f"{path} is not a C-synthesis report in a known format ({detail})",
            "Use Vivado HLS 2019.2 or 2020.1, or Vitis HLS 2020.2 or later, whose reports are understood.",
        )
    return root


def read_cosim_file(path: Path) -> CosimReport | None:
    """Read a C/RTL co-simulation report.

    Args:
        path: `<top>_cosim.rpt`.

    Returns:
        The figures of the language that was simulated, or None where the report has none (every row `NA`).

    Raises:
        UserError: If the co-simulation did not pass, or the file is truncated or of another format.
    """
    rows = [_cells(line) for line in read_text(path).splitlines() if line.lstrip().startswith("|")]
    languages = [row for row in rows if row and row[0] in ("Verilog", "VHDL")]
    if not any("Latency" in cell for row in rows for cell in row) or not languages:
        raise UserError(f"{path} is not a complete co-simulation report in a known format", RUN_AGAIN)
    for row in languages:
        if len(row) < _COSIM_COLUMNS:
            raise UserError(
                f"{path}: the row of {row[0]} has {len(row)} columns instead of {_COSIM_COLUMNS}", RUN_AGAIN
            )
        if row[1].lower() in _UNKNOWN:
            continue
        if row[1].lower() != "pass":
            raise UserError(
                f"{path}: the co-simulation of {row[0]} ended with status '{row[1]}'",
                "Look at the tool's log, correct the cause and run the co-simulation again.",
            )
        figures = [_number(path, f"column {column + 1}", row[column]) for column in (2, 4, 5, 7)]
        return CosimReport(row[0], *figures)
    return None


_COSIM_COLUMNS: Final = 8
"""Language, status, latency min/avg/max, interval min/avg/max; later versions append the total execution time."""


def read_utilisation_file(path: Path) -> UtilisationReport:
    """Read the report of Vivado's `report_utilization`.

    Args:
        path: `vivado_synth.rpt` in a project of hls4ml.

    Returns:
        Its totals, None where it has no such row.

    Raises:
        UserError: If the file is truncated, of another format, or reports no resources at all.
    """
    text = read_text(path)
    if "Utilization Design Information" not in text:
        raise UserError(f"{path} is not a utilisation report of Vivado in a known format", RUN_AGAIN)
    _check_complete(path, text)
    tiles = _row(path, text, "Block RAM Tile")
    report = UtilisationReport(
        tool=header_value(text, "Tool Version"),
        device=header_value(text, "Device"),
        design=header_value(text, "Design"),
        state=header_value(text, "Design State"),
        lut=_whole(_row(path, text, "CLB LUTs", "Slice LUTs")),
        ff=_whole(_row(path, text, "CLB Registers", "Slice Registers")),
        dsp=_whole(_row(path, text, "DSPs")),
        # half a tile is one block of 18 Kbit
        bram=None if tiles is None else round(2 * tiles),
        exceeded=_exceeded(path, text),
    )
    if report.lut is None or report.ff is None:
        raise UserError(f"{path} has no row of LUTs or no row of registers: its format is not known", RUN_AGAIN)
    _check_not_empty(path, report.lut, report.ff, report.dsp, report.bram)
    return report


def _check_complete(path: Path, text: str) -> None:
    """The table of contents names every section: one without its heading means that the file was cut off."""
    titles = re.findall(r"^\d+(?:\.\d+)? .+$|^\d+\. .+$", text, re.MULTILINE)
    for title in dict.fromkeys(titles):
        if re.search(rf"^{re.escape(title)}\s*\n-+\s*$", text, re.MULTILINE) is None:
            raise UserError(f"{path} is truncated: it has no section '{title}'", RUN_AGAIN)


def _row(path: Path, text: str, *labels: str) -> float | None:
    # the first row of that name is the total; later ones belong to the regions (SLR) of the device
    for line in text.splitlines():
        if not line.startswith("|"):
            continue
        cells = _cells(line)
        if len(cells) > 1 and cells[0].rstrip("*") in labels:
            return _float(path, cells[0], cells[1])
    return None


def _exceeded(path: Path, text: str) -> tuple[str, ...]:
    """Resources of which more is used than there is, as they are called in the tables of sites."""
    found: dict[str, None] = {}
    columns: list[str] = []
    for cells in (_cells(line) for line in text.splitlines() if line.startswith("|")):
        if cells[0] == "Site Type":
            # the tables of a device's regions have neither
            columns = cells if {"Used", "Available"} <= set(cells) else []
        elif columns and len(cells) == len(columns) and cells[0].rstrip("*") in _SITES:
            used, available = (_float(path, cells[0], cells[columns.index(name)]) for name in ("Used", "Available"))
            if used is not None and available is not None and used > available:
                found[f"{used:,.12g} {cells[0].rstrip('*')} of {available:,.12g}"] = None
    return tuple(found)


_SITES: Final = frozenset({"CLB LUTs", "Slice LUTs", "CLB Registers", "Slice Registers", "DSPs", "Block RAM Tile"})


def header_value(text: str, key: str) -> str | None:
    """What the header of a report of Vivado says under a key, or None."""
    found = re.search(rf"^\| {re.escape(key)} *: (.+?)\s*$", text, re.MULTILINE)
    return None if found is None else found.group(1)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _check_not_empty(path: Path, *figures: int | None) -> None:
    if all(figure == 0 for figure in figures):
        raise UserError(
            f"{path} reports 0 for every resource: the design was optimised away, or nothing was synthesised",
            "Look at the tool's log; a trigger network cannot be made of nothing.",
        )


def read_text(path: Path) -> str:
    """The text of a report.

    Raises:
        UserError: If it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a text file: it is damaged or no report", RUN_AGAIN) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "Check the file and its permissions.") from error


def _text(root: ElementTree.Element, tag: str) -> str | None:
    text = (root.findtext(tag) or "").strip()
    return None if text.lower() in _UNKNOWN else text


def _count(path: Path, root: ElementTree.Element, *tags: str) -> int | None:
    for tag in tags:
        if root.find(tag) is not None:
            return _number(path, f"<{tag.rsplit('/', 1)[-1]}>", root.findtext(tag) or "")
    return None


def _decimal(path: Path, root: ElementTree.Element, tag: str) -> float | None:
    return _float(path, f"<{tag.rsplit('/', 1)[-1]}>", root.findtext(tag) or "")


def _number(path: Path, what: str, text: str) -> int | None:
    return _whole(_float(path, what, text))


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _float(path: Path, what: str, text: str) -> float | None:
    text = text.strip()
    if text.lower() in _UNKNOWN:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise UserError(f"{path}: {what} is '{text}', which is not a number", RUN_AGAIN)
    return float(text)
