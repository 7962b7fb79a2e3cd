"""ROC curves and histograms as numbers, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.fixed_point import Values

_BINS = 60
_CELLS_PER_DECADE = 100
_CELLS_OF_RATE = 300


@dataclass(frozen=True)
class RocCurve:
    """A ROC curve from the strictest threshold to the one that accepts everything.

    Attributes:
        fpr: False-positive rates, rising from 0 to 1.
        tpr: True-positive rates, of the same shape.
    """

    fpr: Values
    tpr: Values


def roc_curve(background: NDArray[Any], signal: NDArray[Any]) -> RocCurve:
    """Both rates at every threshold that tells scores apart.

    Args:
        background: Scores, (N,).
        signal: Scores, (M,), of the same kind.
    """
    from sklearn.metrics import roc_curve as rates_by_threshold

    is_signal = np.repeat([0, 1], [len(background), len(signal)])
    fpr, tpr, _ = rates_by_threshold(is_signal, np.concatenate([background, signal]), drop_intermediate=False)
    return RocCurve(fpr, tpr)


def thinned(curve: RocCurve) -> RocCurve:
    """The points of a curve that can be told apart where the false-positive rate has a logarithmic axis.

    A drawing with a point for each event would be megabytes large.
    """
    logarithm = np.log10(np.maximum(curve.fpr, np.finfo(np.float64).tiny))
    cells = np.stack([logarithm * _CELLS_PER_DECADE, curve.tpr * _CELLS_OF_RATE]).astype(np.int64)
    new = np.any(np.diff(cells, axis=1) != 0, axis=0)
    # both sides of a step are kept, so that no corner is cut
    keep = np.concatenate([[True], new]) | np.concatenate([new, [True]])
    return RocCurve(curve.fpr[keep], curve.tpr[keep])


def code_edges(samples: list[NDArray[np.int64]], *, logarithmic: bool) -> Values:
    """Bin edges for integer scores: between codes, so that no bin is empty by construction.

    Args:
        samples: Score words.
        logarithmic: Bins for a logarithmic axis, outside which words below 1 fall; else equal bins for all words.

    Returns:
        Rising edges, each half a code off an integer; at least two.
    """
    largest = max(int(sample.max()) for sample in samples)
    if not logarithmic:
        smallest = min(int(sample.min()) for sample in samples)
        return np.asarray(np.unique(np.rint(np.linspace(smallest, largest + 1, _BINS + 1))) - 0.5, dtype=np.float64)
    positive = [int(sample[sample > 0].min()) for sample in samples if (sample > 0).any()]
    lowest = min(positive, default=1)
    edges = np.unique(np.rint(np.geomspace(lowest, max(largest, lowest) + 1, _BINS + 1)))
    return np.asarray(edges - 0.5, dtype=np.float64)


def shares(scores: NDArray[np.int64], edges: Values) -> Values:
    """The share of all events in each bin; events outside the bins count in the whole."""
    counts, _ = np.histogram(scores, edges)
    return np.asarray(counts / len(scores), dtype=np.float64)
