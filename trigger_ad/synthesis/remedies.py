"""What makes a figure of the firmware smaller, by the flow it is of and the network that ships."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trigger_ad.config import Config, StudentConfig
from trigger_ad.config.model import RECONSTRUCTION_SCORES


def remedy_for(figure: str, flow: str, config: Config) -> str:
    """What to change where a figure is over its limit.

    Args:
        figure: A key of a hardware entry that a budget may limit.
        flow: The firmware project: `rtl`, or an HLS one.
        config: Of the run: what its firmware and network are already is not proposed.
    """
    return "; ".join(_REMEDIES[figure](config, flow == "rtl"))


def clock_remedy(config: Config) -> str:
    """What to change where the routed design misses its clock."""
    return f"a longer clock period (firmware.clock_ns); {_smaller(config)}, which shortens its paths"


def fit_remedy(*, is_rtl: bool) -> str:
    """What helps against a design that is larger than its device."""
    reuse = "" if is_rtl else "raise firmware.reuse_factor, "
    return f"Use fewer bits, prune more, {reuse}or name a larger firmware.part"


def _smaller(config: Config) -> str:
    if config.own_model:
        return "fewer bits or more weights of 0 in the model"
    return "fewer bits (quantization.weights, quantization.activations) or more pruning (training.pruning.sparsity)"


def _other_network(config: Config) -> str:
    if config.own_model:
        return "fewer or narrower layers"
    if isinstance(config.model, StudentConfig):
        return "fewer or narrower layers (model.hidden)"
    if config.score in RECONSTRUCTION_SCORES:
        return "a score without a decoder: a student (model.architecture: student), or one of the latent space (score)"
    return "a student (model.architecture: student), which is one small network"


def _of_latency(config: Config, is_rtl: bool) -> list[str]:
    firmware = config.firmware
    highest = max(firmware.reuse_factor, *(firmware.reuse_factor_of(layer) for layer in firmware.layers), 1)
    lower = ["a lower reuse factor (firmware.reuse_factor), with which sums begin earlier"]
    reuse = lower if highest > 1 and not is_rtl else []
    return [f"{_smaller(config)}, with which adder trees are shorter", _other_network(config), *reuse]


def _of_interval(config: Config, is_rtl: bool) -> list[str]:
    if is_rtl:
        return ["RTL is built to take an event at each clock: delete its folder and run 'convert' to make it anew"]
    return [
        "firmware.reuse_factor: 1 and firmware.io_type: io_parallel take an event at each clock, and so does "
        "firmware.flow: rtl"
    ]


def _of_tables(config: Config, is_rtl: bool) -> list[str]:
    reuse = [] if is_rtl else ["a higher reuse factor (firmware.reuse_factor)"]
    return [_smaller(config), _other_network(config), *reuse]


def _of_flip_flops(config: Config, is_rtl: bool) -> list[str]:
    return [_smaller(config), "a longer clock period (firmware.clock_ns), which takes fewer stages"]


def _of_multipliers(config: Config, is_rtl: bool) -> list[str]:
    if is_rtl:
        return ["fewer bits of the words that are multiplied with one another: RTL has no other products in DSP slices"]
    narrow = 6 if config.firmware.strategy == "resource" else 10
    return [
        f"products of words up to {narrow} bits take look-up tables",
        "firmware.flow: rtl takes shifts and additions for them",
    ]


def _of_memories(config: Config, is_rtl: bool) -> list[str]:
    if not is_rtl and config.firmware.io_type == "io_stream":
        return ["firmware.io_type: io_parallel, or fewer bits of the words that wait in FIFOs"]
    return ["narrower trigger words of what is looked up in tables (inputs)"]


_REMEDIES: Final[dict[str, Callable[[Config, bool], list[str]]]] = {
    "latency_ns": _of_latency,
    "ii_cycles": _of_interval,
    "lut": _of_tables,
    "ff": _of_flip_flops,
    "dsp": _of_multipliers,
    "bram": _of_memories,
}
