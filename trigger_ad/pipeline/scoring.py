"""What is told of scored files: the threshold that decided, what it accepted, and the most anomalous events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trigger_ad.errors import UserError
from trigger_ad.events.oddities import Oddity
from trigger_ad.fixed_point import FixedPoint


@dataclass(frozen=True)
class Background:
    """What the run's background says of a threshold.

    Attributes:
        fpr_target: The false-positive rate that validation background does not exceed.
        fpr: The rate measured on test background, with `fpr_low` and `fpr_high` its 95 % interval.
        accepted: Test background events accepted, of `events`.
    """

    fpr_target: float
    fpr: float
    fpr_low: float
    fpr_high: float
    accepted: int
    events: int


@dataclass(frozen=True)
class Threshold:
    """What decides: accept means score word > code.

    Attributes:
        code: The threshold code.
        value: What it is worth as a score.
        background: What the run measured there; None where the threshold is no working point of the run.
    """

    code: int
    value: float
    background: Background | None


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Attributes:
        file: What it is called.
        sha256: Digest of the file.
        events: Number of events.
        event_id: What `EvtId` is: the file's own, or the index of the event in the file.
        accepted: Events accepted.
        low: Lower end of the accepted fraction's 95 % interval; None where the threshold was chosen on these events.
        high: Upper end.
        training_background: Whether the run was trained on this very file.
        oddities: Anomalies that do not stop the file from being used.
    """

    file: str
    sha256: str
    events: int
    event_id: str
    accepted: int
    low: float | None
    high: float | None
    training_background: bool
    oddities: tuple[Oddity, ...]


@dataclass(frozen=True)
class Anomaly:
    """One of the most anomalous events."""

    rank: int
    event: int
    file: str
    score: float
    score_word: int
    accept: bool


@dataclass(frozen=True)
class Scoring:
    """What is told of scored files.

    Attributes:
        run: Name of the run.
        network_digest: Of its frozen network.
        score_type: Of its score words.
        threshold: What decided.
        files: One entry for each file.
        present: Present objects in all of them.
        saturated: For each feature, how many of these lie beyond the range of its trigger word.
        most_anomalous: The first events of the ranking.
    """

    run: str
    network_digest: str
    score_type: str
    threshold: Threshold
    files: tuple[FileResult, ...]
    present: int
    saturated: dict[str, int]
    most_anomalous: tuple[Anomaly, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything, as a dictionary that `json.dumps` accepts."""
        return asdict(self)

    def warnings(self) -> list[str]:
        """What a reader must know before believing a score, a line each."""
        lines = []
        for file in self.files:
            if file.training_background:
                lines.append(f"{file.file} is background of this run: the network was trained on part of its events")
            for oddity in file.oddities:
                where = "" if oddity.first_event is None else f" in {oddity.count:,} events, first {oddity.first_event}"
                lines.append(f"{file.file}: {oddity.name}{where}: {oddity.explanation}")
        return lines


def chosen_threshold(report: Mapping[str, Any], fpr_target: float | None) -> Threshold:
    """The threshold of one of the run's working points, which are set and measured on background alone.

    Args:
        report: The run's report.
        fpr_target: The working point's target; None for the smallest that the run's events support.

    Raises:
        UserError: The run has no such working point, or none at all.
    """
    points = next(row["tpr"] for row in report["performance"] if row["model"] == "firmware")
    if not points:
        reasons = [item["reason"] for item in report["unsupported_targets"]]
        raise UserError(
            f"{report['name']} has no working point: {reasons[0] if reasons else 'its report lists none'}",
            "Give the run more background events",
        )
    by_target = {point["fpr_target"]: point for point in points}
    point = by_target.get(min(by_target) if fpr_target is None else fpr_target)
    if point is None:
        listed = ", ".join(f"{target:g}" for target in sorted(by_target, reverse=True))
        raise UserError(
            f"{report['name']} has no working point with a target false-positive rate of {fpr_target:g}",
            f"Give one of {listed}; a smaller one takes a run with more background events",
        )
    rates = {key: point[key] for key in ("fpr_target", "fpr", "fpr_low", "fpr_high")}
    events = report["events"]["background"]["test"]
    return threshold_at(
        int(point["threshold"]), report, Background(**rates, accepted=point["background_accepted"], events=events)
    )


def threshold_at(code: int, report: Mapping[str, Any], background: Background | None = None) -> Threshold:
    """The threshold of a code of the run's score type."""
    return Threshold(code, code * FixedPoint.parse(report["score_type"]).lsb, background)
