"""What an event is made of, as numbers that can be compared: absent objects zeroed, and a 64-bit hash of the rest.

Events stand in a file one after the other. What is done to millions of them is done to *columns* instead: each value of
each slot, such as the eta of the second muon, of a block of events side by side. Every operation then runs over
contiguous numbers, which a processor does several times faster.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.layout import PT

BLOCK: Final = 4000
"""Events worked on at a time: few enough for the processor's cache, enough to hide the cost of the Python loop."""


def zero_absent(particles: NDArray[np.float64], pt: int = PT) -> NDArray[np.float64]:
    """Copy events with every value of every absent object (pT <= 0) set to zero.

    Args:
        particles: Shape (..., features), such as pT, eta, phi and class.
        pt: Where pT stands in the last axis.

    Returns:
        A copy of the same shape in which no zero has a sign, so that equal events have equal bits.
    """
    cleaned = np.where(particles[..., pt : pt + 1] > 0, particles, 0.0)
    cleaned += 0.0  # -0.0 + 0.0 is +0.0
    return cleaned


def columns_of(particles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Copy events of shape (N, objects, features) into columns: contiguous, shape (objects, features, N)."""
    return np.ascontiguousarray(particles.transpose(1, 2, 0))


def zero_absent_columns(columns: NDArray[np.float64], pt: int = PT) -> None:
    """Do to columns, in place, what `zero_absent` does to events.

    Args:
        columns: Shape (objects, features, N).
        pt: Where pT stands among the features.
    """
    absent = ~(columns[:, pt] > 0)
    columns += 0.0  # -0.0 + 0.0 is +0.0
    np.copyto(columns, 0.0, where=absent[:, np.newaxis])


def splitmix64(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix each 64-bit word so that every bit of the result depends on every bit of the word.

    One step of SplitMix64 with the word as its state (Steele, Lea and Flood, OOPSLA 2014,
    doi:10.1145/2714064.2660195).
    """
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def content_hash(particles: NDArray[np.float64], pt: int = PT) -> NDArray[np.uint64]:
    """Hash the content of each event: the bits of all its values, absent objects zeroed.

    Args:
        particles: Shape (N, objects, features), (N, 19, 4) in the ADC2021 layout.
        pt: Where pT stands in the last axis.

    Returns:
        Shape (N,). Equal events have equal hashes; two different events among ten million share one with a
        probability of about three in a million.
    """
    hashes = np.zeros(len(particles), dtype=np.uint64)
    for start in range(0, len(particles), BLOCK):
        columns = columns_of(particles[start : start + BLOCK])
        zero_absent_columns(columns, pt)
        hashes[start : start + BLOCK] = hash_of_columns(columns)
    return hashes


def hash_of_columns(columns: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Hash events whose absent objects are zeroed already: see `content_hash`.

    Args:
        columns: Shape (objects, features, N), from `columns_of`.
    """
    events = columns.shape[-1]
    mixed = np.zeros(events, dtype=np.uint64)
    for word in columns.reshape(-1, events).view(np.uint64):
        mixed = splitmix64(mixed ^ word)
    return mixed


def hash_without_objects(shape: tuple[int, int]) -> np.uint64:
    """Return the hash of an event in which no object is present.

    Args:
        shape: Objects and features of an event.
    """
    return np.uint64(content_hash(np.zeros((1, *shape)))[0])
