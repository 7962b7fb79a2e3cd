"""What is proposed fits the flow, the network and the settings that the firmware has."""

from __future__ import annotations

from typing import Any

import pytest

from trigger_ad.config import Config
from trigger_ad.synthesis.budgets import FIGURES
from trigger_ad.synthesis.remedies import clock_remedy, fit_remedy, remedy_for

STUDENT: dict[str, Any] = {"model": {"architecture": "student"}}


def _remedy(figure: str, flow: str = "rtl", **changes: Any) -> str:
    return remedy_for(figure, flow, Config.model_validate({"name": "a"} | changes))


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("changes", [{}, STUDENT, {"score": "mahalanobis"}])
def test_rtl_is_told_neither_to_become_rtl_nor_what_is_of_hls(figure: str, changes: dict[str, Any]) -> None:
    firmware: dict[str, Any] = {"firmware": {"reuse_factor": 4, "io_type": "io_stream", "strategy": "resource"}}
    said = _remedy(figure, **changes, **firmware)
    assert said
    assert not [word for word in ("flow: rtl", "reuse", "io_parallel", "FIFO") if word in said]


@pytest.mark.parametrize("figure", ["latency_ns", "lut"])
def test_a_network_is_told_what_it_is_not_already(figure: str) -> None:
    assert "a score without a decoder" in _remedy(figure)
    latent = _remedy(figure, score="mahalanobis")
    assert ("decoder" in latent, "a student" in latent) == (False, True)
    student = _remedy(figure, **STUDENT)
    assert ("decoder" in student, "a student" in student, "model.hidden" in student) == (False, False, True)


def test_a_reuse_factor_is_lowered_for_latency_where_there_is_one_and_raised_for_look_up_tables() -> None:
    assert "reuse" not in _remedy("latency_ns", "hls_vitis")
    assert "a lower reuse factor" in _remedy("latency_ns", "hls_vitis", firmware={"reuse_factor": 4})
    layers = {"layers": {"encoder_1": {"reuse_factor": 4}}}
    assert "a lower reuse factor" in _remedy("latency_ns", "hls_vivado", firmware=layers)
    assert "a higher reuse factor" in _remedy("lut", "hls_vitis")


def test_hls_is_told_of_rtl_where_that_takes_less() -> None:
    assert "firmware.flow: rtl" in _remedy("dsp", "hls_vitis")
    assert "up to 10 bits" in _remedy("dsp", "hls_vitis")
    assert "up to 6 bits" in _remedy("dsp", "hls_vitis", firmware={"strategy": "resource"})
    assert "firmware.flow: rtl" in _remedy("ii_cycles", "hls_vivado")


def test_only_a_streamed_design_has_words_that_wait_in_fifos() -> None:
    assert "FIFO" in _remedy("bram", "hls_vitis", firmware={"io_type": "io_stream"})
    assert "FIFO" not in _remedy("bram", "hls_vitis")


def test_a_model_of_ones_own_has_no_settings_of_ours() -> None:
    own: dict[str, Any] = {"own_model": {"file": "model.h5"}}
    said = _remedy("lut", **own)
    assert not [key for key in ("quantization", "training", "model.") if key in said]


def test_a_clock_that_is_missed_may_be_longer() -> None:
    assert "firmware.clock_ns" in clock_remedy(Config(name="a"))


def test_a_design_that_does_not_fit_is_told_of_reuse_in_hls_alone() -> None:
    assert "firmware.reuse_factor" in fit_remedy(is_rtl=False)
    assert "reuse" not in fit_remedy(is_rtl=True)
