"""Trivial scores of a run's events: quantities, and what is fitted to the inputs of its training background."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.config import StudentConfig
from trigger_ad.events.dataset import BLOCK_EVENTS, Part
from trigger_ad.fixed_point import Values
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.train import fit_arrays

if TYPE_CHECKING:
    from trigger_ad.events.encoding import InputEncoding

COMPONENTS_ROWS: Final = 2**18
"""At most so many training events, copies included and evenly spread over all, fit principal components: a covariance
that more would not change by a part in a hundred."""
FOREST_ROWS: Final = 2**16
"""At most so many are what the trees of a forest draw from."""


def trivial_score_arrays(run: Run) -> dict[str, NDArray[Any]]:
    """Scores of validation background and of every test sample, by `<name>/<name>/<sample>`."""
    from trigger_ad.evaluation.baselines import FITTED_BASELINES, available_baselines, zero_reconstruction

    encoding = run.encoding
    names = available_baselines(encoding.layout, encoding.inputs)
    of_inputs = {"zero_reconstruction": zero_reconstruction} | _fitted(run, [n for n in names if n in FITTED_BASELINES])
    samples = {"validation_background": run.dataset.background["validation"]} | run.dataset.test_events()
    arrays: dict[str, NDArray[Any]] = {}
    for sample, part in samples.items():
        found = part.quantities | _of_inputs(of_inputs, part, encoding)
        arrays |= {f"{name}/{name}/{sample}": found[name] for name in names}
    return arrays


def _of_inputs(
    scores: dict[str, Callable[[Values], Values]], part: Part, encoding: InputEncoding
) -> dict[str, NDArray[np.float64]]:
    """Scores that read the network's inputs, each block of which is made once for all of them."""
    found: dict[str, list[Values]] = {name: [np.zeros(0)] for name in scores}
    for words in part.words():
        inputs = encoding.values_of_words(words)
        for name, score in scores.items():
            found[name].append(score(inputs))
    return {name: np.concatenate(blocks) for name, blocks in found.items()}


def _fitted(run: Run, names: list[str]) -> dict[str, Callable[[Values], Values]]:
    from trigger_ad.evaluation.fitted_baselines import IsolatingForest, PrincipalComponents

    model = run.config.model
    latent = model.teacher.latent if isinstance(model, StudentConfig) else model.latent
    components = min(latent, run.encoding.inputs - 1)
    found: dict[str, Callable[[Values], Values]] = {}
    if "pca" in names:
        found["pca"] = PrincipalComponents.of(_training_inputs(run, COMPONENTS_ROWS), components).scores
    if "isolation_forest" in names:
        inputs = np.concatenate(list(_training_inputs(run, FOREST_ROWS)))
        found["isolation_forest"] = IsolatingForest(inputs, run.config.seed).scores
    return found


def _training_inputs(run: Run, most: int) -> Iterator[Values]:
    """Training background as the network sees it, evenly spread over all of it, a block at a time."""
    words = fit_arrays(run).words
    words = words[:: -(-len(words) // most)]
    for start in range(0, len(words), BLOCK_EVENTS):
        yield run.encoding.values_of_words(words[start : start + BLOCK_EVENTS].astype(np.int64))
