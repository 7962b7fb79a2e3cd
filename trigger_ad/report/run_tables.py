"""The tables that say what a run was: events, inputs, model, training, timings, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trigger_ad.models.scores import TITLES as SCORE_TITLES
from trigger_ad.report.inputs import Report, is_shipped_sample
from trigger_ad.report.table import Table
from trigger_ad.report.wording import (
    MODEL_TITLES,
    UNKNOWN,
    bits_of,
    count,
    listed,
    model_title,
    percentage,
    power,
    seconds,
    signal_title,
    source_title,
    text,
)

SAMPLE_NOTE = (
    "The events are the shipped sample: simulation by this project with Pythia 8 and a parametrised detector response, "
    "not the public dataset."
)

_UNITS = {"pt": " GeV", "phi": " rad"}


def events_table(report: Report) -> Table:
    """How many events each part has, and where they are from."""
    background, signals = report["events"]["background"], report["events"]["signals"]
    rows = [("Background", *_parts(background))]
    rows += [(signal_title(name), "none", *_parts(entry)[1:]) for name, entry in signals.items()]
    notes = ("No signal event is used in training.", "No event, and no group of events, is in two parts.")
    return Table(
        title="Events of each part",
        columns=("Sample", "Training", "Validation", "Test", "Source"),
        rows=tuple(rows),
        notes=(SAMPLE_NOTE, *notes) if is_shipped_sample(report) else notes,
        text_columns=frozenset({0, 4}),
    )


def inputs_table(report: Report) -> Table:
    """How each feature becomes an integer, and how often it is out of range: features as columns."""
    features = report["inputs"]
    samples = list(dict.fromkeys(name for feature in features for name in feature["saturated"] or {}))
    columns = [_feature_column(feature, samples) for feature in features]
    labels = list(dict.fromkeys(label for column in columns for label in column))
    return Table(
        title="Encoding of the inputs",
        columns=("Property", *(str(feature["feature"]) for feature in features)),
        rows=tuple((label, *(column[label] for column in columns)) for label in labels),
        notes=(
            "The network sees (word - offset) / 2^shift; a table of logarithms, if there is one, stands in for the "
            "word. Words are rounded to nearest and saturate; saturated is the share of present objects outside the "
            "word's range. An absent object is 0 in every feature.",
        ),
    )


def model_table(report: Report) -> Table:
    """What the model is that ships."""
    model = report["model"]
    rows = [
        ("Architecture", text(model["architecture"])),
        ("Score that ships", SCORE_TITLES.get(report["score"], text(report["score"]))),
        ("Ships", MODEL_TITLES.get(report["ships"], text(report["ships"]))),
        ("Parameters", count(model["parameters"])),
        ("Weights and biases that are 0", percentage(model["sparsity"])),
        ("Bits", bits_of(report["config"])),
        ("Seed", UNKNOWN if model["seed"] is None else str(model["seed"])),
        ("Type of the score word", text(report["score_type"])),
        ("Network digest", text(report["network_digest"])),
    ]
    return Table("Model", ("Property", "Value"), tuple(rows), text_columns=frozenset({0, 1}))


def calibration_table(report: Report) -> Table:
    """The types of each layer's words, and the share of the training events' values that each saturates."""
    words = ("weights", "biases", "output")
    return Table(
        title="Where the binary points sit",
        columns=("Layer", *(f"{heading}{part}" for heading in ("Weights", "Biases", "Output") for part in _PARTS)),
        rows=tuple(
            (layer, *(cell for word in words for cell in _type_cells(types.get(word))))
            for layer, types in (report["calibration"] or {}).items()
        ),
        notes=(
            "Chosen on training background by the smallest mean squared error; saturated is the share of the values, "
            "of the float model, that lie beyond the type. Types are `fixed<bits, bits left of the point>`.",
        ),
        text_columns=frozenset({0, 1, 3, 5}),
    )


_PARTS = ("", ", saturated")


def _type_cells(entry: Mapping[str, Any] | None) -> tuple[str, str]:
    if entry is None:
        return (UNKNOWN, UNKNOWN)
    kind = str(entry["type"]).partition(",RND")[0]
    return (kind if kind.endswith(">") else f"{kind}>", percentage(entry["saturated"]))


def training_table(report: Report) -> Table:
    """How each fit went."""
    fits = {name: fit for name, fit in (report["training"] or {}).items() if fit is not None}
    return Table(
        title="Training",
        columns=("Fit", "Loss", "Epochs", "Best epoch", "Smallest validation loss", "Training events per second"),
        rows=tuple(_fit_row(name, fit) for name, fit in fits.items()),
        notes=("The weights of the best epoch on validation background are kept.", *_first_epoch_notes(fits)),
        text_columns=frozenset({0, 1}),
    )


def _first_epoch_notes(fits: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Which fits went on without becoming better."""
    titles = [
        model_title(name) for name, fit in fits.items() if fit.get("best_epoch") == 1 and fit.get("epochs", 1) > 1
    ]
    return [f"{', '.join(titles)}: best after its first epoch; the others made it no better."] if titles else []


def timings_table(report: Report) -> Table:
    """How long each stage took."""
    rows = tuple((stage, seconds(value)) for stage, value in (report["timings"] or {}).items())
    return Table("Timings", ("Stage", "Seconds"), rows)


def versions_table(report: Report) -> Table:
    """What the run was made with."""
    rows = tuple((name, text(version)) for name, version in (report["versions"] or {}).items())
    return Table("Versions", ("Software", "Version"), rows, text_columns=frozenset({0, 1}))


def _parts(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (*(count(entry.get(part)) for part in ("train", "validation", "test")), source_title(entry.get("source")))


def _feature_column(feature: Mapping[str, Any], samples: list[str]) -> dict[str, str]:
    lsb = feature["lsb"]
    saturated = feature["saturated"] or {}
    return {
        "One unit of the word": UNKNOWN if lsb is None else f"{lsb:g}{_UNITS.get(feature['feature'], '')}",
        "Bits of the word": listed(feature["width"]),
        "Sign": {True: "two's complement", False: "unsigned", None: UNKNOWN}[feature["signed"]],
        "Table of logarithms": _table(feature),
        "Offset": listed(feature["offset"]),
        "Shift": listed(feature["shift"]),
        "Type in the network": listed(feature["type"]),
        **{f"Saturated, {signal_title(name)}": percentage(saturated.get(name)) for name in samples},
    }


def _table(feature: Mapping[str, Any]) -> str:
    if "logarithm" not in feature:
        return UNKNOWN
    return "none" if feature["logarithm"] is None else f"{power(2, feature['logarithm'])} log2(word)"


def _fit_row(name: str, fit: Mapping[str, Any]) -> tuple[str, ...]:
    losses = (fit.get("history") or {}).get("val_loss") or []
    best = f"{min(losses):.4g}" if losses else UNKNOWN
    rate = fit.get("events_per_second")
    speed = UNKNOWN if rate is None else f"{float(f'{rate:.3g}'):,.0f}"
    return (
        model_title(name),
        text(fit.get("objective")),
        count(fit.get("epochs")),
        count(fit.get("best_epoch")),
        best,
        speed,
    )
