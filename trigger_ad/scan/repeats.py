"""The same configuration trained again with other seeds: how far its results are chance.

The seeds are a scan over `seed`: each repetition is a run directory of its own, and they run side by side.
"""

from __future__ import annotations

from typing import Final

from trigger_ad.errors import UserError
from trigger_ad.evaluation.performance import PerformanceRow
from trigger_ad.evaluation.spread import spread_over_seeds
from trigger_ad.pipeline.repeats import write_repeats
from trigger_ad.pipeline.report import rows_of, stored_scores
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import RunDirectory
from trigger_ad.scan.display import shown
from trigger_ad.scan.folder import ScanFolder
from trigger_ad.scan.objectives import Objective, figure_key
from trigger_ad.scan.points import Point
from trigger_ad.scan.schedule import Listed, Schedule
from trigger_ad.scan.workers import available_cores, local_workers

LAST_STAGE: Final = "quantize"
"""Of the repetitions: the firmware's words are those of the quantized model, as the run itself has shown."""


def repeat(run: Run, count: int) -> None:
    """Trains a configuration again with the seeds that follow its own, and writes how its results spread.

    The report then has it too.

    Args:
        run: The run, up to date as far as its quantized model: the first of the repetitions.
        count: How many there are, itself included, at least 2.

    Raises:
        UserError: If it trains nothing, there are no such seeds, Dask is not installed, or a repetition fails.
    """
    points = _points(run, count)
    folder = ScanFolder(f"{run.config.name}_seeds", "run")
    objective = Objective(figure_key("auc", None, None), "validation AUC", maximise=True)
    with folder.used_alone(), local_workers(min(available_cores(), len(points))) as workers, shown([objective]) as show:
        entries = Schedule(folder.path, LAST_STAGE, (), Listed(points), workers, show).run()
    failed = next((entry for entry in entries if entry.state == "failed"), None)
    if failed:
        raise UserError(f"{failed.point.name} failed: {(failed.reason or '').rstrip('.')}", "Correct it, and run again")
    runs = [run, *(Run(point.config, RunDirectory(folder.path / point.name)) for point in points)]
    rows = {repetition.config.seed: _rows(repetition) for repetition in runs}
    write_repeats(run, spread_over_seeds(rows, run.config.quantization.ship))


def _points(run: Run, count: int) -> list[Point]:
    config = run.config
    if config.own_model:
        raise UserError(f"--repeat: {config.name} is of a model of your own", "Repeat a configuration that trains")
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


def _rows(run: Run) -> list[PerformanceRow]:
    """On test events, of the float model and of the one that ships."""
    shown = {"float", run.config.quantization.ship}
    kept = {key: own for key, own in stored_scores(run).items() if key[0] in shown and key[1] == run.config.score}
    return rows_of(kept, run.dataset)
