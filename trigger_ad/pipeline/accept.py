"""The threshold of a run's firmware, set on validation background."""

from __future__ import annotations

from typing import Final

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.fixed_point import Codes
from trigger_ad.pipeline.stage import Run, reading

AT_THRESHOLD: Final = "event at the threshold"
"""The group of vectors whose score equals the threshold: greater, or not less, is what it tells apart."""


def accept_of(run: Run, expected: Codes) -> Accept | None:
    """How a run's firmware accepts events.

    Args:
        run: The run, quantized or imported.
        expected: The reference's output words of its test vectors, shape (vectors, outputs).

    Returns:
        The threshold; None where the output is no single word, so that there is no score to compare.

    Raises:
        UserError: If the validation background has too few events for the rate asked for.
    """
    if expected.shape[1] != 1:
        return None
    settings = run.config.firmware.accept
    if run.config.own_model:
        # nothing says which events are ordinary: test benches compare with the word in the middle, so that both occur
        return Accept(settings.threshold, int(np.partition(expected[:, 0], len(expected) // 2)[len(expected) // 2]))
    words, code = _validation(run)
    return Accept(settings.threshold, code, int(np.count_nonzero(words > code)) / len(words))


def threshold_event(run: Run) -> dict[str, Codes]:
    """The validation event that set the threshold, the only one of whose score is certain that it equals the threshold.

    Args:
        run: The run, quantized or imported.

    Returns:
        Its trigger words, shape (1, inputs), by the name of the group; nothing for a model of the user's own, whose
        threshold is the word of one of its vectors.

    Raises:
        UserError: If the validation background has too few events for the rate asked for.
    """
    if run.config.own_model:
        return {}
    words, code = _validation(run)
    position = int(np.flatnonzero(words == code)[0])
    for block in run.dataset.background["validation"].words():
        if position < len(block):
            return {AT_THRESHOLD: block[position : position + 1]}
        position -= len(block)
    path = run.directory.arrays("quantize")
    raise UserError(f"{path} is of other events", "Delete it and run again: 'quantize' makes it anew")


def _validation(run: Run) -> tuple[Codes, int]:
    """The score words of the validation background, and the smallest with no more than the share asked for above it."""
    from trigger_ad.evaluation.working_points import MINIMUM_ALLOWED, threshold_for

    fpr = run.config.accept_fpr
    path = run.directory.arrays("quantize")
    with reading(path), np.load(path, allow_pickle=False) as stored:
        words = stored[f"{run.config.quantization.ship}/{run.config.score}/validation_background"]
    if fpr * len(words) < MINIMUM_ALLOWED:
        raise UserError(
            f"firmware.accept.fpr: of {len(words)} validation background events none may be accepted at {fpr:g}",
            f"Set it to {MINIMUM_ALLOWED / len(words):.1g} or more, or give the run more background events",
        )
    return words, int(threshold_for(words, fpr))
