"""Stage `hardware`: latency and resources, from the vendor's reports where the projects have them, else estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trigger_ad.config import BackEnd, Config
from trigger_ad.network.graph import Dense, Elementwise, Network, Node
from trigger_ad.pipeline.convert import ENCODING, shipped_network
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.run_directory import write_json
from trigger_ad.synthesis.estimates import LayerWork, ProjectEstimate, estimate_project, measuring_command
from trigger_ad.synthesis.hardware import Flow, hardware_entries

FLOWS: Mapping[BackEnd, Flow] = {"vitis": "hls_vitis", "vivado": "hls_vivado"}


def layer_work(network: Network) -> list[LayerWork]:
    """What each layer of a network has to compute, for the estimate."""
    return [_work(node, network) for node in network.nodes[1:]]


def _work(node: Node, network: Network) -> LayerWork:
    word = network.words[node.name]
    width = max(network.type(source).width for source in node.sources)
    match node:
        case Dense():
            if node.is_sum:
                inputs = len(node.kernel.codes)
                return LayerWork(node.name, "sum", width, word.type.width, None, word.type.width, inputs)
            codes = node.kernel.codes
            return LayerWork(node.name, "dense", width, word.type.width, codes, word.type.width, word.size)
        case Elementwise():
            return LayerWork(node.name, node.kind, width, word.type.width, None, word.type.width, word.size)
        case _:
            return LayerWork(node.name, "activation", width, word.type.width, None, width, word.size)


def _estimate(run: Run, work: list[LayerWork], back_end: BackEnd) -> ProjectEstimate:
    firmware = run.config.firmware
    return estimate_project(
        work,
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
    work = layer_work(shipped_network(run))
    estimates = {FLOWS[name]: _estimate(run, work, name) for name in firmware.back_ends}
    projects = {FLOWS[name]: run.directory.hls_project(name) for name in firmware.back_ends}
    entries = hardware_entries(projects, estimates, part=firmware.part, clock_ns=firmware.clock_ns)
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
    """Every report of a vendor tool below the projects."""
    found: list[Path] = []
    for back_end in run.config.firmware.back_ends:
        project = run.directory.hls_project(back_end)
        found += [path for pattern in ("**/*.rpt", "**/*_csynth.xml") for path in sorted(project.glob(pattern))]
    return found


def _settings(config: Config) -> dict[str, Any]:
    parts = {"firmware": config.firmware, "inputs": config.inputs, "layout": config.layout}
    return {name: part.model_dump(mode="json") for name, part in parts.items()} | {"ship": config.quantization.ship}


HARDWARE = Stage(
    "hardware",
    _settings,
    lambda run: [
        run.directory.network(run.config.quantization.ship),
        *(run.directory.hls_project(name) / "project.tcl" for name in run.config.firmware.back_ends),
        *_reports(run),
    ],
    lambda run: [run.directory.results("hardware")],
    _execute,
    ("pipeline/hardware.py", *ENCODING, "network", "synthesis"),
)
