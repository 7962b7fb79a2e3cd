"""Stage `hardware`: latency and resources, from the vendor's reports where the projects have them, else estimated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from trigger_ad.config import BackEnd, Config, FirmwareConfig
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
from trigger_ad.pipeline.convert import ENCODING, shipped_network
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.run_directory import write_json
from trigger_ad.synthesis.estimates import LayerWork, ProjectEstimate, estimate_project, measuring_command
from trigger_ad.synthesis.hardware import Flow, hardware_entries
from trigger_ad.synthesis.layer_estimates import Kind
from trigger_ad.synthesis.projects import read_project_settings, report_files, settings_file
from trigger_ad.synthesis.stamps import read_stamp, stamp_file
from trigger_ad.synthesis.vivado_reports import OF_HLS4ML

FLOWS: Mapping[BackEnd, Flow] = {"vitis": "hls_vitis", "vivado": "hls_vivado"}


def firmware_projects(run: Run) -> dict[Flow, Path]:
    """The folder of each firmware project of a run, by flow."""
    projects = {FLOWS[name]: run.directory.hls_project(name) for name in run.config.firmware.back_ends}
    rtl = run.directory.rtl_project
    return projects | ({"rtl": rtl} if rtl.is_dir() else {})


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


def _execute(run: Run) -> None:
    firmware = run.config.firmware
    network = shipped_network(run)
    estimates = {FLOWS[name]: estimated(run, network, name) for name in firmware.back_ends}
    entries = hardware_entries(firmware_projects(run), estimates, part=firmware.part, clock_ns=firmware.clock_ns)
    commands = {
        FLOWS[name]: measuring_command(name).replace(
            "<project>", run.directory.relative(run.directory.hls_project(name))
        )
        for name in firmware.back_ends
    }
    layers = {flow: [asdict(layer) for layer in estimate.layers] for flow, estimate in estimates.items()}
    results = {
        "hardware": [entry.to_json() for entry in entries],
        "estimate_layers": layers,
        "measuring_commands": commands,
    }
    write_json(run.directory.results("hardware"), results)


def _reports(run: Run) -> list[Path]:
    """Every report of a vendor's tool in the projects, the stamps that say what it is of, and the sources it is of."""
    found: list[Path] = []
    for project in firmware_projects(run).values():
        settings = read_project_settings(project)
        for step in settings.steps:
            reports = [path for path in report_files(project, settings, step) if path.is_file()]
            stamp = read_stamp(project, step) if reports else None
            sources = [project / name for name in stamp.of] if stamp else []
            found += [*reports, *([stamp_file(project, step)] if stamp else []), *sources]
        found += [path for path in (project / OF_HLS4ML,) if path.is_file()]
    return found


def _settings(config: Config) -> dict[str, Any]:
    parts = {"firmware": config.firmware, "inputs": config.inputs, "layout": config.layout}
    return {name: part.model_dump(mode="json") for name, part in parts.items()} | {"ship": config.quantization.ship}


HARDWARE = Stage(
    "hardware",
    _settings,
    lambda run: [
        run.network_file,
        *(settings_file(project) for project in firmware_projects(run).values()),
        *_reports(run),
    ],
    lambda run: [run.directory.results("hardware")],
    _execute,
    ("pipeline/hardware.py", *ENCODING, "network", "firmware/hls_layers.py", "synthesis"),
)
