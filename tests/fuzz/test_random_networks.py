"""Random networks: every emulator gives the reference's words, or the package refuses the network by a layer's name.

`make test` draws a few, always the same ones. `make fuzz` draws thousands: see docs/fuzzing.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from support.drawn_networks import descriptions, firmwares, wide_descriptions
from support.fuzzing import (
    TALLY,
    WORD_EMULATORS,
    case_of,
    hls_agreements,
    keras_agreement,
    native_agreements,
    require_agreement,
    word_agreement,
)
from support.random_networks import Description

from trigger_ad.emulation.agreement import Agreement

BATCH = 10
"""Networks in one run of a compiler."""

Drawn = TypeVar("Drawn", bound=Hashable)


class Portion(Protocol):
    """Networks drawn from one seed."""

    @property
    def seed(self) -> int: ...

    @property
    def networks(self) -> int: ...


def test_float64_keras_has_the_reference_in_every_layer(keras_portion: Portion) -> None:
    for_each(keras_portion, descriptions(), require_agreement_of_keras)


def test_what_would_need_more_than_53_bits_is_refused_and_all_else_exact() -> None:
    before = TALLY.counts.copy()

    class Wide:
        seed, networks = 1, 15

    for_each(Wide(), wide_descriptions(), require_agreement_of_keras)
    for what in ("refused", "through keras_float64"):
        assert TALLY.counts[what] > before.get(what, 0)


def test_native_libraries_give_the_reference(native_portion: Portion) -> None:
    in_batches(native_portion, descriptions(), native_agreements)


def test_compiled_hls_gives_the_reference(hls_portion: Portion) -> None:
    in_batches(hls_portion, st.tuples(descriptions(), firmwares), hls_agreements, lambda drawn: drawn[1].back_end)


def require_agreement_of_keras(description: Description) -> None:
    case = case_of(description)
    if case is None:
        return
    require_agreement(keras_agreement(case), description)
    for name, emulate in WORD_EMULATORS.items():
        words = emulate(case.network, case.encoding, case.words)
        require_agreement(word_agreement(name, case, words), description)


def for_each(portion: Portion, strategy: st.SearchStrategy[Drawn], holds: Callable[[Drawn], None]) -> None:
    """Checks a property of what is drawn; hypothesis makes what fails smaller, and names it."""
    # compilers take their time, and what is slow to draw is no fault here
    limits = settings(
        max_examples=portion.networks, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )

    def test(drawn: Drawn) -> None:
        holds(drawn)

    seeded(portion.seed)(limits(given(strategy)(test)))()


def in_batches(
    portion: Portion,
    strategy: st.SearchStrategy[Drawn],
    agreements: Callable[[Sequence[Drawn]], list[Agreement | None]],
    kind: Callable[[Drawn], str] = lambda drawn: "",
) -> None:
    """Requires the agreement of all that is drawn, in batches; what fails in one is drawn again, and compiled alone.

    Args:
        portion: How many, and from which seed.
        strategy: Draws them.
        agreements: Of a batch; None for what is refused.
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


def _passed(batch: Sequence[Drawn], agreements: Callable[[Sequence[Drawn]], list[Agreement | None]]) -> set[Drawn]:
    try:
        found = agreements(batch)
    except Exception:
        # whatever it is that one of them raises, or that does not compile, is raised when they are compiled alone
        return set()
    for agreement in found:
        if agreement is not None and agreement.exact:
            require_agreement(agreement, batch)
    return {item for item, agreement in zip(batch, found, strict=True) if agreement is None or agreement.exact}
