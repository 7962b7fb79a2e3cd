"""What inspections found, as tables: one column for each file, the same in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trigger_ad.events.class_summary import FeatureRange
from trigger_ad.events.distributions import QUANTITIES, UNITS, Distributions, Resemblance, closest, plural
from trigger_ad.events.inspection import Inspection
from trigger_ad.events.layout import ADC2021, LEPTON_FILTER_PT
from trigger_ad.events.overlap import SAME_OBJECT_DELTA_R
from trigger_ad.report.table import Table
from trigger_ad.report.wording import UNKNOWN, count, percentage


@dataclass(frozen=True, eq=False)
class InspectedFile:
    """One file of a comparison.

    Attributes:
        label: What it is called, unlike every other.
        inspection: What was found in it.
        distributions: Its histograms.
        digest: SHA-256 of the file, as hexadecimal digits.
    """

    label: str
    inspection: Inspection
    distributions: Distributions
    digest: str


_UNITS_TOLD = {"pt": "pT in GeV", "phi": "phi in radians"}

Labelled = Mapping[str, Inspection]
"""Inspections by what their file is called, all of one layout."""


def facts_table(files: Labelled) -> Table:
    """What each file is, and what is counted over all of its events; what the layout does not have is left out."""
    first = next(iter(files.values()))
    rows: dict[str, Callable[[Inspection], str]] = {
        "events": lambda found: count(found.events),
        "stored as": lambda found: f"{found.dtype}, {found.compression or 'not compressed'}",
        "event ids (EvtId)": _event_ids,
        "groups (GroupId)": lambda found: "no" if found.groups is None else count(found.groups),
        "equal to an earlier event": lambda found: _part(found.affected("duplicated_event"), found.events),
    }
    notes = []
    if first.layout == ADC2021:
        lepton = f"no lepton above {LEPTON_FILTER_PT:g} GeV"
        rows[lepton] = lambda found: _part(found.affected("no_lepton_above_filter"), found.events)
    rows["no object at all"] = lambda found: _part(found.affected("no_object"), found.events)
    if first.layout.slots("met"):
        rows["mean MET"] = lambda found: UNKNOWN if found.met_mean is None else f"{found.met_mean:.2f} GeV"
    if first.electrons_as_jets is not None:
        rows["electrons also present as jets"] = _electrons_as_jets
        notes.append(f"Electrons also present as jets have a jet within Delta R < {SAME_OBJECT_DELTA_R}.")
    rows["beyond the trigger words' range"] = lambda found: ", ".join(
        f"{feature} {count(number)}" for feature, number in found.saturated.items()
    )
    notes.append(
        "Beyond the trigger words' range: objects that the configuration's words saturate; without `--config`, those "
        "of the default configuration."
    )
    return Table(
        title="Files",
        columns=("", *files),
        rows=tuple((label, *map(cell, files.values())) for label, cell in rows.items()),
        notes=tuple(notes),
    )


def _electrons_as_jets(found: Inspection) -> str:
    overlap = found.electrons_as_jets
    return UNKNOWN if overlap is None else _part(overlap.with_jet, overlap.electrons)


def _event_ids(found: Inspection) -> str:
    if found.event_ids is None:
        return "no"
    ids = found.event_ids
    if ids.smallest is None:
        return "yes"
    repeated = f", {count(ids.repeated)} repeated" if ids.repeated else ""
    return f"{ids.smallest} to {ids.largest}{repeated}"


def _part(number: int, total: int) -> str:
    """A number and its percentage of a total; no percentage where it says nothing."""
    if not number or not total:
        return count(number)
    share = number / total
    # nearly all is not all
    return f"{count(number)} ({percentage(share) if share < 0.1 else f'{100 * share:.1f} %'})"


def occupancy_table(files: Labelled) -> Table:
    """In which fraction of the events each slot is filled."""
    first = next(iter(files.values()))
    rows = []
    for position, summary in enumerate(first.classes):
        slots = len(summary.events_by_number) - 1
        for slot in range(slots):
            cells = (_occupancy(found, position, slot) for found in files.values())
            rows.append((summary.name if slots == 1 else f"{summary.name} {slot + 1}", *cells))
    return Table("Fraction of events in which each slot is filled", ("Slot", *files), tuple(rows))


def _occupancy(found: Inspection, position: int, slot: int) -> str:
    occupancy = found.classes[position].occupancy
    if not occupancy:
        return UNKNOWN
    fraction = occupancy[slot]
    return "0" if fraction == 0 else f"{fraction:.2g}" if fraction < 0.001 else f"{fraction:.3f}"


def numbers_table(files: Labelled) -> Table:
    """How many objects of each class an event has."""
    first = next(iter(files.values()))
    rows = [
        (plural(summary.name), *(_number(found, position) for found in files.values()))
        for position, summary in enumerate(first.classes)
        if len(summary.events_by_number) > 2
    ]
    return Table("Objects in an event: mean (standard deviation), largest number", ("Class", *files), tuple(rows))


def _number(found: Inspection, position: int) -> str:
    summary = found.classes[position]
    if summary.mean is None:
        return UNKNOWN
    largest = max(number for number, events in enumerate(summary.events_by_number) if events)
    return f"{summary.mean:.3f} ({summary.sd:.3f}), {largest}"


def ranges_table(label: str, found: Inspection) -> Table:
    """Range and quartiles of every feature of every class of one file."""
    rows = [
        (f"{summary.name} {feature}", count(summary.objects), *_range(values))
        for summary in found.classes
        for feature, values in summary.features.items()
    ]
    return Table(
        title=f"Ranges over present objects ({_units(found)}): {label}",
        columns=("Feature", "Objects", "Minimum", "Lower quartile", "Median", "Upper quartile", "Maximum"),
        rows=tuple(rows),
        notes=(_quartiles_note(found.quartile_bin_widths),),
    )


def _units(found: Inspection) -> str:
    return ", ".join(text for name, text in _UNITS_TOLD.items() if name in found.layout.features)


def _range(values: FeatureRange) -> list[str]:
    quartiles = [UNKNOWN] * 3 if values.quartiles is None else [f"{value:.4g}" for value in values.quartiles]
    return [f"{values.minimum:.4g}", *quartiles, f"{values.maximum:.4g}"]


def _quartiles_note(widths: Mapping[str, float] | None) -> str:
    if widths is None:
        return "Quartiles are exact."
    bins = ", ".join(f"{feature} {width:g} {UNITS.get(feature, '')}".rstrip() for feature, width in widths.items())
    return f"Quartiles are from histograms over all events, to within the width of a bin: {bins}."


def resemblance_table(found: Mapping[str, Mapping[str, Resemblance]]) -> Table:
    """The mean distance of each file from each sample file.

    Args:
        found: For each file, its resemblance to each sample file.
    """
    references = list(next(iter(found.values()), {}))
    rows = []
    for label, resemblances in found.items():
        nearest = closest(resemblances)
        cells = (_distance(resemblances[name].mean) for name in references)
        chance = _distance(None if nearest is None else resemblances[nearest].by_chance)
        rows.append((label, nearest or UNKNOWN, *cells, chance))
    return Table(
        title="Distance from each file of the shipped sample",
        columns=("File", "Closest", *references, "By chance"),
        rows=tuple(rows),
        notes=(
            "The distance is the Kolmogorov-Smirnov distance of the binned distributions, from 0 (equal) to 1 (apart), "
            "averaged over every distribution below but those of phi, in which no process differs.",
            "By chance: about what the closest distance would be if both files were samples of the same events, from "
            "their numbers of events alone.",
        ),
        text_columns=frozenset({0, 1}),
    )


def distances_table(found: Mapping[str, Mapping[str, Resemblance]]) -> Table:
    """The distance of every quantity between each file and the sample file that is closest to it."""
    nearest = {label: resemblances[name] for label, resemblances in found.items() if (name := closest(resemblances))}
    rows = [
        (quantity.title, *(_distance(resemblance.distances[name]) for resemblance in nearest.values()))
        for name, quantity in QUANTITIES.items()
    ]
    columns = (f"{label}, from {closest(found[label])}" for label in nearest)
    return Table(
        title="Distance of each distribution from the closest sample file",
        columns=("Distribution", *columns),
        rows=tuple(rows) if nearest else (),
        notes=("A dash: one of the two has no such object.",) if nearest else (),
    )


def _distance(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def oddities_table(files: Labelled) -> Table:
    """Anomalies that do not stop a file from being used."""
    rows = [
        (
            label,
            oddity.name,
            "the file" if oddity.first_event is None else count(oddity.count),
            UNKNOWN if oddity.first_event is None else str(oddity.first_event),
            oddity.explanation,
        )
        for label, found in files.items()
        for oddity in found.oddities
    ]
    return Table(
        title="Oddities",
        columns=("File", "Oddity", "Events", "First event", "What it is"),
        rows=tuple(rows),
        notes=("Events are counted from 0.",),
        text_columns=frozenset({0, 1, 4}),
    )


def digests_table(files: Sequence[InspectedFile]) -> Table:
    """What identifies each file."""
    rows = tuple((file.label, count(file.inspection.events), file.digest) for file in files)
    return Table("Files by their content", ("File", "Events", "SHA-256"), rows, text_columns=frozenset({0, 2}))
