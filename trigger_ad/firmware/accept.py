"""The accept bit of a firmware project: score word > threshold code."""

from __future__ import annotations

from dataclasses import dataclass

from trigger_ad.config import ThresholdKind


@dataclass(frozen=True)
class Accept:
    """How events are accepted.

    Args:
        threshold: `constant` where the code is built in, `register` where it is a port.
        code: The constant, or what test benches give the register: an integer code of the score's type.
        share: Of the validation background, the share whose score words are greater; None where nothing says which
            events are ordinary.
    """

    threshold: ThresholdKind
    code: int
    share: float | None = None
