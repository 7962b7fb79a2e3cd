"""The section `synthesis`: where vendors' tools are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from trigger_ad.config.section import Section

VendorToolName = Literal["vitis_hls", "vitis-run", "vivado_hls", "vivado"]


class SynthesisConfig(Section):
    """What is on the machine that synthesizes; nothing that a run makes depends on it."""

    tools: dict[VendorToolName, str] = Field(default={})
    """The path of each program that is not to be looked for on PATH."""

    @field_validator("tools")
    @classmethod
    def _programs(cls, tools: dict[str, str]) -> dict[str, str]:
        for name, path in tools.items():
            if path.rpartition("/")[2] != name:
                raise ValueError(f"synthesis.tools.{name}: '{path}' is not a path of the program {name} itself")
        return tools
