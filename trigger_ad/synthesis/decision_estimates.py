"""The estimate of the accept bit: a comparator of the score word with the threshold.

A comparator is a subtracter of which the carry alone is used: one look-up table for each bit. For a threshold that is a
constant a tool may need less.
"""

from __future__ import annotations

from typing import Final

from trigger_ad.synthesis.layer_estimates import LayerEstimate, LayerWork

NAME: Final = "accept bit"
"""No layer's: a layer's name has no space."""

_PROCESS_CYCLES: Final = 1


def estimate_decision(score: LayerWork, is_dataflow: bool) -> LayerEstimate:
    """Estimates the accept bit.

    Args:
        score: The layer that gives the score word.
        is_dataflow: Whether the comparison is a process of its own, which takes the score word from another.

    Returns:
        Its estimate. In a pipeline it has no cycle of its own: it is one level of logic behind the last addition, whose
        cycles are rounded up.
    """
    formula = "comparator, one LUT for each bit of the score word"
    if is_dataflow:
        return LayerEstimate(NAME, _PROCESS_CYCLES, score.output_width, 0, f"{formula}; one cycle as a process", 1)
    return LayerEstimate(NAME, 0, score.output_width, 0, f"{formula}; in the last layer's cycle", 1)
