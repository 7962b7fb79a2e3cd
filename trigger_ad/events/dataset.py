"""The events of a study: background and signals, split, from the shipped sample or from the user's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trigger_ad.config import EventsConfig
from trigger_ad.events.files import Events, concatenate_events, read_events
from trigger_ad.events.sample import EventFiles, sample_paths
from trigger_ad.events.split import Split, split_background, split_signal

SAMPLE_SOURCE = "sample shipped with trigger-ad (simulation by this project, not the public dataset)"


@dataclass(frozen=True)
class Dataset:
    """Split events.

    Args:
        background: Parts `train`, `validation` and `test`.
        signals: Parts `validation` and `test` of each signal.
    """

    background: Split
    signals: dict[str, Split]

    def test_events(self) -> dict[str, Events]:
        """The test part of the background and of each signal, by name."""
        return {"background": self.background["test"]} | {name: parts["test"] for name, parts in self.signals.items()}


def event_files(config: EventsConfig | str) -> EventFiles:
    """The files that a configuration names."""
    if isinstance(config, str):
        return sample_paths()
    return EventFiles((Path(config.background),), {name: Path(path) for name, path in config.signals.items()})


def read_dataset(config: EventsConfig | str) -> Dataset:
    """Reads and splits the events of a configuration.

    Raises:
        UserError: If a file is missing, damaged, or too small to split.
    """
    files = event_files(config)
    return Dataset(
        split_background(concatenate_events([read_events(path) for path in files.background])),
        {name: split_signal(read_events(path)) for name, path in files.signals.items()},
    )


def describe(config: EventsConfig | str, dataset: Dataset) -> dict[str, object]:
    """The `events` entry of report.json: counts of each part, and where the events come from."""
    files = event_files(config)

    def entry(parts: Split, path: Path) -> dict[str, object]:
        source = SAMPLE_SOURCE if isinstance(config, str) else path.name
        return {part: len(events) for part, events in parts.items()} | {"source": source}

    return {
        "background": entry(dataset.background, files.background[0]),
        "signals": {name: entry(parts, files.signals[name]) for name, parts in dataset.signals.items()},
    }
