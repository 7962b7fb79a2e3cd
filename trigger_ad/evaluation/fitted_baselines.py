"""Anomaly scores that are fitted to training background without any network: what a network must be better than."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.fixed_point import Values

TREES: Final = 100
EVENTS_OF_A_TREE: Final = 256
"""Both as Liu, Ting and Zhou chose them."""


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """The directions in which training background varies most.

    Attributes:
        mean: Of the network inputs, (inputs,).
        components: Orthonormal rows, (components, inputs).
    """

    mean: Values
    components: Values

    @classmethod
    def of(cls, blocks: Iterable[Values], components: int) -> PrincipalComponents:
        """Fits them in one pass, a block of events in memory at a time.

        They are the eigenvectors of the covariance matrix, which sums over the events have: the same however the events
        are cut into blocks, unlike those of scikit-learn's `IncrementalPCA`, which forgets with every block.

        Args:
            blocks: Network input values, (N, inputs) float64 each.
            components: How many, fewer than there are inputs.

        Raises:
            ValueError: There is no event, or there are not fewer components than inputs.
        """
        events, total, products = 0, np.zeros(0), np.zeros((0, 0))
        for block in blocks:
            if not events:
                total, products = np.zeros(block.shape[1]), np.zeros((block.shape[1], block.shape[1]))
            events += len(block)
            total += block.sum(axis=0)
            products += block.T @ block
        if not events or not 0 < components < len(total):
            raise ValueError(f"{components} components of {len(total)} inputs need some events, not {events}")
        mean = total / events
        _, vectors = np.linalg.eigh(products / events - np.outer(mean, mean))
        # the largest eigenvalues come last
        return cls(mean, vectors.T[: -components - 1 : -1])

    def scores(self, inputs: Values) -> Values:
        """The squared distance of each event from its projection onto the components: (N, inputs) to (N,)."""
        centred = inputs - self.mean
        missing = centred - (centred @ self.components.T) @ self.components
        return np.asarray((missing**2).sum(axis=1))


class IsolatingForest:
    """Isolation forest: how few random cuts set an event apart (F. Liu, K. Ting, Z.-H. Zhou, ICDM 2008, 413).

    scikit-learn's, of 100 trees of 256 events each; the events that a tree sees are drawn from those given.

    Args:
        inputs: Network input values of training background, (N, inputs) float64.
        seed: Of the trees.
    """

    def __init__(self, inputs: Values, seed: int) -> None:
        from sklearn.ensemble import IsolationForest

        few = min(EVENTS_OF_A_TREE, len(inputs))
        self._forest: Any = IsolationForest(n_estimators=TREES, max_samples=few, random_state=seed).fit(inputs)

    def scores(self, inputs: Values) -> NDArray[np.float64]:
        """The anomaly score of each event, between 0 and 1: (N, inputs) to (N,)."""
        return np.asarray(-self._forest.score_samples(inputs), dtype=np.float64)
