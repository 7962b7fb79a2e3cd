"""Quartiles: exact ones are those of NumPy, binned ones are within a bin of them, and unknown ones are None."""

from __future__ import annotations

import numpy as np
import pytest

from trigger_ad.events.quartiles import FINE_BINNINGS, BinnedQuartiles, Binning, ExactQuartiles, fine_binning


def test_exact_quartiles_interpolate_between_values_of_all_parts() -> None:
    quartiles = ExactQuartiles()
    quartiles.add(np.array([60.0]))
    quartiles.add(np.array([10.0, 20.0]))
    assert quartiles.result() == (15, 20, 40)


def test_a_part_may_be_changed_after_it_was_added() -> None:
    quartiles = ExactQuartiles()
    values = np.array([1.0])
    quartiles.add(values)
    values[0] = 9
    assert quartiles.result() == (1, 1, 1)


def test_without_values_there_are_none() -> None:
    assert ExactQuartiles().result() is None
    assert BinnedQuartiles(FINE_BINNINGS["pt"]).result() is None


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 10, 1000, 12_345])
@pytest.mark.parametrize("parts", [1, 3])
def test_binned_quartiles_are_within_a_bin_of_the_exact_ones(size: int, parts: int) -> None:
    # two clusters: a quartile may fall into the gap between them
    random = np.random.default_rng(size)
    values = np.where(random.random(size) < 0.5, random.exponential(5, size), 300 + random.exponential(20, size))
    quartiles = BinnedQuartiles(Binning(0.0, 0.5, 2000))
    for part in np.array_split(values, parts):
        quartiles.add(part)
    found = quartiles.result()
    assert found is not None
    assert np.abs(np.array(found) - np.quantile(values, (0.25, 0.5, 0.75))).max() <= 0.5


@pytest.mark.parametrize("value", [0.0, 1.3, 2.0, 3.999])
def test_equal_values_are_their_own_quartiles(value: float) -> None:
    quartiles = BinnedQuartiles(Binning(0.0, 1.0, 4))
    quartiles.add(np.full(5, value))
    assert quartiles.result() == (value, value, value)


def test_values_are_spread_evenly_over_their_bin() -> None:
    # a value on an edge belongs to the bin above it
    quartiles = BinnedQuartiles(Binning(0.0, 1.0, 4))
    quartiles.add(np.array([0.0, 2.0, 2.0, 2.0, 3.0]))
    assert quartiles.result() == (2 + 1 / 6, 2.5, 2 + 5 / 6)


@pytest.mark.parametrize("outside", [-0.1, 4.0, 1e9])
def test_quartiles_outside_the_bins_are_unknown(outside: float) -> None:
    quartiles = BinnedQuartiles(Binning(0.0, 1.0, 4))
    quartiles.add(np.array([1.0, outside]))
    assert quartiles.result() is None


@pytest.mark.parametrize("outside", [-0.1, 4.0, 1e9])
def test_rare_values_outside_the_bins_do_no_harm(outside: float) -> None:
    quartiles = BinnedQuartiles(Binning(0.0, 1.0, 4))
    quartiles.add(np.array([1.5] * 9 + [outside]))
    found = quartiles.result()
    assert found is not None
    assert all(1 <= value < 2 for value in found)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 3e7])
def test_the_fine_bins_of_another_feature_are_chosen_for_its_values(scale: float) -> None:
    values = np.random.default_rng(2).exponential(scale, 20_000)
    binning = fine_binning("isolation", values[:1000])
    quartiles = BinnedQuartiles(binning)
    quartiles.add(values)
    found = quartiles.result()
    assert found is not None
    assert binning.width < scale / 100
    assert np.abs(np.array(found) - np.quantile(values, (0.25, 0.5, 0.75))).max() <= binning.width


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [1e300, -1e300], [3.0]])
def test_fine_bins_can_be_chosen_for_any_values(values: list[float]) -> None:
    binning = fine_binning("isolation", np.array(values))
    middle = (max(values) + min(values)) / 2 if values else 0.5
    assert binning.width > 0
    assert binning.lowest < middle < binning.lowest + binning.width * binning.bins


@pytest.mark.parametrize("feature", ["pt", "eta", "phi"])
def test_the_fine_bins_of_pt_and_angles_do_not_depend_on_the_file(feature: str) -> None:
    assert fine_binning(feature, np.array([1e9])) is FINE_BINNINGS[feature]


def test_the_fine_bins_reach_the_beam_energy() -> None:
    pt = FINE_BINNINGS["pt"]
    assert (pt.lowest, pt.width) == (0, 0.1)
    assert pt.width * pt.bins > 6500
