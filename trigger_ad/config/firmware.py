"""The section `firmware`: the HLS and RTL projects."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from trigger_ad.config.section import Section
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint

BackEnd = Literal["vitis", "vivado"]


Strategy = Literal["latency", "resource"]
IOType = Literal["io_parallel", "io_stream"]
Flow = Literal["hls", "rtl", "both"]
ThresholdKind = Literal["constant", "register"]
DEFAULT_FPR: Final = 0.01


class AcceptConfig(Section):
    """The accept bit: score word > threshold code."""

    threshold: ThresholdKind = "constant"
    """`constant` builds the threshold in; `register` makes it a port of the top level."""
    fpr: float | None = Field(default=None, gt=0, lt=1, allow_inf_nan=False)
    """The share of validation background that may be accepted: it sets the constant, or what test benches give the
    register. 0.01, unless a rate says it."""
    rate_hz: float | None = None
    """One of `trigger.rates_hz`, which says it in place of `fpr`; the first of them if neither is given."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_the_other(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        fpr, rate = (data.get(name) for name in ("fpr", "rate_hz"))
        if fpr is not None and rate is not None:
            raise ValueError(f"fpr ({fpr}) and rate_hz ({rate}) both set the threshold; give one of them")
        return data | {"fpr": DEFAULT_FPR} if fpr is None and rate is None else data

    @model_serializer(mode="wrap")
    def _the_one_that_says_it(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        other = "fpr" if self.fpr is None else "rate_hz"
        return {name: value for name, value in serialize(self).items() if name != other}


class LayerFirmwareConfig(Section):
    """How one layer is built, where it is not as the others."""

    reuse_factor: int | None = Field(default=None, ge=1)
    """In place of `firmware.reuse_factor`."""
    strategy: Strategy | None = None
    """In place of `firmware.strategy`."""
    accumulator: str | None = None
    """The type of its sums, such as `fixed<18,8>` (in quotes where braces are around it), in place of the one that
    holds every sum there can be; it truncates and wraps."""

    @field_validator("accumulator")
    @classmethod
    def _wraps(cls, accumulator: str | None) -> str | None:
        if accumulator is None:
            return None
        try:
            kind = FixedPoint.parse(accumulator)
        except UserError as error:
            raise ValueError(f"{error.what}; {error.remedy}") from None
        if kind != kind.plain():
            # one that saturates would depend on the order of its terms
            raise ValueError(f"an accumulator truncates and wraps; write {kind.plain()}")
        return str(kind)


class FirmwareConfig(Section):
    """The firmware projects."""

    flow: Flow = "both"
    """By hls4ml as HLS, by alkaid as RTL, or both."""
    accept: AcceptConfig = AcceptConfig()
    """The decision: accept means score word > threshold code."""
    back_ends: tuple[BackEnd, ...] = Field(default=("vitis", "vivado"), min_length=1, strict=False)
    """Of hls4ml: one HLS project for each, by Vitis HLS or by Vivado HLS."""
    part: str = "xcvu9p-flgb2104-2l-e"
    """The FPGA, as its vendor writes it."""
    clock_ns: float = Field(default=5.0, gt=0, le=1000, allow_inf_nan=False)
    """Clock period in ns."""
    reuse_factor: int = Field(default=1, ge=1)
    """In HLS, how many products share a multiplier; one that is not valid for a layer is refused, with those that are.
    The score's sum has no multipliers and keeps 1."""
    strategy: Strategy = "latency"
    """In HLS, what hls4ml builds layers for: the fewest clocks, or the fewest resources."""
    io_type: IOType = "io_parallel"
    """In HLS, whether a layer gets all words of an event at once, or one position after the other through a FIFO."""
    layers: dict[str, LayerFirmwareConfig] = Field(default={})
    """Exceptions by layer name, such as `{encoder_3: {strategy: resource, reuse_factor: 4}}`."""

    @property
    def hls_back_ends(self) -> tuple[BackEnd, ...]:
        """Those whose HLS project is written."""
        return () if self.flow == "rtl" else self.back_ends

    @property
    def has_rtl(self) -> bool:
        """Whether an RTL project is written."""
        return self.flow != "hls"

    def reuse_factor_of(self, layer: str) -> int:
        """The reuse factor asked for a layer."""
        own = self.layers[layer].reuse_factor if layer in self.layers else None
        return self.reuse_factor if own is None else own

    def strategy_of(self, layer: str) -> Strategy:
        """The strategy asked for a layer."""
        own = self.layers[layer].strategy if layer in self.layers else None
        return self.strategy if own is None else own

    @property
    def accumulators(self) -> dict[str, FixedPoint]:
        """The accumulator types that are set, by layer name."""
        own = {name: layer.accumulator for name, layer in self.layers.items()}
        return {name: FixedPoint.parse(text) for name, text in own.items() if text is not None}

    @field_validator("back_ends")
    @classmethod
    def _once_each(cls, back_ends: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(back_ends)) != len(back_ends):
            raise ValueError("a back end is named twice")
        return back_ends
