"""A scan from its file to its report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from trigger_ad.config import NEEDED, Config, EventsConfig, ScanConfig
from trigger_ad.config_file import load_scan
from trigger_ad.errors import UserError
from trigger_ad.events.dataset import event_files
from trigger_ad.pipeline.check import background_events
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.trigger_menu import unsupported
from trigger_ad.report.scan_page import write_scan_report
from trigger_ad.run_directory import PROJECTS, RunDirectory, text_digest, write_json, write_text
from trigger_ad.scan.display import shown
from trigger_ad.scan.folder import ScanFolder
from trigger_ad.scan.measurement import rate_refusal
from trigger_ad.scan.objectives import Objective, objectives_of
from trigger_ad.scan.points import Point, Points, listed_points, require_some_configuration
from trigger_ad.scan.results import on_test_events, pareto_csv, pareto_json, point_json
from trigger_ad.scan.schedule import Entry, Listed, Schedule, Source
from trigger_ad.scan.search import Search
from trigger_ad.scan.workers import DaskWorkers, available_cores, local_workers, require_dask, workers_of


class Scan:
    """A scan that can be run: everything that its file says is checked.

    Args:
        path: The scan file.

    Raises:
        UserError: If it says something that is not allowed, or a point of it is no configuration.
    """

    def __init__(self, path: Path) -> None:
        self.config: ScanConfig = load_scan(path)
        self._points = Points(path, self.config)
        self.listed: list[Point] = listed_points(self.config, self._points)
        if self.config.search:
            require_some_configuration(Points(path, self.config), self.config.search.space)
        self.objectives: tuple[Objective, ...] = objectives_of(
            self.config.objectives, list(event_files(self.base.events).signals)
        )
        self.folder = ScanFolder(self.config.name)
        configs = [point.config for point in self.listed] or [self.base]
        for config in configs:
            _require_rtl(config, self.config)
        for config in {str(config.events): config for config in configs}.values():
            _require_carried(config, self.false_positive_rates)

    @property
    def base(self) -> Config:
        """The configuration that all points start from."""
        return self._points.base

    @property
    def false_positive_rates(self) -> list[float]:
        """Those of the objectives."""
        return sorted({item.fpr for item in self.config.objectives if item.fpr is not None})

    def source(self) -> Source:
        """Where its points come from.

        Raises:
            UserError: If it is a search, and Optuna or its journal is not to be had.
        """
        if not self.config.search:
            return Listed(self.listed)
        space = self.config.search.model_dump_json(exclude={"trials"})
        digest = text_digest("\n".join([self.base.to_yaml(), space, *(item.key for item in self.objectives)]))
        return Search(self.config.search, self.objectives, self._points, self.folder.study, digest)

    def write_settings(self) -> None:
        """Writes what the scan is of into its folder."""
        self.folder.write_settings(self.config, self._points.base_as_written)


def run_scan(path: Path, workers: int | None = None, scheduler: str | None = None) -> dict[str, Any]:
    """Brings every point of a scan to its end, and writes what was found into the scan's folder.

    Args:
        path: The scan file.
        workers: How many workers are started on this machine: as many as there are cores, if not given.
        scheduler: The address of a Dask scheduler whose workers are taken instead.

    Returns:
        The content of pareto.json.

    Raises:
        UserError: If the scan file is wrong, workers are not to be had, the disk is full, or no point ended well.
    """
    scan = Scan(path)
    require_dask()
    with scan.folder.used_alone():
        with _workers(scan, workers, scheduler) as started:
            scan.write_settings()
            entries = _run(scan, scan.source(), started)
        pareto = _written(scan, entries)
    if not any(entry.state == "done" for entry in entries):
        _refuse_failure(entries)
    return pareto


def _workers(scan: Scan, count: int | None, scheduler: str | None) -> AbstractContextManager[DaskWorkers]:
    if scheduler is not None:
        return workers_of(scheduler, scan.folder.path)
    points = len(scan.listed) or (scan.config.search.trials if scan.config.search else 1)
    return local_workers(min(count or available_cores(), points))


def _run(scan: Scan, source: Source, workers: DaskWorkers) -> list[Entry]:
    ended = -1

    def changed(schedule: Schedule) -> None:
        nonlocal ended
        show(schedule)
        entries = schedule.entries.values()
        if (now := sum(entry.ended for entry in entries)) != ended:
            ended = now
            scan.folder.write_points([point_json(entry, scan.objectives, scan.folder.path) for entry in entries])

    with shown(scan.objectives) as show:
        fprs = scan.false_positive_rates
        return Schedule(scan.folder.path, scan.config.last_stage, fprs, source, workers, changed).run()


def _written(scan: Scan, entries: Sequence[Entry]) -> dict[str, Any]:
    """Writes pareto.json, pareto.csv and pareto.html; the chosen point is looked at on test events, for once."""
    folder = scan.folder.path
    pareto = pareto_json(scan.config.name, scan.base, scan.objectives, entries, folder)
    chosen = next((entry for entry in entries if entry.point.name == pareto["chosen"]), None)
    if chosen:
        pareto["test"] = on_test_events(chosen, folder)
    write_json(folder / "pareto.json", pareto)
    write_text(folder / "pareto.csv", pareto_csv(pareto))
    write_scan_report(pareto, _events_mark(scan.base), folder)
    return pareto


def _events_mark(config: Config) -> str:
    """What the events are, as it stands in every figure."""
    own = isinstance(config.events, EventsConfig)
    return "validation events" if own else "validation events of the shipped sample"


def _require_rtl(config: Config, scan: ScanConfig) -> None:
    """Refuses an objective about RTL of points that have none."""
    wanted = next((item.quantity for item in scan.objectives if NEEDED[item.quantity] != "quantize"), None)
    if wanted and not config.firmware.has_rtl:
        raise UserError(
            f"{scan.name}: the objective {wanted} is a figure of the RTL, and firmware.flow is {config.firmware.flow}",
            "Set firmware.flow to rtl or both in the base configuration",
        )


def _require_carried(config: Config, fprs: Sequence[float]) -> None:
    """Refuses a false-positive rate that no chance could make the background large enough for."""
    if not fprs:
        return
    try:
        events = background_events(Run(config, RunDirectory(PROJECTS / config.name)))
    except UserError:
        # the point itself says what is wrong with its files
        return
    if reason := unsupported(fprs[0], events):
        raise rate_refusal(fprs[0], reason)


def _refuse_failure(entries: Sequence[Entry]) -> None:
    first = next((entry for entry in entries if entry.state == "failed"), None)
    if first is None:
        raise UserError("no trial of the search is a configuration", "Change its space")
    reason = (first.reason or "").rstrip(".")
    raise UserError(
        f"none of the {len(entries)} points ended well; {first.point.name}: {reason}", "Correct it, and run again"
    )
