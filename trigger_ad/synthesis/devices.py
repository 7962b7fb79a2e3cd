"""The devices whose size is known, so that resources can be given as a share of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from trigger_ad.errors import UserError


@dataclass(frozen=True)
class Device:
    """The resources of one FPGA die; the package and the speed grade do not change them.

    Args:
        part: The part as it was asked for, or the die's name.
        lut: Look-up tables with six inputs.
        ff: Flip-flops.
        dsp: DSP slices.
        bram: Block memories of 18 Kbit (a tile of 36 Kbit counts twice).
    """

    part: str
    lut: int
    ff: int
    dsp: int
    bram: int


_DIES: Final = {
    "xcvu9p": Device("xcvu9p", lut=1_182_240, ff=2_364_480, dsp=6_840, bram=4_320),
    "xcvu13p": Device("xcvu13p", lut=1_728_000, ff=3_456_000, dsp=12_288, bram=5_376),
    "xcu250": Device("xcu250", lut=1_728_000, ff=3_456_000, dsp=12_288, bram=5_376),
    "xcu280": Device("xcu280", lut=1_303_680, ff=2_607_360, dsp=9_024, bram=4_032),
    "xczu9eg": Device("xczu9eg", lut=274_080, ff=548_160, dsp=2_520, bram=1_824),
    "xc7vx690t": Device("xc7vx690t", lut=433_200, ff=866_400, dsp=3_600, bram=2_940),
    "xc7vx485t": Device("xc7vx485t", lut=303_600, ff=607_200, dsp=2_800, bram=2_060),
    "xc7z020": Device("xc7z020", lut=53_200, ff=106_400, dsp=220, bram=280),
}

_PART: Final = re.compile(
    r"(?P<die>xc(?:\d[a-z]{1,2}\d+[a-z]*?|[a-z]{1,3}\d+[a-z]*))-?(?P<package>[a-z]{2,4}\d{3,4})(?:-[0-9a-z]+){1,3}",
    re.IGNORECASE,
)
"""Die, package, speed grade and, from UltraScale on, temperature grade: xcvu13p-flga2577-2-e, xc7vx690tffg1927-2."""


def check_part(part: str) -> None:
    """Refuse a part string that no AMD (Xilinx) tool could understand.

    Args:
        part: For example `xcvu13p-flga2577-2-e`.

    Raises:
        UserError: If the string has not the form of a part number.
    """
    if _PART.fullmatch(part) is None:
        raise UserError(
            f"firmware.part: '{part}' does not look like an AMD (Xilinx) part",
            "Give die, package and speed grade in full, such as xcvu13p-flga2577-2-e or xc7vx690tffg1927-2.",
        )


def find_device(part: str) -> Device | None:
    """The resources of a part, recognised by its die whatever its package and speed grade.

    Args:
        part: A full part number.

    Returns:
        The device under the name asked for, or None where its size is not known here: shares of it are then unknown.

    Raises:
        UserError: If the string has not the form of a part number.
    """
    check_part(part)
    folded = part.lower()
    for name, die in _DIES.items():
        # the die must end where the package begins: xcvu9p must not match a longer die name such as xcvu9ps
        if re.match(rf"{name}-?[a-z]{{2,4}}\d{{3,4}}(?:-|$)", folded) is not None:
            return Device(part, die.lut, die.ff, die.dsp, die.bram)
    return None
