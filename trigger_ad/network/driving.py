"""Vectors of trigger words searched to drive every accumulator of a network to its largest magnitude.

Interval bounds say what no accumulator exceeds; they are seldom reached, since one input serves many weights at once.
What comes nearest is searched in two steps. First, for each accumulator, the best choice for each object with all
others absent, put together: for a layer that reads the inputs that is the largest sum there is. Then the best vectors
found so far are varied, object by object, for as many evaluations as are given.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.network.evaluation import block_events, evaluate
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Convolution, Dense, Elementwise, Pooling

EVALUATED_WORDS: Final = 1 << 26
"""Words of all layers that the second step computes, at most: some seconds of the reference."""
ROUNDS: Final = 200
"""Of the second step, at most."""
LARGEST_GROUP: Final = 2000
"""Vectors that are kept: those of the accumulators of early layers give way first where there are more."""
_VARIED: Final = 512
"""Vectors of one round of the second step."""

Encode = Callable[[Codes], Codes]
"""From trigger words of shape (vectors, inputs) to the codes of the network's inputs, of the same shape."""


def driving_vectors(
    network: Network,
    encode: Encode,
    features: Sequence[FixedPoint],
    known: Codes,
    seed: int,
    rounds: int = ROUNDS,
) -> Codes:
    """Vectors each of which is the best one found for at least one accumulator and one sign.

    Args:
        network: The frozen network.
        encode: Makes its inputs from trigger words.
        features: The word type of each feature of an object; a first word of 0 says that its object is absent.
        known: Trigger words to begin from, shape (vectors, objects x features), at least one.
        seed: Of the search.
        rounds: Of the second step, at most.

    Returns:
        Trigger words, int64 of shape (vectors, objects x features), at most `LARGEST_GROUP`; some may be among those
        that were known.
    """
    if not accumulators(network):
        return known[:1]
    random = np.random.default_rng(seed)
    choices = _choices(features)
    best = _Best.of(network, encode, known[:1])
    best.try_out(known)
    best.try_out(_put_together(best, choices))
    size = sum(word.size for word in network.words.values())
    for _ in range(min(rounds, max(1, EVALUATED_WORDS // (size * _VARIED)))):
        best.try_out(_varied(best, choices, features, random))
    kept = np.unique(best.vectors[::-1], axis=0, return_index=True)[1]
    return best.vectors[::-1][np.sort(kept)[:LARGEST_GROUP]]


def accumulators(network: Network) -> list[str]:
    """The nodes whose words are sums, differences or products: those that could overflow."""
    return [
        node.name
        for node in network.nodes
        if isinstance(node, Dense | Convolution | Elementwise)
        or (isinstance(node, Pooling) and node.kind == "average_pooling")
    ]


def _choices(features: Sequence[FixedPoint]) -> Codes:
    """What an object may be: absent, or present with each feature at either end; shape (choices, features)."""
    first, *others = features
    present = sorted({1, first.code_max, *((first.code_min,) if first.code_min < 0 else ())})
    ends = [(kind.code_min, kind.code_max) for kind in others]
    return np.array([(0,) * len(features), *itertools.product(present, *ends)], dtype=np.int64)


@dataclass
class _Best:
    """The vector found so far for each target, an accumulator's element and a sign.

    Args:
        network: The network.
        encode: Makes its inputs from trigger words.
        names: The nodes of the accumulators, in the order of the data.
        vectors: Trigger words, shape (targets, inputs).
        reached: What each target is with them, times its sign; shape (targets,).
    """

    network: Network
    encode: Encode
    names: list[str]
    vectors: Codes
    reached: Codes

    @classmethod
    def of(cls, network: Network, encode: Encode, vector: Codes) -> _Best:
        best = cls(network, encode, accumulators(network), vector, np.zeros(0, dtype=np.int64))
        best.reached = best.values(vector)[0]
        best.vectors = np.repeat(vector, len(best.reached), axis=0).astype(np.int64)
        return best

    def values(self, vectors: Codes) -> Codes:
        """What every target is for some vectors: shape (vectors, targets)."""
        found = evaluate(self.network, self.encode(vectors))
        sums: Codes = np.concatenate([found[name].reshape(len(vectors), -1) for name in self.names], axis=1)
        both: Codes = np.concatenate([sums, -sums], axis=1)
        return both

    def some(self, number: int, random: np.random.Generator) -> Codes:
        """Some of the vectors: as many of a layer of few words as of one of many."""
        sizes = np.array([self.network.words[name].size for name in self.names])
        layers = random.integers(0, len(sizes), number)
        elements = np.concatenate([[0], sizes.cumsum()])[layers] + random.integers(0, sizes[layers])
        signs = random.integers(0, 2, number) * sizes.sum()
        some: Codes = self.vectors[elements + signs]
        return some

    def try_out(self, vectors: Codes) -> None:
        """Keeps the vectors that are better than what there was."""
        step = block_events(self.network)
        for start in range(0, len(vectors), step):
            block = vectors[start : start + step]
            values = self.values(block)
            winners = values.argmax(axis=0)
            largest = values[winners, np.arange(len(winners))]
            better = largest > self.reached
            self.vectors[better] = block[winners[better]]
            self.reached[better] = largest[better]


def _put_together(best: _Best, choices: Codes) -> Codes:
    """For each target the choices that alone move it farthest, one for each object: shape (targets, inputs)."""
    objects = best.vectors.shape[1] // choices.shape[1]
    together = np.zeros((len(best.reached), objects, choices.shape[1]), dtype=np.int64)
    for position in range(objects):
        alone = np.zeros((len(choices), objects, choices.shape[1]), dtype=np.int64)
        alone[:, position] = choices
        together[:, position] = choices[best.values(alone.reshape(len(choices), -1)).argmax(axis=0)]
    return together.reshape(len(together), -1)


def _varied(best: _Best, choices: Codes, features: Sequence[FixedPoint], random: np.random.Generator) -> Codes:
    """Some of the best vectors, each with a few objects exchanged: for a choice, random words, or another's object."""
    shape = (_VARIED, best.vectors.shape[1] // len(features))
    parents, others = (best.some(_VARIED, random).reshape(*shape, len(features)) for _ in range(2))
    low, high = np.array([(kind.code_min, kind.code_max) for kind in features]).T
    anything = random.integers(low, high + 1, (*shape, len(features)))
    chosen = choices[random.integers(0, len(choices), shape)]
    one = 1 / shape[1]
    share = random.uniform(one, max(one, 0.5), (_VARIED, 1))
    exchanged = (random.random(shape) < share)[..., None]
    source = random.integers(0, 3, (_VARIED, 1, 1))
    new = np.where(source == 0, chosen, np.where(source == 1, anything, others))
    return np.where(exchanged, new, parents).reshape(_VARIED, -1)
