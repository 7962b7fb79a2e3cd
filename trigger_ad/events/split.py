"""The fixed split of events into training, validation and test parts.

An event's part follows from a hash of its group, or of its content where it has no group: it is the same whatever
the order of the file and whatever else is in it, and equal events are never in two parts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.events.content import content_hash, splitmix64
from trigger_ad.events.files import Events
from trigger_ad.events.layout import GROUP_ID

BACKGROUND_FRACTIONS: Final[Mapping[str, float]] = MappingProxyType({"train": 0.5, "validation": 0.2, "test": 0.3})
SIGNAL_FRACTIONS: Final[Mapping[str, float]] = MappingProxyType({"validation": 0.2, "test": 0.8})

Split: TypeAlias = dict[str, Events]
"""The events of each part, in the order of the file."""


def assign_parts(events: Events, fractions: Mapping[str, float]) -> NDArray[np.int8]:
    """Assign each event to a part.

    Args:
        events: The events; their group ids decide where there are any, their content otherwise.
        fractions: Expected fraction of each part, adding up to 1.

    Returns:
        Shape (N,): the position of each event's part among the keys of `fractions`.

    Raises:
        ValueError: The fractions do not add up to 1, or one is negative.
    """
    if min(fractions.values(), default=-1.0) < 0 or abs(math.fsum(fractions.values()) - 1) > 1e-9:
        raise ValueError(f"fractions must be positive and add up to 1: {dict(fractions)}")
    if events.group_id is None:
        words = content_hash(events.particles)
    else:
        words = splitmix64(events.group_id.astype(np.int64).view(np.uint64))
    uniform = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    # the last boundary is left out: a rounding error in it must not leave an event without a part
    boundaries = list(itertools.accumulate(fractions.values()))[:-1]
    return np.searchsorted(boundaries, uniform, side="right").astype(np.int8)


def split_background(events: Events) -> Split:
    """Split background events into train (1/2), validation (1/5) and test (3/10).

    Raises:
        UserError: A part would be empty, or equal events are in groups that fall in different parts.
    """
    return _split(events, BACKGROUND_FRACTIONS)


def split_signal(events: Events) -> Split:
    """Split signal events into validation (1/5) and test (4/5).

    Raises:
        UserError: A part would be empty, or equal events are in groups that fall in different parts.
    """
    return _split(events, SIGNAL_FRACTIONS)


def _split(events: Events, fractions: Mapping[str, float]) -> Split:
    parts = assign_parts(events, fractions)
    for position, name in enumerate(fractions):
        if not (parts == position).any():
            raise UserError(
                f"{events.source}: none of its {len(events)} events falls in the {name} part",
                "Give a file with more events",
            )
    if events.group_id is not None:
        _refuse_equal_events_apart(events, parts)
    return {name: events.take(parts == position) for position, name in enumerate(fractions)}


def _refuse_equal_events_apart(events: Events, parts: NDArray[np.int8]) -> None:
    hashes = content_hash(events.particles)
    order = np.argsort(hashes, kind="stable")
    equal = hashes[order][1:] == hashes[order][:-1]
    apart = np.flatnonzero(equal & (parts[order][1:] != parts[order][:-1]))
    if len(apart):
        one, other = sorted((int(order[apart[0]]), int(order[apart[0] + 1])))
        raise UserError(
            f"{events.source}: events {one} and {other} are equal, but their `{GROUP_ID}` puts them in different parts",
            "Remove the duplicates (`trigger-ad inspect` counts them), or give equal events the same group",
        )
