"""The page of `trigger-ad inspect`: one self-contained HTML file that shows what files of events are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from trigger_ad import __version__
from trigger_ad.errors import UserError
from trigger_ad.events.distributions import Distributions, Resemblance, closest, resemblances
from trigger_ad.report.drawing import Drawing
from trigger_ad.report.inspection_figures import inspection_figures
from trigger_ad.report.inspection_tables import (
    InspectedFile,
    digests_table,
    distances_table,
    facts_table,
    numbers_table,
    occupancy_table,
    oddities_table,
    ranges_table,
    resemblance_table,
)
from trigger_ad.report.templating import html_template
from trigger_ad.report.wording import count
from trigger_ad.run_directory import write_text

GENERATOR: Final = '<meta name="generator" content="trigger-ad inspect">'
"""Stands near the top of every page: a file without it is somebody's own and is never replaced."""

_HEAD_BYTES: Final = 4096


@dataclass(frozen=True)
class FileSummary:
    """The first thing a reader sees of a file.

    Attributes:
        label: The file.
        finding: The closest sample file, or that there is none.
        detail: How many events it has, and how close they are.
    """

    label: str
    finding: str
    detail: str


def check_page_path(path: Path) -> None:
    """Refuse a path that the page must not be written to, before any work is done.

    Raises:
        UserError: It is a folder, or a file that `trigger-ad inspect` did not make.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder", "Name the page to write, such as page.html")
    if not path.exists():
        return
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise UserError(f"{path} exists and cannot be read ({error.strerror})", "Give another name") from error
    if GENERATOR.encode() not in head:
        raise UserError(
            f"{path} exists and was not made by 'trigger-ad inspect'", "Give another name, or remove that file"
        )


def write_inspection_page(files: Sequence[InspectedFile], sample: Sequence[InspectedFile], path: Path) -> None:
    """Write the page whole; one that an earlier inspection made is replaced.

    Args:
        files: The inspected files, all of one layout.
        sample: The files of the shipped sample; the first is the background. None where the files have another layout.
        path: The page.

    Raises:
        UserError: The path cannot be written, or holds a file that was not made by an inspection.
    """
    check_page_path(path)
    page = render_inspection(files, sample)
    write_text(path, page)


def render_inspection(files: Sequence[InspectedFile], sample: Sequence[InspectedFile]) -> str:
    """The page, which refers to nothing outside itself and runs no script.

    Args:
        files: The inspected files, all of one layout.
        sample: The files of the shipped sample; the first is the background. None where the files have another layout.
    """
    references = {file.label: file.distributions for file in sample}
    found = {file.label: resemblances(file.distributions, references) for file in files}
    separation = smallest_separation(references) if references else None
    figures = inspection_figures(files, references)
    return _render(files, sample, found, separation, figures)


def smallest_separation(references: Mapping[str, Distributions]) -> float:
    """The smallest mean distance between two files of the sample: what a different process looks like."""
    compared = {name: resemblances(histograms, references) for name, histograms in references.items()}
    means = (compared[one][other].mean for one, other in combinations(references, 2))
    return min(mean for mean in means if mean is not None)


def _render(
    files: Sequence[InspectedFile],
    sample: Sequence[InspectedFile],
    found: Mapping[str, Mapping[str, Resemblance]],
    separation: float | None,
    figures: Sequence[Drawing],
) -> str:
    labelled = {file.label: file.inspection for file in files}
    beside = labelled | {f"sample: {file.label}": file.inspection for file in sample[:1]}
    return html_template("inspection.html.j2").render(
        generator=GENERATOR,
        layout=str(files[0].inspection.layout),
        version=__version__,
        names=list(labelled),
        warnings=page_warnings(files, found, separation),
        summaries=[_summary(file, found[file.label], separation) for file in files],
        resemblance=resemblance_table(found),
        separation=None if separation is None else f"{separation:.3f}",
        distances=distances_table(found),
        facts=facts_table(beside),
        numbers=numbers_table(beside),
        occupancy=occupancy_table(beside),
        ranges=[ranges_table(label, inspection) for label, inspection in labelled.items()],
        oddities=oddities_table(labelled),
        digests=digests_table([*files, *sample]),
        figures=figures,
    )


def _summary(file: InspectedFile, found: Mapping[str, Resemblance], separation: float | None) -> FileSummary:
    events = f"{count(file.inspection.events)} events"
    if separation is None:
        return FileSummary(file.label, file.inspection.verdict, events)
    ranking = sorted((item.mean, name) for name, item in found.items() if item.mean is not None)
    if not ranking:
        return FileSummary(file.label, "nothing to compare", events)
    distance, name = ranking[0]
    detail = f"{events}; distance {distance:.3f}"
    if len(ranking) > 1:
        detail += f", next {ranking[1][1]} {ranking[1][0]:.3f}"
    near = distance < separation
    return FileSummary(file.label, f"closest to {name}" if near else f"far from all, nearest {name}", detail)


def page_warnings(
    files: Sequence[InspectedFile], found: Mapping[str, Mapping[str, Resemblance]], separation: float | None
) -> list[str]:
    """What a reader must know before believing a figure, one sentence each.

    Args:
        files: The inspected files.
        found: For each file, its resemblance to each sample file.
        separation: The smallest mean distance between two sample files; None where there is no comparison.
    """
    warnings = []
    for file in files:
        if not file.inspection.events:
            warnings.append(f"{file.label} holds no events.")
            continue
        if separation is not None:
            warnings += _distance_warnings(file.label, found[file.label], separation)
        for oddity in file.inspection.oddities:
            where = "" if oddity.first_event is None else f" in {count(oddity.count)} events"
            warnings.append(f"{file.label}: {oddity.name}{where}: {oddity.explanation}.")
    return warnings


def _distance_warnings(label: str, found: Mapping[str, Resemblance], separation: float) -> list[str]:
    name = closest(found)
    mean = None if name is None else found[name].mean
    chance = None if name is None else found[name].by_chance
    if mean is None or chance is None:
        return [f"{label} has nothing that could be compared with the sample."]
    if chance >= separation:
        return [f"{label} has too few events to tell which sample file it resembles."]
    if mean >= separation:
        return [
            f"{label} resembles no sample file: the smallest distance, {mean:.3f} from {name}, is as large as between "
            f"two sample files of different processes ({separation:.3f})."
        ]
    return []
