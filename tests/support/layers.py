"""Layers of compiled HLS driven by themselves."""

from __future__ import annotations

import numpy as np

from trigger_ad.emulation.hls import CompiledProject
from trigger_ad.emulation.hls_units import driven_nodes
from trigger_ad.network.evaluation import evaluate_layer
from trigger_ad.network.graph import Network
from trigger_ad.network.layer_vectors import layer_vectors


def assert_layers_alone(bench: CompiledProject, network: Network) -> None:
    """Every layer of a project gives what the reference gives for any codes of what it reads."""
    given = layer_vectors(network, seed=1)
    assert [unit.node for unit in bench.units] == [node.name for node in driven_nodes(network)]
    found = bench.alone(network, given)
    for unit in bench.units:
        expected = evaluate_layer(network, unit.node, {name: given[name] for name in unit.sources})
        np.testing.assert_array_equal(found[unit.node], expected)
