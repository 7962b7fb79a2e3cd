"""Trivial scores: what a trigger could cut on, or a physicist fit in a second, without any network.

A network that does not beat them is not worth its place in the firmware.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad.events.layout import EventLayout
from trigger_ad.events.quantities import available_quantities

BASELINE_TITLES: Final = MappingProxyType(
    {
        "zero_reconstruction": "Zero reconstruction",
        "leading_lepton_pt": "Leading lepton pT",
        "lepton_number": "Number of leptons",
        "met": "MET",
        "ht": "HT",
        "jet_number": "Number of jets",
        "sum_of_pt": "Sum of pT",
        "object_number": "Number of objects",
        "pca": "PCA reconstruction error",
        "isolation_forest": "Isolation forest",
    }
)
"""The trivial scores by key, as people read them: those without an entry in `trigger_ad.events.quantities` are made
of the network's inputs, and the last two are fitted to training background."""

FITTED_BASELINES: Final = ("pca", "isolation_forest")
"""Those that `trigger_ad.evaluation.fitted_baselines` fits."""


def available_baselines(layout: EventLayout, inputs: int) -> tuple[str, ...]:
    """The trivial scores that events of a layout have, in the order of `BASELINE_TITLES`.

    A score is left out, and not zero, where the layout has none of the objects that it looks at; principal components
    are where there is only one input.

    Args:
        layout: What the events consist of.
        inputs: Of the network.
    """
    fitted = FITTED_BASELINES if inputs > 1 else FITTED_BASELINES[1:]
    available = ("zero_reconstruction", *available_quantities(layout), *fitted)
    return tuple(name for name in BASELINE_TITLES if name in available)


def zero_reconstruction(inputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The score of an autoencoder that answers 0 to everything: the sum of squared network inputs.

    Args:
        inputs: Network input values, (N, inputs) float64: values and not codes, whose units differ between features.

    Returns:
        (N,) float64.
    """
    if inputs.ndim != 2 or inputs.dtype.kind != "f":
        raise ValueError(f"network inputs are (N, inputs) floats, not {inputs.shape} of type {inputs.dtype}")
    return np.asarray((inputs.astype(np.float64) ** 2).sum(axis=1))
