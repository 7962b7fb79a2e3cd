"""A search: Optuna chooses each point by what the ones before it gave, and keeps its journal in the scan's folder."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trigger_ad.config import RangeConfig, SearchConfig
from trigger_ad.errors import UserError
from trigger_ad.run_directory import DiskFullError, clear_about
from trigger_ad.scan.objectives import Objective
from trigger_ad.scan.points import Point, Points
from trigger_ad.scan.schedule import Entry

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

_LOGGER = logging.getLogger(__name__)
_AGAIN: Final = "again"
"""The attribute of a trial that repeats one that was cut off or failed: its number."""


class Search:
    """The trials of a search, as a source of points.

    A search that was killed goes on: trials that ended are taken from the journal, and those that were cut off, or
    failed, begin again first. With one worker the same file and seed give the same trials, interrupted or not, unless
    one that failed ends well when it begins again.

    Args:
        config: What the scan file says.
        objectives: What is made large or small.
        points: Makes points of what a trial sets.
        journal: Where trials are kept.
        digest: Of everything that a trial's result depends on: trials of another search are not believed.

    Raises:
        DiskFullError: If the journal cannot grow.
        UserError: If Optuna is not installed, or the journal cannot be read or written.
    """

    def __init__(
        self, config: SearchConfig, objectives: Sequence[Objective], points: Points, journal: Path, digest: str
    ) -> None:
        self.total = config.trials
        self._config, self._objectives, self._points = config, objectives, points
        self._journal = journal
        self._begun = 0
        self._asked: dict[str, list[int]] = {}
        with self._using_journal():
            self._space = {name: _distribution(axis) for name, axis in config.space.items()}
            try:
                self._study = _study(journal, digest, objectives)
                self._recalled = self._ended_before()
            except (ValueError, KeyError) as error:
                raise UserError(f"{journal} is damaged", "Delete it; finished points are kept") from error

    @contextmanager
    def _using_journal(self) -> Iterator[None]:
        """Optuna writes its journal as it is asked and told."""
        try:
            with _quiet(), clear_about(self._journal):
                yield
        except DiskFullError as error:
            raise DiskFullError(error.what, f"{error.remedy}; what was finished is kept") from error

    def _ended_before(self) -> list[dict[str, Any]]:
        """The parameters of trials that ended; those that were cut off or failed are put in line to begin again."""
        from optuna.trial import TrialState

        repeated = {trial.user_attrs.get(_AGAIN) for trial in self._study.trials}
        ended = []
        for trial in self._study.trials:
            if trial.number in repeated or trial.state == TrialState.WAITING:
                continue
            if trial.state == TrialState.RUNNING:
                self._study.tell(trial.number, state=TrialState.FAIL)
            if trial.state == TrialState.COMPLETE or not self._is_configuration(trial.params):
                ended.append(trial.params)
            else:
                self._begin_again(trial)
        return ended

    def _begin_again(self, trial: FrozenTrial) -> None:
        """Puts a trial in line once more, in the same generation: without one NSGA-II would leave it out."""
        from optuna.trial import TrialState, create_trial

        self._study.add_trial(
            create_trial(
                state=TrialState.WAITING,
                system_attrs={**trial.system_attrs, "fixed_params": trial.params},
                user_attrs={_AGAIN: trial.number},
            )
        )

    def _is_configuration(self, parameters: dict[str, Any]) -> bool:
        try:
            self._points.point(self._settings(parameters))
        except UserError:
            return False
        return True

    def next(self, open_points: int, capacity: int) -> Point | None:
        """The next trial: no more than the workers can do at once, as each learns from those before."""
        while self._begun < self.total and open_points < capacity:
            self._begun += 1
            point = self._recall() if self._recalled else self._ask()
            if point:
                return point
        return None

    def _recall(self) -> Point | None:
        """The point of a trial that ended before: it is up to date, and shows its figures once more."""
        try:
            return self._points.point(self._settings(self._recalled.pop(0)))
        except UserError as error:
            _LOGGER.warning("%s", error)
            return None

    def _ask(self) -> Point | None:
        """The point of a new trial; None where what it sets is no configuration, which the study then knows."""
        from optuna.trial import TrialState

        with self._using_journal():
            # a trial's random numbers are its own, whatever was interrupted before it and began again
            originals = sum(_AGAIN not in trial.user_attrs for trial in self._study.trials)
            self._study.sampler = _sampler(self._config, originals)
            trial = self._study.ask(self._space)
            try:
                point = self._points.point(self._settings(trial.params))
            except UserError as error:
                _LOGGER.warning("%s", error)
                self._study.tell(trial, state=TrialState.FAIL)
                return None
        self._asked.setdefault(point.name, []).append(trial.number)
        return point

    def _settings(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """What a trial sets: Optuna's choices are positions in the list of values."""
        values = {name: axis.values for name, axis in self._config.space.items()}
        return {name: values[name][value] if values[name] else value for name, value in parameters.items()}

    def tell(self, entry: Entry) -> None:
        """Tells the study what a trial gave.

        Raises:
            DiskFullError: If its journal cannot grow.
        """
        from optuna.trial import TrialState

        with self._using_journal():
            values = [entry.figures.get(item.key) for item in self._objectives]
            known = [value for value in values if value is not None]
            for number in self._asked.pop(entry.point.name, []):
                if len(known) == len(values):
                    self._study.tell(number, known)
                else:
                    self._study.tell(number, state=TrialState.FAIL)


def _study(journal: Path, digest: str, objectives: Sequence[Objective]) -> Study:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    _remove_cut_off_line(journal)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name=digest,
        directions=["maximize" if item.maximise else "minimize" for item in objectives],
        load_if_exists=True,
    )


def _remove_cut_off_line(journal: Path) -> None:
    """What a full disk or a killed process left of a line: the next would be appended to it, and both be lost."""
    if not journal.exists():
        return
    with journal.open("r+b") as stream:
        stream.truncate(stream.read().rfind(b"\n") + 1)


def _distribution(axis: RangeConfig) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if axis.values:
        return CategoricalDistribution(range(len(axis.values)))
    low, high = axis.low, axis.high
    assert low is not None
    assert high is not None
    if isinstance(low, int) and isinstance(high, int) and (axis.step is None or isinstance(axis.step, int)):
        return IntDistribution(low, high, log=axis.log, step=axis.step or 1)
    return FloatDistribution(low, high, log=axis.log, step=axis.step)


def _sampler(config: SearchConfig, trial: int) -> BaseSampler:
    from optuna.samplers import NSGAIISampler, TPESampler

    seed = config.seed + trial
    return NSGAIISampler(seed=seed) if config.sampler == "nsga2" else TPESampler(seed=seed)


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna without its log, and without warnings about what of it may still change.

    Raises:
        UserError: If it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise UserError("Optuna is not installed", "Install it with: pip install 'trigger-ad[scan]'") from None
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
