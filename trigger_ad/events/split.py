"""The fixed split of events into training, validation and test parts.

An event's part follows from a hash of its group, or of its content where it has no group: it is the same whatever
the order of the file and whatever else is in it, and equal events are never in two parts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.events.content import splitmix64
from trigger_ad.events.encoded import EncodedFile
from trigger_ad.events.layout import GROUP_ID

BACKGROUND_FRACTIONS: Final[Mapping[str, float]] = MappingProxyType({"train": 0.5, "validation": 0.2, "test": 0.3})
SIGNAL_FRACTIONS: Final[Mapping[str, float]] = MappingProxyType({"validation": 0.2, "test": 0.8})

Parts = NDArray[np.int8]
"""For each event of a file the position of its part among the keys of the fractions."""


def assign_parts(files: Sequence[EncodedFile], fractions: Mapping[str, float]) -> list[Parts]:
    """Assign each event of one sample to a part.

    Events of two files with equal group ids are one group, since a file that was cut in two may have one group in both
    parts. Of files that were made apart, and have equal ids for unrelated events, nothing worse follows than somewhat
    larger groups.

    Args:
        files: The files of the sample; group ids decide where there are any, the events' content otherwise.
        fractions: Expected fraction of each part, adding up to 1.

    Returns:
        For each file shape (N,).

    Raises:
        UserError: A part would be empty; equal events are in groups that fall in different parts; or some files have
            group ids and others have not, so that no split could respect both.
        ValueError: The fractions do not add up to 1, or one is negative.
    """
    grouped = [file for file in files if file.group_id is not None]
    if grouped and len(grouped) != len(files):
        without = next(file.path for file in files if file.group_id is None)
        raise UserError(
            f"{without} has no `{GROUP_ID}`, and other files given with it have",
            f"Give files that all have `{GROUP_ID}`, or none that has it",
        )
    parts = [_parts_of_file(file, fractions) for file in files]
    for position, name in enumerate(fractions):
        if not any((part == position).any() for part in parts):
            raise UserError(
                f"{_names(files)}: none of the {sum(map(len, files))} events falls in the {name} part",
                "Give a file with more events",
            )
    if grouped:
        _refuse_equal_events_apart(files, parts)
    return parts


def _parts_of_file(file: EncodedFile, fractions: Mapping[str, float]) -> Parts:
    if file.group_id is not None:
        return parts_of_groups(file.group_id, fractions)
    words = np.array(file.hashes)
    # events without any object are equal without being copies of each other
    empty = file.without_objects
    words[empty] = splitmix64(np.arange(np.count_nonzero(empty), dtype=np.uint64))
    return _parts_of_words(words, fractions)


def parts_of_groups(group_id: NDArray[np.int64], fractions: Mapping[str, float]) -> Parts:
    """Assign each group to a part, as `assign_parts` does with events that have groups.

    Args:
        group_id: Shape (N,).
        fractions: Expected fraction of each part, adding up to 1.

    Returns:
        Shape (N,): the position of each group's part among the keys of `fractions`.

    Raises:
        ValueError: The fractions do not add up to 1, or one is negative.
    """
    return _parts_of_words(splitmix64(group_id.astype(np.int64).view(np.uint64)), fractions)


def _parts_of_words(words: NDArray[np.uint64], fractions: Mapping[str, float]) -> Parts:
    if min(fractions.values(), default=-1.0) < 0 or abs(math.fsum(fractions.values()) - 1) > 1e-9:
        raise ValueError(f"fractions must be positive and add up to 1: {dict(fractions)}")
    uniform = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    # the last boundary is left out: a rounding error in it must not leave an event without a part
    boundaries = list(itertools.accumulate(fractions.values()))[:-1]
    return np.searchsorted(boundaries, uniform, side="right").astype(np.int8)


def _refuse_equal_events_apart(files: Sequence[EncodedFile], parts: Sequence[Parts]) -> None:
    hashes = np.concatenate([file.hashes for file in files])
    part = np.concatenate(parts)
    measured = ~np.concatenate([file.without_objects for file in files])
    order = np.argsort(hashes, kind="stable")
    order = order[measured[order]]
    equal = hashes[order][1:] == hashes[order][:-1]
    apart = np.flatnonzero(equal & (part[order][1:] != part[order][:-1]))
    if len(apart):
        one, other = sorted((int(order[apart[0]]), int(order[apart[0] + 1])))
        raise UserError(
            f"{_names(files)}: events {one} and {other} (the first of all is 0) are equal, but their `{GROUP_ID}` puts "
            "them in different parts",
            "Remove the duplicates (`trigger-ad inspect` counts them), or give equal events the same group",
        )


def _names(files: Sequence[EncodedFile]) -> str:
    return ", ".join(file.path.name for file in files)
