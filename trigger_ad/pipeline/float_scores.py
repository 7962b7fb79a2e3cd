"""Every score of every float model, as the report compares them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import StudentConfig
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Values
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.train import (
    float_models,
    load_float,
    some_training_inputs,
    teacher_models,
    teachers_of,
)

if TYPE_CHECKING:
    from trigger_ad.models.floating import FloatEvaluation
    from trigger_ad.models.scores import Whitening

_LOGGER = logging.getLogger(__name__)


_Scoring = Callable[[Values, int], dict[str, Values]]
"""Gives scores by `<model>/<score>` for inputs of some features for each object."""


@dataclass(frozen=True)
class _Scorer:
    """A float model and the scores that are measured of it.

    Args:
        model: Its name in reports.
        evaluation: The model.
        scores: Their names.
        whitening: Of its latent space, where a score needs it.
    """

    model: str
    evaluation: FloatEvaluation
    scores: tuple[str, ...]
    whitening: Whitening | None = None

    def __call__(self, inputs: Values, features: int) -> dict[str, Values]:
        """The scores of events by `<model>/<score>`."""
        from trigger_ad.models.scores import score

        outputs = self.evaluation(inputs)
        return {f"{self.model}/{name}": score(name, inputs, outputs, features, self.whitening) for name in self.scores}


def float_scores(run: Run) -> dict[str, NDArray[Any]]:
    """Scores of validation background and of every test sample, by `<model>/<score>/<sample>`.

    `float` has every score that its model offers, on exact inputs; `float_encoded` the one that ships, on inputs as
    the trigger words give them; `teacher` what a student's teachers teach; `float_relu` the one that ships.
    """
    scorers = _scorers(run)
    by_name = {scorer.model: scorer for scorer in scorers}
    encoded = _Scorer("float_encoded", by_name["float"].evaluation, (run.config.score,), by_name["float"].whitening)
    parts = {"validation_background": run.dataset.background["validation"]} | run.dataset.test_events()
    encoding = run.encoding
    arrays: dict[str, NDArray[Any]] = {}
    taught = _taught(run)
    for sample, part in parts.items():
        arrays |= _joined([*taught, *scorers], map(encoding.exact_values, part.particles()), sample, run)
        arrays |= _joined([encoded], map(encoding.values_of_words, part.words()), sample, run)
    return arrays


def float_validation_scores(run: Run) -> dict[str, NDArray[Any]]:
    """The float model's score that ships, of every signal's validation events, by `float/<score>/<signal>`."""
    (scorer,) = (scorer for scorer in _scorers(run) if scorer.model == "float")
    scorer = replace(scorer, scores=(run.config.score,))
    arrays: dict[str, NDArray[Any]] = {}
    for signal, parts in run.dataset.signals.items():
        blocks = map(run.encoding.exact_values, parts["validation"].particles())
        arrays |= _joined([scorer], blocks, signal, run)
    return arrays


def _joined(scorers: Sequence[_Scoring], blocks: Iterable[Values], sample: str, run: Run) -> dict[str, NDArray[Any]]:
    """Scores of all blocks of a sample, each of which is read once for all models."""
    features = len(run.encoding.features)
    found: dict[str, list[Values]] = {}
    for values in blocks:
        for scorer in scorers:
            for key, scores in scorer(values, features).items():
                found.setdefault(f"{key}/{sample}", []).append(scores)
    return {key: np.concatenate(parts) for key, parts in found.items()}


def _taught(run: Run) -> list[_Scoring]:
    """What the teachers of a student teach; nothing for another network."""
    if not isinstance(run.config.model, StudentConfig):
        return []
    teachers = teachers_of(run, [load_float(path) for path in teacher_models(run)])
    return [lambda inputs, _: {f"teacher/{teachers.taught}": teachers.scores(inputs)}]


def _scorers(run: Run) -> list[_Scorer]:
    from trigger_ad.models.floating import FloatEvaluation
    from trigger_ad.models.scores import available_scores

    found = []
    for name, path in float_models(run).items():
        evaluation = FloatEvaluation(load_float(path), run.architecture)
        scores = available_scores(run.architecture) if name == "float" else (run.config.score,)
        found.append(_with_whitening(name, evaluation, scores, run))
    return found


def _with_whitening(name: str, evaluation: FloatEvaluation, scores: tuple[str, ...], run: Run) -> _Scorer:
    """A model with its whitening; without the score that needs one, where its latent space has none."""
    from trigger_ad.models.scores import whitening

    if "mahalanobis" not in scores:
        return _Scorer(name, evaluation, scores)
    latents = evaluation(some_training_inputs(run)).latent
    assert latents is not None
    try:
        return _Scorer(name, evaluation, scores, whitening(latents))
    except UserError as error:
        if run.config.score == "mahalanobis":
            raise
        _LOGGER.warning("%s has no Mahalanobis distance: %s", name, error.what)
        return _Scorer(name, evaluation, tuple(score for score in scores if score != "mahalanobis"))
