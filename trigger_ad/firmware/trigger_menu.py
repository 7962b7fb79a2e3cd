"""The text file of thresholds that a trigger menu reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trigger_ad.config import Config
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.network.digest import network_digest
from trigger_ad.network.graph import Network

COLUMNS = ("rate_hz", "fpr_target", "threshold_code", "threshold_hex", "achieved_rate_hz", "low_hz", "high_hz")
"""One line for each working point, with spaces between."""


class MenuPoint(Protocol):
    """A working point: see `RatePoint` of the room `evaluation`, which stands above this one."""

    @property
    def rate_hz(self) -> float:
        """The rate asked for."""

    @property
    def fpr_target(self) -> float:
        """Its share of the input rate."""

    @property
    def reason(self) -> str | None:
        """Why the sample does not support it."""

    @property
    def threshold_code(self) -> int | None:
        """The threshold, where it does."""

    @property
    def achieved_rate_hz(self) -> float | None:
        """The rate on test background, with its 95 % interval."""

    @property
    def rate_low_hz(self) -> float | None:
        """Lower end of the interval."""

    @property
    def rate_high_hz(self) -> float | None:
        """Upper end of the interval."""


def menu_text(config: Config, network: Network, points: Sequence[MenuPoint]) -> str:
    """The menu: comments that begin with `#`, and a line for each working point that the sample supports.

    Args:
        config: The run's configuration, with rates.
        network: The frozen network.
        points: The working points, in the order of the menu.
    """
    assert config.trigger is not None
    kind = network.type(network.output.name)
    heading = (
        f"trigger menu of {config.name}, made by trigger-ad",
        f"network digest {network_digest(network)}",
        f"score word {kind}: {kind.width} bits, {'twos complement' if kind.signed else 'unsigned'}, one unit is "
        f"worth {kind.lsb:g}",
        "rule: accept = score word > threshold code",
        f"input rate {config.trigger.input_rate_hz:.15g} Hz, of events that pass the background sample's own selection"
        ", as the configuration assumes it: no sample says it",
        "rates are before overlap with other triggers; thresholds are set on validation background, achieved rates",
        "with their 95 % intervals measured on test background; threshold_hex is the word as the port takes it",
        _built_with(config),
        " ".join(COLUMNS),
    )
    return "".join([*(f"# {line}\n" for line in heading), *(f"{_line(point, kind)}\n" for point in points)])


def _built_with(config: Config) -> str:
    accept = config.firmware.accept
    what = "test benches set the register for" if accept.threshold == "register" else "the firmware is built for"
    if accept.rate_hz is None:
        return f"{what} a false-positive rate of {config.accept_fpr:g}, which is no working point of this menu"
    return f"{what} {accept.rate_hz:g} Hz"


def _line(point: MenuPoint, kind: FixedPoint) -> str:
    if point.threshold_code is None:
        return f"# {point.rate_hz:.15g} Hz is not supported: {point.reason}"
    word = point.threshold_code % 2**kind.width
    rates = (point.achieved_rate_hz, point.rate_low_hz, point.rate_high_hz)
    return (
        f"{point.rate_hz:.15g} {point.fpr_target:.6g} {point.threshold_code} 0x{word:0{-(-kind.width // 4)}x} "
        + " ".join(f"{rate:.6g}" for rate in rates)
    )
