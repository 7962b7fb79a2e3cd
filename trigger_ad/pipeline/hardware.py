"""What a network costs as HLS, by estimate: the work of its layers, and what formulas make of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from trigger_ad.config import BackEnd, FirmwareConfig
from trigger_ad.firmware.hls_layers import multiplications, reuse_factor_of
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import (
    Convolution,
    Dense,
    Elementwise,
    Input,
    Node,
    Pooling,
    Reshape,
    Upsampling,
    ZeroPadding,
)
from trigger_ad.pipeline.stage import Run
from trigger_ad.synthesis.estimates import LayerWork, ProjectEstimate, estimate_project
from trigger_ad.synthesis.hardware import Flow
from trigger_ad.synthesis.layer_estimates import Kind

FLOWS: Mapping[BackEnd, Flow] = {"vitis": "hls_vitis", "vivado": "hls_vivado"}


def firmware_projects(run: Run) -> dict[Flow, Path]:
    """The folder of each firmware project of a run, by flow."""
    firmware = run.config.firmware
    projects = {FLOWS[name]: run.directory.hls_project(name) for name in firmware.hls_back_ends}
    return projects | ({"rtl": run.directory.rtl_project} if firmware.has_rtl else {})


def layer_work(network: Network, firmware: FirmwareConfig) -> list[LayerWork]:
    """What each layer of a network has to compute, and with what strategy and reuse factor, for the estimate."""
    accumulators = {name: kind.width for name, kind in firmware.accumulators.items()}
    works = [(node, _work(node, network)) for node in network.nodes if not isinstance(node, Input)]
    return [
        replace(
            work,
            strategy=firmware.strategy_of(node.name),
            reuse_factor=reuse_factor_of(node, network, firmware) if multiplications(node) else 1,
            accumulator_width=accumulators.get(node.name, work.accumulator_width),
        )
        for node, work in works
    ]


def _work(node: Node, network: Network) -> LayerWork:
    word = network.words[node.name]
    width = max(network.type(source).width for source in node.sources)
    own = word.type.width
    match node:
        case Dense() if node.is_sum:
            return LayerWork(node.name, "sum", width, own, None, own, len(node.kernel.codes))
        case Dense():
            return LayerWork(node.name, "dense", width, own, node.kernel.codes, own, word.size)
        case Convolution():
            filters = node.kernel.codes.shape[-1]
            codes = node.kernel.codes.reshape(-1, filters)
            return LayerWork(node.name, "dense", width, own, codes, own, filters, places=word.size // filters)
        case Pooling():
            kind: Kind = "maximum" if node.kind == "max_pooling" else "sum"
            return LayerWork(node.name, kind, width, own, None, own, word.size, choices=math.prod(node.size))
        case Upsampling() | ZeroPadding() | Reshape():
            return LayerWork(node.name, "wiring", width, own, None, own, word.size)
        case Elementwise():
            return LayerWork(node.name, node.kind, width, own, None, own, word.size)
        case _:
            return LayerWork(node.name, "activation", width, own, None, width, word.size)


def estimated(run: Run, network: Network, back_end: BackEnd) -> ProjectEstimate:
    """The estimate of one back end's project.

    Args:
        run: The run.
        network: Its frozen network, or one with layers of the same sizes.
        back_end: Which.
    """
    firmware = run.config.firmware
    return estimate_project(
        layer_work(network, firmware),
        encoding=run.encoding,
        strategy=firmware.strategy,
        reuse_factor=firmware.reuse_factor,
        clock_ns=firmware.clock_ns,
        io_type=firmware.io_type,
        part=firmware.part,
        back_end=back_end,
    )
