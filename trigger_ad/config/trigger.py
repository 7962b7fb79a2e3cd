"""The section `trigger`: the rates at which a trigger menu could run the firmware."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from trigger_ad.config.section import Section


class TriggerConfig(Section):
    """Rates, before overlap with other triggers."""

    input_rate_hz: float = Field(gt=0, allow_inf_nan=False)
    """Of events that pass the selection of the background sample: the share of it that a threshold accepts is a share
    of this rate, and not of the bunch crossings."""
    rates_hz: tuple[float, ...] = Field(min_length=1, strict=False)
    """One working point each, in the order of the menu."""

    @field_validator("rates_hz", mode="before")
    @classmethod
    def _are_listed(cls, rates: Any) -> Any:
        if not isinstance(rates, list | tuple):
            raise ValueError("give a list of rates in Hz, such as [100, 10]")
        return rates

    @field_validator("rates_hz")
    @classmethod
    def _are_below_the_input_rate(cls, rates: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        whole = info.data.get("input_rate_hz")
        for rate in rates:
            # what is not a number is not above 0 either
            if not rate > 0:
                raise ValueError(f"{rate:g} Hz is no rate above 0; give each rate in Hz")
            if whole is not None and rate >= whole:
                raise ValueError(
                    f"{rate:g} Hz is not below trigger.input_rate_hz, which is {whole:g} Hz: one of the two is wrong"
                )
            if rates.count(rate) > 1:
                raise ValueError(f"{rate:g} Hz is named twice; name each rate once")
        return rates

    def fpr_of(self, rate_hz: float) -> float:
        """The false-positive rate on the background sample that a trigger rate is."""
        return rate_hz / self.input_rate_hz
