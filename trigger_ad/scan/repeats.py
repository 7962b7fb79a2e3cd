"""The same configuration trained again with other seeds: how far its results are chance.

The seeds are a scan over `seed`: each repetition is a run directory of its own, and they run side by side.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trigger_ad.errors import UserError
from trigger_ad.pipeline.report import rows_of, stored_scores
from trigger_ad.pipeline.stage import Run
from trigger_ad.report.repeats_table import repeats_markdown
from trigger_ad.run_directory import RunDirectory, write_json, write_text
from trigger_ad.scan.display import shown
from trigger_ad.scan.folder import ScanFolder
from trigger_ad.scan.objectives import MEAN, Objective, figure_key
from trigger_ad.scan.points import Point
from trigger_ad.scan.schedule import Listed, Schedule
from trigger_ad.scan.workers import available_cores, local_workers

LAST_STAGE: Final = "quantize"
"""Of the repetitions: the firmware's words are those of the quantized model, as the run itself has shown."""

Areas = Mapping[str, Mapping[str, float]]
"""By model, `float` or `firmware`, and by signal."""


def repeat(run: Run, count: int) -> dict[str, Any]:
    """Trains a configuration again with the seeds that follow its own, and says how its results spread.

    Args:
        run: The run, up to date as far as its quantized model: the first of the repetitions.
        count: How many there are, itself included, at least 2.

    Returns:
        The content of `results/repeats.json`, which it writes, and `repeats.md` beside it.

    Raises:
        UserError: If there are no such seeds, Dask is not installed, or one of the repetitions fails.
    """
    points = _points(run, count)
    folder = ScanFolder(f"{run.config.name}_seeds")
    objective = Objective(figure_key("auc", None, None), "validation AUC", maximise=True)
    with folder.used_alone(), local_workers(min(available_cores(), len(points))) as workers, shown([objective]) as show:
        entries = Schedule(folder.path, LAST_STAGE, (), Listed(points), workers, show).run()
    failed = next((entry for entry in entries if entry.state == "failed"), None)
    if failed:
        raise UserError(f"{failed.point.name} failed: {(failed.reason or '').rstrip('.')}", "Correct it, and run again")
    runs = [run, *(Run(point.config, RunDirectory(folder.path / point.name)) for point in points)]
    repeats = spread({repetition.config.seed: areas_on_test_events(repetition) for repetition in runs}, run.config.name)
    write_json(run.directory.results("repeats"), repeats)
    write_text(run.directory.path / "repeats.md", repeats_markdown(repeats))
    return repeats


def _points(run: Run, count: int) -> list[Point]:
    config = run.config
    try:
        configs = [
            type(config).model_validate(config.model_dump() | {"seed": config.seed + more, "name": _name(run, more)})
            for more in range(1, count)
        ]
    except ValueError:
        raise UserError(
            f"--repeat: {count} seeds from {config.seed} on are more than there are", "Set a smaller seed"
        ) from None
    return [Point(item.name, {"seed": item.seed}, {"seed": item.seed}, item) for item in configs]


def _name(run: Run, more: int) -> str:
    return f"seed_{run.config.seed + more}"


def areas_on_test_events(run: Run) -> Areas:
    """Areas under the ROC curve on test events, of the float model and of the one that ships."""
    ships = run.config.quantization.ship
    names = {"float": "float", ships: "firmware"}
    kept = {key: values for key, values in stored_scores(run).items() if key[0] in names and key[1] == run.config.score}
    areas: dict[str, dict[str, float]] = {name: {} for name in names.values()}
    for row in rows_of(kept, run.dataset):
        areas[names[row.model]][row.signal] = row.auc
    return areas


def spread(areas: Mapping[int, Areas], name: str) -> dict[str, Any]:
    """How areas spread over seeds.

    Args:
        areas: By seed.
        name: Of the configuration.

    Returns:
        For each seed its areas, and for each signal the mean, the standard deviation (of a sample), the smallest and
        the largest of the float model's area, the firmware's, and their difference with the same seed.
    """
    by_seed = {seed: {**own, "difference": _difference(own)} for seed, own in areas.items()}
    signals = list(next(iter(by_seed.values()))["float"])
    return {
        "schema": 1,
        "name": name,
        "events": "test",
        "seeds": list(by_seed),
        "auc": {str(seed): own for seed, own in by_seed.items()},
        "spread": {
            signal: {
                what: _summary([own[what][signal] for own in by_seed.values()])
                for what in ("float", "firmware", "difference")
            }
            for signal in signals
        },
    }


def _difference(own: Areas) -> dict[str, float]:
    return {signal: area - own["firmware"][signal] for signal, area in own["float"].items()}


def _summary(values: Sequence[float]) -> dict[str, float]:
    return {
        MEAN: statistics.fmean(values),
        "standard_deviation": statistics.stdev(values),
        "min": min(values),
        "max": max(values),
    }
