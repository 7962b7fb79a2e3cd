"""Portions of random networks: drawn from a seed, checked one by one or several in one run of a compiler."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from support.fuzzing import require_agreement

from trigger_ad.emulation.agreement import Agreement

BATCH: Final = 10
"""Networks in one run of a compiler."""

Drawn = TypeVar("Drawn", bound=Hashable)
Agreements = Callable[[Sequence[Drawn]], list[Agreement | None]]
"""Of what is drawn; None for what is refused."""


@dataclass(frozen=True)
class Portion:
    """Networks drawn from one seed."""

    seed: int
    networks: int


def for_each(portion: Portion, strategy: st.SearchStrategy[Drawn], holds: Callable[[Drawn], None]) -> None:
    """Checks a property of what is drawn; hypothesis makes what fails smaller, and names it."""
    # compilers take their time, and what is slow to draw is no fault here
    limits = settings(max_examples=portion.networks, database=None, suppress_health_check=list(HealthCheck))

    def test(drawn: Drawn) -> None:
        holds(drawn)

    seeded(portion.seed)(limits(given(strategy)(test)))()


def in_batches(
    portion: Portion,
    strategy: st.SearchStrategy[Drawn],
    agreements: Agreements[Drawn],
    kind: Callable[[Drawn], str] = lambda drawn: "",
) -> None:
    """Requires the agreement of all that is drawn, in batches; what fails in one is drawn again, and compiled alone.

    Args:
        portion: How many, and from which seed.
        strategy: Draws them.
        agreements: Of a batch.
        kind: Only those of one kind are in a batch.
    """
    drawn: dict[Drawn, None] = {}
    for_each(portion, strategy, lambda item: drawn.update({item: None}))
    passed = set()
    for _, group in itertools.groupby(sorted(drawn, key=kind), kind):
        alike = list(group)
        for start in range(0, len(alike), BATCH):
            passed |= _passed(alike[start : start + BATCH], agreements)

    def alone(item: Drawn) -> None:
        if item not in passed:
            (agreement,) = agreements([item])
            if agreement is not None:
                require_agreement(agreement, item)

    for_each(portion, strategy, alone)
    failed = [item for item in drawn if item not in passed]
    assert not failed, f"in a batch, but not alone: {failed!r}"


def _passed(batch: Sequence[Drawn], agreements: Agreements[Drawn]) -> set[Drawn]:
    try:
        found = agreements(batch)
    except Exception:
        # whatever it is that one of them raises, or that does not compile, is raised when they are compiled alone
        return set()
    pairs = zip(batch, found, strict=True)
    return {item for item, agreement in pairs if agreement is None or agreement.exact}
