"""What can be refused in seconds, before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_ad.errors import UserError
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.trigger_menu import require_enough_events

if TYPE_CHECKING:
    from trigger_ad.config import FirmwareConfig
    from trigger_ad.network.graph import Network


def check_run(run: Run) -> list[str]:
    """Refuses what could not be converted exactly, or whose tools or files are missing.

    Returns:
        What was checked, a line each.

    Raises:
        UserError: Naming the key, file or tool, and the remedy.
    """
    from trigger_ad.synthesis.budgets import check_budget
    from trigger_ad.synthesis.devices import check_part
    from trigger_ad.tools import require_compiler

    files = run.event_files()
    if files:
        require_enough_events(run, background_events(run))
    check_part(run.config.firmware.part)
    check_budget(run.config.budget, run.config.firmware.part)
    require_compiler()
    if run.config.own_model:
        # its layers are checked when it is read, which takes no training
        return [f"input words: {run.encoding.network_type}", *_found_lines(run)]
    network = _worst_case(run)
    widest = max(word.type.width for word in network.words.values())
    return [
        f"events: {len(files)} files",
        f"input words: {run.encoding.network_type}",
        f"widest word, every weight extreme (where binary points end up apart, a word may be wider): {widest} bits",
        f"reuse factor {run.config.firmware.reuse_factor}, exceptions included: valid for every layer",
        *_found_lines(run),
        *_rtl_lines(run, network),
        *_budget_lines(run),
        *_accumulator_lines(run),
        *_bypass_lines(run, network),
    ]


def background_events(run: Run) -> int:
    """How many background events the files of a run hold, every file of which is checked for its layout.

    Raises:
        UserError: If a file is missing or no events file, or the background is empty.
    """
    from trigger_ad.events.files import EventsFile

    files, layout = run.event_files(), run.encoding.layout
    events = []
    for path in files:
        _require_events(path.exists(), str(path))
        with EventsFile(path, layout) as file:
            # opening it checks its layout; its values are read when a stage needs them
            events.append(file.header.events)
    # the background's files come first
    background = sum(events[: run.event_file_counts()["background"]])
    if not background:
        raise UserError(f"the background holds no events ({files[0]})", "Give a file with at least one event")
    return background


def _require_events(present: bool, path: str) -> None:
    if not present:
        raise UserError(
            f"the events file {path} does not exist", "Correct the path under 'events', or say 'events: sample'"
        )


def _worst_case(run: Run) -> Network:
    """The network that would ship, with the widest weights, after every check that needs no more than its layers."""
    from trigger_ad.config import StudentConfig
    from trigger_ad.network.worst_case import worst_case_network

    config = run.config
    if isinstance(config.model, StudentConfig):
        # only its shapes can be wrong: it does not ship
        run.architecture_of(config.model.teacher)
    network = worst_case_network(
        run.architecture,
        config.score,
        config.quantization,
        run.encoding.network_type,
        len(run.encoding.features),
        run.encoding.bounds,
    )
    check_firmware(network, config.firmware, _kept(run))
    return network


def _kept(run: Run) -> float:
    """The share of the weights that pruning leaves."""
    pruning = run.config.training.pruning
    return 1 - pruning.sparsity if pruning else 1.0


def check_firmware(network: Network, firmware: FirmwareConfig, kept: float = 1.0) -> None:
    """Refuses a network that one of the flows asked for cannot take.

    Args:
        network: The network.
        firmware: What is asked for.
        kept: The share of its weights that will not be 0.

    Raises:
        UserError: Naming the key or the layer, and the remedy.
    """
    from trigger_ad.firmware.hls_layers import check_layers
    from trigger_ad.firmware.limits import check_limits
    from trigger_ad.firmware.reuse import check_reuse_factor
    from trigger_ad.pipeline.rtl import require_rtl

    check_layers(network, firmware)
    if firmware.hls_back_ends:
        check_limits(network, firmware)
        check_reuse_factor(network, firmware)
    if firmware.has_rtl:
        require_rtl(network, kept)


def _found_lines(run: Run) -> list[str]:
    """What is said of what the firmware is built for and with."""
    from trigger_ad.synthesis.devices import find_device

    part = run.config.firmware.part
    if find_device(part) is not None:
        return [f"part {part}, C++ compiler: found"]
    return [
        "C++ compiler: found",
        f"WARNING: the size of part {part} is not known here: shares of the device will be left blank",
    ]


def _rtl_lines(run: Run, network: Network) -> list[str]:
    """What is said of the RTL: that it is within what a run takes."""
    from trigger_ad.firmware.rtl import MOST_PRODUCTS_AS_RTL, products

    if not run.config.firmware.has_rtl:
        return []
    count = round(products(network) * _kept(run))
    return [
        f"RTL: at most {count:,} products with weights, of {MOST_PRODUCTS_AS_RTL:,} that are simulated within a run"
    ]


def _budget_lines(run: Run) -> list[str]:
    """What measured figures will be held against."""
    limits = run.config.budget.model_dump(exclude_none=True)
    if not limits:
        return []
    told = ", ".join(f"{name} {limit}" for name, limit in limits.items())
    return [f"budget: {told}; 'synthesize' ends with 1 where a measured figure is over it"]


def _accumulator_lines(run: Run) -> list[str]:
    """What is said of accumulator types that the user sets: binary points are known once the network is quantized."""
    from trigger_ad.firmware.accumulators import check_accumulators, narrowed
    from trigger_ad.pipeline.convert import shipped_network
    from trigger_ad.pipeline.quantize import QUANTIZE
    from trigger_ad.pipeline.train import TRAIN

    firmware = run.config.firmware
    if not firmware.accumulators:
        return []
    if not (TRAIN.is_up_to_date(run) and QUANTIZE.is_up_to_date(run)):
        return [
            f"layer '{name}': whether its accumulator {kind} is wide enough is known when the network is quantized; "
            "'convert' refuses it if it has too few fraction bits"
            for name, kind in firmware.accumulators.items()
        ]
    network = shipped_network(run)
    check_accumulators(network, firmware)
    return [f"WARNING: {line}" for line in narrowed(network, firmware)]


def _bypass_lines(run: Run, network: Network) -> list[str]:
    """What is said of the FIFOs of an io_stream design."""
    from trigger_ad.pipeline.hardware import estimated
    from trigger_ad.pipeline.streams import bypasses

    firmware = run.config.firmware
    if firmware.io_type != "io_stream" or not firmware.hls_back_ends:
        return []
    return [
        f"FIFO from {bypass.source} to {bypass.reader}: depth {bypass.depth}, room for {bypass.events} events of "
        f"{bypass.transfers} transfers (for one, or it deadlocks; for more, by the estimated latency)"
        for bypass in bypasses(network, estimated(run, network, firmware.back_ends[0]))
    ]
