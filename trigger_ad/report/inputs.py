"""What a report is made from: the dictionary that report.json holds, and the scores that its figures draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray

from trigger_ad.evaluation.metrics import checked_scores

SCHEMA: Final = 1
"""The version of report.json that this room writes; renaming a key raises it."""

Report: TypeAlias = Mapping[str, Any]
"""What report.json holds: see `REQUIRED` for the keys that must be there."""

REQUIRED: Final = (
    "schema",
    "name",
    "config",
    "versions",
    "model.parameters",
    "model.sparsity",
    "model.bits",
    "model.seed",
    "events.background.train",
    "events.background.validation",
    "events.background.test",
    "events.background.source",
    "events.signals",
    "performance",
    "agreement.reference",
    "agreement.emulators",
    "agreement.layers",
    "hardware",
    "trigger",
    "timings",
    "verdict.sentence",
    "verdict.worth_shipping",
    "verdict.beats",
    "ships",
    "score",
    "inputs",
    "score_type",
    "network_digest",
    "estimate_layers",
    "measuring_commands",
    "unsupported_targets",
    "schedule_note",
    "vectors",
    "training",
    "calibration",
)
"""Keys that every report has, as dotted paths; their values may be null, which means unknown."""


@dataclass(frozen=True)
class ModelScores:
    """One model's scores, which the figures draw.

    Attributes:
        validation_background: Scores that set thresholds, (N,): int64 score words for the firmware, else float64.
        test_background: Scores, (M,), of the same kind.
        signals: Scores of each signal's test events, (K,), of the same kind, by the signal's name.

    Raises:
        ValueError: A sample is empty or has a value that is not finite.
        TypeError: Integers are mixed with floats.
    """

    validation_background: NDArray[Any]
    test_background: NDArray[Any]
    signals: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        checked_scores(self.validation_background, self.test_background, *self.signals.values())


def check_report(report: Report) -> None:
    """Checks that a report has every key of the schema.

    Raises:
        ValueError: A key is missing, or the schema is another one; names the key.
    """
    missing = [path for path in REQUIRED if not _has(report, path.split("."))]
    if missing:
        raise ValueError(f"the report lacks {', '.join(missing)}")
    if report["schema"] != SCHEMA:
        raise ValueError(f"the report has schema {report['schema']!r}, not {SCHEMA}")


def _has(part: Any, keys: list[str]) -> bool:
    if not keys:
        return True
    return isinstance(part, Mapping) and keys[0] in part and _has(part[keys[0]], keys[1:])


def main_rows(report: Report) -> list[Mapping[str, Any]]:
    """The rows of `performance` that models are compared by: of the float model, those of the score that ships.

    A report that is not complete yet may lack `score`: then it has no other rows.
    """
    shipped = report.get("score")
    return [row for row in report["performance"] if row["model"] != "float" or shipped in (None, row["score"])]


def is_shipped_sample(report: Report) -> bool:
    """Whether the events are the simulated sample that is shipped with the package."""
    config = report["config"]
    return isinstance(config, Mapping) and config.get("events") == "sample"
