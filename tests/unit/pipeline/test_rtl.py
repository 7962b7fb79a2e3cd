"""The stage that writes the RTL of a run, or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.own_models import saved_model

from trigger_ad.errors import UserError
from trigger_ad.firmware.rtl_design import RtlDesign
from trigger_ad.pipeline.own_model import open_own_model
from trigger_ad.pipeline.rtl import RTL
from trigger_ad.pipeline.stage import Run
from trigger_ad.pipeline.target import bring_up_to_date, open_run

OUT = Path("hls_projects/mine")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A model of somebody's own, converted."""
    monkeypatch.chdir(tmp_path)
    run = open_own_model(saved_model(Path("any.h5")), OUT, "fixed<8,2>")
    assert bring_up_to_date(run, "convert") == ["import", "convert", "rtl"]
    return run


def _set(key: str, value: str, other: str) -> Run:
    config = OUT / "config.yaml"
    text = config.read_text()
    assert f"{key}: {value}\n" in text
    config.write_text(text.replace(f"{key}: {value}\n", f"{key}: {other}\n"))
    return open_run(OUT)


def test_several_output_words_have_no_accept_bit(run: Run) -> None:
    design = RtlDesign.read(OUT / "rtl")
    assert design.accept is None
    assert design.output.words == 3
    assert design.ports[0].words == 6


def test_it_is_written_anew_when_what_it_reads_changes(run: Run) -> None:
    before = RtlDesign.read(OUT / "rtl")
    again = _set("clock_ns", "5.0", "100.0")
    assert bring_up_to_date(again, "convert")[-2:] == ["convert", "rtl"]
    after = RtlDesign.read(OUT / "rtl")
    assert after.clock_ns == 100.0
    assert after.latency_cycles < before.latency_cycles


def test_without_the_flow_there_is_none(run: Run) -> None:
    again = _set("flow", "both", "hls")
    bring_up_to_date(again, "convert")
    assert not (OUT / "rtl").exists()
    assert RTL.is_up_to_date(again)


def test_a_network_that_is_too_large_is_refused_and_what_stood_there_stays(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trigger_ad.firmware.rtl.MOST_PRODUCTS_AS_RTL", 20)
    with pytest.raises(UserError, match=r"firmware\.flow: the network cannot become RTL: 5\d products") as error:
        RTL.bring_up_to_date(run, again=True)
    assert error.value.remedy.startswith("Set 'firmware.flow: hls'")
    assert RtlDesign.read(OUT / "rtl").output.words == 3
