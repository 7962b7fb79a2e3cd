"""Anomaly scores that are fitted without a network, held against hand-made events and scikit-learn's own PCA."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from trigger_ad.evaluation.fitted_baselines import IsolatingForest, PrincipalComponents


def test_the_distance_from_a_line_is_what_one_component_leaves() -> None:
    line = np.array([10, 20]) + np.outer([-3.0, -1.0, 1.0, 3.0], [0.6, 0.8])
    found = PrincipalComponents.of([line], 1)
    assert np.allclose(found.mean, [10, 20], rtol=0, atol=1e-12)
    assert np.allclose(found.scores(line), 0, rtol=0, atol=1e-9)
    # two units away from the line, at a right angle to it
    assert np.allclose(found.scores(np.array([[10 - 1.6, 20 + 1.2]])), 4, rtol=0, atol=1e-9)


def test_blocks_of_any_size_give_the_principal_components_of_all_events() -> None:
    inputs = np.random.default_rng(1).normal(size=(500, 6)) * [9, 7, 5, 3, 2, 1] + 4
    expected = PCA(3).fit(inputs)
    missing = ((inputs - expected.inverse_transform(expected.transform(inputs))) ** 2).sum(axis=1)
    for cuts in ([], [499], [1, 2, 250]):
        found = PrincipalComponents.of(np.split(inputs, cuts), 3)
        assert np.allclose(found.scores(inputs), missing, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("components", [0, 6])
def test_components_are_fewer_than_inputs(components: int) -> None:
    with pytest.raises(ValueError, match="components of 6 inputs"):
        PrincipalComponents.of([np.ones((3, 6))], components)
    with pytest.raises(ValueError, match="need some events, not 0"):
        PrincipalComponents.of([], 1)


def test_a_forest_isolates_what_lies_apart_and_is_the_same_for_the_same_seed() -> None:
    inputs = np.random.default_rng(2).normal(size=(400, 3))
    events = np.array([[0.0, 0.0, 0.0], [8.0, 8.0, 8.0]])
    near, far = IsolatingForest(inputs, 1).scores(events)
    assert near < 0.5 < far < 1
    assert IsolatingForest(inputs, 1).scores(events).tolist() == [near, far]
    assert IsolatingForest(inputs, 2).scores(events).tolist() != [near, far]


def test_a_forest_grows_from_fewer_events_than_a_tree_may_see() -> None:
    assert IsolatingForest(np.random.default_rng(3).normal(size=(20, 3)), 1).scores(np.zeros((1, 3))).shape == (1,)
