"""The section `budget`: what the firmware may take."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from trigger_ad.config.section import Section

_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")


def _amount(value: Any) -> Any:
    """A count as it is, a share as it is written; anything else is refused in words that name both."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and (found := _SHARE.fullmatch(value)) and 0 <= float(found[1]) <= 100:
        return value
    raise ValueError("give a number of them, such as 4000, or a share of the device of up to 100 %, such as '5 %'")


Amount = Annotated[int | str, BeforeValidator(_amount)]
"""So many, or a share of the device such as `5 %`."""


def share_of(amount: Amount) -> float | None:
    """The share of the device that an amount is, 1 being all of it; None for a number."""
    found = _SHARE.fullmatch(amount) if isinstance(amount, str) else None
    return float(found[1]) / 100 if found else None


class BudgetConfig(Section):
    """What the firmware may take: `trigger-ad synthesize` ends with 1 when a measured figure is over a limit.

    What is not named is not limited.
    """

    latency_ns: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """The most nanoseconds from trigger words to score and accept bit."""
    ii_cycles: int | None = Field(default=None, ge=1)
    """The most clocks from one event to the next."""
    lut: Amount | None = None
    """The most look-up tables: a number, or a share of the device such as `5 %`."""
    ff: Amount | None = None
    """The most flip-flops, in the same way."""
    dsp: Amount | None = None
    """The most DSP slices, in the same way."""
    bram: Amount | None = None
    """The most block memories of 18 Kbit, in the same way."""
