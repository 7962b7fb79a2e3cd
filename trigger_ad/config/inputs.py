"""The section `inputs`: how physical values become the words of the trigger."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator, model_validator

from trigger_ad.config.section import Bits, Name, Section


class FeatureConfig(Section):
    """How one feature becomes an integer: the word of the trigger, and what the network makes of it."""

    lsb: float = Field(gt=0, allow_inf_nan=False)
    """The physical value of one unit of the trigger word, in the units of the events: GeV for pT, radians for phi."""
    width: Bits
    """Bits of the trigger word, unsigned for pT, two's complement for eta and phi; values beyond it saturate."""
    offset: int = Field(default=0, ge=-(2**23), le=2**23)
    """Subtracted from the word, in units of the word; may be negative."""
    shift: int = Field(default=0, ge=-24, le=24)
    """The network sees `(word - offset) * 2**-shift`."""


class TransverseMomentumConfig(FeatureConfig):
    """How pT becomes an integer; its word may pass through a table of logarithms first."""

    logarithm: int | None = Field(default=None, ge=0, le=12)
    """With k given, a table replaces the word w by `2**k * log2(w)`, rounded to an integer, before the offset, which is
    then in units of the logarithm. For words of at most 14 bits."""

    @model_validator(mode="after")
    def _table_of_a_sensible_size(self) -> TransverseMomentumConfig:
        if self.logarithm is not None and self.width > 14:
            raise ValueError(f"logarithm: a table for {self.width}-bit words is too large; give a width of at most 14")
        return self


class OtherFeatureConfig(FeatureConfig):
    """How any other quantity becomes an integer."""

    signed: bool = False
    """Whether the trigger word is in two's complement."""


class InputsConfig(Section):
    """Which features of every object enter the network, and how they become integers."""

    pt: TransverseMomentumConfig = TransverseMomentumConfig(lsb=1.0, width=8, offset=-64, shift=5)
    """Transverse momentum, in GeV; what is not named of it keeps its default, here as for eta and phi."""
    eta: FeatureConfig | None = FeatureConfig(lsb=0.5, width=5, shift=6)
    """Pseudorapidity; `null` leaves it out."""
    phi: FeatureConfig | None = FeatureConfig(lsb=0.5, width=4, shift=6)
    """Azimuth, in radians; `null` leaves it out."""
    other: dict[Name, OtherFeatureConfig] = Field(default={})
    """Further features of the events' layout, by name."""

    @model_validator(mode="before")
    @classmethod
    def _fill_partial_features(cls, data: Any) -> Any:
        """A feature of which some keys are named keeps its own defaults for the others."""
        if not isinstance(data, dict):
            return data
        defaults = {name: cls.model_fields[name].default.model_dump() for name in ("pt", "eta", "phi")}
        return {
            name: defaults[name] | given if name in defaults and isinstance(given, dict) else given
            for name, given in data.items()
        }

    @field_validator("other")
    @classmethod
    def _not_a_kinematic_feature(cls, other: dict[str, OtherFeatureConfig]) -> dict[str, OtherFeatureConfig]:
        taken = next((name for name in ("pt", "eta", "phi") if name in other), None)
        if taken:
            raise ValueError(f"'{taken}' has a key of its own beside 'other'")
        return other
