"""A FIFO that waits for a slower path has room for every event that enters meanwhile."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from support.runs import small_config, small_network

from trigger_ad.network.nodes import Elementwise
from trigger_ad.pipeline.hardware import estimated
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.streams import bypasses, stream_depths
from trigger_ad.run_directory import RunDirectory


def _run(io_type: str) -> Run:
    return Run(small_config(small_network(), io_type=io_type), RunDirectory(Path("hls_projects/small")))


def test_the_inputs_wait_for_their_reconstruction() -> None:
    run, network = _run("io_stream"), small_network()
    estimate = estimated(run, network, "vitis")
    (bypass,) = bypasses(network, estimate)
    cycles = {layer.name: layer.cycles for layer in estimate.layers}
    path = sum(cycles[node.name] for node in network.nodes[1:] if not isinstance(node, Elementwise)) - cycles["score"]
    assert (bypass.source, bypass.reader) == ("inputs", "difference")
    # a vector is one transfer
    assert (bypass.transfers, bypass.events) == (1, 1 + math.ceil(path / estimate.ii_cycles))
    assert stream_depths(run, network) == {("inputs", "difference"): bypass.depth}


def test_a_square_waits_for_nothing() -> None:
    network = small_network()
    squares = [node for node in network.nodes if isinstance(node, Elementwise) and node.left == node.right]
    waiting = {bypass.reader for bypass in bypasses(network, estimated(_run("io_stream"), network, "vitis"))}
    assert squares
    assert not waiting & {node.name for node in squares}


def test_there_is_no_fifo_in_io_parallel() -> None:
    assert stream_depths(_run("io_parallel"), small_network()) == {}


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_an_estimate_is_made_for_either(io_type: str) -> None:
    assert estimated(_run(io_type), small_network(), "vivado").latency_cycles > 0
