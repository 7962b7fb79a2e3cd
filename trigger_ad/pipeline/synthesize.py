"""Stage `synthesize`: latency and resources, of HLS from the vendor's reports, else estimated, of RTL measured."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from trigger_ad.config import Config
from trigger_ad.firmware.rtl_design import DESIGN_FILE
from trigger_ad.pipeline.convert import ENCODING, shipped_network
from trigger_ad.pipeline.hardware import FLOWS, estimated, firmware_projects
from trigger_ad.pipeline.rtl_hardware import FLOW, Measured, measured
from trigger_ad.pipeline.stage import Run, Stage
from trigger_ad.run_directory import write_json
from trigger_ad.synthesis.budgets import budget_lines
from trigger_ad.synthesis.estimates import measuring_command
from trigger_ad.synthesis.hardware import hardware_entries
from trigger_ad.synthesis.projects import read_project_settings, report_files, settings_file
from trigger_ad.synthesis.stamps import read_stamp, stamp_file
from trigger_ad.synthesis.vivado_reports import OF_HLS4ML
from trigger_ad.synthesis.yosys_run import yosys_version


def _execute(run: Run) -> None:
    firmware, network = run.config.firmware, shipped_network(run)
    estimates = {FLOWS[name]: estimated(run, network, name) for name in firmware.hls_back_ends}
    entries = hardware_entries(firmware_projects(run), estimates, part=firmware.part, clock_ns=firmware.clock_ns)
    rtl = measured(run) if firmware.has_rtl else Measured()
    layers = {flow: [asdict(layer) for layer in estimate.layers] for flow, estimate in estimates.items()}
    hardware = [*(entry.to_json() for entry in entries), *rtl.entries]
    budget = budget_lines(run.config, hardware)
    results = {
        "hardware": hardware,
        "budget": [line.to_json() for line in budget],
        "not_measured": rtl.missing,
        "estimate_layers": layers,
        "measuring_commands": _commands(run),
    }
    write_json(run.directory.results("hardware"), results)


def _commands(run: Run) -> dict[str, str]:
    """What measures, or measures more, on a machine with the vendor's tools; by flow."""
    commands: dict[str, str] = {}
    for name in run.config.firmware.hls_back_ends:
        project = run.directory.relative(run.directory.hls_project(name))
        commands[FLOWS[name]] = measuring_command(name).replace("<project>", project)
    if run.config.firmware.has_rtl:
        project = run.directory.relative(run.directory.rtl_project)
        commands[FLOW] = f"cd {project} && vivado -mode batch -source build.tcl"
    return commands


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


def _rtl_inputs(run: Run) -> list[Path]:
    """The RTL that is synthesized, and what its simulation has shown."""
    if not run.config.firmware.has_rtl:
        return []
    project = run.directory.rtl_project
    return [project / DESIGN_FILE, project / "verilog", run.directory.results("emulation")]


def _settings(config: Config) -> dict[str, Any]:
    parts = {"firmware": config.firmware, "budget": config.budget, "inputs": config.inputs, "layout": config.layout}
    return {name: part.model_dump(mode="json") for name, part in parts.items()} | {
        "ship": config.quantization.ship,
        "yosys": yosys_version() if config.firmware.has_rtl else None,
    }


SYNTHESIZE = Stage(
    "synthesize",
    _settings,
    lambda run: [
        run.network_file,
        *(settings_file(project) for project in firmware_projects(run).values()),
        *_reports(run),
        *_rtl_inputs(run),
    ],
    lambda run: [run.directory.results("hardware")],
    _execute,
    (
        "pipeline/synthesize.py",
        "pipeline/hardware.py",
        "pipeline/rtl_hardware.py",
        *ENCODING,
        "network",
        "firmware/hls_layers.py",
        "firmware/rtl_design.py",
        "synthesis",
    ),
)
