"""The threshold of a run's firmware, set on validation background."""

from __future__ import annotations

import numpy as np

from trigger_ad.errors import UserError
from trigger_ad.firmware.accept import Accept
from trigger_ad.fixed_point import Codes
from trigger_ad.pipeline.stage import Run, reading


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
    return Accept(settings.threshold, _code(run, settings.fpr))


def _code(run: Run, fpr: float) -> int:
    from trigger_ad.evaluation.working_points import MINIMUM_ALLOWED, threshold_for

    path = run.directory.arrays("quantize")
    with reading(path), np.load(path, allow_pickle=False) as stored:
        words = stored[f"{run.config.quantization.ship}/{run.config.score}/validation_background"]
    if fpr * len(words) < MINIMUM_ALLOWED:
        raise UserError(
            f"firmware.accept.fpr: of {len(words)} validation background events none may be accepted at {fpr:g}",
            f"Set it to {MINIMUM_ALLOWED / len(words):.1g} or more, or give the run more background events",
        )
    return int(threshold_for(words, fpr))
