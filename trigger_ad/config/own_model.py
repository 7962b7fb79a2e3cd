"""The section `own_model`: a QKeras model of the user's own in place of one that is trained."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, field_validator

from trigger_ad.config.section import Section
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint

WIDEST_INPUT: Final = 31
"""Bits: the C++ library reads its input words as 32-bit integers with a sign."""


class CodesConfig(Section):
    """Inputs that arrive as the codes of a type: the firmware passes them on to the network as they are."""

    type: str
    """Of every input, such as `fixed<16,6>`."""
    count: int = Field(ge=1)
    """Number of inputs."""

    @field_validator("type")
    @classmethod
    def _known_and_plain(cls, text: str) -> str:
        try:
            kind = FixedPoint.parse(text)
        except UserError as error:
            raise ValueError(str(error)) from None
        if kind.width > WIDEST_INPUT:
            raise ValueError(f"inputs of {kind.width} bits are too wide; give at most {WIDEST_INPUT}")
        # nothing is rounded on the way in
        return str(kind.plain())

    @property
    def fixed_point(self) -> FixedPoint:
        """The type."""
        return FixedPoint.parse(self.type)


class OwnModelConfig(Section):
    """The model, and what it takes; `convert MODEL --out DIR` writes this section."""

    file: Literal["model.h5", "model.keras"]
    """The copy in the run directory."""
    codes: CodesConfig | None = None
    """The type and number of the inputs; `null` for a model that takes the trigger objects of `inputs`."""
