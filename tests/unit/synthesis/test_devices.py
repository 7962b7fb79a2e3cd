"""Device sizes are known for some dies, whatever the package, and never guessed."""

from __future__ import annotations

import pytest

from trigger_ad.errors import UserError
from trigger_ad.synthesis.devices import Device, check_part, find_device


@pytest.mark.parametrize("part", ["xcvu9p-flgb2104-2l-e", "xcvu9p-flga2104-2-i", "XCVU9P-FLGB2104-2L-E"])
def test_every_package_of_a_die_has_its_resources(part: str) -> None:
    assert find_device(part) == Device(part, lut=1_182_240, ff=2_364_480, dsp=6_840, bram=4_320)


def test_vu13p() -> None:
    part = "xcvu13p-flga2577-2-e"
    assert find_device(part) == Device(part, lut=1_728_000, ff=3_456_000, dsp=12_288, bram=5_376)


@pytest.mark.parametrize("part", ["xc7vx690tffg1927-2", "xc7vx690t-ffg1927-2"])
def test_seven_series_parts_are_written_with_and_without_a_hyphen(part: str) -> None:
    assert find_device(part) == Device(part, lut=433_200, ff=866_400, dsp=3_600, bram=2_940)


@pytest.mark.parametrize(
    ("part", "lut", "ff", "dsp", "bram"),
    [
        ("xcu250-figd2104-2L-e", 1_728_000, 3_456_000, 12_288, 5_376),
        ("xcu280-fsvh2892-2L-e", 1_303_680, 2_607_360, 9_024, 4_032),
        ("xczu9eg-ffvb1156-2-e", 274_080, 548_160, 2_520, 1_824),
        ("xc7vx485tffg1761-2", 303_600, 607_200, 2_800, 2_060),
        ("xc7z020clg400-1", 53_200, 106_400, 220, 280),
    ],
)
def test_boards_of_triggers_and_of_tutorials(part: str, lut: int, ff: int, dsp: int, bram: int) -> None:
    assert find_device(part) == Device(part, lut=lut, ff=ff, dsp=dsp, bram=bram)


@pytest.mark.parametrize(
    "part",
    ["xcku115-flvb2104-2-i", "xcu200-fsgd2104-2-e", "xc7z045ffg900-2", "xczu9cg-ffvb1156-2-e", "xck26-sfvc784-2LV-c"],
)
def test_a_real_part_of_unknown_size_is_unknown_and_not_zero(part: str) -> None:
    assert find_device(part) is None


@pytest.mark.parametrize(
    "part", ["", "xcvu9p", "vu9p-flgb2104-2l-e", "5CSEMA5F31C6", "xcvu9p flgb2104", "xcvu9p-flgb2104"]
)
def test_what_is_not_a_part_is_refused_by_name(part: str) -> None:
    with pytest.raises(UserError, match=r"firmware\.part") as error:
        check_part(part)
    assert f"'{part}'" in error.value.what
    assert "xcvu13p-flga2577-2-e" in error.value.remedy
